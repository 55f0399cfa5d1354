//! A plan that was carried out, and is carried out again from a journal that has lost its notes, changes
//! nothing more.
#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use chrono::{TimeZone, Utc};
use proptest::prelude::*;

use super::World;
use crate::clock::{LocalTime, Zone};
use crate::config::policy::{Compression, Create, MethodSettings, Naming, Policy, Retention};
use crate::execute::{Await, Journal, Live, Owner, Perform, ScriptTexts};
use crate::names::{AnyPath, FileName, LogPath};
use crate::plan::step::ScriptRef;
use crate::plan::{self, BlockKey, Plan, Request};
use crate::source::Setting;
use crate::survey::Index;
use crate::system::{Dir, Dirs};
use crate::units::{Days, KeepCount};

/// The names of a directory; of each file the mode, the time and the content.
type Tree = BTreeMap<String, (u32, i64, Vec<u8>)>;

/// No script.
struct NoScripts;

impl ScriptTexts for NoScripts {
    fn text(&self, _: &ScriptRef) -> Option<Vec<u8>> {
        None
    }

    fn has_block(&self, _: &BlockKey) -> bool {
        true
    }

    fn owner(&self, plan: &Plan) -> Owner {
        Owner::Block(plan.block.clone())
    }
}

/// Directories `logs` and `state`, in memory where that is to be had: nothing here is about a loss of power.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new(versions: &BTreeMap<u32, (bool, u8)>, dated: bool) -> Self {
        let temp = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let ground = Self(temp);
        for dir in ["logs", "state"] {
            fs::create_dir(ground.0.path().join(dir)).unwrap();
        }
        fs::write(ground.logs().join("a"), "the log\n").unwrap();
        for (&number, &(packed, old)) in versions {
            let ending = if packed { ".gz" } else { "" };
            let name =
                if dated { format!("a-202601{number:02}") } else { format!("a.{number}") } + ending;
            let path = ground.logs().join(name);
            fs::write(&path, format!("version {number}\n")).unwrap();
            let time = std::time::SystemTime::from(now().0)
                - std::time::Duration::from_secs(u64::from(old) * 86_400);
            fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        }
        ground
    }

    fn logs(&self) -> std::path::PathBuf {
        self.0.path().join("logs")
    }

    fn tree(&self) -> Tree {
        let entries = fs::read_dir(self.logs()).unwrap().map(Result::unwrap);
        let file = |entry: fs::DirEntry| {
            let (path, facts) = (entry.path(), entry.metadata().unwrap());
            let name = entry.file_name().into_string().unwrap();
            // An empty log that is emptied is as new.
            let time = if name == "a" { 0 } else { facts.mtime() };
            (name, (facts.mode(), time, fs::read(path).unwrap()))
        };
        entries.map(file).collect()
    }

    fn journal(&self) -> std::path::PathBuf {
        self.0.path().join("state/journal")
    }

    fn live(&self) -> Live {
        let dir = Rc::new(Dir::open(&self.0.path().join("state")).unwrap());
        let (journal, complaint) = Journal::open(dir, FileName::new("journal").unwrap()).unwrap();
        assert_eq!(complaint, None);
        Live::new(Rc::default(), Some(journal), Rc::new(NoScripts))
    }

    /// What a run plans for the log as it is now; nothing if it cannot be rotated.
    fn plan(&self, policy: &Policy) -> Option<Plan> {
        let world = World {
            dirs: Rc::new(RefCell::new(Dirs::default())),
            index: RefCell::new(Index::default()),
            zone: &Utc,
            now: now(),
            forced: true,
            mail_program: &|| Path::new("/usr/bin/mail"),
            check_parents: false,
        };
        let log = LogPath::new(self.logs().join("a")).unwrap();
        let date = world.date(policy).unwrap();
        let subject = world.subject(&log, policy, &date).unwrap();
        let built = plan::build(&Request {
            block: BlockKey { file: AnyPath("conf".into()), pattern: AnyPath(self.logs()) },
            policy,
            now: world.now,
            mail_program: (world.mail_program)(),
            identity: None,
            date: Some(&date).filter(|_| policy.naming.dated),
            subjects: vec![subject],
            taken: &|dir, name| world.taken(dir, name),
            room: &|_| None,
        });
        Some(built.plan).filter(|plan| !plan.steps.is_empty())
    }
}

fn now() -> LocalTime {
    Utc.at(Utc.with_ymd_and_hms(2026, 2, 6, 7, 8, 9).single().expect("a time"))
}

/// What is wanted: method, naming, count, age, compression, a new log.
fn policies() -> impl Strategy<Value = Policy> {
    let method = prop_oneof![
        Just((false, false, false)),
        Just((true, false, false)),
        Just((false, true, false)),
        Just((false, false, true)),
    ];
    let kept = (0..5_u32, prop::option::of(2..9_u32), 0..3_u32);
    (method, kept, any::<[bool; 4]>()).prop_map(
        |(
            (copy, copy_truncate, rename_copy),
            (count, age, start),
            [packs, delays, dated, create],
        )| {
            Policy {
                method: Rc::new(MethodSettings { copy, copy_truncate, rename_copy }),
                retention: Rc::new(Retention {
                    count: Setting::default(KeepCount::Last(count)),
                    max_age: age.map(|days| Box::new(Setting::default(Days(days)))),
                }),
                compression: Rc::new(Compression {
                    enabled: packs,
                    delayed: packs && delays,
                    ..Compression::default()
                }),
                naming: Rc::new(Naming { start, dated, ..Naming::default() }),
                create: Rc::new(Create { enabled: create, ..Create::default() }),
                ..Policy::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_is_carried_out_twice_changes_nothing_more(
        policy in policies(),
        versions in prop::collection::btree_map(1..9_u32, (any::<bool>(), 0..12_u8), 0..8),
        kept in 0..40_usize,
    ) {
        let ground = Ground::new(&versions, policy.naming.dated);
        let before = ground.tree();
        let Some(plan) = ground.plan(&policy) else { return Ok(()) };
        let (journal, outcome) = {
            let mut live = ground.live();
            let id = live.promise(plan.clone().into()).unwrap();
            let outcome = live.carry_out(id, &mut ());
            live.ended(Await::All, &mut ());
            live.prepare_records(&mut ());
            (fs::read(ground.journal()).unwrap(), outcome)
        };
        prop_assert!(!outcome.failed, "{outcome:?}\n{plan:?}");
        let done = ground.tree();
        prop_assert!(done != before);
        // The first two lines say what it is and what was planned; as many notes as there is luck.
        let ends = journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let end = ends.take(2 + kept % 20 * usize::from(kept < 20)).last().unwrap();
        fs::write(ground.journal(), &journal[..end]).unwrap();
        // A log that `renamecopy` has moved aside is looked for once more.
        for _ in 0..2 {
            let mut live = ground.live();
            live.resume(&mut ());
            live.finish().unwrap();
        }
        let mut after = ground.tree();
        if policy.method.copy || policy.method.copy_truncate {
            // A copy that is compressed, and gone, is made once more, of what the log holds by now: a copy too
            // many, and no line too few. A journal that a kill leaves has the note that prevents it.
            let log = after.get("a").map(|(_, _, text)| text.clone());
            after.retain(|name, (_, _, text)| done.contains_key(name) || Some(&*text) != log.as_ref());
        }
        prop_assert_eq!(after, done, "{:?}", plan);
        prop_assert!(!ground.journal().exists());
    }
}
