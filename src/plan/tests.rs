//! What a plan holds, told as one line a step.

use std::path::Path;
use std::rc::Rc;

use chrono::{TimeZone, Utc};

use super::step::{Recipient, SignalCall};
use super::*;
use crate::clock::Zone;
use crate::config::policy::{
    Compression, Create, MethodSettings, Naming, Retention, Scripts, Trigger,
};
use crate::facts::FileKind;
use crate::names::{Shown, Slot};
use crate::source::Setting;
use crate::survey::rotated::Generation;
use crate::units::{ByteSize, Days, FileId, FileTime, KeepCount, Mode};

mod properties;
mod room;
mod signal;

const DAY: i64 = 86_400;

fn now() -> LocalTime {
    Utc.at(Utc.with_ymd_and_hms(2026, 5, 6, 7, 8, 9).single().expect("a time"))
}

fn facts(inode: u64, days_old: i64) -> FileFacts {
    let time = FileTime { seconds: now().seconds() - days_old * DAY, nanos: 0 };
    FileFacts {
        kind: FileKind::Regular,
        size: 1,
        mode: Mode(0o640),
        uid: 1,
        gid: 2,
        links: 1,
        modified: time,
        accessed: time,
        id: FileId { inode, birth: None, device: None },
    }
}

fn name(text: &str) -> FileName {
    FileName::new(text).expect("a name")
}

/// A policy of `rotate N`.
fn rotate(count: KeepCount) -> Policy {
    let count = Setting::default(count);
    Policy { retention: Rc::new(Retention { count, max_age: None }), ..Policy::default() }
}

fn keep(n: u32) -> Policy {
    rotate(KeepCount::Last(n))
}

fn compressed(mut policy: Policy, delayed: bool) -> Policy {
    policy.compression = Rc::new(Compression { enabled: true, delayed, ..Compression::default() });
    policy
}

/// An old version `a.1.gz` or `a-20260101`, with its age in days.
fn version(text: &str, days_old: i64) -> RotatedFile {
    let rest = text.strip_prefix('a').expect("versions of a");
    let (middle, ending) = match rest.strip_suffix(".gz") {
        Some(middle) => (middle, ".gz"),
        None => (rest, ""),
    };
    let place = match middle.strip_prefix('.') {
        Some(number) => Generation::Numbered(Slot(number.parse().expect("a number"))),
        None => Generation::Dated(middle.as_bytes().to_vec()),
    };
    let inode = text.bytes().map(u64::from).sum();
    RotatedFile { name: name(text), place, ending: ending.into(), facts: facts(inode, days_old) }
}

fn subject(log: &str, versions: &[(&str, i64)]) -> Subject {
    Subject {
        log: LogPath::new(log).expect("a log"),
        facts: facts(1, 0),
        old_dir: Path::new("/d").into(),
        missing_dirs: Vec::new(),
        versions: versions.iter().map(|&(text, age)| version(text, age)).collect(),
        occupied: Vec::new(),
    }
}

fn planned(policy: &Policy, subjects: Vec<Subject>) -> Built {
    planned_in(policy, subjects, None)
}

/// On a file system with so much room.
fn planned_in(policy: &Policy, subjects: Vec<Subject>, room: Option<Room>) -> Built {
    let date = policy.naming.dated.then(|| {
        date::suffix(&policy.naming, Trigger::Size(ByteSize(1)), now(), &Utc).expect("a date")
    });
    let names: Vec<FileName> =
        subjects.iter().flat_map(|s| s.versions.iter().map(|v| v.name.clone())).collect();
    build(&Request {
        mail_program: "/usr/bin/mail".as_ref(),
        identity: None,
        block: BlockKey { file: AnyPath("conf".into()), pattern: AnyPath("/d/*".into()) },
        policy,
        now: now(),
        date: date.as_ref(),
        subjects,
        taken: &|_, name| names.contains(name),
        room: &|_| room,
    })
}

/// The steps, a line each: action, names, scope where it is not the log's own.
fn told(built: &Built) -> Vec<String> {
    let plan = &built.plan;
    let path = |place: &Place| {
        let dir = plan
            .directory(place)
            .strip_prefix("/d")
            .map_or("?".into(), |d| d.display().to_string());
        let name = Shown(place.name.as_bytes()).to_string();
        if dir.is_empty() { name } else { format!("{dir}/{name}") }
    };
    plan.steps
        .iter()
        .map(|step| {
            let text = match &step.action {
                Action::Rename { from, to } => format!("rename {} {}", path(from), path(to)),
                Action::MakeDir { dir, .. } => format!("mkdir {}", path(dir)),
                Action::Create { temp, .. } => format!("create {}", path(temp)),
                Action::Install { log, .. } => format!("install {}", path(log)),
                Action::Copy { from, to, .. } => format!("copy {} {}", path(from), path(to)),
                Action::Publish { to, .. } => format!("publish {}", path(to)),
                Action::Cut { log, archive, .. } => {
                    format!(
                        "cut {} {}",
                        path(log),
                        archive.as_ref().map_or("-".into(), |a| path(&a.to))
                    )
                }
                Action::Compress { from, .. } => format!("compress {}", path(from)),
                Action::Mail { file, uncompress, .. } => {
                    let unpacked = if uncompress.is_some() { " unpacked" } else { "" };
                    format!("mail {}{unpacked}", path(file))
                }
                Action::Remove { file, .. } => format!("remove {}", path(file)),
                Action::Script(call) => format!("{:?} {}", call.script.kind, call.args.len()),
                Action::Signal(SignalCall { signal, to }) => match to {
                    Recipient::PidFile(file) => format!("{signal} {}", file.0.display()),
                    Recipient::Writers(files) => {
                        let files: Vec<String> = files.iter().map(path).collect();
                        format!("{signal} {}", files.join(" "))
                    }
                },
            };
            match step.scope {
                Scope::Version(..) => format!("{text} alone"),
                Scope::Block => format!("{text} for all"),
                Scope::Log(_) => text,
            }
        })
        .collect()
}

fn one(policy: &Policy, versions: &[(&str, i64)]) -> Vec<String> {
    told(&planned(policy, vec![subject("/d/a", versions)]))
}

#[test]
fn what_is_no_file_makes_way_for_the_chain_but_not_above_it() {
    let mut log = subject("/d/a", &[("a.1", 1)]);
    log.occupied = ["a.2", "a.4", "a.6"]
        .into_iter()
        .map(|text| {
            let RotatedFile { name, place, ending, facts } = version(text, 1);
            Occupied { name, place, ending, facts }
        })
        .collect();
    assert_eq!(
        told(&planned(&keep(2), vec![log.clone()])),
        ["rename a.2 a.2-2026050607.backup", "rename a.1 a.2", "rename a a.1"]
    );
    log.versions.clear();
    assert_eq!(told(&planned(&keep(2), vec![log])), ["rename a a.1"]);
}

#[test]
fn what_is_no_file_makes_way_for_the_compressed_form_of_a_dated_version() {
    let now = "a-20260506";
    for delayed in [false, true] {
        let policy = dated(compressed(keep(3), delayed));
        let plain = if delayed { vec![("a-20260505", 1)] } else { Vec::new() };
        let mut log = subject("/d/a", &plain);
        log.occupied = ["a-20260504.gz", "a-20260505.gz", "a-20260506.gz"]
            .into_iter()
            .map(|text| {
                let RotatedFile { name, place, ending, facts } = version(text, 1);
                Occupied { name, place, ending, facts }
            })
            .collect();
        let steps = told(&planned(&policy, vec![log]));
        let in_way = if delayed { "a-20260505.gz" } else { "a-20260506.gz" };
        let aside: Vec<_> = steps.iter().filter(|step| step.contains("backup")).collect();
        assert_eq!(aside.len(), 1, "{steps:?}");
        assert!(aside[0].starts_with(&format!("rename {in_way} {in_way}-2026050607.backup")));
        assert!(steps.contains(&format!("rename a {now}")), "{steps:?}");
    }
}

#[test]
fn versions_that_are_looked_for_in_vain_are_remarked_on() {
    let remarks = |policy: &Policy, versions: &[(&str, i64)]| {
        planned(policy, vec![subject("/d/a", versions)]).remarks
    };
    assert_eq!(
        remarks(&compressed(keep(2), true), &[]),
        [
            "previous log /d/a.1 does not exist",
            "log /d/a.3.gz doesn't exist -- won't try to dispose of it"
        ]
    );
    assert_eq!(remarks(&keep(1), &[("a.1", 1)]), [""; 0]);
    assert_eq!(
        remarks(&dated(compressed(keep(2), true)), &[]),
        ["glob finding logs to compress failed", "glob finding old rotated logs failed"]
    );
}

fn with_create(mut policy: Policy) -> Policy {
    policy.create = Rc::new(Create { enabled: true, ..Create::default() });
    policy
}

#[test]
fn a_log_without_old_versions_is_only_renamed() {
    assert_eq!(one(&keep(3), &[]), ["rename a a.1"]);
}

#[test]
fn the_new_log_is_made_before_the_old_one_moves_and_named_after() {
    assert_eq!(
        one(&with_create(keep(3)), &[]),
        ["create .a.logrotate-rs", "rename a a.1", "install a"]
    );
}

#[test]
fn versions_shift_from_the_top_and_the_surplus_goes_last() {
    assert_eq!(
        one(&keep(2), &[("a.1", 1), ("a.2", 2)]),
        ["rename a.2 a.3", "rename a.1 a.2", "rename a a.1", "remove a.3"]
    );
}

#[test]
fn a_left_over_goes_first_and_moves_away_if_it_must_stay() {
    assert_eq!(
        one(&keep(1), &[("a.1", 1), ("a.2", 2)]),
        [
            "remove a.2 alone",
            "rename a.2 a.3 alone",
            "rename a.1 a.2",
            "rename a a.1",
            "remove a.2"
        ]
    );
}

#[test]
fn compression_comes_after_the_script_and_before_disposal() {
    let mut policy = compressed(keep(1), false);
    let script = Some(Setting::default(b"x".to_vec()));
    policy.scripts = Rc::new(Scripts { post_rotate: script, ..Scripts::default() });
    assert_eq!(
        one(&policy, &[("a.1.gz", 1)]),
        [
            "rename a.1.gz a.2.gz",
            "rename a a.1",
            "PostRotate 2",
            "compress a.1",
            "publish a.1.gz",
            "remove a.1",
            "remove a.2.gz"
        ]
    );
}

#[test]
fn an_uncompressed_left_over_keeps_its_generation() {
    assert_eq!(
        one(&compressed(keep(3), false), &[("a.1", 1), ("a.2.gz", 2)])[..3],
        ["rename a.2.gz a.3.gz", "rename a.1 a.2", "rename a a.1"]
    );
}

#[test]
fn of_two_files_in_one_slot_the_one_the_policy_would_make_is_the_version() {
    assert_eq!(
        one(&compressed(keep(3), false), &[("a.1", 1), ("a.1.gz", 1)])[..2],
        ["rename a.1 a.1-2026050607.backup", "rename a.1.gz a.2.gz"]
    );
    assert_eq!(
        one(&keep(3), &[("a.1", 1), ("a.1.gz", 1)])[..2],
        ["rename a.1.gz a.1.gz-2026050607.backup", "rename a.1 a.2"]
    );
}

#[test]
fn delayed_compression_stands_alone_and_the_slot_moves_either_way() {
    assert_eq!(
        one(&compressed(keep(2), true), &[("a.1", 1)]),
        [
            "compress a.1 alone",
            "publish a.1.gz alone",
            "remove a.1 alone",
            "rename a.1.gz a.2.gz",
            "rename a.1 a.2",
            "rename a a.1"
        ]
    );
}

#[test]
fn a_compressed_twin_steps_aside_before_the_plain_version_is_compressed() {
    let twins = [("a-20260505", 1), ("a-20260505.gz", 1)];
    for versions in [twins, [twins[1], twins[0]]] {
        assert_eq!(
            one(&dated(compressed(keep(3), true)), &versions)[..2],
            [
                "rename a-20260505.gz a-20260505.gz-2026050607.backup alone",
                "compress a-20260505 alone"
            ]
        );
    }
}

#[test]
fn expired_versions_are_removed_before_the_chain_moves() {
    let mut policy = keep(5);
    let max_age = Some(Setting::default(Days(9)).into());
    let count = Setting::default(KeepCount::Last(5));
    policy.retention = Rc::new(Retention { count, max_age });
    assert_eq!(
        one(&policy, &[("a.1", 1), ("a.2", 30), ("a.4", 40)]),
        [
            "remove a.4 alone",
            "remove a.2 alone",
            "rename a.2 a.3",
            "rename a.1 a.2",
            "rename a a.1"
        ]
    );
}

#[test]
fn rotate_0_removes_only_what_this_rotation_made() {
    assert_eq!(
        one(&with_create(keep(0)), &[("a.1", 1)]),
        ["rename a.1 a.2", "create .a.logrotate-rs", "rename a a.1", "install a", "remove a.1"]
    );
}

#[test]
fn a_log_that_moves_along_as_an_old_version_is_not_rotated_as_well() {
    let mut policy = compressed(keep(3), true);
    policy.scripts = Rc::new(Scripts { shared: true, ..Scripts::default() });
    let versions = [("a.1", 1), ("a.2.gz", 2)];
    let names = ["/d/a", "/d/a.1", "/d/a.2.gz"];
    let logs = names.map(|log| subject(log, if log == "/d/a" { &versions } else { &[] }));
    for logs in [logs.to_vec(), logs.into_iter().rev().collect()] {
        let built = planned(&policy, logs);
        assert_eq!(
            told(&built),
            [
                "compress a.1 alone",
                "publish a.1.gz alone",
                "remove a.1 alone",
                "rename a.2.gz a.3.gz for all",
                "rename a.1.gz a.2.gz for all",
                "rename a.1 a.2 for all",
                "rename a a.1 for all"
            ]
        );
        assert!(built.faults.is_empty());
        assert_eq!(built.plan.records.len(), 3);
    }
}

fn copying(truncate: bool, count: u32) -> Policy {
    let mut policy = keep(count);
    policy.method = Rc::new(MethodSettings {
        copy: true,
        copy_truncate: truncate,
        ..MethodSettings::default()
    });
    policy
}

#[test]
fn copytruncate_cuts_only_what_has_a_finished_copy() {
    assert_eq!(one(&copying(true, 1), &[]), ["copy a a.1", "cut a a.1"]);
    assert_eq!(one(&copying(false, 1), &[]), ["copy a a.1", "publish a.1"]);
}

#[test]
fn copies_that_nobody_keeps_are_not_made() {
    assert_eq!(one(&copying(true, 0), &[]), ["cut a -"]);
    let built = planned(&copying(false, 0), vec![subject("/d/a", &[])]);
    assert_eq!(told(&built), [""; 0]);
    assert_eq!(built.plan.records.len(), 1, "but the turn is recorded");
}

#[test]
fn a_log_is_recorded_as_soon_as_it_moved() {
    let built =
        planned(&with_create(compressed(keep(1), false)), vec![subject("/d/a", &[("a.1", 1)])]);
    let step = built.plan.records[0].after.expect("after a step") as usize;
    assert!(matches!(&built.plan.steps[step].why, Why::Rotation));
    assert!(matches!(&built.plan.steps[step].action, Action::Rename { .. }));
}

fn shared(mut policy: Policy) -> Policy {
    policy.scripts = Rc::new(Scripts { shared: true, ..Scripts::default() });
    policy
}

#[test]
fn shared_logs_all_make_room_before_any_moves() {
    let logs = vec![subject("/d/a", &[("a.1", 1)]), subject("/d/b", &[])];
    assert_eq!(
        told(&planned(&shared(compressed(keep(3), false)), logs)),
        [
            "rename a.1 a.2 for all",
            "rename a a.1 for all",
            "rename b b.1 for all",
            "compress a.1",
            "publish a.1.gz",
            "remove a.1",
            "compress b.1",
            "publish b.1.gz",
            "remove b.1"
        ]
    );
}

#[test]
fn shared_logs_of_one_name_in_one_olddir_take_different_slots() {
    let logs = vec![subject("/d/x/a", &[("a.1", 1)]), subject("/d/y/a", &[("a.1", 1)])];
    assert_eq!(
        told(&planned(&shared(compressed(keep(3), false)), logs)),
        [
            "rename a.1 a.2 for all",
            "rename x/a a.1 for all",
            "rename a.2 a.3 for all",
            "rename a.1 a.2 for all",
            "rename y/a a.1 for all",
            "compress a.2",
            "publish a.2.gz",
            "remove a.2",
            "compress a.1",
            "publish a.1.gz",
            "remove a.1"
        ]
    );
}

fn dated(mut policy: Policy) -> Policy {
    policy.naming = Rc::new(Naming { dated: true, ..Naming::default() });
    policy
}

#[test]
fn dated_versions_above_the_count_go_oldest_first_and_the_last_of_them_in_the_end() {
    let versions = [("a-20260103", 3), ("a-20260101", 5), ("a-20260102", 4)];
    assert_eq!(
        one(&dated(keep(2)), &versions),
        ["remove a-20260101 alone", "rename a a-20260506", "remove a-20260102"]
    );
}

#[test]
fn delayed_compression_leaves_dated_versions_that_are_compressed_alone() {
    let versions = [("a-20260102.gz", 4), ("a-20260103", 3)];
    assert_eq!(
        one(&dated(compressed(keep(3), true)), &versions),
        [
            "compress a-20260103 alone",
            "publish a-20260103.gz alone",
            "remove a-20260103 alone",
            "rename a a-20260506"
        ]
    );
}

#[test]
fn a_dated_clash_changes_nothing_and_is_recorded() {
    for there in ["a-20260506", "a-20260506.gz"] {
        let built = planned(
            &dated(compressed(keep(2), true)),
            vec![subject("/d/a", &[(there, 0), ("a-20260505", 1)])],
        );
        assert_eq!(told(&built), [""; 0]);
        assert_eq!(
            built.faults[0].message,
            format!("destination /d/{there} already exists, skipping rotation")
        );
        assert_eq!(built.plan.records[0].after, None);
    }
}

#[test]
fn no_two_steps_ever_give_one_name_to_two_files() {
    let versions = [("a.1", 1), ("a.2.gz", 2), ("a.2", 2), ("a.3.gz", 3), ("a.5", 4)];
    for count in 0..5 {
        for (enabled, delayed) in [(false, false), (true, false), (true, true)] {
            let mut policy = keep(count);
            policy.compression =
                Rc::new(Compression { enabled, delayed, ..Compression::default() });
            let steps = one(&policy, &versions);
            let mut names: Vec<&str> = versions.iter().map(|v| v.0).chain(["a"]).collect();
            for step in &steps {
                let words: Vec<_> = step.split(' ').collect();
                match words[..] {
                    ["rename", from, to, ..] => {
                        names.retain(|n| *n != from);
                        assert!(!names.contains(&to), "{step} in {steps:?}");
                        names.push(to);
                    }
                    ["publish", to, ..] => {
                        assert!(!names.contains(&to), "{step} in {steps:?}");
                        names.push(to);
                    }
                    ["remove", file, ..] => names.retain(|n| *n != file),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_version_that_cannot_be_mailed_waits_above_the_chain() {
    let mut policy = keep(1);
    Rc::make_mut(&mut policy.mail).address = Some("root".into());
    let told = one(&policy, &[("a.1.gz", 1), ("a.2", 2)]);
    let mailed = |wanted: &str| told.iter().position(|text| text == wanted).expect(wanted);
    let (mail, remove) = (mailed("mail a.2 alone"), mailed("remove a.2 alone"));
    assert!(mail < remove && remove < mailed("rename a.2 a.3 alone"), "{told:?}");
    assert!(mailed("mail a.2.gz unpacked") < mailed("remove a.2.gz"), "{told:?}");
}
