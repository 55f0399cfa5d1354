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
//! In the first two the copy has its final length before it gets its final name. The log goes only
//! after both are synced.

use crate::event::{Event, Observer};
use crate::execute::rename::{discard_copy, publish};
use crate::execute::site::{Effect, Result, Site, refused, system};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Archive, Expect, Place};
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::holders::{self, Holder};
use crate::system::{Errno, copy, cut as system_cut, lease};
use crate::units::FileId;

/// Rounds of catching up and syncing before a log is cut all the same: a writer that never pauses
/// must not keep us for ever.
const ROUNDS: u32 = 3;

/// How far a cut may go back for the sake of a whole last line. Lines of a hundred bytes fall onto
/// the end of a block about every hundredth block.
const LINE_WINDOW: u64 = 4 << 20;

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
    /// Up to where the log is in the copy.
    at: u64,
}

impl<'a> Cut<'a> {
    fn open(
        site: &'a Site<'a>,
        shown: String,
        log: OpenFile,
        archive: &'a Archive,
    ) -> Result<Self> {
        let (kept, id) = open_copy(site, archive)?;
        let mut cut = Self { site, shown, log, archive, kept, id, at: 0 };
        cut.at = cut.length(&cut.kept)?;
        Ok(cut)
    }

    fn make(&mut self, observer: &mut dyn Observer) -> Result {
        if self.site.resumed {
            // The same head: it was not cut, or has grown again to the very same text; either way
            // no line is missing if we go on.
            if !copy::begins_with(&self.log, &self.kept).map_err(|errno| self.failed(errno))? {
                self.publish()?;
                return Ok(Effect::already(Some(self.id)));
            }
        } else if self.length(&self.log)? < self.at {
            // The copy may be all that is left.
            self.publish()?;
            return Err(self.shrunk());
        }
        self.catch_up()?;
        if let Ok(_lease) = lease::exclusive(&self.log) {
            self.alone(observer)?;
            return Ok(Effect::done(Some(self.id)));
        }
        self.in_company(observer)?;
        Ok(Effect::done(Some(self.id)))
    }

    /// Copies and syncs what the log has gained, until a sync has found nothing new.
    fn catch_up(&mut self) -> Result<()> {
        for _ in 0..ROUNDS {
            let end = self.copy_on()?;
            if end == self.at {
                break;
            }
            self.at = end;
            file::sync(&self.kept).map_err(|errno| self.not_synced(errno))?;
        }
        Ok(())
    }

    /// The first case; under a lease.
    fn alone(&self, observer: &mut dyn Observer) -> Result<()> {
        let end = self.copy_on()?;
        self.publish()?;
        if self.length(&self.log)? < end {
            return Err(self.shrunk());
        }
        file::empty(&self.log).map_err(|errno| self.failed(errno))?;
        let text = format!(
            "{} is open nowhere else: {} bytes archived, 0 stay in it, 0 at risk",
            self.shown, end
        );
        observer.observe(&Event::Debug(&text));
        Ok(())
    }

    /// The second case, else the third.
    fn in_company(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let holders = holders::of(&self.log).unwrap_or_default();
        for holder in holders.iter().filter(|holder| holder.writes && !holder.appends) {
            warn(holder, &self.shown, observer);
        }
        // Who reads along starts again from the beginning when the log gets shorter.
        let read = holders.iter().any(|holder| holder.reads);
        if !self.behead(read, observer)? {
            self.empty(observer)?;
        }
        Ok(())
    }

    /// Whether the head could be taken away.
    fn behead(&mut self, read: bool, observer: &mut dyn Observer) -> Result<bool> {
        if !system_cut::can_behead(&self.log) {
            return Ok(false);
        }
        let mut unit = Some(system_cut::block_size(&self.log).map_err(|e| self.failed(e))?);
        while let Some(size) = unit {
            // Something must be left.
            let most = self.at.saturating_sub(1) / size * size;
            if most == 0 {
                return Ok(false);
            }
            let line = if read {
                None
            } else {
                system_cut::last_line_end(&self.kept, size, most, LINE_WINDOW)
                    .map_err(|errno| self.failed(errno))?
            };
            let at = line.unwrap_or(most);
            system_cut::shorten(&self.kept, at).map_err(|errno| self.failed(errno))?;
            self.at = at;
            self.publish()?;
            self.whole()?;
            match system_cut::behead(&self.log, at) {
                Ok(()) => {
                    let stay = self.length(&self.log)?;
                    let reader = if read { "read along, " } else { "" };
                    let text = format!(
                        "{} is in use, {reader}cut at a boundary: {at} bytes archived, {stay} stay in it, 0 at risk",
                        self.shown
                    );
                    observer.observe(&Event::Debug(&text));
                    return Ok(true);
                }
                // It keeps files in larger units than it says.
                Err(Errno::EINVAL) => unit = system_cut::larger_unit(size),
                Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => return Ok(false),
                Err(errno) => return Err(self.failed(errno)),
            }
        }
        Ok(false)
    }

    /// The third case.
    fn empty(&mut self, observer: &mut dyn Observer) -> Result<()> {
        self.catch_up()?;
        self.publish()?;
        self.whole()?;
        let risk = system_cut::catch_up_and_empty(&self.log, &self.kept, self.at)
            .map_err(|errno| self.failed(errno))?;
        // Afterwards: a kill in between loses nothing, and to sync it before would only let the log
        // grow again.
        if risk.end > self.at {
            file::sync(&self.kept).map_err(|errno| self.not_synced(errno))?;
        }
        self.at = risk.end;
        let text = format!(
            "{} is in use and can only be emptied: {} bytes archived, about {} bytes at risk for {} microseconds",
            self.shown,
            risk.end,
            risk.bytes,
            risk.time.as_micros()
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
        if ours && copy::begins_with(&self.log, &self.kept).unwrap_or(false) {
            self.site.discard(to)?;
        }
        failed
    }

    /// Whether the log still has all that was copied of it.
    fn whole(&self) -> Result<()> {
        if self.length(&self.log)? < self.at { Err(self.shrunk()) } else { Ok(()) }
    }

    fn copy_on(&self) -> Result<u64> {
        copy::content(&self.log, &self.kept, self.at).map_err(|errno| {
            let to = self.site.shown(&self.archive.to);
            system(&format!("error copying {} to {to}", self.shown), errno)
        })
    }

    fn length(&self, file: &OpenFile) -> Result<u64> {
        file::facts(file).map(|facts| facts.size).map_err(|errno| self.failed(errno))
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

/// Opens the copy that this plan has made, under the name that it has by now; any other file there
/// is none of ours to append to.
fn open_copy(site: &Site<'_>, archive: &Archive) -> Result<(OpenFile, FileId)> {
    let Archive { temp, to } = archive;
    let what = format!("error opening {}", site.shown(to));
    let made = site.made.get(temp).or_else(|| site.made.get(to));
    let Some(&id) = made else { return Err(refused(&what, Refused::Another)) };
    // Two names: a run died in the middle of a rename in two steps.
    let wanted = Wanted { id: Some(id), hard_links: site.resumed };
    let unpublished = site.facts(temp)?.is_some_and(|facts| facts.id.is(&id));
    let place = if unpublished { temp } else { to };
    let dir = site.dir(place)?;
    file::open(&dir, &place.name, Access::ReadWrite, &wanted)
        .map(|(file, facts)| (file, facts.id))
        .map_err(|cause| refused(&what, cause))
}

fn warn(holder: &Holder, log: &str, observer: &mut dyn Observer) {
    let Holder { pid, command, .. } = holder;
    // A process chooses its name itself.
    let command = Shown(command.as_bytes());
    let text = format!(
        "{log}: process {pid} ({command}) writes without O_APPEND; it goes on where it was, \
         after a hole of NUL bytes"
    );
    observer.observe(&Event::Warning(&text));
}
