//! `ignoreduplicates` and logs that are named twice (compat CFG-29, CFG-30).

use crate::scene::{Scene, differs, theirs};

#[test]
fn a_log_named_twice_is_an_error_and_the_first_block_works() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}\n{dir}/a.log {\nrotate 0\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:4 duplicate log entry for {dir}/a.log\n")
        .expect_files([("a.log.1", "a\n")]);
}

#[test]
fn with_the_directive_in_the_first_block_it_is_fine() {
    Scene::new()
        .config("{dir}/a.log {\nignoreduplicates\nrotate 1\n}\n{dir}/*.log {\nrotate 2\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn the_other_matches_of_the_word_are_still_rotated() {
    differs("B-53", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\n}\n{dir}/*.log {\nrotate 1\n}\n")
            .log("a.log", "a\n")
            .log("b.log", "b\n")
            .run(["-f"])
            .status(1)
            .stderr_has("duplicate log entry for {dir}/a.log\n")
            .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
    });
}

#[test]
fn duplicates_are_found_among_many_logs() {
    let mut scene = Scene::new().config("{dir}/*.log {\nrotate 1\n}\n{dir}/*9.log {\nrotate 1\n}");
    for number in 0..500 {
        scene = scene.log(&format!("{number}.log"), "x\n");
    }
    let scene = scene.run(["-d"]).status(1);
    let told = scene.stderr().matches("duplicate log entry for").count();
    // The reference drops the rest of a pattern with its first duplicate (B-53).
    assert_eq!(told, if theirs() { 1 } else { 50 });
}
