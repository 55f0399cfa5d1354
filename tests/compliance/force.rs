//! `-f` (compat RD-8, RD-22).

use crate::scene::{Scene, when};

#[test]
fn a_log_is_rotated_before_its_time() {
    Scene::new()
        .config("{dir}/a.log {\nyearly\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("a.log", when::now())
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")])
        .expect_recorded_now("a.log");
}

#[test]
fn a_log_seen_for_the_first_time_is_rotated() {
    Scene::new()
        .config("{dir}/a.log {\nweekly\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}
