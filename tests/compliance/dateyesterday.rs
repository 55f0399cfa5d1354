//! `dateyesterday` and `nodateyesterday` (compat ROT-21).

use crate::scene::when::{days_ago, stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn the_version_is_named_after_the_day_before() {
    steady();
    let name = format!("a.log-{}", days_ago(1).format("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\ndateyesterday\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&name, "x\n")]);
}

#[test]
fn the_hour_is_noon() {
    steady();
    let name = format!("a.log-{}12", days_ago(1).format("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nhourly\nrotate 2\ndateext\ndateyesterday\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&name, "x\n")]);
}

#[test]
fn nodateyesterday_takes_it_back() {
    differs("D-2", || {
        steady();
        Scene::new()
            .config("dateyesterday\n{dir}/a.log {\nrotate 2\ndateext\nnodateyesterday\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .expect_files([(&format!("a.log-{}", stamp("%Y%m%d")), "x\n")]);
    });
}
