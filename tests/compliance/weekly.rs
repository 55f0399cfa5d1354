//! `weekly [DAY]` (compat RD-14, CFG-75).

use chrono::Datelike;

use super::rotates;
use crate::scene::Scene;
use crate::scene::when::{days_ago, midnight, now, steady};

fn today() -> u32 {
    now().weekday().num_days_from_sunday()
}

#[test]
fn seven_days_are_due_on_any_weekday() {
    steady();
    let other = (today() + 1) % 7;
    assert!(rotates(&format!("weekly {other}"), days_ago(7)));
    assert!(rotates("weekly 7", days_ago(7)));
}

#[test]
fn fewer_days_are_due_on_the_day_itself_only() {
    steady();
    let other = (today() + 1) % 7;
    assert!(rotates(&format!("weekly {}", today()), days_ago(1)));
    assert!(!rotates(&format!("weekly {other}"), days_ago(6)));
    assert!(!rotates("weekly 7", days_ago(6)));
}

#[test]
fn a_log_rotated_today_is_not_due() {
    steady();
    assert!(!rotates(&format!("weekly {}", today()), midnight(0)));
}

#[test]
fn a_week_without_a_day_begins_on_sunday() {
    steady();
    assert_eq!(rotates("weekly", days_ago(1)), today() == 0);
}

/// Compat CFG-75. 3.21 shows the text in another way.
#[test]
fn what_is_no_day_from_zero_to_seven_is_an_error() {
    for bad in ["8", "-1", "0x1", "x", "1 2", "1,", "=3", "1 # Monday"] {
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\nweekly {bad}\nrotate 1\n}}"))
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has("error: {config}:2 bad weekly directive '")
            .expect_files([("a.log", "x\n")]);
    }
}
