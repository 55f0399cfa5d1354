//! `preremove` (compat ROT-84, ROT-90).

use crate::scene::{Scene, differs};

#[test]
fn it_runs_with_the_path_of_what_is_removed() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\npreremove\necho \"$#:$1\" >> {out}/calls\ncat $1 >> {out}/calls\nendscript\n}")
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(["-f"])
        .quiet()
        .expect_out("calls", "1:{dir}/a.log.2\nold\n")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn a_failure_keeps_the_file() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\npreremove\nexit 1\nendscript\n}")
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: error running preremove script for {dir}/a.log.2 of '{dir}/a.log")
        .stderr_has("Not removing this file.")
        .expect_files([("a.log.1", "new\n"), ("a.log.2", "old\n")]);
}

#[test]
fn it_runs_for_the_plain_file_after_compression_too() {
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 3\ncompress\npreremove\necho $1 >> {out}/calls\nendscript\n}",
        )
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_out("calls", "{dir}/a.log.1\n")
        .expect_files([("a.log.1.gz", "new\n")]);
}

#[test]
fn it_runs_for_the_version_in_the_way_of_the_one_that_goes() {
    differs("B-43", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\npreremove\ncat $1 >> {out}/calls\nendscript\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .file("a.log.2", "older\n")
            .run(["-f"])
            .quiet()
            .expect_out("calls", "older\nold\n")
            .expect_files([("a.log.1", "new\n")]);
    });
}

#[test]
fn a_version_of_the_next_log_that_it_makes_moves_up() {
    Scene::new()
        .config(
            "{dir}/*.log {\nrotate 1\npreremove\n\
             case $1 in *a.log*) echo made > {dir}/b.log.1;; esac\nendscript\n}",
        )
        .log("a.log", "a\n")
        .file("a.log.1", "old\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_file_that_was_kept_is_removed_by_a_later_run() {
    differs("postponed", || {
        let script = "missingok\npreremove\ntest -e {out}/agreed\nendscript\n";
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\ndaily\nrotate 1\n{script}}}"))
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .run(["-f"])
            .status(1)
            .expect_files([("a.log.1", "new\n"), ("a.log.2", "old\n")])
            // The log is not due, but what was postponed is tried.
            .run([])
            .status(1)
            .stderr_has("Not removing this file.")
            .run(["-d"])
            .stderr_has("{dir}/a.log.2 of earlier runs was postponed; a run would try it again")
            .then(|scene| std::fs::write(scene.out_path("agreed"), "").expect("write"))
            .run([])
            .quiet()
            .expect_files([("a.log.1", "new\n")])
            .run([])
            .quiet();
    });
}
