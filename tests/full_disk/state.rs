//! The state and the journal have a disk of their own, which is full or breaks; that of the logs is well.

use std::path::Path;

use super::{inode, is_full, lines};
use crate::scene::{Disk, Scene, when};

/// A log that is due, and the disk of the state.
fn lay_out(method: &str, options: &[&str]) -> (Scene, Disk) {
    let scene = Scene::new().config(&format!("{{dir}}/a.log {{\ndaily\nrotate 3\n{method}\n}}\n"));
    let disk = Disk::mounted_on(&scene.root().join("var"), options);
    let scene = scene.log("a.log", &lines("log", 20)).state("a.log", when::days_ago(2));
    disk.sync();
    (scene, disk)
}

/// The run has failed, and has named the state or the journal, the cause, and the file system.
fn is_told(scene: &Scene, told: &str, causes: &[&str]) {
    let var = scene.root().join("var").display().to_string();
    let named = |line: &str| {
        line.starts_with("error: ")
            && line.contains(&format!("{var}/state"))
            && causes.iter().any(|cause| line.contains(cause))
    };
    let place = format!("= help: file system {var} (");
    if !scene.stderr().lines().any(named) || !scene.stderr().contains(&place) {
        scene.fail(&format!("{told}: file, cause or file system is not named"));
    }
}

/// What undisturbed runs leave is there in the end, in the first version or, if it could not be remembered
/// that it was made, in the second.
fn is_made_good(scene: Scene, method: &str, versions: &[u8], told: &str) {
    let scene = scene.run([]).status(0).run([]).quiet();
    let log = if method == "copy" { lines("log", 20) } else { String::new() };
    let whole = |name: &str, text: &str| {
        scene.logs().0.get(Path::new(name)).is_some_and(|entry| entry.content == text.as_bytes())
    };
    let gz = if method.contains("compress") { ".gz" } else { "" };
    let version = |slot: &u8| whole(&format!("a.log.{slot}{gz}"), &lines("log", 20));
    let versions = versions.iter().any(version);
    if !whole("a.log", &log) || !versions {
        scene.fail(&format!("{told}: it is not done, or done twice"));
    }
    let left = std::fs::read_dir(scene.root().join("var")).expect("var");
    let left = left.map(|entry| entry.expect("entry").file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("state")).collect();
    assert_eq!(left, ["state"], "{told}");
    scene.expect_recorded_now("a.log");
}

const METHODS: [&str; 5] =
    ["create", "copy", "copytruncate", "create\nrenamecopy", "create\ncompress"];

#[test]
fn without_room_for_the_journal_nothing_is_begun_and_without_room_for_the_state_nothing_is_done_twice()
 {
    when::steady_day();
    for method in METHODS {
        let (mut begun, mut not_begun) = (0, 0);
        for (blocks, left) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
            let what = if blocks { "blocks" } else { "inodes" };
            let told = format!("{method}, {left} {what} left");
            let (scene, disk) = lay_out(method, if blocks { &[] } else { &["-N", "64"] });
            if blocks {
                disk.fill(left);
            } else {
                disk.fill_inodes(left);
            }
            let before = inode(&scene);
            let scene = scene.run([]);
            if scene.last_status() != Some(0) {
                is_told(&scene, &told, &["No space left on device"]);
                if scene.log_path("a.log.1").exists() || scene.log_path("a.log.1.gz").exists() {
                    begun += 1;
                } else {
                    not_begun += 1;
                    assert_eq!(inode(&scene), before, "{told}");
                }
            }
            disk.give_back();
            is_made_good(scene, method, &[1], &told);
        }
        assert!(begun > 0 && not_begun > 0, "{method}: {begun} were begun, {not_begun} were not");
    }
}

/// The disk breaks before the `point`-th change; gives whether the run came so far.
#[cfg(target_arch = "x86_64")]
fn breaks_at(method: &str, point: usize) -> bool {
    use super::breaks::{CAUSES, run_until_it_breaks};
    let (scene, disk) = lay_out(method, &[]);
    let broken = run_until_it_breaks(scene, &disk.breaker(), point);
    let Some((scene, call)) = broken else { return false };
    let told = format!("{method}, broken at change {point}, {call}");
    if scene.last_status() != Some(0) {
        is_told(&scene, &told, &CAUSES);
    }
    disk.repair();
    // With the disk went what the journal had not put there.
    is_made_good(scene, method, &[1, 2], &told);
    true
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_disk_that_breaks_under_the_journal_and_the_state_costs_no_line() {
    when::steady_day();
    for (number, method) in METHODS.into_iter().enumerate() {
        if is_full() {
            let points = (1..1000).take_while(|&point| breaks_at(method, point)).count();
            assert!(points > 5, "{method}: is the run traced?");
        } else {
            assert!(breaks_at(method, 1 + number));
            assert!(breaks_at(method, 6 + number % 3));
        }
    }
}
