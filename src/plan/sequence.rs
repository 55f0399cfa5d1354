//! The order of steps (compat 5.2, 5.4 to 5.7).
//!
//! Each half-done state is the less harmful one of those that could be chosen: room is made from the
//! highest slot down and never over a file; the new log exists under a temporary name before the old
//! one moves (a file system without an inode left then changes nothing); a copy is complete and has
//! its name before the log is emptied; a compressed file has its name before its source goes; what is
//! kept no longer goes last.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::config::policy::{Method, ScriptKind};
use crate::fault::Fault;
use crate::names::{AnyPath, FileName, Slot};
use crate::units::{KeepCount, Mode};

use super::compressor::compressor;
use super::draft::Draft;
use super::generations::{Generations, Held};
use super::naming::{Stem, parked, temporary};
use super::step::{
    Action, Archive, Attributes, DirAttributes, DirIndex, Expect, Place, Plan, Scope, ScriptRef,
    Why,
};
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
    };
    if faults.is_empty() {
        plan.directories = sequence.draft.directories;
        plan.steps = sequence.draft.steps;
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
    /// Where the new version of each log is, as later steps leave it.
    pub(super) newest: Vec<Option<Place>>,
    /// Where `renamecopy` keeps each log until it is copied.
    parked: Vec<Option<Place>>,
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
            newest: vec![None; request.subjects.len()],
            parked: vec![None; request.subjects.len()],
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
            if self.versions(subject).used {
                continue;
            }
            self.versions(subject).used = true;
            prepared[index as usize] = true;
            faults.extend(self.prepare(index, subject).err());
        }
        for (index, subject) in self.numbered_subjects() {
            if !prepared[index as usize] {
                faults.extend(self.prepare(index, subject).err());
            }
            faults.extend(self.rotate(index, subject).err());
        }
        self.post_rotate();
        for (index, subject) in self.numbered_subjects() {
            self.finish(index, subject);
        }
        faults
    }

    fn numbered_subjects(&self) -> impl Iterator<Item = (u32, &'a Subject)> + use<'a> {
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

    // ---- The log itself --------------------------------------------------------------------

    /// The name of the new version, before compression.
    pub(super) fn target(&self, subject: &Subject) -> Option<FileName> {
        let stem = self.stem(subject);
        match self.request.date {
            Some(date) => stem.dated(date.text(), b""),
            None => stem.numbered(Slot(self.request.policy.naming.start), b""),
        }
    }

    fn rotate(&mut self, index: u32, subject: &Subject) -> Result<(), Fault> {
        let scope = self.scope(index);
        let method = self.request.policy.method.method();
        let keeps_nothing = self.count() == KeepCount::Last(0);
        let log_dir = self.draft.dir(subject.log.dir());
        let log = Place { dir: log_dir, name: subject.log.name().clone() };
        let expect = Expect::Present(subject.facts.id);

        if matches!(method, Method::Copy | Method::CopyTruncate) && keeps_nothing {
            // Nothing would ever read the copy (compat ROT-54, ROT-55).
            if method == Method::CopyTruncate {
                self.cut(subject, &log, None, scope);
                self.draft.record_after_last_step(&subject.log);
            } else {
                self.draft.record_at_once(&subject.log);
            }
            return Ok(());
        }

        let name = self.target(subject).ok_or_else(|| self.no_name(subject))?;
        let dir = self.draft.dir(&subject.old_dir);
        let to = Place { dir, name };
        if matches!(method, Method::Move | Method::RenameCopy) {
            let mut new_place = to.clone();
            if method == Method::RenameCopy {
                let name = parked(&log.name, self.draft.taken_in(log_dir));
                let name = name.ok_or_else(|| self.no_name(subject))?;
                new_place = Place { dir: log_dir, name };
                self.parked[index as usize] = Some(new_place.clone());
            }
            let new_log = self.create(subject, log_dir, scope);
            let rename = Action::Rename { from: log.clone(), to: new_place };
            self.draft.push(rename, expect, scope, Why::Rotation);
            self.draft.record_after_last_step(&subject.log);
            if let Some(temp) = new_log {
                self.draft.push(Action::Install { temp, log }, Expect::Made, scope, Why::NewLog);
            }
        } else {
            let temp = self.copy(subject, &log, &to, scope).ok_or_else(|| self.no_name(subject))?;
            let to = to.clone();
            if method == Method::CopyTruncate {
                self.cut(subject, &log, Some(Archive { temp, to }), scope);
            } else {
                self.draft.push(Action::Publish { temp, to }, Expect::Made, scope, Why::Rotation);
            }
            self.draft.record_after_last_step(&subject.log);
        }
        self.newest[index as usize] = Some(to.clone());
        let held = Held {
            name: to.name,
            ending: Vec::new(),
            facts: None,
            expect: Expect::Made,
            newest_of: Some(index),
        };
        let start = Slot(self.request.policy.naming.start);
        match self.request.date {
            Some(date) => {
                self.versions(subject).dated.insert(date.text().to_vec(), vec![held]).is_some()
            }
            None => self.versions(subject).numbered.insert(start, vec![held]).is_some(),
        };
        Ok(())
    }

    /// Makes the new log under a temporary name; gives that name.
    fn create(&mut self, subject: &Subject, dir: DirIndex, scope: Scope) -> Option<Place> {
        let create = &self.request.policy.create;
        if !create.enabled {
            return None;
        }
        let old = subject.facts;
        let attributes = Attributes {
            mode: create.mode.unwrap_or(Mode(old.mode.0 & 0o777)),
            uid: create.uid.unwrap_or(old.uid),
            gid: create.gid.unwrap_or(old.gid),
            times: None,
        };
        let name = subject.log.name().clone();
        let temp = Place { dir, name: temporary(&name, self.draft.taken_in(dir))? };
        let action = Action::Create { temp: temp.clone(), log: Place { dir, name }, attributes };
        self.draft.push(action, Expect::Absent, scope, Why::NewLog);
        Some(temp)
    }

    /// Copies a log to a temporary name; gives that name.
    fn copy(&mut self, subject: &Subject, log: &Place, to: &Place, scope: Scope) -> Option<Place> {
        let temp = temporary(&to.name, self.draft.taken_in(to.dir))?;
        let temp = Place { dir: to.dir, name: temp };
        let attributes = Attributes::of(&subject.facts, None);
        let copy = Action::Copy {
            from: log.clone(),
            temp: temp.clone(),
            to: to.clone(),
            attributes,
            allow_hard_links: self.request.policy.selection.allow_hard_links,
        };
        self.draft.push(copy, Expect::Present(subject.facts.id), scope, Why::Rotation);
        Some(temp)
    }

    fn cut(&mut self, subject: &Subject, log: &Place, archive: Option<Archive>, scope: Scope) {
        let cut = Action::Cut {
            log: log.clone(),
            archive,
            allow_hard_links: self.request.policy.selection.allow_hard_links,
        };
        self.draft.push(cut, Expect::Present(subject.facts.id), scope, Why::Rotation);
    }

    // ---- After the logs have moved ---------------------------------------------------------

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

    /// Compression of the new version and disposal (compat 5.7). A failure here stays with its log
    /// (fixes B-05).
    fn finish(&mut self, index: u32, subject: &Subject) {
        let policy = self.request.policy;
        let scope = Scope::Log(index);
        let mut newest = self.newest[index as usize].clone();
        if let (Some(parked), Some(to)) = (self.parked[index as usize].clone(), &newest) {
            self.copy_parked(subject, &parked, to, scope);
        }
        if let Some(from) = newest.clone()
            && policy.compression.enabled
            && !policy.compression.delayed
        {
            let times = Some((subject.facts.accessed, subject.facts.modified));
            let attributes = Attributes::of(&subject.facts, times);
            newest = self.compress(&from, Expect::Made, attributes, scope, Why::Compression);
        }
        if let Some(file) = newest.as_ref().filter(|_| policy.mail.first) {
            // An uncompressed copy is called after the log (compat ROT-92).
            let log = self.is_packed(file).then(|| AnyPath(subject.log.as_path().into()));
            self.mail(file, Expect::Made, scope, log);
        }
        if self.count() == KeepCount::Last(0) {
            if let Some(file) = newest {
                if !policy.mail.first {
                    self.mail(&file, Expect::Made, scope, None);
                }
                self.remove_place(file, Expect::Made, scope, Why::KeepNone);
            }
            return;
        }
        let versions = self.versions(subject);
        let numbered = versions.leaving.take().and_then(|slot| versions.numbered.remove(&slot));
        let dated = versions.leaving_date.take().and_then(|date| versions.dated.remove(&date));
        for held in numbered.into_iter().chain(dated).flatten() {
            let file = Place { dir: self.draft.dir(&subject.old_dir), name: held.name };
            if !policy.mail.first {
                self.mail(&file, held.expect, scope, None);
            }
            self.remove_place(file, held.expect, scope, Why::Count);
        }
    }

    /// `renamecopy`: copies the log from where it was moved to, and lets it go (compat ROT-70).
    fn copy_parked(&mut self, subject: &Subject, parked: &Place, to: &Place, scope: Scope) {
        let Some(name) = temporary(&to.name, self.draft.taken_in(to.dir)) else { return };
        let temp = Place { dir: to.dir, name };
        let copy = Action::Copy {
            from: parked.clone(),
            temp: temp.clone(),
            to: to.clone(),
            attributes: Attributes::of(&subject.facts, None),
            allow_hard_links: self.request.policy.selection.allow_hard_links,
        };
        let publish = Action::Publish { temp, to: to.clone() };
        let remove = Action::Remove { file: parked.clone(), pre_remove: None };
        for action in [copy, publish, remove] {
            self.draft.push(action, Expect::Made, scope, Why::Parked);
        }
    }

    /// Compresses a file, gives the result its name and removes the source; gives the result.
    pub(super) fn compress(
        &mut self,
        from: &Place,
        expect: Expect,
        attributes: Attributes,
        scope: Scope,
        why: Why,
    ) -> Option<Place> {
        let policy = self.request.policy;
        let name = [from.name.as_bytes(), &policy.compression.extension].concat();
        let to = Place { dir: from.dir, name: FileName::from_bytes(&name)? };
        let temp = temporary(&to.name, self.draft.taken_in(to.dir))?;
        let temp = Place { dir: to.dir, name: temp };
        let action = Action::Compress {
            from: from.clone(),
            temp: temp.clone(),
            to: to.clone(),
            compressor: compressor(&policy.compression),
            attributes,
            allow_hard_links: policy.selection.allow_hard_links,
        };
        self.draft.push(action, expect, scope, why);
        self.draft.push(Action::Publish { temp, to: to.clone() }, Expect::Made, scope, why);
        self.remove_place(from.clone(), expect, scope, Why::Compressed);
        Some(to)
    }

    /// Removes an old version; a failure cancels nothing else.
    pub(super) fn remove(&mut self, index: u32, subject: &Subject, held: &Held, why: Why) {
        let dir = self.draft.dir(&subject.old_dir);
        let scope = self.draft.version_scope(index);
        let file = Place { dir, name: held.name.clone() };
        // These were never mailed as the newest, or long ago: they are mailed in any case (compat
        // ROT-41, ROT-44).
        self.mail(&file, held.expect, scope, None);
        self.remove_place(file, held.expect, scope, why);
    }

    /// How many versions stay. One is kept where a copy could otherwise be mailed by nobody (compat
    /// ROT-94): it is mailed and removed by the next rotation.
    pub(super) fn count(&self) -> KeepCount {
        let policy = self.request.policy;
        let copies = matches!(policy.method.method(), Method::Copy | Method::CopyTruncate);
        match policy.retention.count.value {
            KeepCount::Last(0) if copies && policy.mail.address.is_some() => KeepCount::Last(1),
            count => count,
        }
    }

    /// Whether a file is one that our compressor has made.
    fn is_packed(&self, file: &Place) -> bool {
        file.name.as_bytes().ends_with(&self.request.policy.compression.extension)
    }

    /// Mails a file if there is somebody to mail it to.
    fn mail(&mut self, file: &Place, expect: Expect, scope: Scope, subject: Option<AnyPath>) {
        let policy = self.request.policy;
        let Some(address) = &policy.mail.address else { return };
        let uncompress = AnyPath(PathBuf::from(&policy.compression.uncompress));
        let action = Action::Mail {
            file: file.clone(),
            uncompress: self.is_packed(file).then_some(uncompress),
            program: AnyPath(self.request.mail_program.into()),
            subject,
            address: AnyPath(PathBuf::from(address)),
        };
        self.draft.push(action, expect, scope, Why::Mail);
    }

    pub(super) fn remove_place(&mut self, file: Place, expect: Expect, scope: Scope, why: Why) {
        let pre_remove = self.request.policy.scripts.pre_remove.as_ref().map(|_| ScriptRef {
            block: self.request.block.clone(),
            kind: ScriptKind::PreRemove,
            log: None,
        });
        self.draft.push(Action::Remove { file, pre_remove }, expect, scope, why);
    }
}
