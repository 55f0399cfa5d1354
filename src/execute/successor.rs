//! What was made from a file that is about to be removed for it.

use std::rc::Rc;

use crate::execute::site::{Result, Site, refused, system};
use crate::fault::Fault;
use crate::plan::step::{Action, Place, Why};
use crate::system::file::{self, Access, OpenFile, Wanted};
use crate::system::{Dir, Errno};

/// Whether what is removed for this reason has a successor.
pub(super) fn replaces(why: Why) -> bool {
    matches!(why, Why::Compressed | Why::Parked)
}

/// It, in place.
pub(super) struct Successor {
    file: OpenFile,
    dir: Rc<Dir>,
    place: Place,
}

impl Successor {
    /// Opens the successor of a file. `None` if an earlier run has made sure of it.
    pub fn of(site: &Site<'_>, source: &Place, why: Why) -> Result<Option<Self>> {
        // It stands shortly before: a plan may have thousands of other logs.
        let mut earlier = site.plan.steps.iter().take(site.at).rev();
        let made = earlier.find_map(|step| match &step.action {
            Action::Compress { from, to, .. } | Action::Copy { from, to, .. } if from == source => {
                Some(to)
            }
            _ => None,
        });
        let Some(to) = made else {
            // The removal alone was postponed.
            if why == Why::Compressed {
                return Ok(None);
            }
            let what = format!("Failed to remove old log {}", site.shown(source));
            return Err(Fault::new(format!("{what}: nothing was made from it")));
        };
        let what = format!("error opening {}", site.shown(to));
        let wanted = Wanted { id: site.made.get(to).copied(), hard_links: false };
        let dir = site.dir(to)?;
        let (file, _) = file::open(&dir, &to.name, Access::Read, &wanted)
            .map_err(|cause| refused(&what, cause))?;
        Ok(Some(Self { file, dir, place: to.clone() }))
    }

    /// Where it is.
    pub fn dir(&self) -> &Rc<Dir> {
        &self.dir
    }

    /// Waits until its content is on disk.
    pub fn sync_content(&self) -> std::result::Result<(), Errno> {
        file::sync(&self.file)
    }

    /// Waits until its name is on disk, and all others in its directory.
    pub fn sync_name(&self) -> std::result::Result<(), Errno> {
        file::sync_name(&self.file, &self.dir)
    }

    /// It could not be synced: what it holds is in doubt, and the source is whole: not both are kept.
    pub fn in_doubt(&self, site: &Site<'_>, errno: Errno) -> Fault {
        let fault = system(&format!("error syncing {}", site.shown(&self.place)), errno);
        match site.made.get(&self.place).map(|_| site.discard(&self.place)) {
            Some(Err(second)) => fault.with_hint(second.message),
            _ => fault,
        }
    }
}

/// Makes sure that the successor of a file is in place, and that its content and its name are on disk.
pub(super) fn secure(site: &Site<'_>, source: &Place, why: Why) -> Result<()> {
    let Some(successor) = Successor::of(site, source, why)? else { return Ok(()) };
    let synced = successor.sync_content().and_then(|()| successor.sync_name());
    synced.map_err(|errno| successor.in_doubt(site, errno))
}
