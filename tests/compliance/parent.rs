//! The directory of a log that others may write (compat RD-2).

use crate::scene::{Scene, differs};

fn in_directory(mode: u32, gid: u32) -> Scene {
    Scene::new()
        .config("{dir}/sub/a.log {\nrotate 1\n}\n")
        .dir("sub")
        .mode(mode)
        .owner(0, gid)
        .log("sub/a.log", "x\n")
        .run(["-f"])
}

const REFUSED: &str = "error: skipping \"{dir}/sub/a.log\" because parent directory has insecure \
    permissions (It's world writable or writable by group which is not \"root\") Set \"su\" \
    directive in config file to tell logrotate which user/group should be used for rotation.";

#[test]
fn one_that_the_world_may_write_is_refused() {
    in_directory(0o777, 0).status(1).stderr_has(REFUSED).expect_files([("sub/a.log", "x\n")]);
    in_directory(0o1777, 0).status(1).stderr_has(REFUSED).expect_files([("sub/a.log", "x\n")]);
}

#[test]
fn one_that_a_group_other_than_root_may_write_is_refused() {
    in_directory(0o775, 4).status(1).stderr_has(REFUSED).expect_files([("sub/a.log", "x\n")]);
}

#[test]
fn the_line_that_helps_is_shown() {
    differs("messages", || {
        in_directory(0o775, 4).status(1).stderr_has("add the line `su root adm` to the block");
        in_directory(0o777, 0).status(1).stderr_has("no `su` line makes this safe: take");
    });
}

#[test]
fn one_that_the_group_root_may_write_is_fine() {
    in_directory(0o775, 0).quiet().expect_files([("sub/a.log.1", "x\n")]);
}
