//! The log itself: how its content gets away from it, and what takes its place (compat 5.2, 5.4).

use crate::config::policy::Method;
use crate::fault::Fault;
use crate::names::{FileName, Slot};
use crate::units::{KeepCount, Mode};

use super::Subject;
use super::generations::Held;
use super::naming::{parked, temporary};
use super::sequence::Sequence;
use super::step::{Action, Archive, Attributes, DirIndex, Expect, Place, Scope, Why};

impl Sequence<'_> {
    /// The name of the new version, before compression.
    pub(super) fn target(&self, subject: &Subject) -> Option<FileName> {
        let stem = self.stem(subject);
        match self.request.date {
            Some(date) => stem.dated(date.text(), b""),
            None => stem.numbered(Slot(self.request.policy.naming.start), b""),
        }
    }

    pub(super) fn rotate(&mut self, index: u32, subject: &Subject) -> Result<(), Fault> {
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
            let to_be_cut = method == Method::CopyTruncate;
            let temp = self.copy(subject, &log, &to, to_be_cut, scope);
            let temp = temp.ok_or_else(|| self.no_name(subject))?;
            let to = to.clone();
            if to_be_cut {
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
        // A mode that was asked for is not to be widened by a list (compat ROT-60).
        let access_list = create.mode.is_none();
        let log = Place { dir, name };
        let action = Action::Create { temp: temp.clone(), log, attributes, access_list };
        self.draft.push(action, Expect::Absent, scope, Why::NewLog);
        Some(temp)
    }

    /// Copies a log to a temporary name; gives that name.
    fn copy(
        &mut self,
        subject: &Subject,
        log: &Place,
        to: &Place,
        to_be_cut: bool,
        scope: Scope,
    ) -> Option<Place> {
        let temp = temporary(&to.name, self.draft.taken_in(to.dir))?;
        let temp = Place { dir: to.dir, name: temp };
        let attributes = Attributes::of(&subject.facts, None);
        let copy = Action::Copy {
            from: log.clone(),
            temp: temp.clone(),
            to: to.clone(),
            attributes,
            allow_hard_links: self.request.policy.selection.allow_hard_links,
            without_gaps: to_be_cut,
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
}
