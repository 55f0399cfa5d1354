//! The journal: what it survives, and whom it obeys.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::execute::{Perform, lines};

fn simple(scene: &Scene, name: &str) -> Plan {
    let to = format!("{name}.1");
    let steps = vec![step(rename(name, &to), scene.present(name), Why::Rotation)];
    scene.plan(name, steps, 0)
}

/// A journal with one plan that was finished and one that was only promised.
fn written() -> (Scene, Vec<u8>) {
    let scene = Scene::new(&[("a", "1"), ("b\u{fc}", "2")]);
    let mut live = scene.live();
    let first = live.promise(simple(&scene, "a").into()).unwrap();
    live.carry_out(first, &mut ());
    live.promise(simple(&scene, "b\u{fc}").into()).unwrap();
    let bytes = std::fs::read(scene.journal_path()).unwrap();
    (scene, bytes)
}

#[test]
fn a_journal_cut_off_anywhere_keeps_every_plan_that_had_begun() {
    let (_, bytes) = written();
    for length in 0..=bytes.len() {
        let read = lines::read(&bytes[..length]).unwrap_or_else(|e| panic!("{length}: {e}"));
        let whole = bytes[..length].split_inclusive(|&b| b == b'\n').filter(|l| l.ends_with(b"\n"));
        let plans = whole.filter(|l| l.starts_with(br#"{"plan":"#)).count();
        assert_eq!(read.plans.len(), plans, "{length}");
    }
}

#[test]
fn a_journal_is_read_as_it_was_written_and_so_is_every_beginning_of_it() {
    let (_, bytes) = written();
    lines::check(&bytes);
}

#[test]
fn a_journal_that_was_cut_off_is_gone_on_with() {
    let (_, bytes) = written();
    for cut in [0, 5, 30, bytes.len() - 10] {
        let scene = Scene::new(&[("c", "3")]);
        std::fs::write(scene.journal_path(), &bytes[..cut]).unwrap();
        std::fs::set_permissions(scene.journal_path(), PermissionsExt::from_mode(0o600)).unwrap();
        let before = {
            let mut live = scene.live();
            live.promise(simple(&scene, "c").into()).unwrap();
            lines::read(&bytes[..cut]).unwrap().plans.len()
        };
        let now = lines::read(&std::fs::read(scene.journal_path()).unwrap()).unwrap();
        assert_eq!(now.plans.len(), before + 1, "cut to {cut}");
    }
}

#[test]
fn finished_plans_give_their_records_again() {
    let (scene, _) = written();
    let outcomes = scene.live().resume(&mut ());
    let recorded: Vec<_> = outcomes.iter().map(|(_, o)| (o.failed, o.records.len())).collect();
    assert_eq!(recorded, [(false, 1), (false, 1)]);
    assert_eq!(scene.read("b\u{fc}.1").as_deref(), Some("2"));
}

#[test]
fn a_run_that_does_nothing_makes_no_journal() {
    let scene = Scene::new(&[]);
    let mut live = scene.live();
    assert!(live.resume(&mut ()).is_empty());
    live.finish().unwrap();
    assert!(!scene.journal_path().exists());
}

#[test]
fn a_journal_with_an_open_plan_stays() {
    let (scene, bytes) = written();
    scene.live().finish().unwrap();
    assert_eq!(std::fs::read(scene.journal_path()).unwrap(), bytes);
    let mut live = scene.live();
    live.resume(&mut ());
    live.finish().unwrap();
    assert!(!scene.journal_path().exists());
}

#[test]
fn a_journal_is_private_and_belongs_to_one_run() {
    let (scene, _) = written();
    let mode = std::fs::metadata(scene.journal_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let held = scene.journal().unwrap();
    assert!(matches!(scene.journal(), Err(JournalError::Locked(_))));
    assert!(matches!(scene.peek(), Err(JournalError::Locked(_))));
    drop(held);
    assert!(scene.journal().is_ok());
}

#[test]
fn a_look_changes_nothing() {
    let (scene, bytes) = written();
    std::fs::write(scene.journal_path(), &bytes[..bytes.len() - 1]).unwrap();
    let seen: Vec<_> = scene.peek().unwrap().iter().map(|p| (p.ended, p.closed)).collect();
    assert_eq!(seen, [(1, true)]);
    assert_eq!(std::fs::read(scene.journal_path()).unwrap(), &bytes[..bytes.len() - 1]);
}

#[test]
fn a_journal_that_is_not_ours_to_obey_is_set_aside_whole() {
    let (_, bytes) = written();
    let newer = String::from_utf8(bytes.clone()).unwrap().replacen(":1,", ":7,", 1).into_bytes();
    let garbage = b"logrotate state -- version 2\n".to_vec();
    let mut broken = bytes.clone();
    broken[200] = b'\n';
    for (case, text, mode, reason) in [
        ("others may read it", &bytes, 0o644, "it is open to its group or to others"),
        ("its group may write it", &bytes, 0o620, "it is open to its group or to others"),
        ("a newer one", &newer, 0o600, "line 1: version 7 is not known"),
        ("garbage", &garbage, 0o600, "it is no journal"),
        ("garbage in the middle", &broken, 0o600, "line 2"),
        ("no line", &b"hello".to_vec(), 0o600, "it is no journal"),
    ] {
        let scene = Scene::new(&[("c", "3")]);
        let path = scene.journal_path();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        std::fs::write(path.with_extension("bad"), "an earlier one").unwrap();
        assert!(matches!(scene.peek(), Err(JournalError::Unusable(_))), "{case}");
        let (journal, complaint) = scene.journal().unwrap();
        let complaint = complaint.expect(case).message;
        assert!(complaint.contains(reason), "{case}: {complaint}");
        assert!(complaint.ends_with("journal.bad.1"), "{case}: {complaint}");
        assert_eq!(&std::fs::read(path.with_extension("bad.1")).unwrap(), text, "{case}");
        let earlier = std::fs::read(path.with_extension("bad")).unwrap();
        assert_eq!(earlier, b"an earlier one", "{case}");
        let mut live = Live::new(Rc::default(), Some(journal), Rc::new(scene.texts()));
        let id = live.promise(simple(&scene, "c").into()).unwrap();
        assert!(!live.carry_out(id, &mut ()).failed, "{case}");
    }
}

#[test]
fn a_journal_that_is_a_link_or_has_two_names_is_not_obeyed() {
    for two_names in [false, true] {
        let (scene, bytes) = written();
        let elsewhere = scene.logs().join("elsewhere");
        std::fs::rename(scene.journal_path(), &elsewhere).unwrap();
        if two_names {
            std::fs::hard_link(&elsewhere, scene.journal_path()).unwrap();
        } else {
            symlink(&elsewhere, scene.journal_path()).unwrap();
        }
        let (journal, complaint) = scene.journal().unwrap();
        assert!(complaint.is_some() && journal.found().is_empty());
        assert_eq!(std::fs::read(elsewhere).unwrap(), bytes);
    }
}

#[test]
fn a_plan_that_cannot_be_written_down_is_not_begun() {
    let scene = Scene::new(&[("a", "1")]);
    let mut live = scene.live();
    std::fs::remove_dir(scene.temp.path().join("state")).unwrap();
    let fault = live.promise(simple(&scene, "a").into()).unwrap_err();
    let path = scene.journal_path().display().to_string();
    assert_eq!(fault.message, format!("cannot write journal {path}: No such file or directory"));
}

#[test]
fn after_a_reboot_files_are_known_without_their_device() {
    let (scene, bytes) = written();
    let text = String::from_utf8(bytes).unwrap();
    let boot = crate::system::boot::id();
    let device = scene.id("a.1").device.unwrap();
    let moved = text
        .replace(&boot, "another")
        .replace(&format!(",{device}]"), &format!(",{}]", device + 1));
    assert_ne!(moved, text.replace(&boot, "another"));
    for (journal, failed) in [(moved.clone(), false), (moved.replace("another", &boot), true)] {
        std::fs::write(scene.journal_path(), journal).unwrap();
        let outcomes = scene.live().resume(&mut ());
        assert_eq!(outcomes.iter().any(|(_, o)| o.failed), failed);
        if !failed {
            std::fs::rename(scene.logs().join("b\u{fc}.1"), scene.logs().join("b\u{fc}")).unwrap();
        }
    }
}
