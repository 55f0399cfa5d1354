//! `ifempty` and `notifempty` (compat RD-22).

use crate::scene::Scene;

#[test]
fn an_empty_log_is_rotated_by_default() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "")]);
}

#[test]
fn an_empty_log_is_skipped_with_notifempty_even_when_forced() {
    Scene::new()
        .config("{dir}/a.log {\nnotifempty\nrotate 1\n}")
        .log("a.log", "")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "")]);
}

#[test]
fn a_log_with_contents_is_rotated_with_notifempty() {
    Scene::new()
        .config("{dir}/a.log {\nnotifempty\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn ifempty_takes_back_a_global_notifempty() {
    Scene::new()
        .config("notifempty\n{dir}/a.log {\nifempty\nrotate 1\n}")
        .log("a.log", "")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "")]);
}
