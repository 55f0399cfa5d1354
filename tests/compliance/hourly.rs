//! `hourly` (compat RD-13, RD-24).

use super::rotates;
use crate::scene::when::{days_ago, hours_ago, just_before, steady, this_hour};
use crate::scene::{Scene, when};

#[test]
fn a_log_of_an_earlier_hour_is_due() {
    steady();
    assert!(rotates("hourly", just_before(this_hour())));
    assert!(rotates("hourly", days_ago(1)));
}

#[test]
fn a_log_of_this_hour_is_not_due() {
    steady();
    assert!(!rotates("hourly", this_hour()));
}

#[test]
fn the_dated_name_ends_in_the_hour() {
    steady();
    Scene::new()
        .config("{dir}/a.log {\nhourly\nrotate 2\ndateext\n}")
        .log("a.log", "x\n")
        .state("a.log", hours_ago(2))
        .run([])
        .quiet()
        .expect_files([(&format!("a.log-{}", when::stamp("%Y%m%d%H")), "x\n")]);
}
