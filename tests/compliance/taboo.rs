//! `tabooext` and `taboopat` (compat CFG-62..64).

use crate::scene::{Scene, differs};

fn reads(global: &str, file: &str) -> bool {
    let scene = Scene::new()
        .config(&format!("{global}\ninclude {{etc}}/conf.d\n"))
        .config_dir("conf.d")
        .config_file(&format!("conf.d/{file}"), "{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet();
    scene.log_path("a.log.1").exists()
}

#[test]
fn files_with_the_usual_endings_of_copies_are_left_out() {
    assert!(reads("", "app"));
    assert!(reads("", "app.conf"));
    for ending in ["~", ".bak", ".disabled", ".dpkg-old", ".rpmnew", ".swp", ",v", ".ucf-dist"] {
        assert!(!reads("", &format!("app{ending}")), "{ending}");
    }
}

#[test]
fn endings_can_be_added() {
    assert!(!reads("tabooext + .off", "app.off"));
    assert!(!reads("tabooext + .off", "app.bak"));
    assert!(!reads("tabooext +.no, .off", "app.off"));
}

#[test]
fn endings_can_be_replaced() {
    assert!(!reads("tabooext .off", "app.off"));
    assert!(reads("tabooext .off", "app.bak"));
}

#[test]
fn patterns_can_be_added_and_replaced() {
    assert!(!reads("taboopat + app?", "app1"));
    assert!(!reads("taboopat + app?", "app.bak"));
    assert!(reads("taboopat app?", "other.bak"));
}

#[test]
fn a_file_that_is_named_is_read_whatever_its_ending() {
    Scene::new()
        .config("include {etc}/app.bak\n")
        .config_file("app.bak", "{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "a\n")]);
}

#[test]
fn hidden_copies_are_left_out_too() {
    differs("B-31", || assert!(!reads("", ".app.swp")));
}

#[test]
fn inside_a_block_it_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\ntabooext + .x\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:2 tabooext may not appear inside of log file definition\n")
        .expect_files([("a.log", "a\n")]);
}
