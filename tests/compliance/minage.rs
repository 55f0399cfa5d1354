//! `minage N` (compat RD-21).

use crate::scene::Scene;
use crate::scene::when::days_ago;

fn of_age(days: u64) -> Scene {
    Scene::new()
        .config("{dir}/a.log {\ndaily\nminage 3\nrotate 1\n}")
        .log("a.log", "x\n")
        .days_old(days)
        .state("a.log", days_ago(9))
}

#[test]
fn a_younger_log_is_not_due() {
    of_age(2).run([]).quiet().expect_files([("a.log", "x\n")]);
}

#[test]
fn an_older_log_is_due() {
    of_age(3).run([]).quiet().expect_files([("a.log.1", "x\n")]);
}

#[test]
fn force_overrides_it() {
    of_age(0).run(["-f"]).quiet().expect_files([("a.log.1", "x\n")]);
}
