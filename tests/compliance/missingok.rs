//! `missingok` and `nomissingok` (compat RD-2, RD-3, CFG-26).

use crate::scene::{Scene, differs};

#[test]
fn a_missing_log_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}\n{dir}/b.log {\nrotate 1\n}")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .stderr_line("error: stat of {dir}/a.log failed: No such file or directory")
        .expect_files([("b.log.1", "b\n")]);
}

#[test]
fn a_missing_log_is_fine_with_missingok() {
    Scene::new()
        .config("{dir}/a.log {\nmissingok\nrotate 1\n}")
        .run(["-f"])
        .quiet()
        .expect_files([]);
}

#[test]
fn a_missing_directory_is_fine_with_missingok() {
    Scene::new()
        .config("{dir}/none/a.log {\nmissingok\nrotate 1\n}")
        .run(["-f"])
        .quiet()
        .expect_files([]);
}

#[test]
fn a_missing_directory_is_an_error() {
    Scene::new()
        .config("{dir}/none/a.log {\nrotate 1\n}")
        .run(["-f"])
        .status(1)
        .stderr_line("error: stat of {dir}/none failed: No such file or directory");
}

#[test]
fn a_wildcard_without_a_match_is_taken_by_its_word() {
    Scene::new()
        .config("{dir}/*.log {\nrotate 1\n}")
        .run(["-f"])
        .status(1)
        .stderr_line("error: stat of {dir}/*.log failed: No such file or directory");
}

#[test]
fn nomissingok_takes_back_a_global_missingok() {
    Scene::new()
        .config("missingok\n{dir}/a.log {\nnomissingok\nrotate 1\n}\n{dir}/b.log {\nrotate 1\n}")
        .run(["-f"])
        .status(1)
        .stderr_has("stat of {dir}/a.log failed")
        .stderr_lacks("b.log");
}

#[test]
fn a_wildcard_without_a_match_leaves_no_record() {
    differs("B-47", || {
        let scene = Scene::new().config("{dir}/*.log {\nmissingok\nrotate 1\n}").run([]).quiet();
        assert_eq!(scene.record("*.log"), None);
    });
}

#[test]
fn a_plain_path_that_is_missing_is_recorded() {
    let scene = Scene::new().config("{dir}/a.log {\nmissingok\nrotate 1\n}").run([]).quiet();
    assert!(scene.record("a.log").is_some());
}
