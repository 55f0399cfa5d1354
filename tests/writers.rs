//! Logs that are in use while they are rotated: no line is missing, and none is there twice.
//!
//! On a file system that can take the head of a file away (ext4, xfs).

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |facts| facts.size())
}

/// A numbered line. Their lengths differ: of lines of one even length, none might ever end where a
/// block does, and a log can only be cut there.
fn line(number: u64) -> String {
    const MARKS: &str = "......";
    let marks = usize::try_from(number % 7).expect("small");
    format!("line {number} of a log that is never closed{}", &MARKS[..marks])
}

/// Appends numbered lines as fast as it can until it is told to stop; gives their count.
fn write_without_pause(path: &Path, stop: Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    let mut log = OpenOptions::new().append(true).open(path).expect("open");
    thread::spawn(move || {
        let (mut next, mut lines) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            lines.clear();
            for _ in 0..50 {
                writeln!(lines, "{}", line(next)).expect("memory");
                next += 1;
            }
            log.write_all(&lines).expect("write");
        }
        next
    })
}

#[test]
fn copytruncate_loses_no_line_of_a_writer_that_never_pauses() {
    const ROTATIONS: usize = 3;
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "");
    let log = scene.log_path("a.log");
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write_without_pause(&log, Arc::clone(&stop));
    for _ in 0..ROTATIONS {
        until("50 MB are written", || size(&log) > 50_000_000);
        scene = scene.run(["-f", "-v"]).status(0).stderr_has("0 at risk");
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().expect("writer");
    let mut next = 0;
    for slot in (0..=ROTATIONS).rev() {
        let name = if slot == 0 { "a.log".into() } else { format!("a.log.{slot}") };
        for read in BufReader::new(File::open(scene.log_path(&name)).expect("open")).lines() {
            assert_eq!(read.expect("line"), line(next), "{name}");
            next += 1;
        }
    }
    assert_eq!(next, written);
}

/// Rotates in this way by this program while a writer writes without a pause; gives what was written, and
/// how many of its lines are missing, doubled, and cut into pieces.
fn rotated_under_a_writer(program: &str, rotations: usize, size_each: u64) -> [u64; 4] {
    let config = format!("{{dir}}/a.log {{\ncopytruncate\nrotate {rotations}\n}}");
    let mut scene = Scene::new().config(&config).log("a.log", "");
    let log = scene.log_path("a.log");
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write_without_pause(&log, Arc::clone(&stop));
    for _ in 0..rotations {
        until("enough is written", || size(&log) > size_each);
        let args = ["-f", "-v", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
        let run = scene.start(program, args).end();
        scene = scene.ended(run).status(0);
        for told in scene.stderr().lines().filter(|line| line.contains("at risk")) {
            println!("  {told}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().expect("writer");
    let mut seen = vec![0_u8; usize::try_from(written).expect("memory")];
    let mut pieces = 0;
    for slot in (0..=rotations).rev() {
        let name = if slot == 0 { "a.log".into() } else { format!("a.log.{slot}") };
        for text in BufReader::new(File::open(scene.log_path(&name)).expect("open")).lines() {
            // What a hole left may be anything.
            let text = text.unwrap_or_default();
            let number = text.split(' ').nth(1).and_then(|number| number.parse().ok());
            let number = number.filter(|&number| line(number) == text);
            let number = number.and_then(|number| usize::try_from(number).ok());
            match number.and_then(|number| seen.get_mut(number)) {
                Some(seen) => *seen = seen.saturating_add(1),
                None => pieces += 1,
            }
        }
    }
    let count = |wanted: fn(&&u8) -> bool| seen.iter().filter(wanted).count() as u64;
    [written, count(|seen| **seen == 0), count(|seen| **seen > 1), pieces]
}

/// By hand, in the directory of `TMPDIR`, as the file system decides what is possible:
/// `LOGROTATE_RS_WRITERS=20x500` rotates a log of 500 MB 20 times, with logrotate's result beside ours.
#[test]
fn copytruncate_loses_less_than_logrotate_on_any_file_system() {
    let Ok(wanted) = std::env::var("LOGROTATE_RS_WRITERS") else { return };
    let (rotations, megabytes) = wanted.split_once('x').expect("ROTATIONSxMEGABYTES");
    let rotations = rotations.parse().expect("rotations");
    let size_each = megabytes.parse::<u64>().expect("megabytes") * 1_000_000;
    let results = [program(), "/usr/sbin/logrotate"].map(|program| {
        let started = Instant::now();
        let [written, missing, doubled, pieces] =
            rotated_under_a_writer(program, rotations, size_each);
        println!(
            "{program}: {written} lines in {:?}, {missing} missing, {doubled} doubled, {pieces} pieces",
            started.elapsed()
        );
        [missing, doubled]
    });
    assert!(results[0] <= results[1], "ours and theirs: {results:?}");
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

#[test]
fn a_writer_that_does_not_append_is_named_and_loses_no_line() {
    let text = "a line of thirty-one characters\n".repeat(1000);
    let mut scene =
        Scene::new().config("{dir}/a.log {\ncopytruncate\nrotate 9\n}").log("a.log", "");
    let log = scene.log_path("a.log");
    let script = "exec 3>\"$0\"; cat \"$1\" >&3; echo ready >\"$2\"; while [ -e \"$2\" ]; do \
                  sleep 0.01; done; echo last >&3";
    let (source, flag) = (scene.out_path("source"), scene.out_path("flag"));
    fs::write(&source, &text).expect("write");
    let arguments = [script.into(), log.clone(), source, flag.clone()];
    let writer = scene.start("sh", ["-c".into()].into_iter().chain(arguments));
    until("the writer is ready", || size(&flag) > 0);
    let scene = scene.run(["-f"]).status(0).stderr_has("(sh) writes without O_APPEND");
    fs::remove_file(flag).expect("remove");
    writer.end();
    let mut all = fs::read(scene.log_path("a.log.1")).expect("archive");
    all.extend(fs::read(log).expect("log"));
    all.retain(|&byte| byte != 0);
    assert_eq!(String::from_utf8_lossy(&all), text + "last\n");
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
