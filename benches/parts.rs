//! What the parts of a run cost: `cargo bench --bench parts`.
#![expect(clippy::disallowed_methods, reason = "a benchmark arranges files")]
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use logrotate_rs::clock::{LocalTime, Zone};
use logrotate_rs::config::policy::{Policy, Retention};
use logrotate_rs::config::{self, Config};
use logrotate_rs::facts::{FileFacts, FileKind};
use logrotate_rs::names::{AnyPath, FileName, LogPath, Slot};
use logrotate_rs::plan::{self, BlockKey, Request, Subject};
use logrotate_rs::schedule::{self, Question};
use logrotate_rs::source::Setting;
use logrotate_rs::state::State;
use logrotate_rs::survey::rotated::{Generation, RotatedFile};
use logrotate_rs::survey::{Index, LogFacts, ParentFacts, match_blocks};
use logrotate_rs::system::SystemAccounts;
use logrotate_rs::units::{FileId, FileTime, KeepCount, Mode};

fn now() -> LocalTime {
    let instant: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
    Utc.at(instant)
}

fn facts(inode: u64) -> FileFacts {
    let time = FileTime { seconds: 1_790_000_000, nanos: 0 };
    FileFacts {
        kind: FileKind::Regular,
        size: 4096,
        mode: Mode(0o644),
        uid: 0,
        gid: 0,
        links: 1,
        modified: time,
        accessed: time,
        id: FileId { inode, birth: Some(time), device: Some(1) },
    }
}

/// A configuration of so many blocks.
fn blocks(dir: &Path, count: usize, pattern: impl Fn(usize) -> String) -> PathBuf {
    let mut text = String::new();
    for number in 0..count {
        let _ = write!(
            text,
            "{} {{\n  weekly\n  rotate 4\n  compress\n  missingok\n  postrotate\n    kill -HUP 1\n  endscript\n}}\n",
            pattern(number)
        );
    }
    let path = dir.join("config");
    std::fs::write(&path, text).unwrap();
    path
}

fn load(path: PathBuf) -> Config {
    config::load(&[path], &SystemAccounts, false)
}

fn parse(c: &mut Criterion) {
    let temp = tempfile::tempdir().unwrap();
    let path = blocks(temp.path(), 1000, |number| format!("/var/log/app-{number}/*.log"));
    assert_eq!(load(path.clone()).blocks.len(), 1000);
    c.bench_function("parse 1,000 blocks", |b| b.iter(|| load(path.clone())));
}

fn decide(c: &mut Criterion) {
    let (log, policy) = (LogPath::new("/var/log/app.log").unwrap(), Policy::default());
    let found = LogFacts { parent: ParentFacts::Safe, file: Ok(Some(facts(1))) };
    let question = Question {
        log: &log,
        facts: &found,
        criteria: &policy.criteria,
        selection: &policy.selection,
        checks_parent: true,
        last: Some(now()),
        now: now(),
        forced: false,
        zone: &Utc,
    };
    c.bench_function("decide about a log", |b| b.iter(|| schedule::decide(black_box(&question))));
}

/// A week of ten-minute rotations, all of which move up.
fn plan(c: &mut Criterion) {
    let count = Setting::default(KeepCount::Last(1008));
    let policy =
        Policy { retention: Retention { count, max_age: None }.into(), ..Policy::default() };
    let version = |number: u32| RotatedFile {
        name: FileName::new(format!("app.log.{number}")).unwrap(),
        place: Generation::Numbered(Slot(number)),
        ending: Vec::new(),
        facts: facts(u64::from(number) + 10),
    };
    let subject = Subject {
        log: LogPath::new("/var/log/app.log").unwrap(),
        facts: facts(1),
        old_dir: "/var/log".into(),
        missing_dirs: Vec::new(),
        versions: (1..=1008).map(version).collect(),
        occupied: Vec::new(),
    };
    let key = BlockKey { file: AnyPath("c".into()), pattern: AnyPath("/var/log/app.log".into()) };
    c.bench_function("plan with 1,008 old versions", |b| {
        b.iter(|| {
            let built = plan::build(&Request {
                block: key.clone(),
                policy: &policy,
                now: now(),
                mail_program: Path::new("/usr/bin/mail"),
                identity: None,
                date: None,
                subjects: vec![subject.clone()],
                taken: &|_, _| false,
                room: &|_| None,
            });
            assert!(built.plan.steps.len() > 1008);
            built
        });
    });
}

fn state(c: &mut Criterion) {
    let mut text = String::from("logrotate state -- version 2\n");
    for number in 0..100_000 {
        let _ =
            writeln!(text, "\"/var/log/app-{number:06}.log\" 2026-11-{}-10:0:0", 1 + number % 28);
    }
    let read = || State::parse(text.as_bytes(), "state", &Utc).0;
    assert_eq!(read().len(), 100_000);
    c.bench_function("read a state of 100,000 lines", |b| b.iter(read));
    let state = read();
    c.bench_function("write a state of 100,000 lines", |b| b.iter(|| state.to_bytes(&Utc)));
}

fn glob(c: &mut Criterion) {
    let temp = tempfile::tempdir().unwrap();
    for number in 0..10_000 {
        std::fs::write(temp.path().join(format!("app-{number}.log")), "").unwrap();
    }
    let dir = temp.path().display().to_string();
    let config = load(blocks(temp.path(), 1, |_| format!("{dir}/app-*[0-9].log")));
    let found = || match_blocks(&config.blocks, &mut Index::default(), &|_| None);
    assert_eq!(found().logs[0].len(), 10_000);
    c.bench_function("match a glob with 10,000 logs", |b| b.iter(found));
}

criterion_group! {
    name = parts;
    config = Criterion::default().sample_size(20);
    targets = parse, decide, plan, state, glob
}
criterion_main!(parts);
