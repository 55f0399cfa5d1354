//! A file system with little room: an old version that has to go goes first.
//!
//! As long as there is room it goes last, when the log is safe in its new place. The log is never at
//! risk from this: if its rotation fails all the same, one old version is missing that this rotation
//! would have removed, and no second one goes before a rotation has succeeded (the gap that it leaves
//! stops the chain).

use crate::config::policy::Method;
use crate::facts::Room;
use crate::units::KeepCount;

use super::Subject;
use super::generations::Held;
use super::sequence::Sequence;
use super::step::{Expect, Place, Why};

/// Room for what every rotation writes besides the logs: the journal, the state, directories.
const SPARE: Room = Room { bytes: 64 * 1024, files: 8 };

impl Sequence<'_> {
    /// Whether versions that are to go have to go before the log is rotated: otherwise there may be
    /// no room, with them gone there may.
    pub(super) fn goes_early(&self, subject: &Subject, leaving: &[Held]) -> bool {
        // A version that this plan makes cannot go before it is made, and one past its age is on its
        // way already.
        let stands = |held: &&Held| matches!(held.expect, Expect::Present(_));
        let theirs: Vec<_> = leaving.iter().filter(stands).filter_map(|held| held.facts).collect();
        if theirs.is_empty() || theirs.len() < leaving.len() {
            return false;
        }
        let Some(room) = (self.request.room)(&subject.old_dir) else { return false };
        let all: u64 = self.request.subjects.iter().map(|subject| self.needs(subject)).sum();
        let is_tight = room.bytes < all.saturating_add(SPARE.bytes) || room.files < SPARE.files;
        let gained: u64 = theirs.iter().map(|facts| facts.size).sum();
        let copies = !matches!(self.request.policy.method.method(), Method::Move);
        let is_hopeless = copies && room.bytes.saturating_add(gained) < subject.facts.size;
        is_tight && !is_hopeless
    }

    /// The most that the new version of a log may take beyond what the log takes already.
    fn needs(&self, subject: &Subject) -> u64 {
        let policy = self.request.policy;
        if self.count() == KeepCount::Last(0) {
            return 0;
        }
        let method = policy.method.method();
        let compresses = policy.compression.enabled && !policy.compression.delayed;
        // A log that is emptied, or a copied one that goes, makes room for its compressed form.
        let times = match method {
            Method::Move => u64::from(compresses),
            Method::Copy => 1 + u64::from(compresses),
            Method::CopyTruncate | Method::RenameCopy => 1,
        };
        subject.facts.size.saturating_mul(times)
    }

    /// Lets a version go, wherever in the order; a failure cancels nothing else.
    pub(super) fn let_go_early(&mut self, index: u32, subject: &Subject, held: &Held) {
        let dir = self.draft.dir(&subject.old_dir);
        let scope = self.draft.version_scope(index);
        let file = Place { dir, name: held.name.clone() };
        if !self.request.policy.mail.first {
            self.mail(&file, held.expect, scope, None);
        }
        self.remove_place(file, held.expect, scope, Why::Count);
    }
}
