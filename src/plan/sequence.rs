//! The order of steps (compat 5.2, 5.4 to 5.7).
//!
//! Each half-done state is the less harmful one of those that could be chosen: room is made from the
//! highest slot down and never over a file; the new log exists under a temporary name before the old
//! one moves (a file system without an inode left then changes nothing); a copy is complete and has
//! its name before the log is emptied; a compressed file has its name before its source goes; what is
//! kept no longer goes last.

use std::path::PathBuf;

use hashbrown::HashMap;

use crate::config::policy::ScriptKind;
use crate::fault::Fault;
use crate::names::AnyPath;
use crate::units::Mode;

use super::draft::Draft;
use super::generations::Generations;
use super::naming::Stem;
use super::step::{Action, DirAttributes, Expect, Place, Plan, Scope, Why};
use super::{Built, Request, Subject, script_call};

/// Makes the plan of a request.
///
/// Logs of one name in one `olddir` are planned one after the other, each on the directory as the
/// earlier steps leave it, so that they take different slots.
pub fn build(request: &Request<'_>) -> Built {
    let mut sequence = Sequence::new(request);
    let faults = sequence.run();
    let mut plan = Plan {
        block: request.block.clone(),
        now: request.now,
        identity: request.identity,
        directories: Vec::new(),
        logs: request.subjects.iter().map(|s| s.log.clone()).collect(),
        steps: Vec::new(),
        records: Vec::new(),
        closing: false,
        rest: None,
    };
    if faults.is_empty() {
        plan.directories = sequence.draft.directories;
        plan.steps = sequence.draft.steps;
        plan.rest = sequence.rest;
        plan.records = sequence.draft.records;
    } else {
        // A log that cannot be rotated now is recorded (compat B-28: its next name will be another).
        let mut draft = Draft::new(request);
        for &index in &sequence.clashes {
            draft.record_at_once(&request.subjects[index as usize].log);
        }
        plan.records = draft.records;
    }
    Built { plan, faults, remarks: sequence.remarks }
}

/// Names the versions of one log name in one directory.
type VersionsKey = (PathBuf, Stem);

/// The plan in the making.
pub(super) struct Sequence<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) draft: Draft<'a>,
    generations: HashMap<VersionsKey, Generations>,
    /// Those of the log of a plan of one log, as nearly all are.
    only: Option<Generations>,
    /// Where the new version of each log is, as later steps leave it.
    pub(super) newest: Vec<Option<Place>>,
    /// Where `renamecopy` keeps each log until it is copied.
    pub(super) parked: Vec<Option<Place>>,
    /// See [`Plan::rest`].
    rest: Option<u32>,
    /// Logs whose new version has no free name.
    pub(super) clashes: Vec<u32>,
    /// See [`Built::remarks`].
    pub(super) remarks: Vec<String>,
}

impl<'a> Sequence<'a> {
    fn new(request: &'a Request<'a>) -> Self {
        Self {
            request,
            draft: Draft::new(request),
            generations: HashMap::new(),
            only: None,
            newest: vec![None; request.subjects.len()],
            parked: vec![None; request.subjects.len()],
            rest: None,
            clashes: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn run(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, subject) in self.numbered_subjects() {
            self.make_dirs(index, subject);
        }
        let mut prepared = vec![false; self.request.subjects.len()];
        for (index, subject) in self.numbered_subjects() {
            // A second log of the same name makes room only when the first one has moved.
            if self.is_moved_along(subject) || self.versions(subject).used {
                continue;
            }
            self.versions(subject).used = true;
            prepared[index as usize] = true;
            faults.extend(self.prepare(index, subject).err());
        }
        for (index, subject) in self.numbered_subjects() {
            if self.is_moved_along(subject) {
                self.remarks.push(format!("{} has moved along as an old version", subject.log));
                self.draft.record_after_last_step(&subject.log);
                continue;
            }
            if !prepared[index as usize] {
                faults.extend(self.prepare(index, subject).err());
            }
            faults.extend(self.rotate(index, subject).err());
        }
        self.signal();
        self.post_rotate();
        let rest = self.draft.steps.len();
        for (index, subject) in self.numbered_subjects() {
            self.finish(index, subject);
        }
        let steps = self.draft.steps.get(rest..).unwrap_or_default();
        // What people see keeps its order.
        let is_seen = |action: &Action| match action {
            Action::Script(_) | Action::Mail { .. } => true,
            Action::Remove { pre_remove, .. } => pre_remove.is_some(),
            _ => false,
        };
        if !steps.is_empty() && !steps.iter().any(|step| is_seen(&step.action)) {
            self.rest = u32::try_from(rest).ok();
        }
        faults
    }

    /// Whether a log is an old version of another one, which the steps so far move or remove: a
    /// wildcard may match both. It is no log of its own then, and is not rotated a second time.
    fn is_moved_along(&self, subject: &Subject) -> bool {
        self.draft.changes(subject.log.dir(), subject.log.name())
    }

    pub(super) fn numbered_subjects(&self) -> impl Iterator<Item = (u32, &'a Subject)> + use<'a> {
        (0..).zip(&self.request.subjects)
    }

    /// The scope of everything up to `postrotate`: with `sharedscripts` one failure stops all logs of
    /// the block (compat ROT-12).
    pub(super) fn scope(&self, index: u32) -> Scope {
        if self.request.policy.scripts.shared { Scope::Block } else { Scope::Log(index) }
    }

    pub(super) fn stem(&self, subject: &Subject) -> Stem {
        Stem::of(subject.log.name(), &self.request.policy.naming)
    }

    pub(super) fn versions(&mut self, subject: &Subject) -> &mut Generations {
        if self.request.subjects.len() == 1 {
            return self.only.get_or_insert_with(|| Generations::from_survey(&subject.versions));
        }
        let key = (subject.old_dir.clone(), self.stem(subject));
        self.generations.entry(key).or_insert_with(|| Generations::from_survey(&subject.versions))
    }

    /// Makes what is missing of `olddir` (compat CFG-80, CFG-81), once for all logs.
    fn make_dirs(&mut self, index: u32, subject: &Subject) {
        let create = &self.request.policy.naming.create_old_dir;
        let attributes = DirAttributes {
            mode: create.mode.unwrap_or(Mode(0o755)),
            uid: create.uid,
            gid: create.gid,
        };
        for missing in &subject.missing_dirs {
            let dir = Place { dir: self.draft.dir(missing.dir()), name: missing.name().clone() };
            if !self.draft.taken(&dir) {
                let action = Action::MakeDir { dir, attributes };
                self.draft.push(action, Expect::Absent, self.scope(index), Why::NewDirectory);
            }
        }
    }

    fn prepare(&mut self, index: u32, subject: &Subject) -> Result<(), Fault> {
        if self.request.date.is_some() {
            return self.prepare_dated(index, subject);
        }
        self.prepare_numbered(index, subject);
        Ok(())
    }

    fn post_rotate(&mut self) {
        let policy = self.request.policy;
        if policy.scripts.post_rotate.is_none() {
            return;
        }
        if policy.scripts.shared {
            let call = script_call(&self.request.block, ScriptKind::PostRotate, None);
            self.draft.push(Action::Script(call), Expect::Nothing, Scope::Block, Why::Script);
            return;
        }
        for (index, subject) in self.numbered_subjects() {
            let mut call =
                script_call(&self.request.block, ScriptKind::PostRotate, Some(&subject.log));
            // Its second argument is the new version's name before compression (compat SCR-2).
            let target = self.target(subject).map(|name| AnyPath(subject.old_dir.join(name)));
            call.args.extend(target);
            let scope = self.scope(index);
            self.draft.push(Action::Script(call), Expect::Nothing, scope, Why::Script);
        }
    }
}
