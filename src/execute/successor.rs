//! What was made from a file that is about to be removed for it.

use std::sync::Arc;

use crate::execute::site::{Halt, Site, refused, system};
use crate::plan::step::{Action, Place};
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::{Dir, Errno};

/// It, in place.
pub(super) struct Successor {
    file: OpenFile,
    dir: Arc<Dir>,
    place: Place,
}

impl Successor {
    /// Opens the successor of a file. `None` if an earlier run has made sure of it.
    pub fn of(site: &Site<'_>, source: &Place) -> Result<Option<Self>, Halt> {
        // It stands shortly before: a plan may have thousands of other logs.
        let mut earlier = site.plan.steps.iter().take(site.at).rev();
        let made = earlier.find_map(|step| match &step.action {
            Action::Compress { from, to, .. } | Action::Copy { from, to, .. } if from == source => {
                Some(to)
            }
            _ => None,
        });
        // The removal alone was postponed.
        let Some(to) = made else { return Ok(None) };
        let what = format!("error opening {}", site.shown(to));
        let wanted = Wanted { id: site.made.get(to).copied(), hard_links: false };
        let dir = site.dir(to)?;
        let opened = file::open(&dir, &to.name, Access::Read, &wanted);
        let (file, _) = opened.map_err(|cause| match (cause, wanted.id) {
            // A run that died has removed it, as below.
            (Refused::Missing, Some(_)) => Halt::Undone(refused(&what, cause)),
            _ => Halt::Failed(refused(&what, cause)),
        })?;
        Ok(Some(Self { file, dir, place: to.clone() }))
    }

    /// Where it is.
    pub fn dir(&self) -> &Arc<Dir> {
        &self.dir
    }

    /// Waits until its content is on disk.
    pub fn sync_content(&self) -> Result<(), Errno> {
        file::sync(&self.file)
    }

    /// Waits until its name is on disk, and all others in its directory.
    pub fn sync_name(&self) -> Result<(), Errno> {
        file::sync_name(&self.file, &self.dir)
    }

    /// It could not be synced: what it holds is in doubt, and the source is whole: not both are kept, and
    /// it is made again by a later run.
    pub fn in_doubt(&self, site: &Site<'_>, errno: Errno) -> Halt {
        let fault = system(&format!("error syncing {}", site.shown(&self.place)), errno);
        match site.made.get(&self.place).map(|_| site.discard(&self.place)) {
            Some(Ok(())) => Halt::Undone(fault),
            Some(Err(second)) => Halt::Failed(fault.with_hint(second.message)),
            None => Halt::Failed(fault),
        }
    }
}

/// Makes sure that the successor of a file is in place, and that its content and its name are on disk.
pub(super) fn secure(site: &Site<'_>, source: &Place) -> Result<(), Halt> {
    let Some(successor) = Successor::of(site, source)? else { return Ok(()) };
    file::sync_with_name(&successor.file, &successor.dir)
        .map_err(|errno| successor.in_doubt(site, errno))
}
