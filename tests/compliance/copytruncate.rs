//! `copytruncate` and `nocopytruncate` (compat ROT-54..56).

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use crate::scene::{Scene, differs, program};

#[test]
fn the_log_is_copied_and_emptied_in_place() {
    let scene = Scene::new()
        .config("{dir}/a.log {\ncopytruncate\nrotate 2\n}")
        .log("a.log", "x\n")
        .mode(0o620)
        .owner(1, 2)
        .file("a.log.1", "old\n");
    let log = scene.log_path("a.log");
    let before = std::fs::metadata(&log).expect("log").ino();
    let scene = scene
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", "x\n"), ("a.log.2", "old\n")])
        .expect_mode("a.log", 0o620)
        .expect_owner("a.log", 1, 2)
        .expect_mode("a.log.1", 0o620)
        .expect_owner("a.log.1", 1, 2);
    assert_eq!(before, std::fs::metadata(&log).expect("log").ino());
    drop(scene);
}

#[test]
fn a_writer_that_keeps_the_log_open_goes_on_at_its_start() {
    let scene = Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 2\n}").log("a.log", "1\n");
    let log = scene.log_path("a.log");
    let mut writer = std::fs::OpenOptions::new().append(true).open(log).expect("open");
    scene
        .run(["-f"])
        .quiet()
        .then(|_| writer.write_all(b"2\n").expect("write"))
        .expect_files([("a.log", "2\n"), ("a.log.1", "1\n")]);
}

/// Where the file system can take the head of a file away (ext4, xfs).
#[test]
fn of_a_log_that_is_in_use_the_last_part_may_stay() {
    differs("B-09", || {
        let text: Vec<String> = (0..2000).map(|n| format!("line {n}\n")).collect();
        let text = text.concat();
        let scene =
            Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 2\n}").log("a.log", &text);
        let log = scene.log_path("a.log");
        let mut writer = std::fs::OpenOptions::new().append(true).open(&log).expect("open");
        let scene = scene.run(["-f"]).quiet();
        writer.write_all(b"later\n").expect("write");
        let rest = std::fs::read_to_string(log).expect("log");
        let archive = std::fs::read_to_string(scene.log_path("a.log.1")).expect("archive");
        assert!(rest.len() > "later\n".len(), "{rest}");
        assert_eq!(archive + &rest, text + "later\n");
    });
}

#[test]
fn it_wins_over_copy() {
    Scene::new()
        .config("{dir}/a.log {\ncopytruncate\ncopy\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", "x\n")]);
}

#[test]
fn with_rotate_zero_the_log_is_just_emptied() {
    Scene::new()
        .config("{dir}/a.log {\ncopytruncate\nrotate 0\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "")]);
}

#[test]
fn a_large_log_is_copied_whole() {
    let text: Vec<String> = (0..300_000).map(|n| format!("line {n}\n")).collect();
    let text = text.concat();
    Scene::new()
        .config("{dir}/a.log {\ncopytruncate\nrotate 2\n}")
        .log("a.log", &text)
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", &text)]);
}

#[test]
fn nocopytruncate_takes_back_a_global_copytruncate() {
    Scene::new()
        .config("copytruncate\n{dir}/a.log {\nnocopytruncate\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn a_copy_that_is_not_made_is_not_compressed() {
    differs("compress-nothing", || {
        Scene::new()
            .config("{dir}/a.log {\ncopytruncate\ncompress\nrotate 0\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.log", "")]);
    });
}

/// A limit on the size of files stands for a full disk.
#[test]
fn a_log_that_cannot_be_copied_costs_no_version() {
    differs("B-15", || {
        let text = "0123456789abcde\n".repeat(20_000);
        let mut scene = Scene::new()
            .config("{dir}/a.log {\ncopytruncate\nrotate 3\n}")
            .log("a.log", &text)
            .file("a.log.1", "1\n")
            .file("a.log.2", "2\n")
            .file("a.log.3", "3\n");
        let small = "trap '' XFSZ; ulimit -f 256; exec \"$@\"";
        for _ in 0..4 {
            let args = ["-c", small, "sh", program(), "-f", "-s", "{state}", "{config}"];
            let args = args.map(|a| scene.expand(a));
            let run = scene.start("sh", args).end();
            scene = scene.ended(run).status(1).stderr_has("{dir}/a.log");
        }
        let tree = scene.logs();
        let mut kept: Vec<_> = tree.0.values().map(|e| e.content.as_slice()).collect();
        kept.sort_unstable();
        assert_eq!(kept, [text.as_bytes(), b"1\n", b"2\n", b"3\n"]);
    });
}
