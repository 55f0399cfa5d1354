//! Each action by itself: what it does, that it can be repeated, and what it refuses.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use hashbrown::HashMap;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;
use crate::event::StepResult;
use crate::execute::{Perform, Preview};
use crate::system::{Errno, crash};

const ALREADY: bool = true;
const DONE: bool = false;

/// Does a step, and does it again as a resumed run would: the second time changes nothing.
fn twice(scene: &Scene, step: &Step, made: &HashMap<Place, FileId>) {
    assert_eq!(scene.perform_with(step, false, made).map(|e| e.already), Ok(DONE), "{step:?}");
    let tree = scene.tree();
    let again = scene.perform_with(step, true, made);
    assert_eq!(again.map(|e| e.already), Ok(ALREADY), "{step:?}");
    assert_eq!(scene.tree(), tree, "{step:?}");
}

#[test]
fn a_step_that_was_done_is_recognised_when_it_is_repeated() {
    let scene = Scene::new(&[("a", "1"), ("old", "2"), ("temp", "3"), ("new", ""), ("log", "4")]);
    let made = |name: &str| HashMap::from([(place(name), scene.id(name))]);
    let none = HashMap::new();
    twice(&scene, &step(rename("a", "a.1"), scene.present("a"), Why::Rotation), &none);
    twice(&scene, &step(remove("old"), scene.present("old"), Why::Count), &none);
    twice(&scene, &step(publish("temp", "final"), Expect::Made, Why::Rotation), &made("temp"));
    twice(&scene, &step(install("new", "fresh"), Expect::Made, Why::NewLog), &made("new"));
    let copied = step(copy("log", "log.tmp", "log.1"), scene.present("log"), Why::Rotation);
    scene.perform(&copied, false).unwrap();
    let publish = step(publish("log.tmp", "log.1"), Expect::Made, Why::Rotation);
    scene.perform_with(&publish, false, &made("log.tmp")).unwrap();
    assert_eq!(scene.perform(&copied, true).map(|e| e.already), Ok(ALREADY));
    scene.write("log", "4 and more");
    let cut = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    twice(&scene, &cut, &made("log.1"));
    assert_eq!(scene.read("log.1").as_deref(), Some("4 and more"));
    assert_eq!(scene.read("log").as_deref(), Some(""));
}

#[test]
fn a_new_log_that_was_made_halfway_is_made_again() {
    let scene = Scene::new(&[("temp", "left over")]);
    let create = step(create("temp", "log"), Expect::Absent, Why::NewLog);
    assert!(scene.perform(&create, false).is_err(), "in an ordinary run it is in the way");
    assert!(scene.perform(&create, true).is_ok());
    assert_eq!(scene.read("temp").as_deref(), Some(""));
    let mode = std::fs::metadata(scene.logs().join("temp")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn a_rename_never_takes_a_name_that_is_taken() {
    let scene = Scene::new(&[("a", "mine"), ("b", "theirs")]);
    let before = scene.tree();
    for resumed in [false, true] {
        let fault =
            scene.perform(&step(rename("a", "b"), scene.present("a"), Why::Rotation), resumed);
        let fault = fault.unwrap_err().message;
        assert!(fault.starts_with("failed to rename /"), "{fault}");
        assert!(fault.ends_with("/b: File exists"), "{fault}");
        assert_eq!(scene.tree(), before);
    }
}

#[test]
fn a_file_that_was_swapped_for_another_is_left_alone() {
    let scene = Scene::new(&[("a", "expected")]);
    let expect = scene.present("a");
    std::fs::rename(scene.logs().join("a"), scene.logs().join("moved")).unwrap();
    scene.write("a", "other");
    let before = scene.tree();
    for action in [
        rename("a", "b"),
        remove("a"),
        copy("a", "t", "b"),
        compress("a", "t", "b", "cat"),
        cut("a", None),
    ] {
        let fault = scene.perform(&step(action, expect, Why::Count), false).unwrap_err();
        assert!(fault.message.ends_with(": another file has taken its place"), "{fault}");
        assert_eq!(scene.tree(), before);
    }
}

#[test]
fn a_missing_file_is_an_error_only_where_it_must_be_there() {
    let scene = Scene::new(&[("x", "")]);
    let gone = scene.present("x");
    std::fs::remove_file(scene.logs().join("x")).unwrap();
    let result = |action, expect| {
        scene
            .perform(&step(action, expect, super::SHIFT), false)
            .map(|e| e.already)
            .map_err(|f| f.errno)
    };
    assert_eq!(result(rename("x", "y"), gone), Err(Some(2)));
    assert_eq!(result(rename("x", "y"), Expect::IfThere), Ok(ALREADY));
    assert_eq!(result(remove("x"), gone), Ok(ALREADY));
    assert_eq!(result(remove("x"), Expect::IfThere), Ok(ALREADY));
}

#[test]
fn links_sockets_and_directories_are_no_logs() {
    for kind in ["link", "socket", "directory"] {
        let scene = Scene::new(&[("target", "precious")]);
        let path = scene.logs().join("a");
        match kind {
            "link" => symlink("target", &path).unwrap(),
            "socket" => drop(UnixListener::bind(&path).unwrap()),
            _ => std::fs::create_dir(&path).unwrap(),
        }
        let before = scene.tree();
        for action in [
            rename("a", "b"),
            copy("a", "t", "b"),
            compress("a", "t", "b", "cat"),
            cut("a", None),
            remove("a"),
        ] {
            let step = step(action, scene.present("a"), Why::Rotation);
            assert!(scene.perform(&step, false).is_err(), "{kind} {step:?}");
            assert_eq!(scene.tree(), before);
        }
    }
}

#[test]
fn a_log_with_a_second_name_is_read_or_cut_only_if_that_is_allowed() {
    let scene = Scene::new(&[("a", "text")]);
    std::fs::hard_link(scene.logs().join("a"), scene.logs().join("b")).unwrap();
    for action in [copy("a", "t", "a.1"), compress("a", "t", "a.1", "cat"), cut("a", None)] {
        let fault = scene.perform(&step(action, scene.present("a"), Why::Rotation), false);
        assert!(fault.unwrap_err().message.ends_with("it has 2 hard links"));
    }
    let cut = Action::Cut { log: place("a"), archive: None, allow_hard_links: true };
    assert!(scene.perform(&step(cut, scene.present("a"), Why::Rotation), false).is_ok());
}

#[test]
fn a_link_in_the_place_of_a_new_file_is_not_followed() {
    for resumed in [false, true] {
        for action in [
            create("t", "log"),
            copy("a", "t", "a.1"),
            compress("a", "t", "a.1", "cat"),
            install("new", "t"),
            publish("new", "t"),
        ] {
            let scene = Scene::new(&[("a", "text"), ("target", "precious"), ("new", "")]);
            symlink("target", scene.logs().join("t")).unwrap();
            let expect = scene.present("a");
            let result = scene.perform(&step(action.clone(), expect, Why::Rotation), resumed);
            let stays = matches!(action, Action::Install { .. });
            assert_eq!(result.is_ok(), stays, "{action:?}");
            assert_eq!(scene.read("target").as_deref(), Some("precious"));
            assert!(scene.logs().join("t").is_symlink(), "{action:?}");
        }
    }
}

#[test]
fn a_log_that_a_daemon_has_made_meanwhile_stays() {
    let scene = Scene::new(&[("new", ""), ("log", "from the daemon")]);
    let effect = scene.perform(&step(install("new", "log"), Expect::Made, Why::NewLog), false);
    assert_eq!(effect.map(|e| e.already), Ok(ALREADY));
    let tree = BTreeMap::from([("log".into(), "from the daemon".into())]);
    assert_eq!(scene.tree(), tree);
    // The run may have died after removing ours.
    let ours = FileId { inode: 0, ..scene.id("log") };
    let made = HashMap::from([(place("new"), ours)]);
    let step = step(install("new", "log"), Expect::Made, Why::NewLog);
    assert_eq!(scene.perform_with(&step, true, &made).map(|e| e.already), Ok(ALREADY));
    assert_eq!(scene.tree(), tree);
}

#[test]
fn a_log_is_not_cut_for_an_archive_that_is_not_its_copy() {
    let scene = Scene::new(&[("log", "one\ntwo\n"), ("log.1", "one\n"), ("other", "three\n")]);
    let cut = |archive| step(cut("log", Some(archive)), scene.present("log"), Why::Rotation);
    assert!(scene.perform(&cut("log.1"), false).is_err(), "this plan has not made it");
    let made = HashMap::from([(place("other"), scene.id("other"))]);
    let resumed = scene.perform_with(&cut("other"), true, &made);
    assert_eq!(resumed.map(|e| e.already), Ok(ALREADY));
    scene.write("log", "x");
    let made = HashMap::from([(place("log.1"), scene.id("log.1"))]);
    let fault = scene.perform_with(&cut("log.1"), false, &made).unwrap_err();
    assert!(fault.hint.is_some_and(|h| h.contains("shorter")));
    assert_eq!(scene.read("log").as_deref(), Some("x"));
}

#[test]
fn a_failing_compressor_leaves_the_source_and_nothing_else() {
    for (text, reason) in [
        ("cat; exit 1", "child did not exit with status 0 but with 1"),
        ("cat; kill -9 $$", "child did not terminate normally: signal 9 ended it"),
    ] {
        let scene = Scene::new(&[("a", "text")]);
        let before = scene.tree();
        let step = step(compress("a", "t", "a.gz", text), scene.present("a"), Why::Compression);
        let fault = scene.perform(&step, false).unwrap_err().message;
        let expected = format!("failed to compress log {}/a: {reason}", scene.logs().display());
        assert_eq!(fault, expected);
        assert_eq!(scene.tree(), before);
    }
}

#[test]
fn a_compressor_that_complains_or_is_missing_is_told_as_the_reference_tells_it() {
    let run = |action: Action| {
        let scene = Scene::new(&[("a", "text")]);
        let steps = vec![step(action, scene.present("a"), Why::Compression)];
        let mut notes = Notes::default();
        let mut live = Live::new(Rc::default(), None, Rc::new(scene.texts()));
        let id = live.promise(scene.plan("a", steps, 0).into()).unwrap();
        let outcome = live.carry_out(id, &mut notes);
        let path = scene.logs().join("a").display().to_string();
        let errors: Vec<_> = notes.errors.iter().map(|e| e.replace(&path, "P")).collect();
        (outcome.failed, errors, String::from_utf8(notes.raw).unwrap())
    };
    let wrote = "Compressing program wrote following message to stderr when compressing log P:";
    let (failed, errors, raw) = run(compress("a", "t", "a.gz", "cat; echo careful >&2"));
    assert_eq!((failed, errors, raw), (false, vec![wrote.to_owned()], "careful\n".into()));
    let mut missing = compress("a", "t", "a.gz", "");
    if let Action::Compress { compressor: Compressor::Command { program, .. }, .. } = &mut missing {
        program.0 = "/no/gz".into();
    }
    let (failed, errors, raw) = run(missing);
    assert!(failed);
    assert_eq!(
        errors,
        [wrote, "failed to compress log P: child did not exit with status 0 but with 1"]
    );
    assert_eq!(raw, "error: cannot execute compress command '/no/gz': No such file or directory\n");
}

#[test]
fn a_source_is_not_removed_before_its_compressed_form_is_in_place() {
    let scene = Scene::new(&[("a", "text")]);
    let expect = scene.present("a");
    let steps = vec![
        step(compress("a", "t", "a.gz", "cat"), expect, Why::Compression),
        // Its `publish` is missing.
        step(remove("a"), expect, Why::Compressed),
    ];
    let mut live = scene.live();
    let id = live.promise(scene.plan("a", steps, 0).into()).unwrap();
    let outcome = live.carry_out(id, &mut ());
    assert!(matches!(outcome.results[..], [StepResult::Done, StepResult::Failed(_)]));
    assert_eq!(scene.read("a").as_deref(), Some("text"));
}

#[test]
fn a_removal_script_that_fails_keeps_the_file() {
    let scene = Scene::new(&[("a.1", "old")]);
    std::fs::write(scene.temp.path().join("fail"), "").unwrap();
    let script = scene.call(ScriptKind::PreRemove, None).script;
    let action = Action::Remove { file: place("a.1"), pre_remove: Some(script), shred: None };
    let fault = scene.perform(&step(action, scene.present("a.1"), Why::Count), false).unwrap_err();
    let dir = scene.logs().display().to_string();
    assert_eq!(
        fault.message,
        format!(
            "error running preremove script for {dir}/a.1 of '{dir}/*' (child did not exit with \
             status 0 but with 1). Not removing this file."
        )
    );
    assert!(scene.read("a.1").is_some());
    assert_eq!(scene.ran("PreRemove"), 1);
}

#[test]
fn a_failure_takes_its_scope_with_it_and_its_temporary_file_goes() {
    let scene = Scene::new(&[("a.log", "text"), ("a.log.1", "in the way"), ("b.1", "b")]);
    let other = Step {
        scope: Scope::Log(1),
        ..step(rename("b.1", "b.2"), scene.present("b.1"), super::SHIFT)
    };
    let steps = vec![
        step(create("new", "a.log"), Expect::Absent, Why::NewLog),
        step(rename("a.log", "a.log.1"), scene.present("a.log"), Why::Rotation),
        step(install("new", "a.log"), Expect::Made, Why::NewLog),
        other,
    ];
    let mut live = scene.live();
    let id = live.promise(scene.plan("a.log", steps, 1).into()).unwrap();
    let mut notes = Notes::default();
    let outcome = live.carry_out(id, &mut notes);
    let [done, failed, cancelled, other] = &outcome.results[..] else { panic!("four steps") };
    assert_eq!(
        (done, cancelled, other),
        (&StepResult::Done, &StepResult::Cancelled, &StepResult::Done)
    );
    assert!(matches!(failed, StepResult::Failed(_)));
    assert_eq!((outcome.records, outcome.failed, notes.errors.len()), (vec![], true, 1));
    let names: Vec<_> = scene.tree().into_keys().collect();
    assert_eq!(names, ["a.log", "a.log.1", "b.2"]);
}

#[test]
fn a_script_that_is_gone_from_the_configuration_is_a_note() {
    let scene = Scene::new(&[]);
    let call = scene.call(ScriptKind::FirstAction, None);
    let mut notes = Notes::default();
    let steps = vec![step(Action::Script(call), Expect::Nothing, Why::Script)];
    let mut live = scene.live();
    let id = live.promise(scene.plan("a", steps, 0).into()).unwrap();
    let outcome = live.carry_out(id, &mut notes);
    assert_eq!((outcome.failed, notes.remarks.len(), notes.started.len()), (false, 1, 1));
}

#[test]
fn a_dry_run_shows_the_steps_of_a_real_run_and_changes_nothing() {
    let scene = Scene::new(&[("a.log", "text"), ("a.log.2", "old")]);
    let pre_remove = Some(scene.call(ScriptKind::PreRemove, None).script);
    let plan = scene.plan(
        "a.log",
        vec![
            step(
                Action::Remove { file: place("a.log.2"), pre_remove, shred: None },
                scene.present("a.log.2"),
                Why::Count,
            ),
            step(rename("a.log", "a.log.1"), scene.present("a.log"), Why::Rotation),
            step(
                Action::Script(scene.call(ScriptKind::PostRotate, None)),
                Expect::Nothing,
                Why::Script,
            ),
        ],
        1,
    );
    let before = scene.tree();
    let shown = {
        let mut notes = Notes::default();
        let mut preview = Preview::new(Rc::new(scene.texts()));
        let id = preview.promise(plan.clone().into()).unwrap();
        let outcome = preview.carry_out(id, &mut notes);
        assert_eq!((outcome.results.len(), outcome.records.len(), outcome.failed), (0, 0, false));
        notes.started
    };
    assert_eq!((scene.tree(), scene.ran("PostRotate")), (before, 0));
    assert!(!scene.journal_path().exists());
    let mut notes = Notes::default();
    let mut live = scene.live();
    let id = live.promise(plan.into()).unwrap();
    live.carry_out(id, &mut notes);
    assert_eq!(shown, notes.started);
}

#[test]
fn what_is_written_until_the_last_read_is_in_the_archive() {
    let scene = Scene::new(&[("log", "0\n1\n"), ("log.1", "0\n")]);
    let made = HashMap::from([(place("log.1"), scene.id("log.1"))]);
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    // A writer that is at work all the time, but not between the last read and the truncation. The
    // log is shorter than a block, so it can only be emptied.
    let mut log = std::fs::OpenOptions::new().append(true).open(scene.logs().join("log")).unwrap();
    let mut next = 1;
    crash::before_each(move |effect| {
        if effect == "sync" {
            next += 1;
            writeln!(log, "{next}").unwrap();
        }
        Ok(())
    });
    let result = scene.perform_with(&step, false, &made);
    crash::disarm();
    assert!(result.is_ok());
    let all = scene.read("log.1").unwrap() + &scene.read("log").unwrap();
    let lines: Vec<String> = (0..all.lines().count()).map(|n| format!("{n}\n")).collect();
    assert_eq!(all, lines.concat());
    assert!(lines.len() > 3, "only {} lines were written", lines.len());
}

/// A log of 100 KiB and what a step that cuts it needs; the copy is older than the last lines.
fn large_log() -> (Scene, String, HashMap<Place, FileId>) {
    let lines: Vec<String> = (0..10_000).map(|n| format!("line {n:04}\n")).collect();
    let text = lines.concat();
    let scene = Scene::new(&[("log", &text), ("archive.tmp", &text[..50_000])]);
    let made = HashMap::from([(place("archive.tmp"), scene.id("archive.tmp"))]);
    (scene, text, made)
}

#[test]
fn a_log_that_is_in_use_is_cut_at_a_line_that_ends_with_a_block() {
    let (scene, text, made) = large_log();
    let open = std::fs::OpenOptions::new().append(true).open(scene.logs().join("log"));
    let mut writer = open.unwrap();
    if !crate::system::cut::can_behead(&writer) {
        return; // A file system that cannot (tmpfs, btrfs).
    }
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    // What is written in the very moment of the cut stays.
    let mut late = writer.try_clone().unwrap();
    crash::before_each(move |effect| {
        if effect == "behead" {
            writeln!(late, "in between").unwrap();
        }
        Ok(())
    });
    let result = scene.perform_with(&step, false, &made);
    crash::disarm();
    assert_eq!(result.map(|e| (e.already, e.id)), Ok((DONE, Some(scene.id("log.1")))));
    writeln!(writer, "afterwards").unwrap();
    let (archive, rest) = (scene.read("log.1").unwrap(), scene.read("log").unwrap());
    assert_eq!(archive.clone() + &rest, text + "in between\nafterwards\n");
    assert!(archive.ends_with('\n') && archive.len() > 4096, "{}", archive.len());
    assert_eq!(scene.read("archive.tmp"), None);
    // As a run sees it that was killed after the cut, and one that was killed before it.
    let again = scene.perform_with(&step, true, &made);
    assert_eq!(again.map(|e| e.already), Ok(ALREADY));
    assert_eq!(scene.read("log").unwrap(), rest);
    scene.write("log", &(archive.clone() + &rest));
    let again = scene.perform_with(&step, true, &made);
    assert_eq!(again.map(|e| e.already), Ok(DONE));
    assert_eq!(scene.read("log.1").unwrap() + &scene.read("log").unwrap(), archive + &rest);
}

/// As a run sees it that was killed between the mark and the cut.
#[test]
fn a_log_that_was_copied_with_its_holes_and_then_marked_is_known_not_to_be_cut() {
    let lines: Vec<String> = (0..1000).map(|n| format!("line {n}\n")).collect();
    let text = lines.concat() + &"\0".repeat(3 * 4096) + &lines.concat();
    let scene = Scene::new(&[("log", &text), ("log.1", &text)]);
    let made = HashMap::from([(place("log.1"), scene.id("log.1"))]);
    let open = std::fs::OpenOptions::new().write(true).open(scene.logs().join("log"));
    let writer = open.unwrap();
    if !crate::system::gaps::mark(&writer) {
        return; // A file system that cannot.
    }
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    let result = scene.perform_with(&step, true, &made);
    assert_eq!(result.map(|e| e.already), Ok(DONE));
    assert_eq!(scene.read("log.1").unwrap() + &scene.read("log").unwrap(), text);
}

#[test]
fn a_log_that_nobody_else_has_open_is_empty_after_its_cut() {
    let (scene, text, made) = large_log();
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    scene.perform_with(&step, false, &made).unwrap();
    // A child of another test may have had it open for an instant; then a part has stayed.
    let (archive, rest) = (scene.read("log.1").unwrap(), scene.read("log").unwrap());
    assert_eq!(archive + &rest, text);
}

#[test]
fn a_copy_whose_log_has_vanished_is_kept() {
    let (scene, text, made) = large_log();
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    scene.write("log", "short\n");
    assert!(scene.perform_with(&step, false, &made).is_err());
    assert_eq!(scene.read("log.1").as_deref(), Some(&text[..50_000]));
    assert_eq!(scene.read("log").as_deref(), Some("short\n"));
}

#[test]
fn a_copy_that_could_not_be_synced_is_removed_since_its_log_is_whole() {
    let (scene, text, made) = large_log();
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    crash::before_each(|effect| if effect == "sync" { Err(Errno::EIO) } else { Ok(()) });
    let result = scene.perform_with(&step, false, &made);
    crash::disarm();
    assert!(result.is_err());
    assert_eq!(scene.tree(), BTreeMap::from([("log".into(), text)]));
}

#[test]
fn nothing_is_cut_whose_archive_could_not_be_synced() {
    let scene = Scene::new(&[("log", "text\n"), ("log.1", "text\n")]);
    let made = HashMap::from([(place("log.1"), scene.id("log.1"))]);
    let step = step(cut("log", Some("log.1")), scene.present("log"), Why::Rotation);
    crash::before_each(|effect| if effect == "sync" { Err(Errno::EIO) } else { Ok(()) });
    let fault = scene.perform_with(&step, false, &made).unwrap_err();
    crash::disarm();
    assert_eq!(fault.errno, Some(Errno::EIO as i32));
    assert_eq!(scene.read("log").as_deref(), Some("text\n"));
}

#[test]
fn a_file_that_is_swapped_in_the_instant_of_the_rename_is_moved_back() {
    let scene = Scene::new(&[("log", "the log"), ("other", "precious")]);
    let step = step(rename("log", "log.1"), scene.present("log"), Why::Rotation);
    let (logs, mut swapped) = (scene.logs(), false);
    crash::before_each(move |effect| {
        if effect == "rename" && !std::mem::replace(&mut swapped, true) {
            std::fs::rename(logs.join("log"), logs.join("away")).unwrap();
            std::fs::rename(logs.join("other"), logs.join("log")).unwrap();
        }
        Ok(())
    });
    let fault = scene.perform(&step, false).unwrap_err();
    crash::disarm();
    assert!(fault.message.ends_with(": another file has taken its place"), "{fault}");
    let expected = [("away", "the log"), ("log", "precious")];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(scene.tree(), BTreeMap::from(expected));
}
