//! A disk that has no space left, no inode left, or breaks: nothing is lost, nothing is half there,
//! it is said where, and the next run does what could not be done.
//!
//! Each test has a small ext4 of its own on a loop device, so these need root and `mount`. The full
//! disk is tried with every number of blocks that may be left; a few of them, unless
//! `LOGROTATE_RS_FULL_DISK=full`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[cfg(target_arch = "x86_64")]
mod breaks;
mod room;
mod state;

use crate::scene::{Scene, Tree, when};

/// How a log is rotated: the name and the directives.
const METHODS: [(&str, &str); 9] = [
    ("create", "create"),
    ("copy", "copy"),
    ("copytruncate", "copytruncate"),
    ("renamecopy", "create\nrenamecopy"),
    ("olddir", "create\nolddir {dir}/old"),
    ("compress", "create\ncompress"),
    ("copytruncate compress", "copytruncate\ncompress"),
    ("dateext", "create\ndateext\ncompress"),
    ("delaycompress", "create\ncompress\ndelaycompress"),
];

/// Blocks of 4 KiB that the log takes.
const LOG_BLOCKS: u64 = 20;

fn is_full() -> bool {
    std::env::var("LOGROTATE_RS_FULL_DISK").as_deref() == Ok("full")
}

/// Lines that do not compress well, so that compressed files need space too.
fn lines(name: &str, blocks: u64) -> String {
    let (mut text, mut state) = (String::new(), 1_u64);
    while (text.len() as u64) < blocks * 4096 - 100 {
        let _ = write!(text, "{name} ");
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            let _ = write!(text, "{:08x}", state >> 32);
        }
        text.push('\n');
    }
    text
}

/// A log that is due, and two old versions; one more is kept.
fn lay_out(method: &str, options: &[&str]) -> Scene {
    let dir = if method.contains("olddir") { "old/" } else { "" };
    let packed = if method.contains("compress") { ".gz" } else { "" };
    let names = if method.contains("dateext") {
        ["a.log-20200102.gz".to_owned(), "a.log-20200101.gz".to_owned()]
    } else {
        let newest = if method.contains("delaycompress") { "" } else { packed };
        [format!("{dir}a.log.1{newest}"), format!("{dir}a.log.2{packed}")]
    };
    Scene::on_a_disk(options)
        .config(&format!("{{dir}}/a.log {{\ndaily\nrotate 3\n{method}\n}}\n"))
        .dir("old")
        .file(&names[0], &lines("one", 3))
        .file(&names[1], &lines("two", 3))
        .log("a.log", &lines("log", LOG_BLOCKS))
        .mode(0o640)
        .owner(1, 2)
        .state("a.log", when::days_ago(2))
}

/// What undisturbed runs leave.
fn undisturbed(method: &str) -> Tree {
    lay_out(method, &[]).run([]).quiet().run([]).quiet().logs().timeless()
}

fn inode(scene: &Scene) -> u64 {
    fs::metadata(scene.log_path("a.log")).expect("log").ino()
}

/// What must hold after a run that had trouble: no line is lost, and every file is whole, but for
/// temporary ones that nobody could remove from a broken disk.
fn nothing_is_lost(scene: &Scene, broken: bool, told: &str) {
    let tree = scene.logs();
    let mut found = BTreeSet::new();
    for (name, entry) in &tree.0 {
        let text = String::from_utf8_lossy(&entry.content);
        let whole = [lines("log", LOG_BLOCKS), lines("one", 3), lines("two", 3), String::new()];
        let temporary = name.to_string_lossy().ends_with(".logrotate-rs");
        let is_whole = whole.iter().any(|whole| *whole == text);
        if !(is_whole || broken && temporary) {
            scene.fail(&format!("{told}: {name:?} is not whole"));
        }
        found.insert(text.into_owned());
    }
    for (name, blocks) in [("log", LOG_BLOCKS), ("one", 3), ("two", 3)] {
        if !found.contains(&lines(name, blocks)) {
            scene.fail(&format!("{told}: lost what {name} held"));
        }
    }
}

/// The run has failed, and said what, where, and why.
fn is_told(scene: &Scene, told: &str, causes: &[&str]) {
    if scene.last_status() != Some(1) {
        scene.fail(&format!("{told}: exit status is not 1"));
    }
    let root = scene.root().display().to_string();
    let stderr = scene.stderr();
    let mentions =
        |line: &str| line.contains(&format!("{root}/")) && causes.iter().any(|c| line.contains(c));
    if !stderr.lines().any(|line| line.starts_with("error: ") && mentions(line)) {
        scene.fail(&format!("{told}: no error names the file and the cause"));
    }
    if !stderr.lines().any(|line| line.contains("= help: ") && line.contains(&format!("{root} (")))
    {
        scene.fail(&format!("{told}: the file system is not named"));
    }
}

/// What is there, and under which names: what could not be compressed is compressed by now.
fn names_and_texts(tree: &Tree) -> BTreeMap<&Path, &[u8]> {
    tree.0.iter().map(|(name, entry)| (&**name, &entry.content[..])).collect()
}

/// A run met trouble; then the disk was made good again.
fn is_made_good(scene: Scene, wanted: &Tree, inode: u64, told: &str) {
    let log = fs::metadata(scene.log_path("a.log")).ok().filter(|log| log.ino() == inode);
    let whole = log.is_some_and(|log| log.len() == lines("log", LOG_BLOCKS).len() as u64);
    let scene = scene.run([]).status(0).run([]).status(0);
    nothing_is_lost(&scene, false, told);
    // What was not moved or cut is done now. What was is not done again, nor what comes after it.
    if whole && names_and_texts(&scene.logs()) != names_and_texts(wanted) {
        scene.fail(&format!("{told}: the next run did not do it; wanted\n{wanted:?}"));
    }
    let var = Tree::of(&scene.root().join("var"));
    if var.files() != [Path::new("state")] {
        scene.fail(&format!("{told}: left beside the state: {:?}", var.files()));
    }
    scene.expect_recorded_now("a.log");
}

/// Tries it with fewer and fewer blocks, or inodes, taken away, until nothing is missing.
fn runs_out_of(method: (&str, &str), blocks: bool, counts: &[u64]) {
    when::steady_day();
    let wanted = undisturbed(method.1);
    let mut failed = 0;
    for &left in counts {
        let what = if blocks { "blocks" } else { "inodes" };
        let told = format!("{}, {left} {what} left", method.0);
        let options: &[&str] = if blocks { &[] } else { &["-N", "64"] };
        let scene = lay_out(method.1, options);
        if blocks {
            scene.disk().fill(left);
        } else {
            scene.disk().fill_inodes(left);
        }
        let inode = inode(&scene);
        let scene = scene.run([]);
        nothing_is_lost(&scene, false, &told);
        // The old one, whole, or the new one.
        assert!(scene.log_path("a.log").exists(), "{told}: there is no log");
        if scene.last_status() == Some(0) {
            if scene.logs().timeless() != wanted {
                scene.fail(&format!("{told}: not all was done; wanted\n{wanted:?}"));
            }
            continue;
        }
        failed += 1;
        is_told(&scene, &told, &["No space left on device"]);
        scene.disk().give_back();
        is_made_good(scene, &wanted, inode, &told);
    }
    assert!(failed > 0, "{}: it was never full", method.0);
}

#[test]
fn a_full_disk_costs_nothing_and_the_next_run_makes_up_for_it() {
    let all: Vec<u64> = (0..=50).collect();
    let some: &[u64] = &[0, 1, 4, 20];
    for method in METHODS {
        runs_out_of(method, true, if is_full() { &all } else { some });
    }
}

#[test]
fn a_disk_without_an_inode_costs_nothing_and_the_next_run_makes_up_for_it() {
    for method in METHODS {
        runs_out_of(method, false, if is_full() { &[0, 1, 2, 3, 4, 5] } else { &[0, 1] });
    }
}
