//! The power fails at any moment: what was synced is there, and what was not may be gone.
//!
//! Everything is on a small ext4 on a loop device. At each call that changes a file the image behind it
//! is kept, as the host sees it at that moment: what the kernel has not written back is not in it. The
//! disk then comes up with that image, replays its own journal, and two ordinary runs follow.

use std::fs;

use super::scenario::{self, End, OPTIONS, Scenario, Setup};
use super::{Sample, at_moments};
use crate::scene::trace::Fate;
use crate::scene::{Tree, when};

/// The ways to rotate on one disk.
const METHODS: [usize; 7] = [0, 1, 2, 3, 6, 7, 8];

/// The power fails before the `point`-th change; gives what is there when it is back.
fn power_fails_at(scenario: &Scenario, point: usize) -> Option<(Setup, &'static str)> {
    let setup = scenario.set_up_on_a_disk();
    let disk = setup.scene.disk().image();
    let mut left = None;
    let mut setup = setup.with(|scene, _| {
        scene.run_traced(&OPTIONS, &[], |change| {
            if change.number == point {
                left = Some((fs::read(&disk).expect("image"), change.call));
                return Fate::Death;
            }
            Fate::Happens
        })
    });
    let (image, call) = left?;
    setup.power_up(&image);
    Some((setup, call))
}

fn survives_loss_of_power_at(scenario: &Scenario, wanted: &End, point: usize) {
    let Some((setup, call)) = power_fails_at(scenario, point) else { return };
    let told = format!("{scenario:?}\npower failed at change {point}, {call}");
    // A version that was being shredded is garbage here, and must be gone after the next run.
    let before = format!("{:?}", Tree::of(&setup.scene.root().join("logs")));
    let setup = setup.with(|scene, _| scene.run(OPTIONS).run(OPTIONS).status(0));
    // A compressed version that is not whole cannot be unpacked, and fails here.
    let lost = setup.end().lost(wanted);
    if !lost.is_empty() {
        setup.scene.fail(&format!("{told}\nthen\n{before}\nlost {lost:?}"));
    }
}

#[test]
fn a_loss_of_power_at_any_call_loses_no_line() {
    let some = |method: usize| scenario::all(method).into_iter().skip(method).step_by(8);
    let scenarios: Vec<Scenario> = METHODS.into_iter().flat_map(some).collect();
    at_moments("loss of power", Sample::of(300), &scenarios, |scenario, wanted, point, _| {
        survives_loss_of_power_at(scenario, wanted, point);
    });
}

/// A sync puts on disk whatever was done before it, renames among them; without their plan nobody could
/// tell later that the log was rotated.
#[test]
fn the_journal_is_on_disk_before_any_file_that_a_run_makes_is_put_there() {
    when::steady_day();
    let some =
        |s: &Scenario| s.packing == "compress" && matches!(s.shape, "one log" | "three logs");
    for scenario in [0, 1, 2].into_iter().flat_map(scenario::all).filter(some) {
        let (mut written, mut synced, mut early) = (false, 0, None);
        drop(scenario.set_up().with(|scene, far| {
            scene.run_traced(&OPTIONS, &[far], |change| {
                let file = change.file.as_deref().unwrap_or_default();
                match change.call {
                    "write" if file == "state.journal" => written = true,
                    "fsync" | "fdatasync" if file == "state.journal" => written = false,
                    "fsync" | "fdatasync" if file.ends_with(".logrotate-rs") => {
                        synced += 1;
                        early = early.or(written.then_some(change.number));
                    }
                    _ => {}
                }
                Fate::Happens
            })
        }));
        assert!(synced > 0, "{scenario:?}: nothing was synced");
        assert_eq!(early, None, "{scenario:?}: synced before the journal, at this change");
    }
}
