//! Room for a new numbered version: strays aside, `delaycompress`, `maxage`, the chain (compat 5.4,
//! 5.5).

use std::collections::BTreeMap;

use crate::config::policy::Method;
use crate::names::{Shown, Slot};
use crate::survey::rotated::Generation;
use crate::units::KeepCount;

use super::chain::{SlotAge, chain};
use super::generations::{Held, version_and_strays, wanted_ending};
use super::naming::set_aside;
use super::sequence::Sequence;
use super::step::{Action, Attributes, Expect, Place, Scope, Why};
use super::{Subject, retention};

impl Sequence<'_> {
    /// Makes the lowest slot free.
    pub(super) fn prepare_numbered(&mut self, index: u32, subject: &Subject) {
        self.set_strays_aside(index, subject);
        self.clear_way(index, subject);
        self.compress_first_slot(index, subject);
        self.make_room(index, subject);
    }

    /// Keeps every second file of a slot under another name, so that no later step meets it.
    fn set_strays_aside(&mut self, index: u32, subject: &Subject) {
        let policy = self.request.policy;
        let scope = self.scope(index);
        let numbered = std::mem::take(&mut self.versions(subject).numbered);
        let mut kept = BTreeMap::new();
        for (slot, files) in numbered {
            let wanted = wanted_ending(&policy.compression, slot, policy.naming.start);
            let (version, strays) = version_and_strays(files, wanted);
            for stray in strays {
                self.put_aside(&stray, subject, scope);
            }
            kept.extend(version.map(|v| (slot, vec![v])));
        }
        self.versions(subject).numbered = kept;
    }

    /// Whatever is no file and stands where the chain is to move is kept under another name: it must
    /// not stop this log for ever.
    fn clear_way(&mut self, index: u32, subject: &Subject) {
        let scope = self.scope(index);
        let naming = &self.request.policy.naming;
        let mut next = Some(Slot(naming.start));
        while let Some(slot) = next {
            let in_way: Vec<_> = subject
                .occupied
                .iter()
                .filter(|other| other.place == Generation::Numbered(slot))
                .collect();
            for other in &in_way {
                self.put_aside(&Held::from_occupied(other), subject, scope);
            }
            let goes_on = in_way.is_empty() && self.versions(subject).numbered.contains_key(&slot);
            next = slot.next().filter(|_| goes_on);
        }
    }

    pub(super) fn put_aside(&mut self, stray: &Held, subject: &Subject, scope: Scope) {
        let dir = self.draft.dir(&subject.old_dir);
        let name = set_aside(&stray.name, self.request.now, self.draft.taken_in(dir));
        let Some(name) = name else { return };
        let from = Place { dir, name: stray.name.clone() };
        let action = Action::Rename { from, to: Place { dir, name } };
        self.draft.push(action, stray.expect, scope, Why::SetAside);
    }

    /// `delaycompress`: the version of the last time is compressed where it is (compat ROT-31). If
    /// that fails the log is rotated all the same (fixes B-48), so the slot then holds either file.
    fn compress_first_slot(&mut self, index: u32, subject: &Subject) {
        let policy = self.request.policy;
        if !(policy.compression.is_on() && policy.compression.delayed) {
            return;
        }
        let slot = Slot(policy.naming.start);
        let files = self.versions(subject).numbered.remove(&slot).unwrap_or_default();
        if !files.iter().any(Held::is_plain) {
            self.remark_on(slot, b"", subject, |path| {
                format!("previous log {path} does not exist")
            });
        }
        let mut left = Vec::new();
        for held in files {
            left.extend(self.compress_old(index, subject, held));
        }
        if !left.is_empty() {
            self.versions(subject).numbered.insert(slot, left);
        }
    }

    /// Compresses one plain old version; gives what may stand in its place afterwards.
    pub(super) fn compress_old(&mut self, index: u32, subject: &Subject, held: Held) -> Vec<Held> {
        let Some(facts) = held.facts.filter(|_| held.is_plain()) else { return vec![held] };
        let scope = self.draft.version_scope(index);
        let dir = self.draft.dir(&subject.old_dir);
        let attributes = Attributes::of(&facts, Some((facts.accessed, facts.modified)));
        let from = Place { dir, name: held.name.clone() };
        let made = self.compress(&from, held.expect, attributes, scope, Why::DelayedCompression);
        let Some(to) = made else { return vec![held] };
        let compressed = Held {
            name: to.name,
            ending: self.request.policy.compression.extension.clone(),
            facts: None,
            expect: Expect::IfThere,
            newest_of: None,
        };
        vec![compressed, held.if_left()]
    }

    /// Expired versions go, and the chain moves up.
    fn make_room(&mut self, index: u32, subject: &Subject) {
        let policy = self.request.policy;
        let scope = self.scope(index);
        let max_age = policy.retention.max_age.as_ref().map(|s| s.value);
        let now = self.request.now;
        let age_of = |files: &[Held]| {
            files
                .iter()
                .find_map(|f| f.facts.and_then(|f| retention::expired(f.modified, now, max_age)))
        };
        let ages: BTreeMap<Slot, Option<i64>> = self
            .versions(subject)
            .numbered
            .iter()
            .map(|(&slot, files)| (slot, age_of(files)))
            .collect();
        let slots = ages
            .iter()
            .map(|(&slot, age)| (slot, age.map_or(SlotAge::Kept, |_| SlotAge::Expired)))
            .collect();
        let chain = chain(policy.naming.start, self.count(), &slots);

        if let Some(slot) = chain.dispose_first {
            let files = self.versions(subject).numbered.remove(&slot).unwrap_or_default();
            for held in files {
                self.remove(index, subject, &held, Why::Count);
                // If it had to stay (its preremove script said so) it moves out of the way.
                if let Some(refuge) = chain.refuge {
                    let scope = self.draft.version_scope(index);
                    self.shift(subject, held.if_left(), refuge, scope);
                }
            }
        }
        for slot in &chain.expired {
            let days = ages.get(slot).copied().flatten().unwrap_or_default();
            let files = self.versions(subject).numbered.remove(slot).unwrap_or_default();
            for held in &files {
                self.remove(index, subject, held, Why::Age { days });
            }
            if chain.shifts.contains(slot) {
                let left = files.into_iter().map(Held::if_left);
                self.versions(subject).numbered.insert(*slot, left.collect());
            }
        }
        let leaves =
            chain.leaves_from.and_then(|slot| self.versions(subject).numbered.remove(&slot));
        let early = leaves.as_ref().is_some_and(|files| self.goes_early(subject, files));
        if let (Some(slot), Some(files)) = (chain.leaves_from, leaves) {
            let left = files.into_iter().map(|held| {
                if !early {
                    return held;
                }
                self.let_go_early(index, subject, &held);
                // It may have to stay all the same.
                held.if_left()
            });
            let left = left.collect();
            self.versions(subject).numbered.insert(slot, left);
        }
        for slot in chain.shifts {
            let files = self.versions(subject).numbered.remove(&slot).unwrap_or_default();
            let Some(next) = slot.next() else { continue };
            let moved: Vec<_> = files
                .into_iter()
                .filter_map(|held| self.shift(subject, held, next, scope))
                .collect();
            self.versions(subject).numbered.insert(next, moved);
        }
        let versions = self.versions(subject);
        versions.leaving = chain.dispose_last.filter(|_| !early);
        let leaves = chain.dispose_last.is_some_and(|slot| versions.numbered.contains_key(&slot));
        if let KeepCount::Last(count) = policy.retention.count.value
            && !leaves
            && let Some(slot) = policy.naming.start.checked_add(count.max(1))
        {
            let ending = wanted_ending(&policy.compression, Slot(slot), policy.naming.start);
            self.remark_on(Slot(slot), ending, subject, |path| {
                format!("log {path} doesn't exist -- won't try to dispose of it")
            });
        }
    }

    fn remark_on(
        &mut self,
        slot: Slot,
        ending: &[u8],
        subject: &Subject,
        words: impl Fn(Shown<'_>) -> String,
    ) {
        if let Some(name) = self.stem(subject).numbered(slot, ending) {
            let path = subject.old_dir.join(name);
            self.remarks.push(words(Shown::path(&path)));
        }
    }

    /// Moves a version to a slot; gives it as it is there.
    fn shift(&mut self, subject: &Subject, held: Held, slot: Slot, scope: Scope) -> Option<Held> {
        let dir = self.draft.dir(&subject.old_dir);
        let name = self.stem(subject).numbered(slot, &held.ending)?;
        let to = Place { dir, name: name.clone() };
        if let Some(newest) = held.newest_of.and_then(|i| self.newest.get_mut(i as usize)) {
            *newest = Some(to.clone());
        }
        let from = Place { dir, name: held.name.clone() };
        let policy = self.request.policy;
        if held.newest_of.is_some() && policy.method.method() == Method::RenameCopy {
            // It is not there yet: it will be copied to this slot.
            return Some(Held { name, ..held });
        }
        let why = Why::Shift {
            count: match policy.retention.count.value {
                KeepCount::All => -1,
                KeepCount::Last(n) => i64::from(n.max(1)),
            },
            start: policy.naming.start,
            slot: slot.0.saturating_sub(1),
        };
        self.draft.push(Action::Rename { from, to }, held.expect, scope, why);
        Some(Held { name, ..held })
    }
}
