//! `delaycompress` and `nodelaycompress` (compat ROT-31).

use crate::scene::when::{stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn the_newest_version_stays_plain_until_the_next_rotation() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ndelaycompress\nrotate 3\n}")
        .log("a.log", "1\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "1\n")])
        .log("a.log", "2\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "2\n"), ("a.log.2.gz", "1\n")])
        .log("a.log", "3\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "3\n"), ("a.log.2.gz", "2\n"), ("a.log.3.gz", "1\n")]);
}

#[test]
fn all_older_dated_versions_are_compressed() {
    steady();
    let new = format!("a.log-{}", stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\ncompress\ndelaycompress\nrotate 5\ndateext\n}")
        .log("a.log", "3\n")
        .file("a.log-20200101", "1\n")
        .file("a.log-20200102", "2\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&new, "3\n"), ("a.log-20200101.gz", "1\n"), ("a.log-20200102.gz", "2\n")]);
}

#[test]
fn nodelaycompress_takes_back_a_global_delaycompress() {
    Scene::new()
        .config("delaycompress\n{dir}/a.log {\ncompress\nnodelaycompress\nrotate 3\n}")
        .log("a.log", "1\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1.gz", "1\n")]);
}

#[test]
fn without_compress_it_does_nothing_and_says_so() {
    differs("D-1", || {
        Scene::new()
            .config("{dir}/a.log {\ndelaycompress\nrotate 3\n}")
            .log("a.log", "1\n")
            .run(["-f"])
            .status(0)
            .stderr_line(
                "warning: delayed compression for log file {dir}/a.log ignored since compression is disabled",
            )
            .expect_files([("a.log.1", "1\n")]);
    });
}

#[test]
fn a_failing_compressor_does_not_keep_the_log_from_being_rotated() {
    differs("B-48", || {
        let config = "{dir}/a.log {\ncompress\ndelaycompress\ncompresscmd /bin/false\nrotate 5\n}";
        Scene::new()
            .config(config)
            .log("a.log", "2\n")
            .file("a.log.1", "1\n")
            .run(["-f"])
            .status(1)
            .expect_files([("a.log.1", "2\n"), ("a.log.2", "1\n")]);
    });
}

#[test]
fn a_clash_on_a_dated_name_compresses_nothing() {
    differs("B-28", || {
        steady();
        let name = format!("a.log-{}", stamp("%Y%m%d"));
        Scene::new()
            .config("{dir}/a.log {\ncompress\ndelaycompress\nrotate 5\ndateext\n}")
            .log("a.log", "1\n")
            .run(["-f"])
            .quiet()
            .log("a.log", "2\n")
            .run(["-f"])
            .status(1)
            .expect_files([(&name, "1\n"), ("a.log", "2\n")]);
    });
}
