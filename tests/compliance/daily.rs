//! `daily` (compat RD-12, RD-13, RD-24).

use super::rotates;
use crate::scene::Scene;
use crate::scene::when::{days_ago, just_before, midnight, now, steady, this_hour};

#[test]
fn a_log_of_an_earlier_day_is_due() {
    steady();
    assert!(rotates("daily", just_before(midnight(0))));
    assert!(rotates("daily", days_ago(400)));
}

#[test]
fn a_log_of_today_is_not_due() {
    steady();
    assert!(!rotates("daily", midnight(0)));
    assert!(!rotates("daily", now()));
}

#[test]
fn a_log_seen_for_the_first_time_is_recorded_at_the_full_hour_and_is_not_due() {
    steady();
    Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 1\n}")
        .log("a.log", "x\n")
        .run([])
        .quiet()
        .expect_files([("a.log", "x\n")])
        .expect_record("a.log", this_hour());
}

#[test]
fn a_rotation_is_recorded_to_the_second() {
    Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("a.log", days_ago(2))
        .run([])
        .quiet()
        .expect_recorded_now("a.log");
}

#[test]
fn a_log_that_is_not_due_keeps_its_record() {
    let then = midnight(0);
    Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("a.log", then)
        .run([])
        .quiet()
        .expect_record("a.log", then);
}

#[test]
fn a_record_that_lies_far_in_the_future_forces_the_rotation() {
    Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("a.log", days_ago(-3))
        .run([])
        .status(0)
        .stderr_line("error: log {dir}/a.log last rotated in the future -- rotation forced")
        .expect_files([("a.log.1", "x\n")])
        .expect_recorded_now("a.log");
}

#[test]
fn the_last_of_several_criteria_wins() {
    steady();
    assert!(!rotates("size 1\ndaily", midnight(0)));
    assert!(rotates("daily\nsize 1", midnight(0)));
    assert!(rotates("yearly\ndaily", days_ago(1)));
}
