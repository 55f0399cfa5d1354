//! `minutely`: ours.

use super::rotates;
use crate::scene::when::{minutes_ago, now, stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn a_log_of_an_earlier_minute_is_due_and_one_of_this_minute_is_not() {
    differs("minutely", || {
        steady();
        assert!(rotates("minutely", minutes_ago(1)));
        assert!(!rotates("minutely", now()));
    });
}

#[test]
fn a_log_seen_for_the_first_time_is_recorded_now_and_is_not_due() {
    differs("minutely", || {
        Scene::new()
            .config("{dir}/a.log {\nminutely\nrotate 1\n}")
            .log("a.log", "x\n")
            .run([])
            .quiet()
            .expect_files([("a.log", "x\n")])
            .expect_recorded_now("a.log");
    });
}

#[test]
fn the_dated_name_ends_in_the_minute() {
    differs("minutely", || {
        steady();
        let name = format!("a.log-{}", stamp("%Y%m%d%H%M"));
        Scene::new()
            .config("{dir}/a.log {\nminutely\nrotate 2\ndateext\n}")
            .log("a.log", "x\n")
            .state("a.log", minutes_ago(2))
            .run([])
            .quiet()
            .expect_files([(&name, "x\n")]);
    });
}
