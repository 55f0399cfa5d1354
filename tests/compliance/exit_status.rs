//! Exit statuses (compat CLI-21, CFG-4); 2 and 3 are in `arguments` and `lock`.

use crate::scene::{Scene, differs};

#[test]
fn zero_when_nothing_failed_even_if_nothing_was_due() {
    Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "").run([]).quiet();
    Scene::new().config("").run([]).quiet();
}

#[test]
fn one_when_a_block_had_an_error_although_the_others_worked() {
    Scene::new()
        .config("{dir}/a.log {\nrotate x\n}\n{dir}/b.log {\nrotate 1\n}\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .expect_files([("b.log.1", "b\n")]);
}

#[test]
fn one_when_a_configuration_may_be_written_by_others() {
    differs("D-2", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\n}")
            .mode(0o664)
            .log("a.log", "a\n")
            .run(["-f"])
            .status(1)
            .stderr_line("error: Ignoring {config} because it is writable by group or others.")
            .expect_files([("a.log", "a\n")]);
    });
}

#[test]
fn a_configuration_of_another_owner_is_left_out() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .owner(1, 1)
        .log("a.log", "a\n")
        .run(["-f"])
        .stderr_has(
            "error: Ignoring {config} because the file owner is wrong (should be root or user with uid 0).",
        )
        .expect_files([("a.log", "a\n")]);
}
