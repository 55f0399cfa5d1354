//! Every call that changes a file fails once, for each reason that a disk may have.

use nix::errno::Errno;

use super::scenario::{self, End, OPTIONS, Scenario, Setup};
use super::{Sample, at_moments};
use crate::scene::Tree;
use crate::scene::trace::Fate;

/// The errors, and how they are called.
const ERRORS: [(Errno, &str); 3] = [
    (Errno::EIO, "Input/output error"),
    (Errno::ENOSPC, "No space left on device"),
    (Errno::EACCES, "Permission denied"),
];

/// A call of ours that fails.
struct Failed {
    call: &'static str,
    /// The name of the file, where the call has it open.
    file: String,
}

/// The run, with one call of ours that fails; `None` if there is no such call.
fn with_a_failure(scenario: &Scenario, point: usize, errno: Errno) -> Option<(Setup, Failed)> {
    let mut failed = None;
    let setup = scenario.set_up().with(|scene, far| {
        scene.run_traced(&OPTIONS, &[far], |change| {
            if change.number == point && change.own {
                let file = change.file.clone().unwrap_or_default();
                failed = Some(Failed { call: change.call, file });
                return Fate::Fails(errno);
            }
            Fate::Happens
        })
    });
    failed.map(|failed| (setup, failed))
}

/// The fallbacks: what may fail without the run failing. Each is described where it is done.
fn fallback(failed: &Failed, errno: Errno, stderr: &str) -> Option<&'static str> {
    let Failed { call, file } = failed;
    match *call {
        // execute/live.rs: only if this run dies too does it matter.
        "write" | "fdatasync" | "ftruncate" if file.ends_with(".journal") => {
            stderr.contains("warning: cannot").then_some("a journal that cannot be continued")
        }
        // execute/rename.rs: a log that is missing stops the next run, so there is a second way.
        "renameat2" => stderr.contains("it has its name by a link").then_some("a name by a link"),
        // system/state_file.rs: a label that this process may not set.
        "fsetxattr" if errno == Errno::EACCES => Some("a label"),
        _ => None,
    }
}

fn fails_once(scenario: &Scenario, wanted: &End, point: usize, errno: Errno, cause: &str) {
    let Some((setup, failed)) = with_a_failure(scenario, point, errno) else { return };
    let Failed { call, file } = &failed;
    let told = format!("{scenario:?}\nchange {point}, {call} of {file:?}, fails with {errno}");
    let stderr = setup.scene.stderr();
    // The file, what was to be done with it, and why not.
    let explained = stderr.lines().any(|line| {
        line.starts_with("error: ") && line.contains(" /") && line.contains(&format!(": {cause}"))
    });
    match setup.scene.last_status() {
        Some(1) if explained => {}
        Some(0) if fallback(&failed, errno, stderr).is_some() => {}
        // Without a state that can be locked nothing is begun.
        Some(3) if explained && stderr.contains("state file") => {}
        code => setup.scene.fail(&format!("{told}: exit status {code:?}, explained: {explained}")),
    }
    // A version that was being shredded is garbage here, and must be gone after the next run.
    let before = format!("{:?}", Tree::of(&setup.scene.root().join("logs")));
    let setup = setup.with(|scene, _| scene.run(OPTIONS).status(0));
    let found = setup.end();
    // A mail that a failure has cancelled is sent by the next rotation; its file is still there.
    let lost = found.lost(wanted);
    if !lost.is_empty() {
        setup.scene.fail(&format!("{told}\n{before}: lost {lost:?}"));
    }
    if !found.temporaries().is_empty() || !setup.left_over().is_empty() {
        let left = (found.temporaries(), setup.left_over());
        setup.scene.fail(&format!("{told}\n{before}: left over: {left:?}"));
    }
}

/// A signal interrupts a call: it is made again, and nobody notices.
fn is_interrupted(scenario: &Scenario, wanted: &End, point: usize) {
    let Some((setup, failed)) = with_a_failure(scenario, point, Errno::EINTR) else { return };
    let told = format!("{scenario:?}\nchange {point}, {}, is interrupted", failed.call);
    let noticed = !scenario.unexpected(setup.scene.stderr()).is_empty();
    if setup.scene.last_status() != Some(0) || noticed {
        setup.scene.fail(&format!("{told}: it was noticed"));
    }
    let setup = setup.with(|scene, _| scene.run(OPTIONS).quiet());
    if setup.end() != *wanted {
        setup.scene.fail(&format!("{told}: the end is another; wanted\n{:?}", wanted.logs));
    }
}

fn every_call_may_fail(method: usize) {
    let scenarios: Vec<_> = scenario::all(method).into_iter().step_by(5).collect();
    let sample = Sample::of(100 + method as u64);
    at_moments(
        scenario::METHODS[method].0,
        sample,
        &scenarios,
        |scenario, wanted, point, sample| {
            let chosen = sample.number(ERRORS.len());
            for (number, (errno, cause)) in ERRORS.into_iter().enumerate() {
                if sample.is_full() || number == chosen {
                    fails_once(scenario, wanted, point, errno, cause);
                }
            }
        },
    );
}

#[test]
fn a_failing_call_loses_nothing_with_create() {
    every_call_may_fail(0);
}

#[test]
fn a_failing_call_loses_nothing_with_copytruncate() {
    every_call_may_fail(1);
}

#[test]
fn a_failing_call_loses_nothing_with_copies_on_another_file_system() {
    every_call_may_fail(4);
    every_call_may_fail(5);
}

#[test]
fn a_failing_call_loses_nothing_with_renamecopy() {
    every_call_may_fail(7);
}

#[test]
fn an_interrupted_call_is_made_again() {
    let some = |method: usize| scenario::all(method).into_iter().skip(method).step_by(5);
    let scenarios: Vec<Scenario> = (0..scenario::METHODS.len()).flat_map(some).collect();
    at_moments("interruptions", Sample::of(200), &scenarios, |scenario, wanted, point, _| {
        is_interrupted(scenario, wanted, point);
    });
}
