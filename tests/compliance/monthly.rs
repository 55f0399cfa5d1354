//! `monthly [DAY]` (compat RD-15, CFG-75).

use chrono::Datelike;

use super::rotates;
use crate::scene::when::{days_ago, just_before, midnight, now, steady, this_month};
use crate::scene::{Scene, differs};

#[test]
fn a_log_of_an_earlier_month_is_due() {
    steady();
    assert!(rotates("monthly", just_before(this_month())));
    assert!(rotates("monthly", days_ago(365)));
}

#[test]
fn a_log_of_this_month_is_not_due() {
    steady();
    assert!(!rotates("monthly", this_month()));
}

#[test]
fn on_its_day_a_log_of_yesterday_is_due_and_one_of_today_is_not() {
    differs("D-2", || {
        steady();
        let day = format!("monthly {}", now().day());
        assert!(rotates(&day, days_ago(1)));
        assert!(!rotates(&day, midnight(0)));
    });
}

#[test]
fn with_a_day_a_log_rotates_once_a_month() {
    differs("B-10", || {
        steady();
        // A day of the month that has not been reached since yesterday.
        let other = if now().day() <= 14 { 20 } else { 7 };
        assert!(!rotates(&format!("monthly {other}"), days_ago(1)));
    });
}

/// Compat CFG-75.
#[test]
fn what_is_no_day_from_zero_to_31_is_an_error() {
    differs("D-2", || {
        for bad in ["32", "-1", "0x1", "x", "1 2", "=3"] {
            Scene::new()
                .config(&format!("{{dir}}/a.log {{\nmonthly {bad}\nrotate 1\n}}"))
                .log("a.log", "x\n")
                .run(["-f"])
                .status(1)
                .stderr_has(&format!("error: {{config}}:2 bad monthly directive ' {bad}'\n"))
                .expect_files([("a.log", "x\n")]);
        }
    });
}
