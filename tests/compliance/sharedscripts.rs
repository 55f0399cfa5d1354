//! `sharedscripts` and `nosharedscripts` (compat ROT-11, ROT-12, SCR-2..6).

use crate::scene::{Scene, differs, when};

const BLOCK: &str = "{dir}/*.log {\nsharedscripts\nrotate 2\nCOMPRESS\n\
    prerotate\necho \"pre:$#:$(ls {dir} | tr '\\n' ' ')\" >> {out}/calls\nendscript\n\
    postrotate\necho \"post:$#:$(ls {dir} | tr '\\n' ' ')\" >> {out}/calls\nendscript\n}";

#[test]
fn the_scripts_run_once_around_all_logs() {
    Scene::new()
        .config(&BLOCK.replace("COMPRESS", "compress"))
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_out("calls", "pre:1:a.log b.log \npost:1:a.log.1 b.log.1 \n")
        .expect_files([("a.log.1.gz", "a\n"), ("b.log.1.gz", "b\n")]);
}

/// Compat ROT-14.
#[test]
fn only_the_logs_that_are_due_are_rotated() {
    Scene::new()
        .config(&BLOCK.replace("COMPRESS", "size 3"))
        .log("a.log", "long\n")
        .log("b.log", "b\n")
        .run([])
        .quiet()
        .expect_out("calls", "pre:1:a.log b.log \npost:1:a.log.1 b.log \n")
        .expect_files([("a.log.1", "long\n"), ("b.log", "b\n")]);
}

#[test]
fn the_scripts_do_not_run_when_no_log_is_due() {
    Scene::new()
        .config(&BLOCK.replace("COMPRESS", "size 1M"))
        .log("a.log", "a\n")
        .run([])
        .quiet()
        .expect_no_out("calls");
}

#[test]
fn a_failed_prerotate_keeps_all_logs() {
    let then = when::days_ago(2);
    Scene::new()
        .config(
            "{dir}/*.log {\ndaily\nsharedscripts\nrotate 2\nprerotate\nexit 1\nendscript\n\
             postrotate\ntouch {out}/post\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .state("a.log", then)
        .state("b.log", then)
        .run([])
        .status(1)
        .stderr_has("error: error running shared prerotate script for '{dir}/*.log")
        .expect_no_out("post")
        .expect_files([("a.log", "a\n"), ("b.log", "b\n")]);
}

/// 3.21 records the logs as rotated.
#[test]
fn a_failed_prerotate_leaves_the_records() {
    differs("B-46", || {
        let then = when::days_ago(2);
        Scene::new()
            .config(
                "{dir}/a.log {\ndaily\nsharedscripts\nrotate 2\nprerotate\nexit 1\nendscript\n}",
            )
            .log("a.log", "a\n")
            .state("a.log", then)
            .run([])
            .status(1)
            .expect_record("a.log", then);
    });
}

#[test]
fn a_failed_postrotate_leaves_all_logs_rotated_and_uncompressed() {
    Scene::new()
        .config(
            "{dir}/*.log {\nsharedscripts\ncompress\nrotate 2\npostrotate\nexit 1\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: error running shared postrotate script for '{dir}/*.log")
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn one_missing_log_stops_all_but_the_first_and_last_action() {
    Scene::new()
        .config(
            "{dir}/a.log {dir}/none.log {\nsharedscripts\nrotate 2\n\
             firstaction\ntouch {out}/first\nendscript\nlastaction\ntouch {out}/last\nendscript\n\
             prerotate\ntouch {out}/pre\nendscript\npostrotate\ntouch {out}/post\nendscript\n}",
        )
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_line("error: stat of {dir}/none.log failed: No such file or directory")
        .expect_out("first", "")
        .expect_out("last", "")
        .expect_no_out("pre")
        .expect_no_out("post")
        .expect_files([("a.log", "a\n")]);
}

#[test]
fn nosharedscripts_takes_back_a_global_sharedscripts() {
    Scene::new()
        .config(
            "sharedscripts\n{dir}/*.log {\nnosharedscripts\nrotate 2\n\
             postrotate\necho $1 >> {out}/calls\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_out("calls", "{dir}/a.log\n{dir}/b.log\n");
}

/// The way of `b.log.1` is blocked by a directory.
#[test]
fn a_failing_log_of_a_shared_block_costs_no_version_however_often() {
    differs("B-16", || {
        Scene::new()
            .config("{dir}/a.log {dir}/b.log {\nsharedscripts\nrotate 2\n}")
            .log("a.log", "a\n")
            .file("a.log.1", "a 1\n")
            .file("a.log.2", "a 2\n")
            .log("b.log", "b\n")
            .file("b.log.1", "b 1\n")
            .pinned("b.log.1")
            .run(["-f"])
            .status(1)
            .run(["-f"])
            .status(1)
            .run(["-f"])
            .status(1)
            .expect_files([
                ("a.log", "a\n"),
                ("a.log.2", "a 1\n"),
                ("a.log.3", "a 2\n"),
                ("b.log", "b\n"),
                ("b.log.1", "b 1\n"),
            ]);
    });
}

/// 3.21 moves the newest version on, as if it were the log that had its name; from the third run on it
/// misses files and fails.
#[test]
fn a_wildcard_that_matches_old_versions_rotates_each_file_once() {
    differs("own-versions", || {
        let block = "{dir}/* {\nsharedscripts\nrotate 3\npostrotate\ntrue\nendscript\n}";
        Scene::new()
            .config(block)
            .log("a", "1\n")
            .run(["-f"])
            .log("a", "2\n")
            .run(["-f"])
            .quiet()
            .expect_recorded_now("a.1")
            .log("a", "3\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.1", "3\n"), ("a.2", "2\n"), ("a.3", "1\n")]);
    });
}
