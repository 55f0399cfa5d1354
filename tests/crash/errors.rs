//! Every call that changes a file fails once, for each reason that a disk may have.

use nix::errno::Errno;

use super::scenario::{self, End, MAILED, OPTIONS, Scenario};
use super::{Sample, undisturbed};
use crate::scene::trace::Fate;
use crate::scene::when;

/// The errors, and how they are called.
const ERRORS: [(Errno, &str); 3] = [
    (Errno::EIO, "Input/output error"),
    (Errno::ENOSPC, "No space left on device"),
    (Errno::EACCES, "Permission denied"),
];

fn fails_once(scenario: &Scenario, wanted: &End, point: usize, errno: Errno, cause: &str) {
    let lines = wanted.lines();
    let mut call = "nothing";
    let setup = scenario.set_up().with(|scene, far| {
        scene.run_traced(&OPTIONS, &[far], |change| {
            if change.number == point && change.own {
                call = change.call;
                return Fate::Fails(errno);
            }
            Fate::Happens
        })
    });
    if call == "nothing" {
        return;
    }
    let told = format!("{scenario:?}\nchange {point}, {call}, fails with {errno}");
    let code = setup.scene.last_status();
    let stderr = setup.scene.stderr();
    let explained = stderr.contains(cause) && stderr.contains('/');
    if code == Some(1) && !explained {
        setup.scene.fail(&format!("{told}: not explained"));
    }
    // The fallbacks: a label that the file system lacks, another way to name the new log, a journal
    // that cannot be continued, the lock of an unreadable state.
    let documented = matches!(call, "fsetxattr" | "renameat2") || stderr.contains("journal");
    if code != Some(1) && !(code == Some(0) && documented) && !(code == Some(3) && explained) {
        setup.scene.fail(&format!("{told}: exit status {code:?}"));
    }
    let before = format!("{:?}", setup.scene.logs());
    let setup = setup.with(|scene, _| scene.run(OPTIONS).status(0));
    let found = setup.end();
    // A mail that a failure has cancelled is sent by the next rotation; its file is still there.
    let lost = |line: &&String| *line != MAILED && !found.lines().contains_key(*line);
    if let Some(line) = lines.keys().find(lost) {
        setup.scene.fail(&format!("{told}\n{before}: {line:?} is lost"));
    }
    if !found.temporaries().is_empty() || !setup.left_over().is_empty() {
        let left = (found.temporaries(), setup.left_over());
        setup.scene.fail(&format!("{told}\n{before}: left over: {left:?}"));
    }
}

fn every_call_may_fail(method: usize) {
    when::steady_day();
    let mut sample = Sample::wanted(100 + method as u64);
    for scenario in scenario::all(method).into_iter().step_by(5) {
        let (wanted, last) = undisturbed(&scenario);
        for point in 1..=last {
            for (errno, cause) in ERRORS {
                if sample.next() {
                    fails_once(&scenario, &wanted, point, errno, cause);
                }
            }
        }
    }
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
