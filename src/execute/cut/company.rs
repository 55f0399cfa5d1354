//! The cut of a log that somebody else has open: what the file system allows.

use super::Cut;
use crate::event::{Event, Observer};
use crate::execute::site::Result;
use crate::names::Shown;
use crate::system::holders::Holder;
use crate::system::{Errno, cut as system_cut, file, gaps};

/// How far a cut may go back for the sake of a whole last line. Lines of a hundred bytes fall onto
/// the end of a block about every hundredth block.
const LINE_WINDOW: u64 = 4 << 20;

impl Cut<'_> {
    /// The second case, else the third.
    pub(super) fn in_company(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let holders = self.site.census.borrow_mut().holders(&self.log);
        let mut leave_gaps = holders.iter().filter(|h| h.writes && !h.appends).peekable();
        // Before the cut: a gap that nobody knows of would be taken for a part of the log.
        let known = leave_gaps.peek().is_some() && gaps::mark(&self.log);
        for holder in leave_gaps {
            warn(holder, &self.shown, known, observer);
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
            let most = self.copying.copied().saturating_sub(1) / size * size;
            // Nor is a head worth anything that is but a gap.
            if self.copying.length_of(most) == 0 {
                return Ok(false);
            }
            let line = if read {
                None
            } else {
                system_cut::last_line_end(&self.log, size, most, LINE_WINDOW)
                    .map_err(|errno| self.failed(errno))?
            };
            let at = line.unwrap_or(most);
            self.copying.shorten(&self.kept, at).map_err(|errno| self.failed(errno))?;
            self.publish()?;
            self.holds(self.copying.read())?;
            match system_cut::behead(&self.log, at) {
                Ok(()) => {
                    let stay = self.length(&self.log)?;
                    let reader = if read { "read along, " } else { "" };
                    let text = format!(
                        "{} is in use, {reader}cut at a boundary: {} bytes archived, {stay} stay in it, 0 at risk",
                        self.shown,
                        self.copying.length()
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
        self.holds(self.copying.read())?;
        let before = self.copying.length();
        let risk = system_cut::catch_up_and_empty(&self.log, &self.kept, &mut self.copying)
            .map_err(|errno| self.failed(errno))?;
        // Afterwards: a kill in between loses nothing, and to sync it before would only let the log
        // grow again.
        if self.copying.length() > before {
            file::sync(&self.kept).map_err(|errno| self.not_synced(errno))?;
        }
        let text = format!(
            "{} is in use and can only be emptied: {} bytes archived, about {} bytes at risk for {} microseconds",
            self.shown,
            self.copying.length(),
            risk.bytes,
            risk.time.as_micros()
        );
        observer.observe(&Event::Debug(&text));
        Ok(())
    }
}

/// `known`: the gap will be known to be one.
fn warn(holder: &Holder, log: &str, known: bool, observer: &mut dyn Observer) {
    let Holder { pid, command, .. } = holder;
    // A process chooses its name itself.
    let command = Shown(command.as_bytes());
    let next = if known { ", which the next copy will leave out" } else { "" };
    let text = format!(
        "{log}: process {pid} ({command}) writes without O_APPEND; it goes on where it was, \
         after a hole of NUL bytes{next}"
    );
    observer.observe(&Event::Warning(&text));
}
