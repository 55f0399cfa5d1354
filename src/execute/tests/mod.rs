//! Tests that need a disk, and the scene that they play on.

mod actions;
mod crash;
mod journal;
mod moving;
mod waiting;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use crate::clock::LocalTime;
use crate::event::{Event, Observer};
use crate::execute::effects::{Company, perform};
use crate::execute::site::{Effect, Halt, Site};
use crate::execute::{Journal, JournalError, Live, Owner, ScriptTexts};
use crate::fault::Fault;
use crate::names::{AnyPath, FileName, LogPath};
use crate::plan::step::{
    Action, Archive, Attributes, BlockKey, Compressor, DirIndex, Effort, Expect, Guard, Place,
    Plan, Record, Scope, ScriptCall, ScriptKind, ScriptRef, Shred, Step, Why,
};
use crate::system::{Dir, Dirs};
use crate::units::{FileId, Mode};

/// A directory `logs` with files, a directory `state` for the journal, and a file `ran` that scripts
/// write into.
pub struct Scene {
    temp: tempfile::TempDir,
}

#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
impl Scene {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self { temp: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.logs()).unwrap();
        std::fs::create_dir(scene.temp.path().join("state")).unwrap();
        for (name, text) in files {
            scene.write(name, text);
        }
        scene
    }

    pub fn logs(&self) -> PathBuf {
        self.temp.path().join("logs")
    }

    pub fn journal_path(&self) -> PathBuf {
        self.temp.path().join("state/journal")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.logs().join(name), text).unwrap();
    }

    /// The text of a file; `None` if it is not there.
    pub fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.logs().join(name)).ok()
    }

    /// All files with their texts; what is no regular file has none.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.logs()).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names
            .map(|name| {
                let meta = std::fs::symlink_metadata(self.logs().join(&name)).unwrap();
                let text = if meta.is_file() { self.read(&name) } else { None };
                (name, text.unwrap_or_default())
            })
            .collect()
    }

    /// How often scripts have said `word`.
    pub fn ran(&self, word: &str) -> usize {
        let said = std::fs::read_to_string(self.temp.path().join("ran")).unwrap_or_default();
        said.lines().filter(|line| *line == word).count()
    }

    pub fn id(&self, name: &str) -> FileId {
        let dir = Dir::open(&self.logs()).unwrap();
        dir.facts(&FileName::new(name).unwrap()).unwrap().unwrap().id
    }

    pub fn present(&self, name: &str) -> Expect {
        Expect::Present(self.id(name))
    }

    pub fn block(&self) -> BlockKey {
        BlockKey { file: AnyPath("/etc/test.conf".into()), pattern: AnyPath(self.logs().join("*")) }
    }

    pub fn call(&self, kind: ScriptKind, log: Option<&str>) -> ScriptCall {
        let log = log.map(|name| LogPath::new(self.logs().join(name)).unwrap());
        ScriptCall { script: ScriptRef { block: self.block(), kind, log }, args: Vec::new() }
    }

    pub fn plan(&self, log: &str, steps: Vec<Step>, after: u32) -> Plan {
        let log = LogPath::new(self.logs().join(log)).unwrap();
        let now = now();
        Plan {
            block: self.block(),
            now,
            identity: None,
            directories: vec![AnyPath(self.logs())],
            logs: vec![log.clone()],
            steps,
            records: vec![Record { log, time: now, after: Some(after) }],
            closing: false,
            rest: None,
        }
    }

    pub fn journal(&self) -> Result<(Journal, Option<Fault>), JournalError> {
        let dir = Rc::new(Dir::open(&self.temp.path().join("state")).unwrap());
        Journal::open(dir, FileName::new("journal").unwrap())
    }

    pub fn peek(&self) -> Result<Vec<crate::execute::OpenPlan>, JournalError> {
        let dir = Rc::new(Dir::open(&self.temp.path().join("state")).unwrap());
        Journal::peek(dir, FileName::new("journal").unwrap())
    }

    pub fn live(&self) -> Live {
        let (journal, complaint) = self.journal().unwrap();
        assert_eq!(complaint, None);
        Live::new(Rc::default(), Some(journal), Rc::new(self.texts()))
    }

    /// Scripts that say their kind, and fail where a file `fail` is.
    pub fn texts(&self) -> Texts {
        Texts(self.temp.path().to_owned())
    }

    /// One step by itself.
    pub fn perform(&self, step: &Step, resumed: bool) -> Result<Effect, Fault> {
        self.perform_with(step, resumed, &HashMap::new())
    }

    pub fn perform_with(
        &self,
        step: &Step,
        resumed: bool,
        made: &HashMap<Place, FileId>,
    ) -> Result<Effect, Fault> {
        let dirs = RefCell::new(Dirs::default());
        let plan = self.plan("a.log", vec![step.clone()], 0);
        let site = Site {
            dirs: &dirs,
            census: &RefCell::default(),
            plan: &plan,
            made,
            fresh: &HashSet::new(),
            at: 0,
            resumed,
            secured: None,
            ahead: None,
        };
        let texts = self.texts();
        let mut company = Company { scripts: &texts, observer: &mut (), interrupted: 0 };
        perform(&site, step, &mut company).map_err(|halt| match halt {
            Halt::Failed(fault) | Halt::TryAgain(fault) | Halt::Undone(fault) => fault,
            Halt::Postponed(why) => why.reason,
        })
    }
}

pub struct Texts(PathBuf);

impl ScriptTexts for Texts {
    fn text(&self, script: &ScriptRef) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in [&b"cd '"[..], self.0.as_os_str().as_bytes(), b"'; "] {
            text.extend_from_slice(part);
        }
        text.extend(match script.kind {
            ScriptKind::FirstAction => return None,
            _ if self.0.join("gone").exists() => return None,
            kind => format!("echo {kind:?} >> ran; test ! -e fail").into_bytes(),
        });
        Some(text)
    }

    /// A block is gone from the configuration where a file `gone` is, and in another one where a file
    /// `elsewhere` is.
    fn has_block(&self, _: &BlockKey) -> bool {
        !self.0.join("gone").exists()
    }

    fn owner(&self, plan: &Plan) -> Owner {
        match ["gone", "elsewhere"].map(|name| self.0.join(name).exists()) {
            [true, _] => Owner::Nobody,
            [_, true] => Owner::Another,
            _ => Owner::Block(plan.block.clone()),
        }
    }
}

/// Observes what the tests ask about.
#[derive(Default)]
pub struct Notes {
    pub errors: Vec<String>,
    pub remarks: Vec<String>,
    pub warnings: Vec<String>,
    pub raw: Vec<u8>,
    /// Steps and scripts, in order.
    pub started: Vec<String>,
}

impl Observer for Notes {
    fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Warning(warning) => self.warnings.push((*warning).into()),
            Event::Error(fault) => self.errors.push(fault.to_string()),
            Event::Note(note) => self.remarks.push((*note).into()),
            Event::Raw(raw) => self.raw.extend_from_slice(raw),
            Event::StepStarted { step, .. } => self.started.push(format!("{:?}", step.action)),
            Event::ScriptStarted { call, .. } => self.started.push(format!("{call:?}")),
            _ => {}
        }
    }
}

pub fn now() -> LocalTime {
    LocalTime("2026-03-01T12:00:00+01:00".parse().unwrap())
}

pub fn place(name: &str) -> Place {
    Place { dir: DirIndex(0), name: FileName::new(name).unwrap() }
}

pub fn step(action: Action, expect: Expect, why: Why) -> Step {
    Step { action, expect, scope: Scope::Log(0), why, guard: Guard::None }
}

pub fn rename(from: &str, to: &str) -> Action {
    Action::Rename { from: place(from), to: place(to) }
}

pub fn attributes() -> Attributes {
    Attributes { mode: Mode(0o640), uid: 0, gid: 0, times: None }
}

pub fn create(temp: &str, log: &str) -> Action {
    let (temp, log) = (place(temp), place(log));
    Action::Create { temp, log, attributes: attributes(), access_list: true }
}

pub fn install(temp: &str, log: &str) -> Action {
    Action::Install { temp: place(temp), log: place(log) }
}

pub fn copy(from: &str, temp: &str, to: &str) -> Action {
    let (from, temp, to) = (place(from), place(temp), place(to));
    let (allow_hard_links, without_gaps) = (false, false);
    Action::Copy { from, temp, to, attributes: attributes(), allow_hard_links, without_gaps }
}

pub fn publish(temp: &str, to: &str) -> Action {
    Action::Publish { temp: place(temp), to: place(to) }
}

pub fn cut(log: &str, archive: Option<&str>) -> Action {
    let archive = archive.map(|to| Archive { temp: place("archive.tmp"), to: place(to) });
    Action::Cut { log: place(log), archive, allow_hard_links: false }
}

/// Compresses by a shell script.
pub fn compress(from: &str, temp: &str, to: &str, text: &str) -> Action {
    Action::Compress {
        from: place(from),
        temp: place(temp),
        to: place(to),
        compressor: Compressor::Command {
            program: AnyPath("sh".into()),
            options: vec![AnyPath("-c".into()), AnyPath(Path::new(text).into())],
        },
        effort: Effort::default(),
        attributes: attributes(),
        allow_hard_links: false,
    }
}

pub fn remove(file: &str) -> Action {
    Action::Remove { file: place(file), pre_remove: None, shred: None }
}

/// A move up by one.
const SHIFT: Why = Why::Shift { count: 3, start: 1, slot: 1 };
