//! After `postrotate`: compression, mail, and what is kept no longer (compat 5.7).

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::config::policy::{Method, Policy, ScriptKind};
use crate::names::{AnyPath, FileName};
use crate::units::KeepCount;

use super::Subject;
use super::compressor::compressor;
use super::generations::Held;
use super::naming::temporary;
use super::sequence::Sequence;
use super::step::{Action, Attributes, Expect, Place, Scope, ScriptRef, Shred, Why};

impl Sequence<'_> {
    /// Compression of the new version and disposal (compat 5.7). A failure here stays with its log
    /// (fixes B-05).
    pub(super) fn finish(&mut self, index: u32, subject: &Subject) {
        let policy = self.request.policy;
        let scope = Scope::Log(index);
        let mut newest = self.newest[index as usize].clone();
        if let (Some(parked), Some(to)) = (self.parked[index as usize].clone(), &newest) {
            self.copy_parked(subject, &parked, to, scope);
        }
        if let Some(from) = newest.clone()
            && policy.compression.is_on()
            && !policy.compression.delayed
        {
            let times = Some((subject.facts.accessed, subject.facts.modified));
            let attributes = Attributes::of(&subject.facts, times);
            newest = self.compress(&from, Expect::Made, attributes, scope, Why::Compression);
        }
        if let Some(file) = newest.as_ref().filter(|_| policy.mail.first) {
            let called = self.called(file, subject);
            self.mail(file, Expect::Made, scope, called);
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
            without_gaps: false,
        };
        let publish = Action::Publish { temp, to: to.clone() };
        // What it holds lives on, so it is not shredded.
        let remove = Action::Remove { file: parked.clone(), pre_remove: None, shred: None };
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
            compressor: compressor(&policy.compression)?,
            effort: policy.compression.effort,
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
        let called = self.called(&file, subject);
        self.mail(&file, held.expect, scope, called);
        self.remove_place(file, held.expect, scope, why);
    }

    /// What the mail with a file is called, if not after the file: with `mailfirst`, what is mailed
    /// uncompressed is called after the log (compat ROT-92).
    fn called(&self, file: &Place, subject: &Subject) -> Option<AnyPath> {
        let after_log = self.request.policy.mail.first && self.is_packed(file);
        after_log.then(|| AnyPath(subject.log.as_path().into()))
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
    pub(super) fn mail(
        &mut self,
        file: &Place,
        expect: Expect,
        scope: Scope,
        subject: Option<AnyPath>,
    ) {
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
        let shred = self.shred();
        self.draft.push(Action::Remove { file, pre_remove, shred }, expect, scope, why);
    }

    fn shred(&self) -> Option<Shred> {
        let Policy { removal, selection, .. } = self.request.policy;
        let cycles = NonZeroU32::new(removal.cycles);
        let allow_hard_links = selection.allow_hard_links;
        removal.shred.then_some(Shred { cycles, allow_hard_links })
    }
}
