//! `addextension E`: an ending that is put behind the number or date (compat ROT-2).

use crate::scene::{Scene, differs};

#[test]
fn it_is_put_behind_the_number() {
    Scene::new()
        .config("{dir}/a {\naddextension .log\nrotate 2\n}")
        .log("a", "x\n")
        .file("a.1.log", "old\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log", "x\n"), ("a.2.log", "old\n")]);
}

#[test]
fn an_ending_that_the_log_has_already_is_not_doubled() {
    Scene::new()
        .config("{dir}/a.log {\naddextension .log\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log", "x\n")]);
}

#[test]
fn a_global_one_is_inherited() {
    differs("B-22", || {
        Scene::new()
            .config("addextension .log\n{dir}/a {\nrotate 2\n}")
            .log("a", "x\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.1.log", "x\n")]);
    });
}
