//! `datehourago` and `nodatehourago` (compat ROT-21).

use crate::scene::when::{hours_ago, stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn the_version_is_named_after_the_hour_before() {
    steady();
    let name = format!("a.log-{}", hours_ago(1).format("%Y%m%d%H"));
    Scene::new()
        .config("{dir}/a.log {\nhourly\nrotate 2\ndateext\ndatehourago\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&name, "x\n")]);
}

#[test]
fn nodatehourago_takes_it_back() {
    differs("D-2", || {
        steady();
        Scene::new()
            .config("datehourago\n{dir}/a.log {\nhourly\nrotate 2\ndateext\nnodatehourago\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .expect_files([(&format!("a.log-{}", stamp("%Y%m%d%H")), "x\n")]);
    });
}
