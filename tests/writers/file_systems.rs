//! Writers that never pause, on file systems that can take the head of a log away, and on those that
//! cannot.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::numbered::{Count, Writer, taken};
use super::{close, until};
use crate::scene::{Mounted, Scene, program};

const MEGABYTE: u64 = 1_000_000;

/// A file system, and whether the head of a log can be taken away there.
#[derive(Clone, Copy)]
struct System {
    name: &'static str,
    /// The image has as many megabytes as this at least.
    least: u64,
    beheads: bool,
}

const EXT4: System = System { name: "ext4", least: 64, beheads: true };
const XFS: System = System { name: "xfs", least: 320, beheads: true };
const TMPFS: System = System { name: "tmpfs", least: 0, beheads: false };
const BTRFS: System = System { name: "btrfs", least: 120, beheads: false };

impl System {
    /// Mounted where the logs of a scene are, with room for so much.
    fn mounted(self, scene: &Scene, megabytes: u64) -> Mounted {
        let (image, at) = (scene.root().join("image"), scene.log_path(""));
        match self.name {
            "tmpfs" => Mounted::in_memory(&at),
            name => {
                let megabytes = megabytes.max(self.least);
                Mounted::of_image(&image, megabytes, &format!("mkfs.{name}"), &at)
            }
        }
    }
}

/// What is rotated, by which program, and how often.
struct Job {
    program: &'static str,
    system: System,
    appends: bool,
    rotations: usize,
    /// How long the log is at least when it is rotated.
    bytes: u64,
}

/// What has come of it.
struct Figures {
    written: u64,
    rate: f64,
    /// How long the longest write took.
    longest: Duration,
    count: Count,
    /// NUL bytes in archives.
    archived_nuls: u64,
    /// What was told to be at risk: bytes, and microseconds.
    risk: [u64; 2],
    /// How often a writer without `O_APPEND` was named.
    named: usize,
}

impl Job {
    fn done(&self) -> Figures {
        let scene = Scene::new();
        // The log and two versions, each as long as it gets at most, and some room.
        let mounted = self.system.mounted(&scene, self.bytes / MEGABYTE * 12);
        let figures = self.done_in(scene.config("{dir}/a.log {\ncopytruncate\nrotate 1\n}"));
        drop(mounted);
        figures
    }

    fn done_in(&self, scene: Scene) -> Figures {
        let mut scene = scene.log("a.log", "");
        let (log, archive) = (scene.log_path("a.log"), scene.log_path("a.log.1"));
        let writer = Writer::start(&log, self.appends, self.bytes * 3);
        let (mut count, mut risk, mut named) = (Count::new(), [0, 0], 0);
        for _ in 0..self.rotations {
            // Not through a descriptor, which would be that of somebody who reads along.
            until("enough is written", || taken(&fs::metadata(&log).expect("log")) > self.bytes);
            let args = ["-f", "-v", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
            let run = scene.start(self.program, args).end();
            scene = scene.ended(run).status(0);
            let told = scene.stderr();
            for (sum, unit) in risk.iter_mut().zip(["bytes at risk", "microseconds"]) {
                *sum += told.lines().filter_map(|line| before(line, unit)).sum::<u64>();
            }
            named += told.matches("writes without O_APPEND").count();
            // Each is gone with the next run.
            count.read(&archive);
        }
        let archived_nuls = count.nuls;
        let (written, rate, longest) = writer.end();
        count.read(&log);
        count.end(written);
        Figures { written, rate, longest, count, archived_nuls, risk, named }
    }
}

/// The number before some words.
fn before(line: &str, words: &str) -> Option<u64> {
    line.split_once(words)?.0.split_whitespace().next_back()?.parse().ok()
}

impl Figures {
    /// Every line is there once.
    fn lose_nothing(&self, system: System) {
        let Count { missing, doubled, pieces, .. } = self.count;
        assert!(self.written > 0);
        assert_eq!([missing, doubled, pieces], [0, 0, 0], "{}", system.name);
        assert_eq!(self.risk, [0, 0], "{}", system.name);
    }
}

/// A log that is open, on the file system that is mounted where the logs are, or in a directory there.
fn is_cut(scene: Scene, dir: &str) {
    let (log, archive) = (format!("{dir}a.log"), format!("{dir}a.log.1"));
    let lines: Vec<String> = (0..50_000).map(|n| format!("a line with the number {n}\n")).collect();
    let text = lines.concat();
    let config = format!("{{dir}}/{dir}a.log {{\ncopytruncate\nrotate 1\n}}");
    let scene = scene.config(&config).log(&log, &text);
    let log = scene.log_path(&log);
    let writer = fs::OpenOptions::new().append(true).open(&log).expect("open");
    let scene = scene.run(["-f", "-v"]).status(0).stderr_has("stay in it, 0 at risk");
    let (archive, rest) = (scene.log_path(&archive), fs::read_to_string(&log).expect("rest"));
    let archive = fs::read_to_string(archive).expect("archive");
    // As far as lines end where such a unit does.
    assert!(archive.len() >= 1 << 16, "{} of {} bytes", archive.len(), text.len());
    assert_eq!(archive + &rest, text);
    close(writer);
}

/// The file system keeps files in larger units than it says.
#[test]
fn the_head_is_taken_away_in_whatever_units_the_file_system_keeps_files() {
    for options in ["-O bigalloc -C 65536", "-b 1024", "-b 4096"] {
        let scene = Scene::new();
        let (image, at) = (scene.root().join("image"), scene.log_path(""));
        let mounted = Mounted::of_image(&image, 64, &format!("mkfs.ext4 {options}"), &at);
        is_cut(scene, "");
        drop(mounted);
    }
}

#[test]
fn the_head_is_taken_away_through_an_overlay() {
    let scene = Scene::new();
    let below = EXT4.mounted(&scene, 0);
    let mounted = Mounted::overlay(&scene.log_path(""));
    is_cut(scene, "merged/");
    drop((mounted, below));
}

/// Three rotations of 50 MB.
fn ours(system: System, appends: bool) -> Figures {
    let (rotations, bytes) = (3, 50 * MEGABYTE);
    Job { program: program(), system, appends, rotations, bytes }.done()
}

#[test]
fn a_writer_that_never_pauses_loses_no_line_and_none_is_split() {
    for system in [EXT4, XFS] {
        let figures = ours(system, true);
        figures.lose_nothing(system);
        // Within four megabytes a line has ended where a block does.
        assert_eq!((figures.count.split, figures.count.nuls), (0, 0), "{}", system.name);
    }
}

#[test]
fn one_that_does_not_append_loses_no_line_either_and_no_archive_has_its_hole() {
    for system in [EXT4, XFS] {
        let figures = ours(system, false);
        figures.lose_nothing(system);
        assert_eq!((figures.count.split, figures.archived_nuls), (0, 0), "{}", system.name);
        assert!(figures.count.nuls > 0, "{}: the log has a hole", system.name);
        assert_eq!(figures.named, 3, "{}", system.name);
    }
}

/// The same where logs can only be emptied: lines may be lost in that moment, but no hole is kept.
#[test]
fn where_logs_can_only_be_emptied_no_archive_has_the_hole_of_a_writer_that_does_not_append() {
    let figures = ours(TMPFS, false);
    assert_eq!((figures.count.doubled, figures.archived_nuls), (0, 0));
    assert!(figures.count.nuls > 0, "the log has a hole");
    assert_eq!(figures.named, 3);
}

/// By hand: `LOGROTATE_RS_WRITERS=20x500` rotates a log of 500 MB 20 times on each file system, with
/// logrotate's result beside ours.
#[test]
fn copytruncate_loses_less_than_logrotate_on_any_file_system() {
    let Ok(wanted) = std::env::var("LOGROTATE_RS_WRITERS") else { return };
    let (rotations, megabytes) = wanted.split_once('x').expect("ROTATIONSxMEGABYTES");
    let rotations = rotations.parse().expect("rotations");
    let bytes = megabytes.parse::<u64>().expect("megabytes") * MEGABYTE;
    println!(
        "| file system | program | lines | a second | missing | doubled | split | pieces | bytes at risk | microseconds | longest write |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for system in [EXT4, XFS, TMPFS, BTRFS] {
        let [ours, theirs] = [program(), "/usr/sbin/logrotate"].map(|program| {
            let figures = Job { program, system, appends: true, rotations, bytes }.done();
            let Figures { written, rate, longest, count, risk: [risked, time], .. } = &figures;
            let Count { missing, doubled, split, pieces, .. } = count;
            let risk = match program {
                "/usr/sbin/logrotate" => "| | ".into(),
                _ => format!("| {risked} | {time} "),
            };
            let program = Path::new(program).file_name().unwrap_or_default().display();
            println!(
                "| {} | {program} | {written} | {rate:.0} | {missing} | {doubled} | {split} | {pieces} {risk}| {longest:.1?} |",
                system.name
            );
            figures
        });
        if system.beheads {
            ours.lose_nothing(system);
            assert_eq!(ours.count.split, 0, "{}", system.name);
        }
        assert!(ours.count.missing <= theirs.count.missing, "{}", system.name);
    }
}
