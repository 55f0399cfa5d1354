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

/// Compat CFG-74; that -1 and what does not fit are no large numbers is our own (B-29).
#[test]
fn no_minutes_at_all_are_an_error() {
    differs("D-2", || {
        for bad in ["0", "x", "1x", "-1", "4294967296"] {
            Scene::new()
                .config(&format!("{{dir}}/a.log {{\nminutes {bad}\nrotate 1\n}}"))
                .log("a.log", "x\n")
                .run(["-f"])
                .status(1)
                .stderr_has(&format!("error: {{config}}:2 bad minutes '{bad}'\n"))
                .expect_files([("a.log", "x\n")]);
        }
    });
}
