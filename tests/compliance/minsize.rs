//! `minsize N` (compat RD-20).

use super::rotates;
use crate::scene::Scene;
use crate::scene::when::{days_ago, midnight, steady};

#[test]
fn a_smaller_log_is_not_due() {
    assert!(!rotates("daily\nminsize 3", days_ago(2)));
    assert!(rotates("daily\nminsize 2", days_ago(2)));
}

#[test]
fn a_large_log_still_waits_for_its_day() {
    steady();
    assert!(!rotates("daily\nminsize 1", midnight(0)));
}

#[test]
fn force_overrides_it() {
    Scene::new()
        .config("{dir}/a.log {\ndaily\nminsize 1M\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}
