//! Plans whose renames a thread makes: what comes of them is what would have come of them one by one.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use super::*;
use crate::event::StepResult;
use crate::execute::{Await, Outcome, Perform};

/// A plan that moves a log, and one old version before it.
fn moved(scene: &Scene, log: &str) -> Plan {
    let (first, second) = (format!("{log}.1"), format!("{log}.2"));
    let steps = vec![
        step(rename(&first, &second), scene.present(&first), super::SHIFT),
        step(rename(log, &first), scene.present(log), Why::Rotation),
    ];
    scene.plan(log, steps, 1)
}

fn scene(logs: &[&str]) -> Scene {
    let scene = Scene::new(&[]);
    for log in logs {
        scene.write(log, &format!("{log} 0\n"));
        scene.write(&format!("{log}.1"), &format!("{log} 1\n"));
    }
    scene
}

/// Gives plans, which must be taken in; what becomes of them is told later.
fn give(live: &mut Live, plans: Vec<Plan>, notes: &mut Notes) {
    for plan in plans {
        let steps = plan.steps.len();
        let id = live.promise(plan.into()).unwrap();
        let expected = live.carry_out_with_others(id, notes);
        let results = vec![StepResult::Done; steps];
        assert_eq!(expected, Outcome { results, ..Outcome::default() });
    }
}

/// A run that was given the plans of these logs.
fn given(scene: &Scene, logs: &[&str]) -> (Live, Notes) {
    let (mut live, mut notes) = (scene.live(), Notes::default());
    let plans = logs.iter().map(|log| moved(scene, log)).collect();
    give(&mut live, plans, &mut notes);
    (live, notes)
}

fn logs(ended: &[(Rc<Plan>, Outcome)]) -> Vec<String> {
    let name = |log: &LogPath| String::from_utf8_lossy(log.name().as_bytes()).into_owned();
    ended.iter().flat_map(|(_, outcome)| &outcome.records).map(|(log, _)| name(log)).collect()
}

/// More than may be on their way at once.
#[test]
fn each_of_many_plans_is_carried_out_and_recorded_in_its_turn() {
    let names: Vec<String> = (0..500).map(|number| format!("{number:03}.log")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scene = scene(&names);
    let (mut live, mut notes) = given(&scene, &names);
    let ended = live.ended(Await::Beginnings, &mut notes);
    assert_eq!(logs(&ended), names);
    assert!(ended.iter().all(|(_, outcome)| !outcome.failed));
    assert_eq!(notes.errors, [""; 0]);
    let tree = scene.tree();
    assert_eq!(tree.len(), 1000);
    for log in names {
        assert_eq!(tree[&format!("{log}.1")], format!("{log} 0\n"));
        assert_eq!(tree[&format!("{log}.2")], format!("{log} 1\n"));
    }
    live.finish().unwrap();
    assert!(!scene.journal_path().exists());
}

#[test]
fn what_stands_in_the_way_stays_and_stops_its_own_plan_only() {
    let scene = scene(&["a", "b", "c"]);
    let plans = ["a", "b", "c"].map(|log| moved(&scene, log)).to_vec();
    scene.write("b.2", "in the way\n");
    let (mut live, mut notes) = (scene.live(), Notes::default());
    for plan in plans {
        let id = live.promise(plan.into()).unwrap();
        live.carry_out_with_others(id, &mut notes);
    }
    let ended = live.ended(Await::Beginnings, &mut notes);
    assert_eq!(logs(&ended), ["a", "c"]);
    assert_eq!(ended.iter().map(|(_, o)| o.failed).collect::<Vec<_>>(), [false, true, false]);
    let results = &ended[1].1.results;
    assert!(matches!(results[..], [StepResult::Failed(_), StepResult::Cancelled]), "{results:?}");
    assert_eq!(notes.errors.len(), 1, "{:?}", notes.errors);
    assert!(notes.errors[0].contains("b.2: File exists"), "{:?}", notes.errors);
    let tree = scene.tree();
    assert_eq!((&*tree["b"], &*tree["b.1"], &*tree["b.2"]), ("b 0\n", "b 1\n", "in the way\n"));
    assert_eq!((&*tree["a.2"], &*tree["c.2"]), ("a 1\n", "c 1\n"));
}

#[test]
fn another_file_in_a_logs_place_goes_back() {
    let scene = scene(&["a", "b"]);
    let plans = ["a", "b"].map(|log| moved(&scene, log)).to_vec();
    std::fs::rename(scene.logs().join("a"), scene.logs().join("away")).unwrap();
    scene.write("a", "another\n");
    let (mut live, mut notes) = (scene.live(), Notes::default());
    give(&mut live, plans, &mut notes);
    let ended = live.ended(Await::Beginnings, &mut notes);
    assert_eq!(logs(&ended), ["b"]);
    assert!(notes.errors[0].contains("another file has taken its place"), "{:?}", notes.errors);
    let tree = scene.tree();
    assert_eq!((&*tree["a"], &*tree["a.2"]), ("another\n", "a 1\n"));
    assert!(!tree.contains_key("a.1"));
}

/// More than may be on their way: the first failure is known before the last plan is given.
#[test]
fn after_a_failure_nothing_is_given_before_all_is_settled() {
    let names: Vec<String> = (0..300).map(|number| format!("{number:03}.log")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scene = scene(&names);
    let plans: Vec<Plan> = names.iter().map(|log| moved(&scene, log)).collect();
    scene.write("000.log.2", "in the way\n");
    let (mut live, mut notes) = (scene.live(), Notes::default());
    let mut done_at_once = 0;
    for plan in plans {
        let id = live.promise(plan.into()).unwrap();
        done_at_once += usize::from(!live.carry_out_with_others(id, &mut notes).records.is_empty());
    }
    assert_eq!(done_at_once, 1, "the one that was to be given when the failure was found");
    let ended = live.ended(Await::Beginnings, &mut notes);
    assert_eq!((ended.len(), logs(&ended).len()), (299, 298));
    assert_eq!((notes.errors.len(), scene.tree().len()), (1, 601));
}

#[test]
fn whatever_is_no_rename_comes_after_the_renames() {
    let scene = scene(&["a", "b"]);
    let (mut live, mut notes) = given(&scene, &["a", "b"]);
    let made = step(create("new.tmp", "c"), Expect::Absent, Why::NewLog);
    let id = live.promise(scene.plan("c", vec![made], 0).into()).unwrap();
    let outcome = live.carry_out_with_others(id, &mut notes);
    assert_eq!(outcome.records.len(), 1, "it is done when this returns");
    let kinds: Vec<&str> = notes.started.iter().filter_map(|s| s.split(' ').next()).collect();
    assert_eq!(kinds, ["Rename", "Rename", "Rename", "Rename", "Create"]);
    assert_eq!(logs(&live.ended(Await::Nothing, &mut notes)), ["a", "b"]);
}

#[test]
fn a_script_comes_after_the_renames() {
    let scene = scene(&["a", "b"]);
    let (mut live, mut notes) = given(&scene, &["a", "b"]);
    live.script(&scene.call(ScriptKind::PreRotate, None), &mut notes).unwrap();
    let last = notes.started.last().unwrap();
    assert!(notes.started.len() == 5 && last.starts_with("ScriptCall"), "{:?}", notes.started);
}

/// What the thread has done shows on the disk, whatever the run has noted of it.
#[test]
fn a_run_that_dies_before_it_hears_of_the_renames_is_finished_by_the_next() {
    let scene = scene(&["a", "b", "c"]);
    drop(given(&scene, &["a", "b", "c"]));
    // The thread ends with what it was given, as it does not in a process that dies.
    while scene.read("c.1").as_deref() != Some("c 0\n") {
        std::thread::yield_now();
    }
    let mut live = scene.live();
    let mut notes = Notes::default();
    let resumed = live.resume(&mut notes);
    assert_eq!(logs(&resumed), ["a", "b", "c"]);
    assert_eq!(notes.errors, [""; 0]);
    assert_eq!(scene.tree()["a.1"], "a 0\n");
    live.finish().unwrap();
    assert!(!scene.journal_path().exists());
}

#[test]
fn plans_of_other_users_are_carried_out_at_once() {
    let scene = scene(&["a"]);
    let identity = Some(crate::system::identity::now());
    let plan = Plan { identity, ..moved(&scene, "a") };
    let (mut live, mut notes) = (scene.live(), Notes::default());
    let id = live.promise(plan.into()).unwrap();
    let outcome = live.carry_out_with_others(id, &mut notes);
    assert_eq!(outcome.records.len(), 1);
    assert!(live.ended(Await::Nothing, &mut notes).is_empty());
}
