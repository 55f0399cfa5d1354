//! Overwriting what is about to be removed.

use crate::event::{Event, Observer, Postponement};
use crate::execute::site::{Halt, Site, refused};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Expect, Place, Shred};
use crate::system::child::{self, Ended};
use crate::system::file::{self, Access, Refused};
use crate::system::stop;

/// Overwrites a file (compat ROT-91). It keeps its name; one that is gone by now needs nothing.
///
/// It can be done again: a run that died, or was asked to end, leaves a file that is overwritten by half, under the same name
/// and with the same identity, and the next run overwrites all of it.
///
/// # Errors
/// A file with other names, whose content would go with it, and one that cannot be written, stay and wait
/// for a later run. That `shred` fails is told and does not keep the file from being removed.
pub(super) fn shred(
    site: &Site<'_>,
    place: &Place,
    expect: Expect,
    how: Shred,
    observer: &mut dyn Observer,
) -> Result<(), Halt> {
    let shown = site.shown(place);
    let wanted = site.wanted(place, expect, how.allow_hard_links);
    let dir = site.dir(place)?;
    let file = match file::open(&dir, &place.name, Access::ReadWrite, &wanted) {
        Ok((file, _)) => file,
        Err(Refused::Missing) => return Ok(()),
        Err(cause) => {
            let reason = match cause {
                Refused::HardLinks(_) => Fault::new(format!(
                    "failed to shred \"{shown}\", because shredding files with multiple hard links is \
                     disabled for {}.",
                    Shown::path(&site.plan.block.pattern.0)
                )),
                cause => refused(&format!("error opening {shown}"), cause),
            };
            return Err(Halt::Postponed(Postponement { reason, failed: true }));
        }
    };
    observer.observe(&Event::Debug(&format!("Using shred to remove the file {shown}")));
    let mut tell = |text: String| observer.observe(&Event::Error(&Fault::new(text)));
    let ended = child::shred(&file, how.cycles).unwrap_or_else(|cause| {
        tell(format!("cannot execute shred command: {cause}"));
        Ended::Status(1)
    });
    if ended != Ended::Well && stop::requested().is_some() {
        return Err(Fault::new(format!("{shown} is overwritten in part")).into());
    }
    if ended != Ended::Well {
        tell(format!("Failed to shred {shown} ({ended}), trying unlink"));
    }
    Ok(())
}
