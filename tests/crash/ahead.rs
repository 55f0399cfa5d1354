//! Many logs of one block: their renames are made while the next ones are planned, so that a kill finds
//! several plans begun.

use nix::errno::Errno;

use crate::scene::trace::Fate;
use crate::scene::{Scene, Tree, when};

/// A few more than are worth a thread.
const LOGS: usize = 20;

const NAMINGS: [&str; 2] = ["", "dateext\n"];

fn set_up(naming: &str) -> Scene {
    let block = format!("{{dir}}/*.log {{\nrotate 5\ndaily\nmissingok\n{naming}}}\n");
    (0..LOGS).fold(Scene::new().config(&block), |scene, n| {
        let log = format!("{n:02}.log");
        let old = if naming.is_empty() { format!("{log}.1") } else { format!("{log}-20200101") };
        let scene = scene.log(&log, &format!("{n} now\n")).state(&log, when::days_ago(2));
        scene.file(&old, &format!("{n} before\n"))
    })
}

/// What an undisturbed run leaves, and how many calls of it change a file.
fn undisturbed(naming: &str) -> (Tree, usize) {
    let mut points = 0;
    let scene = set_up(naming).run_traced(&[], &[], |change| {
        points = points.max(change.number);
        Fate::Happens
    });
    let scene = scene.quiet();
    assert!(points > 2 * LOGS, "only {points} changes: are all threads traced?");
    let end = scene.logs().timeless();
    assert_eq!(end.files().len(), 2 * LOGS);
    (end, points)
}

/// Tries every moment of runs with both namings: they are short.
fn at_every_moment(mut try_at: impl FnMut(&str, &Tree, usize)) {
    when::steady_day();
    for naming in NAMINGS {
        let (wanted, last) = undisturbed(naming);
        for point in 1..=last {
            try_at(naming, &wanted, point);
        }
    }
}

/// What the files hold, whatever they are called.
fn contents(tree: &Tree) -> Vec<Vec<u8>> {
    let mut contents: Vec<_> = tree.0.values().map(|entry| entry.content.clone()).collect();
    contents.sort_unstable();
    contents
}

fn check(scene: &Scene, wanted: &Tree, told: &str) {
    if scene.logs().timeless() != *wanted {
        scene.fail(&format!("{told}; wanted\n{wanted:?}"));
    }
    for n in 0..LOGS {
        assert_ne!(scene.record(&format!("{n:02}.log")), None, "{told}: {n} is not recorded");
    }
    assert!(!scene.root().join("var/state.journal").exists(), "{told}: the journal is left");
}

#[test]
fn many_logs_survive_being_killed() {
    at_every_moment(|naming, wanted, point| {
        let scene = set_up(naming).run_traced(&[], &[], |change| {
            if change.number == point { Fate::Death } else { Fate::Happens }
        });
        let scene = scene.run([]).status(0).run([]).quiet();
        check(&scene, wanted, &format!("{naming:?}, killed at change {point}"));
    });
}

/// The log stays as it was, or comes as far as it can; the next run does the rest, and touches no other.
#[test]
fn a_rename_that_fails_stops_one_of_many_logs_only() {
    let mut renames = 0;
    at_every_moment(|naming, wanted, point| {
        let mut failed = false;
        let scene = set_up(naming).run_traced(&[], &[], |change| {
            if change.number == point && change.call == "renameat2" && !change.own {
                failed = true;
                return Fate::Fails(Errno::EIO);
            }
            Fate::Happens
        });
        if !failed {
            return;
        }
        renames += 1;
        let scene = scene.status(1);
        assert_eq!(scene.stderr().matches("Input/output error").count(), 1, "{}", scene.stderr());
        let left = (0..LOGS).filter(|n| scene.log_path(&format!("{n:02}.log")).exists());
        assert_eq!(left.count(), 1);
        let scene = scene.run([]).quiet();
        let told = format!("{naming:?}, change {point} fails");
        if naming.is_empty() && scene.logs().timeless() != *wanted {
            // The old version had moved on already: there is a gap behind it, and nothing is missing.
            assert_eq!(contents(&scene.logs()), contents(wanted), "{told}");
            return;
        }
        check(&scene, wanted, &told);
    });
    assert!(renames >= 2 * LOGS, "only {renames} renames of the thread were seen");
}
