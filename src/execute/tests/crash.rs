//! A run dies before every one of its effects, in a loop; the next run finishes it, and the tree is
//! the one of an undisturbed run.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use std::io::Write;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;
use crate::execute::{Outcome, Perform};
use crate::system::{Errno, crash};

const FILES: [(&str, &str); 6] = [
    ("a.log", "a0\n"),
    ("a.log.1", "a1\n"),
    ("a.log.2.gz", "A2\n"),
    ("a.log.3.gz", "A3\n"),
    ("b.log", "b0\n"),
    ("b.log.1", "b1\n"),
];

/// Once, as fast as can be.
const SHRED: Option<Shred> = Some(Shred { cycles: NonZeroU32::new(1), allow_hard_links: false });

/// Numbered, compressed with a delay, with `create`, and with scripts and `shred`, or without.
fn moved(scene: &Scene, scripts: bool) -> Plan {
    let pre_remove = scripts.then(|| scene.call(ScriptKind::PreRemove, None).script);
    let shred = SHRED.filter(|_| scripts);
    let old = Action::Remove { file: place("a.log.3.gz"), pre_remove, shred };
    let upper = "tr a-z A-Z";
    let mut steps = vec![
        step(old, scene.present("a.log.3.gz"), Why::Count),
        step(rename("a.log.2.gz", "a.log.3.gz"), scene.present("a.log.2.gz"), super::SHIFT),
        step(
            compress("a.log.1", "gz.tmp", "a.log.1.gz", upper),
            scene.present("a.log.1"),
            Why::DelayedCompression,
        ),
        step(publish("gz.tmp", "a.log.1.gz"), Expect::Made, Why::DelayedCompression),
        step(
            Action::Remove { file: place("a.log.1"), pre_remove: None, shred },
            scene.present("a.log.1"),
            Why::Compressed,
        ),
        step(rename("a.log.1.gz", "a.log.2.gz"), Expect::Made, super::SHIFT),
        step(create("new.tmp", "a.log"), Expect::Absent, Why::NewLog),
        step(rename("a.log", "a.log.1"), scene.present("a.log"), Why::Rotation),
        step(install("new.tmp", "a.log"), Expect::Made, Why::NewLog),
    ];
    if scripts {
        let call = scene.call(ScriptKind::PostRotate, Some("a.log"));
        steps.push(step(Action::Script(call), Expect::Nothing, Why::Script));
    }
    scene.plan("a.log", steps, 7)
}

/// Numbered, with `copytruncate`.
fn copied(scene: &Scene) -> Plan {
    let steps = vec![
        step(rename("b.log.1", "b.log.2"), scene.present("b.log.1"), super::SHIFT),
        step(copy("b.log", "archive.tmp", "b.log.1"), scene.present("b.log"), Why::Rotation),
        step(cut("b.log", Some("b.log.1")), scene.present("b.log"), Why::Rotation),
    ];
    scene.plan("b.log", steps, 2)
}

/// Makes a plan from what is on the disk.
type Make = fn(&Scene, bool) -> Plan;

/// A run: finishes what is open, then does what was not yet begun.
fn run(scene: &Scene, scripts: bool) {
    run_after(Vec::new(), scene, scripts);
}

/// The same after runs that have recorded something already.
fn run_after(mut outcomes: Vec<(Rc<Plan>, Outcome)>, scene: &Scene, scripts: bool) {
    let mut live = scene.live();
    let mut notes = Notes::default();
    outcomes.extend(live.resume(&mut notes));
    let all: [(&str, Make); 2] = [("a.log", moved), ("b.log", |scene, _| copied(scene))];
    for (log, make) in all {
        let known = |plan: &Plan| plan.logs.iter().any(|l| l.name().as_bytes() == log.as_bytes());
        if outcomes.iter().any(|(plan, _)| known(plan)) {
            continue;
        }
        let plan = Rc::new(make(scene, scripts));
        let id = live.promise(Rc::clone(&plan)).unwrap();
        outcomes.push((plan, live.carry_out(id, &mut notes)));
    }
    assert_eq!(notes.errors, [""; 0]);
    // The state would be written here.
    let recorded: Vec<_> = outcomes.iter().flat_map(|(_, o)| &o.records).collect();
    assert_eq!(recorded.len(), 2, "{outcomes:?}");
    assert!(outcomes.iter().all(|(_, outcome)| !outcome.failed));
    live.finish().unwrap();
}

/// Runs until `effects` effects were done. Says whether it died.
fn dies_after(effects: u32, scene: &Scene, scripts: bool) -> bool {
    crash::after(effects);
    let end = catch_unwind(AssertUnwindSafe(|| run(scene, scripts)));
    crash::disarm();
    match end {
        Ok(()) => false,
        Err(cause) if cause.downcast_ref() == Some(&crash::DEATH) => true,
        Err(cause) => resume_unwind(cause),
    }
}

fn append(scene: &Scene, text: &str) {
    let path = scene.logs().join("b.log");
    let mut log = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    log.write_all(text.as_bytes()).unwrap();
}

/// What must be the same: the tree, with a copied and cut log and its copy taken together, for
/// where the cut falls depends on the moment.
fn essence(scene: &Scene) -> BTreeMap<String, String> {
    let mut tree = scene.tree();
    let rest = tree.remove("b.log").unwrap();
    tree.entry("b.log.1".into()).or_default().push_str(&rest);
    tree
}

fn expected(later: &str) -> BTreeMap<String, String> {
    let files = [
        ("a.log", ""),
        ("a.log.1", "a0\n"),
        ("a.log.2.gz", "A1\n"),
        ("a.log.3.gz", "A2\n"),
        ("b.log.2", "b1\n"),
    ];
    let mut tree: BTreeMap<_, _> =
        files.into_iter().map(|(n, t)| (n.to_owned(), t.to_owned())).collect();
    tree.insert("b.log.1".into(), format!("b0\n{later}"));
    tree
}

#[test]
fn a_run_that_dies_before_any_effect_is_finished_by_the_next() {
    let mut deaths = 0;
    loop {
        let scene = Scene::new(&FILES);
        let died = dies_after(deaths, &scene, true);
        if died {
            append(&scene, "later\n");
            run(&scene, true);
        }
        assert_eq!(essence(&scene), expected(if died { "later\n" } else { "" }), "{deaths}");
        let ran = scene.ran("PostRotate");
        assert!((1..=2).contains(&ran), "{ran} times after {deaths}");
        assert!(!scene.journal_path().exists());
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 40, "only {deaths} effects were seen");
}

/// Runs of a configuration that has none of the blocks, with the same state file; gives what they record.
fn others(scene: &Scene) -> Vec<(Rc<Plan>, Outcome)> {
    let elsewhere = scene.temp.path().join("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    let recorded = (0..2).flat_map(|_| {
        let mut live = scene.live();
        let recorded = live.resume(&mut ());
        live.finish().unwrap();
        recorded
    });
    let recorded = recorded.collect();
    std::fs::remove_file(elsewhere).unwrap();
    recorded
}

/// What has ended, which scripts have begun and which file is where: all of it is written down again.
#[test]
fn a_run_that_dies_is_finished_by_the_next_of_its_own_configuration_whatever_runs_in_between() {
    for deaths in 0.. {
        let scene = Scene::new(&FILES);
        if !dies_after(deaths, &scene, true) {
            assert!(deaths > 40, "only {deaths} effects were seen");
            break;
        }
        let before = scene.tree();
        let recorded = others(&scene);
        assert_eq!(scene.tree(), before);
        append(&scene, "later\n");
        run_after(recorded, &scene, true);
        assert_eq!(essence(&scene), expected("later\n"), "{deaths}");
        assert!((1..=2).contains(&scene.ran("PostRotate")), "{deaths}");
        assert!(!scene.journal_path().exists());
    }
}

#[test]
fn a_run_that_dies_twice_is_finished_by_the_third() {
    for first in 0.. {
        let probe = Scene::new(&FILES);
        if !dies_after(first, &probe, false) {
            break;
        }
        for second in (0..).step_by(3) {
            let scene = Scene::new(&FILES);
            assert!(dies_after(first, &scene, false));
            append(&scene, "later\n");
            let died = dies_after(second, &scene, false);
            if died {
                append(&scene, "latest\n");
                run(&scene, false);
            }
            let later = if died { "later\nlatest\n" } else { "later\n" };
            assert_eq!(essence(&scene), expected(later), "{first}, {second}");
            if !died {
                break;
            }
        }
    }
}

#[test]
fn a_journal_that_lost_its_end_to_a_power_failure_loses_no_file() {
    let scene = Scene::new(&FILES);
    let mut live = scene.live();
    for plan in [moved(&scene, false), copied(&scene)] {
        let id = live.promise(plan.into()).unwrap();
        live.carry_out(id, &mut ());
    }
    drop(live);
    let journal = std::fs::read(scene.journal_path()).unwrap();
    let ends = journal.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1);
    for end in ends {
        std::fs::write(scene.journal_path(), &journal[..end]).unwrap();
        scene.live().resume(&mut ());
        assert_eq!(essence(&scene), expected(""), "journal of {end} bytes");
    }
}

#[test]
fn a_script_that_was_interrupted_twice_is_given_up() {
    let scene = Scene::new(&[]);
    let call = scene.call(ScriptKind::PostRotate, None);
    let plan = scene.plan("a", vec![step(Action::Script(call), Expect::Nothing, Why::Script)], 0);
    // Three effects come before it: the journal is made, and two lines are written.
    for (round, effects) in [3, 1].into_iter().enumerate() {
        crash::after(effects);
        let end = catch_unwind(AssertUnwindSafe(|| {
            let mut live = scene.live();
            if round > 0 {
                live.resume(&mut ());
            } else {
                let id = live.promise(plan.clone().into()).unwrap();
                live.carry_out(id, &mut ());
            }
        }));
        crash::disarm();
        assert!(end.is_err(), "round {round}");
    }
    let mut notes = Notes::default();
    let outcomes = scene.live().resume(&mut notes);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.failed));
    assert!(notes.errors[0].contains("2 runs ended while it ran"), "{:?}", notes.errors);
    assert_eq!(scene.ran("PostRotate"), 0);
}

#[test]
fn a_closing_plan_is_resumed_last() {
    let scene = Scene::new(&[]);
    let script = |kind, closing| {
        let action = Action::Script(scene.call(kind, None));
        let steps = vec![step(action, Expect::Nothing, Why::Script)];
        Plan { closing, ..scene.plan("a", steps, 0) }
    };
    {
        let mut live = scene.live();
        live.promise(script(ScriptKind::LastAction, true).into()).unwrap();
        live.promise(script(ScriptKind::PostRotate, false).into()).unwrap();
    }
    let mut live = scene.live();
    let order: Vec<_> = live.resume(&mut ()).into_iter().map(|(plan, _)| plan.closing).collect();
    assert_eq!(order, [false, true]);
    assert_eq!((scene.ran("PostRotate"), scene.ran("LastAction")), (1, 1));
}

#[test]
fn an_effect_that_fails_is_told_and_costs_nothing() {
    for failing in 0.. {
        let scene = Scene::new(&FILES);
        let mut live = scene.live();
        let mut notes = Notes::default();
        let plans = [moved(&scene, false), copied(&scene)];
        let (mut count, failed) = (0, Rc::new(RefCell::new(None)));
        let told = Rc::clone(&failed);
        crash::before_each(move |effect| {
            count += 1;
            if count == failing + 1 {
                *told.borrow_mut() = Some(effect);
                return Err(Errno::ENOSPC);
            }
            Ok(())
        });
        let mut troubles = 0;
        for plan in plans {
            match live.promise(plan.into()) {
                Ok(id) => troubles += u32::from(live.carry_out(id, &mut notes).failed),
                Err(fault) => {
                    assert_eq!(fault.errno, Some(Errno::ENOSPC as i32));
                    troubles += 1;
                }
            }
        }
        crash::disarm();
        let Some(effect) = *failed.borrow() else {
            assert_eq!((troubles, notes.errors.len()), (0, 0));
            assert!(failing > 30, "only {failing} effects were seen");
            break;
        };
        // A line of the journal that is not written is not missed unless the run dies too.
        let warned = u32::try_from(notes.warnings.len()).unwrap();
        assert_eq!(troubles + warned, 1, "{failing} ({effect}): {:?}", notes.errors);
        let tree = scene.tree();
        let kept = |text: &str| tree.values().any(|t| t.eq_ignore_ascii_case(text));
        for text in ["a0\n", "a1\n", "a2\n", "b0\n", "b1\n"] {
            assert!(kept(text), "{text:?} was lost when {effect} ({failing}) failed: {tree:?}");
        }
        // For the very last rename of all, which gives the new log its name, there is a second way.
        assert!(tree.contains_key("a.log"), "{effect} ({failing}): {tree:?}");
        assert!(tree.contains_key("b.log"), "{effect} ({failing})");
        let left_over = tree.keys().any(|name| name.ends_with("tmp"));
        assert!(!left_over, "{effect} ({failing}): {tree:?}");
    }
}
