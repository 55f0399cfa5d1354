//! Postponed steps: what is tried again, when, and on which file.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use super::*;
use crate::event::StepResult;
use crate::execute::Perform;
use crate::system::{Errno, crash};

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

/// The disk of the logs has lost its power, or broke, before the move was there; that of the journal has not.
#[test]
fn a_log_whose_move_was_lost_is_no_version_to_be_compressed_or_removed() {
    for make in [compression, parked_copy as fn(&Scene) -> Plan] {
        let scene = Scene::new(&[("log", "new"), ("old", "old")]);
        with_failing("create", Errno::ENOSPC, &scene, |live, notes| {
            let mut plan = make(&scene);
            plan.logs = vec![LogPath::new(scene.logs().join("log")).unwrap()];
            let id = live.promise(plan.into()).unwrap();
            assert!(live.carry_out(id, notes).failed);
        });
        let moved = if scene.read("new").is_some() { "new" } else { "parked" };
        std::fs::rename(scene.logs().join(moved), scene.logs().join("log")).unwrap();
        let before = scene.tree();
        let mut live = scene.live();
        assert!(!live.resume(&mut ())[0].1.failed);
        live.finish().unwrap();
        assert_eq!(scene.tree(), before);
        assert!(!scene.journal_path().exists());
    }
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
fn a_link_to_a_version_that_somebody_keeps_is_not_taken_for_it() {
    let scene = postponed();
    let path = |name: &str| scene.logs().join(name);
    std::fs::rename(path("refuge"), path("old3")).unwrap();
    for name in ["a-link", "old.kept", "z-link"] {
        std::fs::hard_link(path("old3"), path(name)).unwrap();
    }
    object(&scene, false);
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    live.finish().unwrap();
    let left: Vec<_> = scene.tree().into_keys().collect();
    assert_eq!(left, ["a-link", "old.kept", "z-link"]);
}

#[test]
fn what_waits_is_kept_although_the_journal_could_not_be_made_before() {
    let scene = Scene::new(&[("old", "precious")]);
    object(&scene, true);
    let mut live = scene.live();
    live.carry_out_unwritten(removal(&scene).into(), &mut ());
    live.finish().unwrap();
    drop(live);
    object(&scene, false);
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    live.finish().unwrap();
    assert!(scene.tree().is_empty());
}

#[test]
fn what_a_block_of_another_configuration_has_left_is_kept_for_it() {
    let scene = postponed();
    let elsewhere = scene.temp.path().join("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    let before = scene.peek().unwrap();
    for _ in 0..3 {
        let (mut live, mut notes) = (scene.live(), Notes::default());
        assert!(live.resume(&mut notes).is_empty());
        live.finish().unwrap();
        assert_eq!((notes.remarks.len(), notes.errors.len()), (0, 0));
        drop(live);
        assert_eq!(scene.peek().unwrap(), before);
    }
    object(&scene, false);
    std::fs::remove_file(&elsewhere).unwrap();
    let mut live = scene.live();
    assert!(!live.resume(&mut ())[0].1.failed);
    live.finish().unwrap();
    assert_eq!(scene.read("refuge"), None);
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

/// A version that is to be compressed, and an older one that has to go after it.
fn compression(scene: &Scene) -> Plan {
    let made =
        [compress("new", "tmp", "new.gz", "tr a-z A-Z"), publish("tmp", "new.gz"), remove("new")];
    let whys = [Why::Compression, Why::Compression, Why::Compressed];
    let mut steps = vec![step(rename("log", "new"), scene.present("log"), Why::Rotation)];
    steps.extend(made.into_iter().zip(whys).map(|(action, why)| step(action, Expect::Made, why)));
    steps.push(step(remove("old"), scene.present("old"), Why::Count));
    scene.plan("a.log", steps, 0)
}

/// A run in which the effect of this name fails.
fn with_failing(
    effect: &'static str,
    errno: Errno,
    scene: &Scene,
    run: impl FnOnce(&mut Live, &mut Notes),
) -> Notes {
    with_failing_from(1, effect, errno, scene, run)
}

/// A run in which the effect of this name fails, from the `first` time on.
fn with_failing_from(
    first: u32,
    effect: &'static str,
    errno: Errno,
    scene: &Scene,
    run: impl FnOnce(&mut Live, &mut Notes),
) -> Notes {
    let (mut live, mut notes) = (scene.live(), Notes::default());
    let failed = Rc::new(RefCell::new(false));
    let (told, mut met) = (Rc::clone(&failed), 0);
    crash::before_each(move |now| {
        met += u32::from(now == effect);
        let fails = now == effect && met >= first;
        *told.borrow_mut() |= fails;
        if fails { Err(errno) } else { Ok(()) }
    });
    run(&mut live, &mut notes);
    crash::disarm();
    assert!(*failed.borrow(), "{effect} was not met");
    live.finish().unwrap();
    notes
}

#[test]
fn a_compression_without_room_is_told_once_and_tried_by_each_run_and_holds_no_removal_back() {
    for errno in [Errno::ENOSPC, Errno::EDQUOT, Errno::EIO] {
        let scene = Scene::new(&[("log", "new"), ("old", "old")]);
        let first = with_failing("create", errno, &scene, |live, notes| {
            let id = live.promise(compression(&scene).into()).unwrap();
            assert!(live.carry_out(id, notes).failed);
        });
        assert_eq!(first.errors.len(), 1, "{:?}", first.errors);
        // What has to go need not wait: it makes room.
        assert_eq!(scene.tree(), BTreeMap::from([("new".into(), "new".into())]));
        for _ in 0..2 {
            let later = with_failing("create", errno, &scene, |live, notes| {
                assert!(!live.resume(notes)[0].1.failed);
            });
            assert_eq!(later.errors, [""; 0]);
        }
        std::fs::rename(scene.logs().join("new"), scene.logs().join("newer")).unwrap();
        let mut live = scene.live();
        assert!(!live.resume(&mut ())[0].1.failed);
        live.finish().unwrap();
        assert_eq!(scene.tree(), BTreeMap::from([("newer.gz".into(), "NEW".into())]));
        assert!(!scene.journal_path().exists());
    }
}

#[test]
fn a_compression_that_is_refused_for_good_is_not_tried_again() {
    let scene = Scene::new(&[("log", "new"), ("old", "old")]);
    let notes = with_failing("create", Errno::EACCES, &scene, |live, notes| {
        let id = live.promise(compression(&scene).into()).unwrap();
        assert!(live.carry_out(id, notes).failed);
    });
    assert_eq!(notes.errors.len(), 1, "{:?}", notes.errors);
    assert!(!scene.journal_path().exists());
    assert_eq!(scene.read("new").as_deref(), Some("new"));
}

#[test]
fn a_file_that_was_shredded_or_has_its_compressed_form_is_removed_by_a_later_run() {
    let shred = Some(Shred { cycles: None, allow_hard_links: false });
    for (errno, shred, why, waits) in [
        (Errno::EIO, None, Why::Count, true),
        (Errno::EACCES, None, Why::Count, false),
        (Errno::EACCES, shred, Why::Count, true),
        (Errno::EACCES, None, Why::Compressed, true),
    ] {
        let scene = Scene::new(&[("old", "old")]);
        let action = Action::Remove { file: place("old"), pre_remove: None, shred };
        let steps = vec![step(action, scene.present("old"), why)];
        let plan = scene.plan("a.log", steps, 0);
        with_failing("unlink", errno, &scene, |live, notes| {
            let id = live.promise(plan.into()).unwrap();
            assert!(live.carry_out(id, notes).failed);
            assert_eq!(notes.errors.len(), 1, "{:?}", notes.errors);
        });
        assert_eq!(scene.journal_path().exists(), waits, "{errno}");
        assert_eq!(scene.tree().len(), 1);
        let mut live = scene.live();
        live.resume(&mut ());
        live.finish().unwrap();
        assert_eq!(scene.tree().is_empty(), waits, "{errno}");
    }
}

/// The log is moved aside and copied from there.
fn parked_copy(scene: &Scene) -> Plan {
    let made = [copy("parked", "tmp", "log.1"), publish("tmp", "log.1"), remove("parked")];
    let mut steps = vec![step(rename("log", "parked"), scene.present("log"), Why::Rotation)];
    steps.extend(made.map(|action| step(action, Expect::Made, Why::Parked)));
    scene.plan("log", steps, 0)
}

#[test]
fn what_could_not_be_put_in_its_place_is_made_again_by_later_runs() {
    type Make = fn(&Scene) -> Plan;
    let rows: [(Make, &str, &str, &str); 2] =
        [(compression, "new", "newer.gz", "NEW"), (parked_copy, "parked", "log.1", "new")];
    // The first sync is that of the unfinished file, the first rename that of the log.
    let faults = [("sync", "error syncing"), ("rename", "error renaming")];
    for ((effect, told), (make, source, made, text)) in
        faults.into_iter().flat_map(|fault| rows.map(|row| (fault, row)))
    {
        let scene = Scene::new(&[("log", "new"), ("old", "old")]);
        let first = with_failing_from(2, effect, Errno::EIO, &scene, |live, notes| {
            let id = live.promise(make(&scene).into()).unwrap();
            assert!(live.carry_out(id, notes).failed);
        });
        assert_eq!(first.errors.len(), 1, "{:?}", first.errors);
        assert!(first.errors[0].contains(told), "{:?}", first.errors);
        assert_eq!(scene.read(source).as_deref(), Some("new"));
        assert_eq!(scene.read(made), None, "what it holds is in doubt");
        let again = if effect == "sync" { 2 } else { 1 };
        for _ in 0..2 {
            let later = with_failing_from(again, effect, Errno::EIO, &scene, |live, notes| {
                let all = live.resume(notes);
                assert!(!all[0].1.failed, "{:?} {all:#?}", notes.errors);
            });
            assert_eq!(later.errors, [""; 0]);
            assert_eq!(scene.read(source).as_deref(), Some("new"));
        }
        if source == "new" {
            std::fs::rename(scene.logs().join("new"), scene.logs().join("newer")).unwrap();
        }
        let mut live = scene.live();
        assert!(!live.resume(&mut ())[0].1.failed);
        live.finish().unwrap();
        // The compression has an old version removed.
        let mut tree = scene.tree();
        tree.remove("old");
        assert_eq!(tree, BTreeMap::from([(made.into(), text.into())]));
        assert!(!scene.journal_path().exists());
    }
}

#[test]
fn what_could_not_be_synced_is_made_again_even_if_the_run_died_then() {
    for make in [compression, parked_copy as fn(&Scene) -> Plan] {
        let scene = Scene::new(&[("log", "new"), ("old", "old")]);
        let mut plan = make(&scene);
        plan.steps.retain(|step| step.why != Why::Count);
        std::fs::remove_file(scene.logs().join("old")).unwrap();
        let mut live = scene.live();
        let id = live.promise(plan.into()).unwrap();
        let mut syncs = 0;
        crash::before_each(move |effect| {
            syncs += u32::from(effect == "sync");
            match effect {
                "sync" if syncs == 2 => Err(Errno::EIO),
                // What is in doubt is gone, and nobody has noted it.
                "write journal" if syncs == 2 => std::panic::panic_any(crash::DEATH),
                _ => Ok(()),
            }
        });
        let run = std::panic::AssertUnwindSafe(|| live.carry_out(id, &mut ()));
        assert!(std::panic::catch_unwind(run).is_err());
        crash::disarm();
        drop(live);
        assert_eq!(scene.tree().len(), 1);
        for _ in 0..2 {
            let mut live = scene.live();
            live.resume(&mut ());
            live.finish().unwrap();
        }
        let made = scene.tree();
        assert!(made.len() == 1, "{made:?}");
        assert!(made.contains_key("new.gz") || made.contains_key("log.1"), "{made:?}");
        assert!(!scene.journal_path().exists());
    }
}

#[test]
fn a_log_that_was_copied_from_where_it_was_moved_to_is_removed_by_a_later_run() {
    for errno in [Errno::EIO, Errno::EACCES] {
        let scene = Scene::new(&[("log", "new")]);
        with_failing("unlink", errno, &scene, |live, notes| {
            let id = live.promise(parked_copy(&scene).into()).unwrap();
            assert!(live.carry_out(id, notes).failed);
            assert_eq!(notes.errors.len(), 1, "{:?}", notes.errors);
        });
        let (mut live, mut notes) = (scene.live(), Notes::default());
        live.resume(&mut notes);
        live.finish().unwrap();
        assert_eq!(notes.errors, [""; 0]);
        assert_eq!(scene.tree(), BTreeMap::from([("log.1".into(), "new".into())]));
        assert!(!scene.journal_path().exists());
    }
}
