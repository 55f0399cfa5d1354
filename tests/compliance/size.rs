//! `size N` (compat RD-10, CFG-73).

use crate::scene::{Scene, when};

fn of_size(bytes: usize, directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\n{directives}\nrotate 1\n}}"))
        .bytes("a.log", &vec![b'x'; bytes])
        .state("a.log", when::now())
        .run([])
        .quiet()
}

fn due(bytes: usize, directives: &str) -> bool {
    of_size(bytes, directives).log_path("a.log.1").exists()
}

#[test]
fn a_log_of_exactly_the_size_is_due() {
    assert!(due(100, "size 100"));
    assert!(!due(99, "size 100"));
}

#[test]
fn units_are_powers_of_1024() {
    assert!(due(1024, "size 1k"));
    assert!(!due(1023, "size 1K"));
    assert!(due(1 << 20, "size 1M"));
    assert!(!due((1 << 20) - 1, "size=1M"));
    assert!(!due(1 << 20, "size 1G"));
}

#[test]
fn without_any_criterion_a_log_is_due_at_one_mebibyte() {
    assert!(due(1 << 20, ""));
    assert!(!due((1 << 20) - 1, ""));
}

#[test]
fn the_last_rotation_does_not_matter() {
    assert!(due(10, "size 1"), "rotated in this very minute");
}

#[test]
fn minsize_and_minage_do_not_hold_it_back() {
    assert!(due(10, "size 1\nminsize 1M\nminage 5"));
}

#[test]
fn an_unknown_unit_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nsize 10m\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:2 unknown unit 'm'\n")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn a_negative_size_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nsize -1\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:2 bad size '-1'\n")
        .expect_files([("a.log", "x\n")]);
}
