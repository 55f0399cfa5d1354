//! Postponed steps: what is tried again, when, and on which file.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use super::*;
use crate::event::StepResult;
use crate::execute::Perform;
use crate::system::crash;

/// A plan that removes `old` unless its script objects, and then moves it to `refuge`.
fn removal(scene: &Scene) -> Plan {
    let pre_remove = Some(scene.call(ScriptKind::PreRemove, None).script);
    let remove = Action::Remove { file: place("old"), pre_remove, shred: None };
    let mut steps = vec![
        step(remove, scene.present("old"), Why::Count),
        step(rename("old", "refuge"), Expect::IfThere, super::SHIFT),
    ];
    for (step, number) in steps.iter_mut().zip(1..) {
        step.scope = Scope::Version(0, number);
    }
    scene.plan("a.log", steps, 1)
}

fn object(scene: &Scene, objects: bool) {
    let path = scene.temp.path().join("fail");
    if objects {
        std::fs::write(path, "").unwrap();
    } else {
        std::fs::remove_file(path).unwrap();
    }
}

/// A run that postpones the removal of `old`.
fn postponed() -> Scene {
    let scene = Scene::new(&[("old", "precious")]);
    object(&scene, true);
    let mut live = scene.live();
    let id = live.promise(removal(&scene).into()).unwrap();
    let outcome = live.carry_out(id, &mut ());
    assert!(matches!(outcome.results[0], StepResult::Postponed(_)), "{outcome:?}");
    assert!(outcome.failed);
    live.finish().unwrap();
    assert_eq!(scene.read("refuge").as_deref(), Some("precious"));
    scene
}

#[test]
fn a_removal_that_was_objected_to_is_tried_again_by_every_run_until_it_is_done() {
    let scene = postponed();
    for tries in 2..4 {
        let mut live = scene.live();
        let outcomes = live.resume(&mut ());
        assert!(outcomes.len() == 1 && outcomes[0].1.failed);
        assert_eq!(outcomes[0].1.records, []);
        live.finish().unwrap();
        assert_eq!(scene.ran("PreRemove"), tries);
    }
    object(&scene, false);
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    live.finish().unwrap();
    assert_eq!(scene.tree(), BTreeMap::new());
    assert!(!scene.journal_path().exists());
}

#[test]
fn the_file_is_found_under_whatever_name_it_has_and_no_other_file_is_taken_for_it() {
    let scene = postponed();
    object(&scene, false);
    std::fs::rename(scene.logs().join("refuge"), scene.logs().join("elsewhere")).unwrap();
    scene.write("old", "another");
    scene.write("refuge", "yet another");
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    assert_eq!(scene.tree().into_keys().collect::<Vec<_>>(), ["old", "refuge"]);
}

#[test]
fn a_file_that_is_gone_needs_nothing_any_more() {
    let scene = postponed();
    std::fs::remove_file(scene.logs().join("refuge")).unwrap();
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    live.finish().unwrap();
    assert_eq!(scene.ran("PreRemove"), 1);
    assert!(!scene.journal_path().exists());
}

#[test]
fn what_a_removed_block_has_left_is_given_up_with_a_note_and_its_files_stay() {
    let scene = postponed();
    std::fs::write(scene.temp.path().join("gone"), "").unwrap();
    let (mut live, mut notes) = (scene.live(), Notes::default());
    assert!(live.resume(&mut notes).is_empty());
    live.finish().unwrap();
    assert!(notes.remarks[0].ends_with("is given up: it is not in the configuration any more"));
    assert_eq!(scene.read("refuge").as_deref(), Some("precious"));
    assert!(!scene.journal_path().exists());
}

#[test]
fn a_file_that_must_stay_is_noted_once_however_often_it_is_met() {
    let scene = postponed();
    std::fs::rename(scene.logs().join("refuge"), scene.logs().join("old")).unwrap();
    let mut live = scene.live();
    live.resume(&mut ());
    let id = live.promise(removal(&scene).into()).unwrap();
    live.carry_out(id, &mut ());
    live.finish().unwrap();
    drop(live);
    let plans = scene.peek().unwrap();
    assert_eq!(
        plans.iter().map(|p| (p.waiting, p.plan.steps.len())).collect::<Vec<_>>(),
        [(true, 1)]
    );
}

#[test]
fn steps_that_build_on_a_postponed_one_wait_with_it() {
    let scene = Scene::new(&[("old", "o"), ("b", "b")]);
    object(&scene, true);
    let mut plan = removal(&scene);
    plan.steps.truncate(1);
    plan.steps[0].scope = Scope::Log(0);
    plan.steps.push(step(remove("b"), scene.present("b"), Why::Count));
    let mut live = scene.live();
    let id = live.promise(plan.into()).unwrap();
    live.carry_out(id, &mut ());
    live.finish().unwrap();
    assert_eq!(scene.tree().len(), 2);
    object(&scene, false);
    drop(live);
    scene.live().resume(&mut ());
    assert_eq!(scene.tree().len(), 0);
}

#[test]
fn a_run_that_dies_anywhere_forgets_nothing_that_was_postponed() {
    for effects in 0.. {
        let scene = postponed();
        crash::after(effects);
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut live = scene.live();
            live.resume(&mut ());
            live.finish().unwrap();
        }));
        crash::disarm();
        // Whether or not that one died, what it has left is still tried.
        for _ in 0..2 {
            let mut live = scene.live();
            live.resume(&mut ());
            live.finish().unwrap();
        }
        let files = std::fs::read_dir(scene.temp.path().join("state")).unwrap();
        assert_eq!(files.count(), 1, "only the journal after {effects}");
        object(&scene, false);
        let mut live = scene.live();
        live.resume(&mut ());
        live.finish().unwrap();
        assert_eq!(scene.tree(), BTreeMap::new(), "{effects}");
        if end.is_ok() {
            assert!(effects > 4, "only {effects} effects were seen");
            return;
        }
    }
}
