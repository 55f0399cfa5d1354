//! A journal that says less than it should, or something else.

use std::fs;
use std::os::unix::fs::chown;

use super::scenario::{self, End, OPTIONS, Scenario, Setup};
use super::{Sample, killed, undisturbed};
use crate::scene::{set_mode, when};

/// Nothing is lost and nothing is broken, and the run after the next is content.
fn is_made_good(scenario: &Scenario, setup: Setup, wanted: &End, what: &str) {
    let setup = setup.with(|scene, _| scene.run(OPTIONS).run(OPTIONS).status(0));
    let lost = setup.end().lost(wanted);
    if !lost.is_empty() {
        setup.scene.fail(&format!("{scenario:?}\n{what}: lost {lost:?}"));
    }
}

/// One scenario of each way to rotate. More is kept than is there: a log whose rotation nobody
/// remembers is rotated again, and that must not count as a loss.
fn few() -> Vec<Scenario> {
    let one = |m: usize| Scenario { keep: 6, ..scenario::all(m)[(m * 6) % 29] };
    (0..scenario::METHODS.len()).map(one).collect()
}

#[test]
fn a_journal_that_is_cut_off_anywhere_loses_no_line() {
    when::steady_day();
    let mut sample = Sample::of(77);
    let scenarios: Vec<_> = few().into_iter().map(|s| (s, undisturbed(&s))).collect();
    let cut_at = |scenario: &Scenario, (wanted, last): &(End, usize), length: usize| {
        let (setup, _) = killed(scenario, last * 2 / 3);
        let journal = setup.scene.root().join("var/state.journal");
        let file = fs::OpenOptions::new().write(true).open(&journal).expect("journal");
        let whole = usize::try_from(file.metadata().expect("metadata").len()).expect("length");
        file.set_len(length as u64 % (whole as u64 + 1)).expect("cut");
        is_made_good(scenario, setup, wanted, &format!("journal cut at {length}"));
        length < whole
    };
    if sample.is_full() {
        for (scenario, end) in &scenarios {
            let lengths = (0..1_000_000).take_while(|&length| cut_at(scenario, end, length));
            for _ in lengths {
                sample.count();
            }
        }
    }
    while !sample.is_full() && sample.goes_on() {
        let (scenario, end) = &scenarios[sample.number(scenarios.len())];
        cut_at(scenario, end, sample.number(1_000_000));
        sample.count();
    }
    sample.report("journals cut off");
}

#[test]
fn a_journal_of_garbage_another_version_or_another_user_or_none_loses_no_line() {
    when::steady_day();
    for scenario in few() {
        let (wanted, last) = undisturbed(&scenario);
        for what in ["deleted", "garbage", "version", "user", "open"] {
            let (setup, _) = killed(&scenario, last * 2 / 3);
            let journal = setup.scene.root().join("var/state.journal");
            let text = fs::read(&journal).expect("journal");
            match what {
                "deleted" => fs::remove_file(&journal).expect("remove"),
                "garbage" => fs::write(&journal, [0xff, b'\n', 0, b'{']).expect("write"),
                "version" => {
                    let text = String::from_utf8(text).expect("UTF-8");
                    let other = text.replacen("\"version\":1", "\"version\":999", 1);
                    assert_ne!(other, text);
                    fs::write(&journal, other).expect("write");
                }
                "user" => chown(&journal, Some(65534), None).expect("chown"),
                _ => set_mode(&journal, 0o666),
            }
            is_made_good(&scenario, setup, &wanted, what);
        }
    }
}

#[test]
fn a_journal_that_a_live_run_holds_is_left_to_it() {
    let scenario = few()[0];
    let (wanted, last) = undisturbed(&scenario);
    let (setup, _) = killed(&scenario, last * 2 / 3);
    let path = setup.scene.root().join("var/state.journal");
    let file = fs::File::open(&path).expect("journal");
    let lock = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock);
    let lock = lock.map_err(|(_, errno)| errno).expect("lock");
    let before = setup.end();
    let setup = setup.with(|scene, _| scene.run(OPTIONS).status(3).stderr_has("journal"));
    assert!(setup.end() == before, "nothing has changed");
    drop(lock);
    is_made_good(&scenario, setup, &wanted, "after the live run");
}
