//! `start N`: the number of the newest version (compat ROT-3, ROT-41, CFG-72).

use crate::scene::{Scene, differs};

#[test]
fn versions_count_from_zero_with_start_zero() {
    Scene::new()
        .config("{dir}/a.log {\nstart 0\nrotate 2\n}")
        .log("a.log", "new\n")
        .file("a.log.0", "0\n")
        .file("a.log.1", "1\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.0", "new\n"), ("a.log.1", "0\n")]);
}

#[test]
fn the_count_starts_at_the_start() {
    Scene::new()
        .config("{dir}/a.log {\nstart 5\nrotate 2\n}")
        .log("a.log", "new\n")
        .file("a.log.5", "5\n")
        .file("a.log.6", "6\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.5", "new\n"), ("a.log.6", "5\n")]);
}

#[test]
fn a_negative_start_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nstart -1\nrotate 2\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:2 bad start count '-1'\n")
        .expect_files([("a.log", "new\n")]);
}

#[test]
fn start_zero_keeps_all_versions_when_no_count_limits_them() {
    differs("B-07", || {
        let mut scene = Scene::new().config("{dir}/a.log {\nstart 0\nrotate -1\n}");
        for content in ["1\n", "2\n", "3\n"] {
            scene = scene.log("a.log", content).run(["-f"]).quiet();
        }
        scene.expect_files([("a.log.0", "3\n"), ("a.log.1", "2\n"), ("a.log.2", "1\n")]);
    });
}
