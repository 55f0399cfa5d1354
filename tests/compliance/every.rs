//! `every N` with `m`, `h`, `d` or `w`: ours. A log is due when now and its last rotation lie in
//! different slots of the wall clock.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};

use super::rotates;
use crate::scene::when::{just_before, midnight, minutes_ago, now, stamp, steady};
use crate::scene::{Scene, differs};

/// The start of the slot of so many minutes from midnight that now lies in.
fn slot(minutes: u32) -> NaiveDateTime {
    let now = now();
    let past = (now.hour() * 60 + now.minute()) % minutes;
    let whole = now.with_second(0).and_then(|t| t.with_nanosecond(0)).expect("full minute");
    whole - TimeDelta::minutes(past.into())
}

#[test]
fn a_log_of_an_earlier_slot_is_due_and_one_of_this_slot_is_not() {
    differs("every", || {
        steady();
        for (every, minutes) in [("10m", 10), ("15m", 15), ("1h", 60), ("6h", 360), ("1d", 1440)] {
            let every = format!("every {every}");
            assert!(rotates(&every, just_before(slot(minutes))), "{every}: earlier slot");
            assert!(!rotates(&every, slot(minutes)), "{every}: this slot");
        }
    });
}

#[test]
fn a_week_begins_on_monday() {
    differs("every", || {
        steady();
        let monday = midnight(now().weekday().num_days_from_monday().into());
        assert!(rotates("every 1w", just_before(monday)));
        assert!(!rotates("every 1w", monday));
    });
}

#[test]
fn a_log_seen_for_the_first_time_is_recorded_now_and_is_not_due() {
    differs("every", || {
        Scene::new()
            .config("{dir}/a.log {\nevery 10m\nrotate 1\n}")
            .log("a.log", "x\n")
            .run([])
            .quiet()
            .expect_files([("a.log", "x\n")])
            .expect_recorded_now("a.log");
    });
}

#[test]
fn the_dated_name_ends_in_the_minute() {
    differs("every", || {
        steady();
        let name = format!("a.log-{}", stamp("%Y%m%d%H%M"));
        Scene::new()
            .config("{dir}/a.log {\nevery 10m\nrotate 2\ndateext\n}")
            .log("a.log", "x\n")
            .state("a.log", minutes_ago(20))
            .run([])
            .quiet()
            .expect_files([(&name, "x\n")]);
    });
}

#[test]
fn an_argument_that_is_no_interval_is_an_error() {
    differs("every", || {
        for bad in ["10s", "0m", "m", "10", "-5m", "ten minutes"] {
            Scene::new()
                .config(&format!("{{dir}}/a.log {{\nevery {bad}\nrotate 1\n}}"))
                .log("a.log", "x\n")
                .run(["-f"])
                .status(1)
                .stderr_has("error: {config}:2 ")
                .expect_files([("a.log", "x\n")]);
        }
    });
}
