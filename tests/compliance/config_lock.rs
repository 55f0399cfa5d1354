//! The read lock on a configuration file (compat CFG-1).

use std::fs::File;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::scene::Scene;

/// Takes a POSIX lock on all of a file. It is this process's own, so the descriptor has to stay.
fn lock(file: &File, kind: i32) {
    let lock = libc::flock {
        l_type: i16::try_from(kind).expect("small"),
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_SETLK(&lock)).expect("nobody else has a lock");
}

/// A forced run while this test holds a lock of the kind on the configuration.
fn run_beside(kind: i32) -> Scene {
    let scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "x\n");
    let path = scene.root().join("etc/logrotate.conf");
    let file = File::options().read(true).write(true).open(path).expect("open");
    lock(&file, kind);
    let scene = scene.run(["-f"]);
    drop(file);
    scene
}

#[test]
fn a_file_that_an_editor_has_locked_is_told_and_read_all_the_same() {
    run_beside(libc::F_WRLCK)
        .status(0)
        .expect_stderr("error: Could not lock file {config} for reading\n")
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn another_reader_is_no_obstacle() {
    run_beside(libc::F_RDLCK).quiet().expect_files([("a.log.1", "x\n")]);
}
