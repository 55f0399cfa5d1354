//! TERM and INT: what ends when, what stays, and what the next run does.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};

use crate::scene::{Ran, Running, Scene, program, set_mode};

/// Slow machines need it.
const PATIENCE: Duration = Duration::from_secs(240);

/// A script that minds TERM gets five seconds.
const GRACE: Duration = Duration::from_secs(5);

#[track_caller]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "{what} has not happened");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A forced run that goes on. Whoever runs the tests in the background may have set the signals to be
/// ignored, and what is ignored stays so.
fn start(scene: &mut Scene) -> Running {
    let args = ["--default-signal", program(), "-f", "-s", "{state}", "{config}"];
    let args = args.map(|arg| scene.expand(arg));
    scene.start("env", args)
}

/// Its end after signals, and how long that took.
fn end(run: Running, signals: &[Signal]) -> (Ran, Duration) {
    let sent = Instant::now();
    for signal in signals {
        run.signal(*signal);
        // Not one signal to the kernel.
        thread::sleep(Duration::from_millis(300));
    }
    let ran = run.end();
    (ran, sent.elapsed())
}

/// Whether a process whose number is in a file is still at work.
fn lives(file: &Path) -> bool {
    let number = fs::read_to_string(file).expect("a number");
    let stat = fs::read_to_string(format!("/proc/{}/stat", number.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn journal(scene: &Scene) -> bool {
    scene.root().join("var/state.journal").exists()
}

#[test]
fn a_script_that_never_returns_ends_with_the_run_and_is_run_by_the_next() {
    for signal in [SIGTERM, SIGINT] {
        let script = "echo began >>{out}/began\ntest -e {out}/go || \
                      sh -c 'echo $$ >{out}/helper; exec sleep 1000'\necho $1 >>{out}/done";
        let block = |log: &str| {
            format!("{{dir}}/{log} {{\nrotate 3\ncreate\npostrotate\n{script}\nendscript\n}}\n")
        };
        let mut scene = Scene::new()
            .config(&(block("a.log") + &block("b.log")))
            .log("a.log", "a\n")
            .log("b.log", "b\n");
        let helper = scene.out_path("helper");
        let run = start(&mut scene);
        until("the script", || fs::read_to_string(&helper).is_ok_and(|text| text.ends_with('\n')));
        let (ran, took) = end(run, &[signal]);
        assert!(took < GRACE, "{took:?}");
        assert!(!lives(&helper), "the script's child goes on");
        let scene = scene
            .ended(ran)
            .status(1)
            .stderr_line("note: {dir}/a.log is left to the next run at step 4 of 4")
            .stderr_line(&format!(
                "error: ended by {}; what is left is done by the next run",
                signal.as_str()
            ))
            .expect_no_out("done")
            .expect_files([("a.log", ""), ("a.log.1", "a\n"), ("b.log", "b\n")]);
        assert!(journal(&scene));
        fs::write(scene.out_path("go"), "").expect("file");
        let scene = scene
            .run([])
            .status(0)
            .stderr_has("finishing an interrupted run: {dir}/a.log")
            .expect_out("began", "began\nbegan\n")
            .expect_out("done", "{dir}/a.log\n")
            .expect_files([("a.log", ""), ("a.log.1", "a\n"), ("b.log", "b\n")]);
        assert!(!journal(&scene));
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_script() {
    let config = "{dir}/a.log {\nrotate 3\npostrotate\ntrap '' TERM INT\n\
                  echo $$ >{out}/script\nwhile :; do sleep 0.1; done\nendscript\n}";
    for (signals, least, most) in
        [(&[SIGTERM][..], GRACE, PATIENCE), (&[SIGTERM, SIGINT][..], Duration::ZERO, GRACE)]
    {
        let mut scene = Scene::new().config(config).log("a.log", "a\n");
        let script = scene.out_path("script");
        let run = start(&mut scene);
        until("the script", || fs::read_to_string(&script).is_ok_and(|text| text.ends_with('\n')));
        let (ran, took) = end(run, signals);
        assert!((least..most).contains(&took), "{took:?}");
        assert!(!lives(&script), "the script goes on");
        assert!(journal(&scene.ended(ran).status(1)));
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let config = "{dir}/a.log {\nrotate 3\npostrotate\necho >{out}/began\nsleep 1\nendscript\n}";
    let mut scene = Scene::new().config(config).log("a.log", "a\n");
    let command = format!("trap '' INT; exec {} -f -s {{state}} {{config}}", program());
    let run = scene.start("sh", ["-c".to_owned(), scene.expand(&command)]);
    until("the script", || scene.out_path("began").exists());
    let (ran, _) = end(run, &[SIGINT]);
    scene.ended(ran).quiet();
}

/// A gigabyte that takes no space on the disk.
const GIGABYTE: u64 = 1 << 30;

#[test]
fn a_compression_ends_within_a_block_and_the_next_run_does_it() {
    for (way, signal, ending, unpack) in [
        ("compressor gzip", SIGTERM, "gz", "gzip"),
        ("compressor gzip", SIGINT, "gz", "gzip"),
        ("compressor zstd", SIGTERM, "zst", "zstd"),
        ("compresscmd /bin/gzip", SIGTERM, "gz", "gzip"),
        ("compresscmd /bin/gzip", SIGINT, "gz", "gzip"),
    ] {
        let config = format!("{{dir}}/a.log {{\nrotate 3\ncreate\ncompress\n{way}\n}}");
        let mut scene = Scene::new().config(&config).log("a.log", "");
        let resize = |name: &str, size| {
            let file = OpenOptions::new().write(true).open(scene.log_path(name)).expect("open");
            file.set_len(size).expect("size");
        };
        resize("a.log", GIGABYTE);
        let logs = scene.log_path("");
        let names = || {
            let entries = fs::read_dir(&logs).expect("logs").map(|e| e.expect("entry").file_name());
            let mut names: Vec<_> = entries.map(|n| n.to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let run = start(&mut scene);
        until("a compression", || names().iter().any(|name| name.starts_with(".a.log.1")));
        let (ran, took) = end(run, &[signal]);
        assert!(took < GRACE, "{way}: {took:?}");
        assert_eq!(names(), ["a.log", "a.log.1"], "{way}");
        let scene = scene.ended(ran).status(1);
        assert!(journal(&scene));
        // What is left would take a while; its size is none of the plan's business.
        let file = OpenOptions::new().write(true).open(scene.log_path("a.log.1")).expect("open");
        file.set_len(1 << 20).expect("size");
        drop(file);
        let scene = scene.run([]).status(0).stderr_has("finishing an interrupted run");
        let packed = format!("a.log.1.{ending}");
        assert_eq!(names(), ["a.log", packed.as_str()], "{way}");
        let unpacked =
            Command::new(unpack).arg("-dc").arg(scene.log_path(&packed)).output().expect("runs");
        assert!(unpacked.status.success() && unpacked.stdout.len() == 1 << 20, "{way}");
        assert!(!journal(&scene));
    }
}

#[test]
fn a_file_that_is_shredded_when_the_run_ends_is_shredded_again_by_the_next_and_goes_only_then() {
    // It overwrites the file once it may, and says so.
    let shred = "#!/bin/sh\nif test ! -e {out}/go; then echo $$ >{out}/shredding; exec sleep 1000; fi\n\
                 cat <&1 >>{out}/shredded\n";
    for signal in [SIGTERM, SIGINT] {
        let mut scene = Scene::new()
            .config("{dir}/a.log {\nrotate 1\ncreate\nshred\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "old\n");
        let stand_in = scene.out_path("shred");
        fs::write(&stand_in, scene.expand(shred)).expect("write");
        set_mode(&stand_in, 0o755);
        let path = scene.expand("PATH={out}:/usr/bin:/bin");
        let options = ["--default-signal", &path, program(), "-s", "{state}"];
        let with = |scene: &mut Scene, more: &[&str]| {
            let args = [&options[..], more, &["{config}"]].concat();
            let args: Vec<_> = args.into_iter().map(|arg| scene.expand(arg)).collect();
            scene.start("env", args)
        };
        let shredding = scene.out_path("shredding");
        let run = with(&mut scene, &["-f"]);
        let begun = || fs::read_to_string(&shredding).is_ok_and(|text| text.ends_with('\n'));
        until("shred", begun);
        let (ran, took) = end(run, &[signal]);
        assert!(took < GRACE, "{took:?}");
        assert!(!lives(&shredding), "shred goes on");
        let mut scene = scene.ended(ran).status(1).expect_file("a.log.2", "old\n");
        assert!(journal(&scene));
        fs::write(scene.out_path("go"), "").expect("file");
        let ran = with(&mut scene, &[]).end();
        let scene = scene.ended(ran).status(0).expect_out("shredded", "old\n");
        assert!(!journal(&scene.expect_files([("a.log", ""), ("a.log.1", "new\n")])));
    }
}
