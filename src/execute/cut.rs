//! Emptying a log once its copy is safe, in the way that loses least (compat ROT-55; fixes B-09).
//!
//! 1. **Nobody else has the log open.** While the kernel keeps everybody from opening it, the copy
//!    catches up and is synced, and the log is emptied. Nothing can be lost.
//! 2. **Somebody has it open**, and the file system can take the head of a file away: the copy is
//!    shortened to whole blocks of the log, and just these go. The rest stays as the beginning of the
//!    log; what is being appended is not touched. Copy and log are every byte, once.
//! 3. **Neither.** The copy catches up until a read finds nothing, and the log is emptied at once. What
//!    is written in that moment, or being written, is lost; how long it was, and how much that may be, is told.
//!
//! In the second the copy has its final length before it gets its final name, unless the log was opened
//! just then. The log goes only after both are synced.
//!
//! In the last two a writer without `O_APPEND` leaves a gap in the log, which the next copy leaves out: see
//! [`gaps`]. They stand in [`company`].

mod company;

use crate::event::{Event, Observer};
use crate::execute::copy::open_copy;
use crate::execute::rename::{discard_copy, publish};
use crate::execute::site::{Effect, Result, Site, refused, system};
use crate::fault::Fault;
use crate::plan::step::{Archive, Expect, Place};
use crate::system::file::{self, Access, OpenFile, Refused};
use crate::system::gaps::{self, Copying};
use crate::system::{Errno, lease};
use crate::units::FileId;

/// Rounds of catching up and syncing before a log is cut all the same: a writer that never pauses
/// must not keep us for ever.
const ROUNDS: u32 = 3;

/// A step that empties a log.
pub(super) struct Cutting<'a> {
    pub log: &'a Place,
    pub archive: Option<&'a Archive>,
    pub hard_links: bool,
    pub expect: Expect,
    /// A run that died had begun it, and nothing tells whether it was done.
    pub in_doubt: bool,
}

/// Empties a log.
pub(super) fn cut(site: &Site<'_>, step: &Cutting<'_>, observer: &mut dyn Observer) -> Result {
    let shown = site.shown(step.log);
    let wanted = site.wanted(step.log, step.expect, step.hard_links);
    let dir = site.dir(step.log)?;
    let log = match file::open(&dir, &step.log.name, Access::ReadWrite, &wanted) {
        Ok((log, _)) => log,
        Err(cause) => {
            // With `su`, a log that may be read and not written; its copy is of no use.
            let there = site.facts(step.log)?.map(|facts| facts.id);
            let untouched = !step.in_doubt && there.is_some() && there == wanted.id;
            if let Some(archive) = step.archive.filter(|_| untouched) {
                discard_copy(site, &archive.temp)?;
            }
            return Err(refused(&format!("error opening {shown}"), cause));
        }
    };
    let Some(archive) = step.archive else {
        // What it holds now may be new: keep it, the next rotation takes it.
        if step.in_doubt {
            return Ok(Effect::already(None));
        }
        file::empty(&log).map_err(|errno| system(&format!("error truncating {shown}"), errno))?;
        return Ok(Effect::done(None));
    };
    let done = Cut::open(site, shown, log, archive).and_then(|mut cut| {
        let done = cut.make(observer);
        if done.is_err() { cut.take_back(done) } else { done }
    });
    if done.is_err() {
        // Without its final name it is a copy of a log that is whole.
        discard_copy(site, &archive.temp)?;
    }
    done
}

/// A log, and its copy.
struct Cut<'a> {
    site: &'a Site<'a>,
    /// The log's path.
    shown: String,
    log: OpenFile,
    archive: &'a Archive,
    kept: OpenFile,
    id: FileId,
    /// How the copy is made, and how far it has come.
    copying: Copying,
}

impl<'a> Cut<'a> {
    fn open(
        site: &'a Site<'a>,
        shown: String,
        log: OpenFile,
        archive: &'a Archive,
    ) -> Result<Self> {
        let (kept, id) = open_copy(site, archive)?;
        let mut cut = Self { site, shown, log, archive, kept, id, copying: Copying::of_all() };
        cut.copying = Copying::without_gaps(&cut.log).map_err(|errno| cut.failed(errno))?;
        Ok(cut)
    }

    fn make(&mut self, observer: &mut dyn Observer) -> Result {
        let copied = if self.site.resumed { self.not_cut() } else { self.copied() };
        match copied.map_err(|errno| self.failed(errno))? {
            Some(copying) => self.copying = copying,
            None if self.site.resumed => {
                self.publish()?;
                return Ok(Effect::already(Some(self.id)));
            }
            None => {
                // The copy may be all that is left.
                self.publish()?;
                return Err(self.shrunk());
            }
        }
        self.catch_up()?;
        if lease::exclusive(&self.log).is_ok() {
            // Not under the lease: who opens the log meanwhile need not wait until the disk is done.
            self.publish()?;
            if self.emptied_alone(observer)? {
                return Ok(Effect::done(Some(self.id)));
            }
        }
        self.in_company(observer)?;
        Ok(Effect::done(Some(self.id)))
    }

    /// How far the copy has come, unless the log is too short.
    fn copied(&self) -> std::result::Result<Option<Copying>, Errno> {
        self.copying.clone().up_to_end_of(&self.log, &self.kept)
    }

    /// The same, if the log has the same head: it was not cut, or has grown again to the very same text;
    /// either way no line is missing if we go on.
    fn not_cut(&self) -> std::result::Result<Option<Copying>, Errno> {
        let same = self.copying.clone().if_begins_with(&self.log, &self.kept)?;
        if same.is_some() || !self.copying.leaves_out() {
            return Ok(same);
        }
        // It may have got its mark after it was copied.
        Copying::of_all().if_begins_with(&self.log, &self.kept)
    }

    /// Copies and syncs what the log has gained, until a sync has found nothing new.
    fn catch_up(&mut self) -> Result<()> {
        for _ in 0..ROUNDS {
            let before = self.copying.length();
            let copied = self.copying.go_on(&self.log, &self.kept);
            copied.map_err(|errno| self.not_copied(errno))?;
            if self.copying.length() == before {
                break;
            }
            file::sync(&self.kept).map_err(|errno| self.not_synced(errno))?;
        }
        Ok(())
    }

    /// Whether nobody else had the log open, and it is empty.
    fn emptied_alone(&mut self, observer: &mut dyn Observer) -> Result<bool> {
        for round in 1.. {
            let Ok(lease) = lease::exclusive(&self.log) else { return Ok(false) };
            // Who opens it, writes a line and closes it again must not wait for the disk next time.
            if round < ROUNDS && self.length(&self.log)? > self.copying.read() {
                drop(lease);
                self.catch_up()?;
                continue;
            }
            self.alone(self.copying.clone(), observer)?;
            break;
        }
        Ok(true)
    }

    /// The first case; under a lease.
    fn alone(&self, mut copying: Copying, observer: &mut dyn Observer) -> Result<()> {
        copying
            .go_on(&self.log, &self.kept)
            .and_then(|()| copying.end(&self.kept))
            .map_err(|errno| self.not_copied(errno))?;
        if copying.length() > self.copying.length() {
            file::sync(&self.kept).map_err(|errno| self.not_synced(errno))?;
        }
        self.holds(copying.read())?;
        file::empty(&self.log).map_err(|errno| self.failed(errno))?;
        if copying.leaves_out() {
            gaps::unmark(&self.log);
        }
        let text = format!(
            "{} is open nowhere else: {} bytes archived, 0 stay in it, 0 at risk",
            self.shown,
            copying.length()
        );
        observer.observe(&Event::Debug(&text));
        Ok(())
    }

    // ---- Parts ------------------------------------------------------------------------------

    /// Gives the copy its final name, unless it has it, and syncs both.
    fn publish(&self) -> Result<()> {
        let Archive { temp, to } = self.archive;
        let is_at = |place| -> Result<bool> {
            Ok(self.site.facts(place)?.is_some_and(|facts| facts.id.is(&self.id)))
        };
        if !is_at(to)? || is_at(temp)? {
            publish(self.site, temp, to)?;
        }
        let dir = self.site.dir(to)?;
        file::sync_with_name(&self.kept, &dir).map_err(|errno| self.not_synced(errno))
    }

    /// Removes the copy from its final name, if all of it is still in the log: the next run makes
    /// another, and would keep the same lines twice.
    fn take_back(&self, failed: Result) -> Result {
        let Archive { to, .. } = self.archive;
        let ours = self.site.facts(to)?.is_some_and(|f| f.id.is(&self.id) && f.links == 1);
        if ours && self.not_cut().is_ok_and(|copying| copying.is_some()) {
            self.site.discard(to)?;
        }
        failed
    }

    /// Whether the log still has all that was copied of it.
    fn holds(&self, length: u64) -> Result<()> {
        if self.length(&self.log)? < length { Err(self.shrunk()) } else { Ok(()) }
    }

    fn length(&self, file: &OpenFile) -> Result<u64> {
        file::facts(file).map(|facts| facts.size).map_err(|errno| self.failed(errno))
    }

    fn not_copied(&self, errno: Errno) -> Fault {
        let to = self.site.shown(&self.archive.to);
        system(&format!("error copying {} to {to}", self.shown), errno)
    }

    fn failed(&self, errno: Errno) -> Fault {
        system(&format!("error truncating {}", self.shown), errno)
    }

    fn shrunk(&self) -> Fault {
        refused(&format!("error truncating {}", self.shown), Refused::Another)
            .with_hint("it has become shorter since it was copied: somebody else truncates it too")
    }

    fn not_synced(&self, errno: Errno) -> Fault {
        system(&format!("error syncing {}", self.site.shown(&self.archive.to)), errno)
    }
}
