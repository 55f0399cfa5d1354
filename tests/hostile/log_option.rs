//! `-l FILE`, where somebody else may lay something in its place.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::ATTACKER;
use crate::scene::Scene;

/// A log to rotate, a file of root's, and a directory of the attacker's.
fn scene() -> Scene {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "x\n")
        .log("roots", "precious\n")
        .dir("theirs")
        .owner(ATTACKER, ATTACKER)
}

#[test]
fn messages_do_not_follow_a_link_that_others_may_change() {
    for target in ["roots", "new"] {
        scene()
            .then(|s| {
                let link = s.log_path("theirs/messages");
                symlink(s.log_path(target), &link).expect("link");
                lchown(&link, Some(ATTACKER), Some(ATTACKER)).expect("chown");
            })
            .run(["-f", "-l", "{dir}/theirs/messages"])
            .status(0)
            .stderr_has(
                "error: error opening log file {dir}/theirs/messages: the symbolic link \
                 {dir}/theirs/messages may be changed by others",
            )
            .expect_file("a.log.1", "x\n")
            .expect_file("roots", "precious\n")
            .expect_no_file("new");
    }
}

#[test]
fn messages_do_not_go_through_a_directory_that_is_such_a_link() {
    scene()
        .then(|s| {
            let link = s.log_path("theirs/dir");
            symlink(s.root().join("logs"), &link).expect("link");
            lchown(&link, Some(ATTACKER), Some(ATTACKER)).expect("chown");
        })
        .run(["-f", "-l", "{dir}/theirs/dir/roots"])
        .status(0)
        .stderr_has("the symbolic link {dir}/theirs/dir may be changed by others")
        .expect_file("roots", "precious\n");
}

#[test]
fn messages_do_not_empty_a_file_that_others_may_have_linked_there() {
    scene()
        .hard_link("theirs/messages", "roots")
        .run(["-f", "-l", "{dir}/theirs/messages"])
        .status(0)
        .stderr_has("error opening log file {dir}/theirs/messages: it has 2 hard links")
        .expect_file("roots", "precious\n");
}

#[test]
fn messages_wait_for_no_reader_of_a_fifo() {
    for (dir, cause) in [("theirs", "it is not a regular file"), (".", "No such device or address")]
    {
        scene()
            .then(|s| mkfifo(&s.log_path(dir).join("fifo"), Mode::S_IRWXU).expect("fifo"))
            .run_with(&["-f", "-s", "{state}", "-l", &format!("{{dir}}/{dir}/fifo"), "{config}"])
            .status(0)
            .stderr_has(&format!("error opening log file {{dir}}/{dir}/fifo: {cause}"))
            .expect_file("a.log.1", "x\n");
    }
}

#[test]
fn messages_go_to_a_file_of_others_and_through_links_of_roots() {
    let scene = scene()
        .log("theirs/messages", "yesterday\n")
        .then(|s| {
            chown(s.log_path("theirs/messages"), Some(ATTACKER), Some(ATTACKER)).expect("chown");
            symlink("theirs/messages", s.log_path("link")).expect("link");
        })
        .run(["-f", "-l", "{dir}/link"])
        .quiet();
    let messages = fs::read_to_string(scene.log_path("theirs/messages")).expect("messages");
    assert!(messages.contains("considering log") && !messages.contains("yesterday"), "{messages}");
}

#[test]
fn messages_can_go_to_a_stream_by_its_name() {
    scene().run(["-f", "-l", "/dev/stdout"]).status(0).expect_stderr("").stdout_has("renaming ");
}
