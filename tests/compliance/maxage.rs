//! `maxage N` (compat ROT-41, ROT-44).

use crate::scene::{Scene, differs, when};

#[test]
fn older_numbered_versions_are_removed_at_a_rotation() {
    Scene::new()
        .config("{dir}/a.log {\nmaxage 5\nrotate 9\n}")
        .log("a.log", "new\n")
        .file("a.log.1", "young\n")
        .days_old(4)
        .file("a.log.2", "old\n")
        .days_old(6)
        .file("a.log.3", "older\n")
        .days_old(60)
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "new\n"), ("a.log.2", "young\n")]);
}

#[test]
fn the_oldest_version_goes_first() {
    let script = "preremove\necho $1 >> {out}/calls\nendscript";
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nmaxage 5\nrotate 9\n{script}\n}}"))
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .days_old(7)
        .file("a.log.2", "older\n")
        .days_old(8)
        .run(["-f"])
        .quiet()
        .expect_out("calls", "{dir}/a.log.2\n{dir}/a.log.1\n");
}

/// 3.21 counts a day that has begun.
#[test]
fn only_whole_days_count() {
    differs("D-2", || {
        Scene::new()
            .config("{dir}/a.log {\nmaxage 5\nrotate 9\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "young\n")
            .days_old(5)
            .run(["-f"])
            .quiet()
            .expect_files([("a.log.1", "new\n"), ("a.log.2", "young\n")]);
    });
}

#[test]
fn older_dated_versions_are_removed_at_a_rotation() {
    when::steady();
    let new = format!("a.log-{}", when::stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nmaxage 5\nrotate 9\ndateext\n}")
        .log("a.log", "new\n")
        .file("a.log-20200101", "old\n")
        .days_old(60)
        .file("a.log-20200102", "young\n")
        .days_old(2)
        .run(["-f"])
        .quiet()
        .expect_files([(&new, "new\n"), ("a.log-20200102", "young\n")]);
}

#[test]
fn nothing_is_removed_while_the_log_is_not_due() {
    Scene::new()
        .config("{dir}/a.log {\ndaily\nmaxage 5\nrotate 9\n}")
        .log("a.log", "new\n")
        .state("a.log", when::midnight(0))
        .file("a.log.1", "old\n")
        .days_old(60)
        .run([])
        .quiet()
        .expect_files([("a.log", "new\n"), ("a.log.1", "old\n")]);
}

#[test]
fn it_also_limits_versions_that_are_kept_without_a_count() {
    Scene::new()
        .config("{dir}/a.log {\nmaxage 5\nrotate -1\n}")
        .log("a.log", "new\n")
        .file("a.log.1", "young\n")
        .days_old(1)
        .file("a.log.2", "old\n")
        .days_old(60)
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "new\n"), ("a.log.2", "young\n")]);
}

#[test]
fn a_negative_age_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nmaxage -1\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:2 bad maximum age")
        .expect_files([("a.log", "x\n")]);
}
