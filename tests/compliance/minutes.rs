//! `minutes N`: new after 3.21 (compat D-2); due when the minute's number has advanced by N or more.

use super::rotates;
use crate::scene::when::{days_ago, minutes_ago, stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn a_log_is_due_after_as_many_minutes_and_not_before() {
    differs("D-2", || {
        steady();
        assert!(!rotates("minutes 10", minutes_ago(9)));
        assert!(rotates("minutes 10", minutes_ago(10)));
        assert!(rotates("minutes 10", days_ago(1)));
    });
}

#[test]
fn the_dated_name_ends_in_the_minute() {
    differs("D-2", || {
        steady();
        let name = format!("a.log-{}", stamp("%Y%m%d%H%M"));
        Scene::new()
            .config("{dir}/a.log {\nminutes 10\nrotate 2\ndateext\n}")
            .log("a.log", "x\n")
            .state("a.log", minutes_ago(30))
            .run([])
            .quiet()
            .expect_files([(&name, "x\n")]);
    });
}

#[test]
fn no_minutes_at_all_are_an_error() {
    differs("D-2", || {
        Scene::new()
            .config("{dir}/a.log {\nminutes 0\nrotate 1\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has("error: {config}:2 bad minutes '0'\n")
            .expect_files([("a.log", "x\n")]);
    });
}
