//! Logs that are in use while they are rotated: no line is missing, and none is there twice.
//!
//! On a file system that can take the head of a file away (ext4, xfs), unless another one is mounted.

mod file_systems;
mod gaps;
mod numbered;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::scene::{Scene, close, program};

const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "{what} has not happened");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn tail_misses_nothing_and_sees_at_most_one_block_twice() {
    const ROTATIONS: usize = 3;
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "");
    let (log, seen) = (scene.log_path("a.log"), scene.out_path("seen"));
    let script = "exec tail -n +1 -s 0.01 -F \"$0\" > \"$1\" 2>/dev/null";
    let tail = scene.start("sh", ["-c".into(), script.into(), log.clone(), seen.clone()]);
    let mut writer = OpenOptions::new().append(true).open(&log).expect("open");
    let mut next = 0;
    let mut write = || {
        for _ in 0..20_000 {
            writeln!(writer, "line {next}").expect("write");
            next += 1;
        }
        let last = format!("line {}\n", next - 1);
        until("tail has read all", || {
            fs::read(&seen).is_ok_and(|seen| seen.ends_with(last.as_bytes()))
        });
    };
    for _ in 0..ROTATIONS {
        write();
        scene = scene.run(["-f", "-v"]).status(0).stderr_has("read along");
    }
    write();
    tail.kill();
    let (mut next, mut twice) = (0_u64, 0);
    let text = fs::read_to_string(&seen).expect("seen");
    for line in text.lines() {
        if line == format!("line {next}") {
            next += 1;
        } else {
            twice += line.len() + 1;
        }
    }
    assert_eq!(next, 20_000 * (ROTATIONS as u64 + 1));
    assert!(twice <= 4096 * ROTATIONS, "{twice} bytes were seen twice");
}

/// The lines of a plain or a compressed file.
fn lines_of(path: &Path) -> String {
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let mut command = Command::new(if packed { "zcat" } else { "cat" });
    let output = command.arg(path).output().expect("cat");
    assert!(output.status.success(), "{}", path.display());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_writer_that_never_reopens_loses_no_line_and_is_noted_once() {
    const RUNS: usize = 5;
    let mut scene = Scene::new()
        .config("{dir}/a.log {\ncreate\ncompress\nrotate 9\nwriters wait 100ms\n}")
        .log("a.log", "");
    let mut writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let mut next = 0;
    let mut write = || {
        writeln!(writer, "line {next}").expect("write");
        next += 1;
    };
    let (mut notes, mut named) = (0, 0);
    for _ in 0..RUNS {
        write();
        scene = scene.run(["-f"]).status(0);
        write();
        notes += scene.stderr().matches("note: ").count();
        let writer = format!("is still written by process {} (", std::process::id());
        named += scene.stderr().matches(&writer).count();
    }
    assert_eq!((notes, named), (1, 1));
    let scene = scene.run(["-v"]).status(0).stderr_has("a.log.5 is still written by process");
    // It ends; what was postponed is made good, although no log is due.
    close(writer);
    let scene = scene.run([]).quiet();
    let mut all = String::new();
    for slot in (1..=RUNS).rev() {
        all.push_str(&lines_of(&scene.log_path(&format!("a.log.{slot}.gz"))));
    }
    let expected: Vec<String> = (0..2 * RUNS).map(|n| format!("line {n}\n")).collect();
    assert_eq!(all, expected.concat());
    assert!(!scene.log_path("a.log.5").exists());
    drop(scene.run([]).quiet());
}

#[test]
fn a_daemon_that_reopens_its_log_within_the_wait_is_not_noted() {
    let scene = Scene::new()
        .config("{dir}/a.log {\ncreate\ncompress\nrotate 9\nwriters wait 30s\n}")
        .log("a.log", "x\n");
    let writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let moved = scene.log_path("a.log.1");
    let daemon = thread::spawn(move || {
        until("the log has moved", || moved.exists());
        thread::sleep(Duration::from_millis(800));
        close(writer);
    });
    let scene = scene.run(["-f"]).quiet().expect_file("a.log.1.gz", "x\n");
    daemon.join().expect("daemon");
    drop(scene);
}

/// Where it moves the log to, and to copy it from, is where a writer goes on until it opens the new one.
#[test]
fn with_renamecopy_what_is_written_before_the_writer_reopens_is_copied() {
    let scene = Scene::new()
        .config("{dir}/a.log {\ncreate\nrenamecopy\nrotate 9\nwriters wait 30s\n}")
        .log("a.log", "x\n");
    let mut writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let moved = scene.log_path("a.log.tmp");
    let daemon = thread::spawn(move || {
        until("the log has moved", || moved.exists());
        thread::sleep(Duration::from_millis(400));
        writeln!(writer, "late").expect("write");
        close(writer);
    });
    let scene = scene.run(["-f"]).quiet().expect_file("a.log.1", "x\nlate\n");
    daemon.join().expect("daemon");
    scene.expect_no_file("a.log.tmp");
}

#[test]
fn with_renamecopy_a_writer_that_never_reopens_loses_no_line_and_is_noted_once() {
    let mut scene = Scene::new()
        .config("{dir}/a.log {\ncreate\nrenamecopy\nrotate 9\nwriters wait 100ms\n}")
        .log("a.log", "");
    let mut writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let mut notes = 0;
    for number in 0..3 {
        writeln!(writer, "line {number}").expect("write");
        scene = scene.run(["-f"]).status(0);
        notes += scene.stderr().matches("is still written by").count();
        // Who forces it is told why nothing happens.
        let told = scene.stderr().contains("is not rotated before its last version is copied\n");
        assert_eq!(told, number > 0, "{}", scene.stderr());
    }
    writeln!(writer, "line 3").expect("write");
    close(writer);
    assert_eq!(notes, 1);
    scene
        .run([])
        .quiet()
        .expect_file("a.log.1", "line 0\nline 1\nline 2\nline 3\n")
        .expect_no_file("a.log.tmp");
}

#[test]
fn the_question_costs_one_lease_and_its_release_and_no_look_at_proc() {
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncreate\ncompress\nrotate 9\n}").log("a.log", "x\n");
    let args = ["-qq", "-o", "{out}/trace", "-e", "trace=fcntl,openat", program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
    let run = scene.start("strace", args).end();
    let scene = scene.ended(run).status(0).expect_file("a.log.1.gz", "x\n");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let leases = trace.lines().filter(|line| line.contains("F_SETLEASE")).count();
    assert_eq!(leases, 2, "{trace}");
    let looks = |line: &&str| line.contains("\"/proc\"") || line.contains("/fd");
    assert_eq!(trace.lines().find(looks), None);
}

/// A log shorter than a block is emptied as on a file system that cannot take its head away.
#[test]
fn a_log_that_can_only_be_emptied_is_emptied_right_after_a_read_that_found_nothing() {
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "x\n");
    let writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let args = ["-qq", "-o", "{out}/trace", program(), "-f", "-s", "{state}", "{config}"];
    let args: Vec<String> = args.into_iter().map(|a| scene.expand(a)).collect();
    let run = scene.start("strace", args).end();
    close(writer);
    let scene = scene.ended(run).status(0).expect_file("a.log.1", "x\n").expect_file("a.log", "");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let lines: Vec<&str> = trace.lines().collect();
    let cut = lines.iter().position(|line| line.starts_with("ftruncate(") && line.contains(", 0)"));
    let cut = cut.expect("a truncation");
    let file = lines[cut].trim_start_matches("ftruncate(").split(',').next().expect("descriptor");
    let read = lines[cut - 1];
    assert!(read.starts_with(&format!("pread64({file}, \"\"")), "{read}\n{}", lines[cut]);
}

#[test]
fn the_note_says_whether_the_writer_appends_and_what_helps() {
    for (appends, way) in [(true, ")"), (false, ", without O_APPEND)")] {
        let scene = Scene::new()
            .config("{dir}/a.log {\nnocreate\ncompress\nrotate 9\nwriters wait 0s\n}")
            .log("a.log", "x\n");
        let mut options = OpenOptions::new();
        let options = options.write(true).append(appends);
        let writer = options.open(scene.log_path("a.log")).expect("open");
        let command = fs::read_to_string("/proc/self/comm").expect("name");
        let named = format!("by process {} ({}{way};", std::process::id(), command.trim_end());
        let scene = scene.run(["-f"]).status(0).stderr_has(&named);
        assert!(scene.stderr().contains("a signal makes most programs"), "{}", scene.stderr());
        assert!(scene.stderr().contains("copytruncate"), "{}", scene.stderr());
        close(writer);
    }
}

#[test]
fn a_copy_is_on_disk_before_what_it_was_made_from_goes() {
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncreate\nrenamecopy\nrotate 9\n}").log("a.log", "x\n");
    let args =
        ["-qq", "-y", "-o", "{out}/trace", "-e", "trace=fsync,fdatasync,unlinkat", program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
    let run = scene.start("strace", args).end();
    let scene = scene.ended(run).status(0).expect_file("a.log.1", "x\n");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let lines: Vec<&str> = trace.lines().collect();
    let at = |what: &dyn Fn(&str) -> bool| lines.iter().position(|line| what(line));
    let gone = at(&|line| line.starts_with("unlinkat(") && line.contains("\"a.log.tmp\""));
    let gone = gone.expect("it goes");
    let synced = |end: &str| at(&|line| line.contains("sync(") && line.contains(end));
    // The copy, under one of its names, and the directory of its last one.
    let copy = synced("/a.log.1").expect("the copy is synced");
    let dir = synced("/logs>").expect("its name is synced");
    assert!(copy < gone && dir < gone, "{trace}");
}

/// The log of nobody is leased: who opens it waits.
#[test]
fn who_opens_a_log_meanwhile_waits_for_nothing_but_the_cut() {
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "x\n");
    let args = ["-qq", "-o", "{out}/trace", program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
    // No child of another test has the log open any more.
    thread::sleep(Duration::from_millis(300));
    let run = scene.start("strace", args).end();
    let scene = scene.ended(run).status(0).expect_file("a.log.1", "x\n").expect_file("a.log", "");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let (_, after) = trace.rsplit_once("F_SETLEASE, F_WRLCK)").expect("a lease");
    let (under, _) = after.split_once("F_SETLEASE, F_UNLCK)").expect("it is let go");
    assert!(under.contains("ftruncate("), "{under}");
    assert!(!under.contains("sync(") && !under.contains("rename"), "{under}");
}

#[test]
fn a_line_that_came_while_the_copy_got_its_name_is_synced_before_anybody_waits() {
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "x\n");
    let delay = "inject=fsync,fdatasync:delay_enter=500000";
    let args = ["-qq", "-o", "{out}/trace", "-e", "trace=all", "-e", delay, program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
    let (log, archive) = (scene.log_path("a.log"), scene.log_path("a.log.1"));
    let writer = thread::spawn(move || {
        until("the copy has its name", || archive.exists());
        let mut log = OpenOptions::new().append(true).open(log).expect("open");
        log.write_all(b"y\n").expect("write");
    });
    let run = scene.start("strace", args).end();
    writer.join().expect("written");
    let scene =
        scene.ended(run).status(0).expect_file("a.log.1", "x\ny\n").expect_file("a.log", "");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let (_, after) = trace.rsplit_once("F_SETLEASE, F_WRLCK)").expect("a lease");
    let (under, _) = after.split_once("F_SETLEASE, F_UNLCK)").expect("it is let go");
    assert!(under.contains("ftruncate(") && !under.contains("sync("), "{under}");
}

#[test]
fn with_su_a_writer_of_another_users_log_is_noticed_and_named() {
    let scene = Scene::new()
        .config("{dir}/sub/a.log {\nsu daemon daemon\nrotate 0\nmissingok\nwriters wait 100ms\n}")
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "x\n");
    let path = scene.log_path("sub/a.log");
    let writer = OpenOptions::new().append(true).open(path).expect("open");
    let named = format!("is still written by process {} (", std::process::id());
    let scene = scene.run(["-f"]).status(0).stderr_has(&named).expect_file("sub/a.log.1", "x\n");
    close(writer);
    scene.run(["-v"]).status(0).expect_no_file("sub/a.log.1");
}

#[test]
fn that_nobody_can_tell_who_writes_is_said_with_v() {
    Scene::new()
        .config("{dir}/sub/a.log {\nsu daemon daemon\nrotate 0\n}")
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "x\n")
        .mode(0o600)
        .run(["-f", "-v"])
        .status(0)
        .stderr_has("a.log.1 is still written: Permission denied")
        .expect_no_file("sub/a.log.1");
}

#[test]
fn signal_asks_for_nobody_in_proc_while_nobody_writes() {
    let mut scene = Scene::new()
        .config("{dir}/a.log {\ncreate\nrotate 9\nsignal HUP writers\n}")
        .log("a.log", "x\n");
    let args = ["-qq", "-o", "{out}/trace", "-e", "trace=fcntl,openat", program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
    let run = scene.start("strace", args).end();
    let scene = scene.ended(run).status(0).expect_file("a.log.1", "x\n");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    let leases = trace.lines().filter(|line| line.contains("F_SETLEASE")).count();
    assert_eq!(leases, 2, "{trace}");
    assert_eq!(trace.lines().find(|line| line.contains("\"/proc\"")), None);
}
