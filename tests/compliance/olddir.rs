//! `olddir DIR` and `noolddir` (compat ROT-1, CFG-80).

use crate::scene::{Scene, differs};

#[test]
fn a_relative_one_is_below_the_directory_of_the_log() {
    Scene::new()
        .config("{dir}/a.log {\nolddir old\nrotate 2\n}")
        .dir("old")
        .log("a.log", "x\n")
        .file("old/a.log.1", "old\n")
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1", "x\n"), ("old/a.log.2", "old\n")]);
}

#[test]
fn an_absolute_one_is_taken_as_it_is() {
    Scene::new()
        .config("{dir}/sub/a.log {\nolddir {dir}/old\nrotate 2\ncreate\n}")
        .dir("old")
        .dir("sub")
        .log("sub/a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1", "x\n"), ("sub/a.log", "")]);
}

#[test]
fn a_slash_at_its_end_is_not_doubled_for_scripts() {
    differs("slashes", || {
        Scene::new()
            .config(
                "{dir}/a.log {\nolddir {dir}/old/\nrotate 2\npostrotate\necho \"$2\" > {out}/second\n\
                 endscript\n}",
            )
            .dir("old")
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .expect_out("second", "{dir}/old/a.log.1\n");
    });
}

#[test]
fn compressed_and_dated_versions_go_there_too() {
    crate::scene::when::steady();
    let name = format!("old/a.log-{}.gz", crate::scene::when::stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nolddir old\nrotate 2\ndateext\ncompress\n}")
        .dir("old")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&name, "x\n")]);
}

#[test]
fn one_that_is_missing_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nolddir none\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has(" error verifying olddir path {dir}/none: No such file or directory")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn one_that_is_a_file_is_an_error_before_anything_is_touched() {
    differs("B-56", || {
        Scene::new()
            .config("{dir}/a.log {\nolddir file\nrotate 2\n}")
            .log("a.log", "x\n")
            .file("file", "here\n")
            .run([])
            .status(1)
            .stderr_has(" error verifying olddir path {dir}/file: Not a directory")
            .expect_files([("a.log", "x\n"), ("file", "here\n")]);
    });
}

#[test]
fn noolddir_takes_back_a_global_olddir() {
    Scene::new()
        .config("olddir old\n{dir}/a.log {\nnoolddir\nrotate 2\n}")
        .dir("old")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

const TWO_OF_ONE_NAME: &str =
    "{dir}/one/a.log {dir}/two/a.log {\nSHARED\nolddir {dir}/old\nrotate 5\n}";

fn rotate_two_of_one_name(shared: &str) {
    Scene::new()
        .config(&TWO_OF_ONE_NAME.replace("SHARED", shared))
        .dir("old")
        .dir("one")
        .dir("two")
        .log("one/a.log", "one\n")
        .log("two/a.log", "two\n")
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1", "two\n"), ("old/a.log.2", "one\n")]);
}

#[test]
fn two_logs_of_one_name_take_different_slots() {
    rotate_two_of_one_name("nosharedscripts");
}

#[test]
fn two_logs_of_one_name_take_different_slots_with_sharedscripts() {
    differs("B-43", || rotate_two_of_one_name("sharedscripts"));
}
