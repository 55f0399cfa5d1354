//! Writers without `O_APPEND`: what they leave in front of their next line is no part of a log.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use super::{close, program};
use crate::scene::Scene;

const CONFIG: &str = "{dir}/a.log {\ncopytruncate\nrotate 9\n}";

fn lines(from: usize, to: usize) -> String {
    let lines: Vec<String> = (from..to).map(|n| format!("a line with the number {n}\n")).collect();
    lines.concat()
}

/// A log whose writer does not append.
fn scene() -> (Scene, File) {
    let scene = Scene::new().config(CONFIG).log("a.log", "");
    let writer = OpenOptions::new().write(true).open(scene.log_path("a.log")).expect("open");
    (scene, writer)
}

fn text(scene: &Scene, name: &str) -> String {
    fs::read_to_string(scene.log_path(name)).expect("text")
}

#[test]
fn a_writer_that_does_not_append_is_named_and_no_archive_has_its_hole() {
    // Much more than a block each time, then less than one, and much again.
    let ends = [0, 1000, 2000, 2001, 2002, 2010, 4000, 9000];
    let (mut scene, mut writer) = scene();
    for turn in ends.windows(2) {
        writer.write_all(lines(turn[0], turn[1]).as_bytes()).expect("write");
        let named = format!("process {} (", std::process::id());
        scene = scene.run(["-f"]).status(0).stderr_has(&named).stderr_has(
            "writes without O_APPEND; it goes on where it was, after a hole of NUL bytes, \
             which the next copy will leave out",
        );
    }
    writer.write_all(b"last\n").expect("write");
    let mut all = String::new();
    for slot in (1..ends.len()).rev() {
        let archive = text(&scene, &format!("a.log.{slot}"));
        assert!(!archive.contains('\0'), "a.log.{slot}");
        all += &archive;
    }
    let rest = text(&scene, "a.log");
    assert!(rest.contains('\0'));
    assert_eq!(all + &rest.replace('\0', ""), lines(0, 9000) + "last\n");
}

/// Its log keeps the hole for as long as it holds something.
#[test]
fn the_hole_is_left_out_when_its_writer_has_ended_and_then_forgotten() {
    let (scene, mut writer) = scene();
    writer.write_all(lines(0, 1000).as_bytes()).expect("write");
    let scene = scene.run(["-f"]).status(0);
    writer.write_all(lines(1000, 1010).as_bytes()).expect("write");
    close(writer);
    let scene = scene.run(["-f"]).quiet().expect_file("a.log", "");
    let archives = text(&scene, "a.log.2") + &text(&scene, "a.log.1");
    assert_eq!(archives, lines(0, 1010));
    // Whatever has a hole from now on has it of its own.
    let holes = "begin\n".to_owned() + &"\0".repeat(100_000) + "end\n";
    drop(scene.log("a.log", &holes).run(["-f"]).quiet().expect_file("a.log.1", &holes));
}

#[test]
fn the_holes_of_a_log_that_was_never_cut_under_such_a_writer_are_kept() {
    let (scene, writer) = scene();
    std::os::unix::fs::FileExt::write_at(&writer, b"end\n", 32 << 20).expect("write");
    let scene = scene.run(["-f"]).status(0).stderr_has("writes without O_APPEND");
    // It is a hole almost to its end, where the cut has to be.
    let archive = fs::metadata(scene.log_path("a.log.1")).expect("archive");
    assert_eq!(archive.len(), 32 << 20);
    assert!(archive.blocks() * 512 < 1 << 20, "{} blocks", archive.blocks());
    close(writer);
}

#[test]
fn with_copy_the_hole_of_an_earlier_cut_is_kept() {
    let (scene, mut writer) = scene();
    writer.write_all(lines(0, 1000).as_bytes()).expect("write");
    let scene = scene.run(["-f"]).status(0);
    writer.write_all(b"last\n").expect("write");
    let scene = scene.config("{dir}/a.log {\ncopy\nrotate 9\n}").run(["-f"]).status(0);
    assert_eq!(text(&scene, "a.log.1"), text(&scene, "a.log"));
    close(writer);
}

/// A descriptor that nobody but a test has: the program is told that the log cannot be marked.
#[test]
fn where_a_log_cannot_be_marked_the_hole_stays_and_nothing_is_lost() {
    let (mut scene, mut writer) = scene();
    for turn in [0, 1000] {
        writer.write_all(lines(turn, turn + 1000).as_bytes()).expect("write");
        let args = ["-qq", "-o", "/dev/null", "-e", "inject=fsetxattr:error=EOPNOTSUPP", program()];
        let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
        let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
        let run = scene.start("strace", args).end();
        scene = scene.ended(run).status(0).stderr_has("after a hole of NUL bytes\n");
    }
    let archives = text(&scene, "a.log.2") + &text(&scene, "a.log.1");
    let all = (archives + &text(&scene, "a.log")).replace('\0', "");
    assert_eq!(all, lines(0, 2000));
    close(writer);
}
