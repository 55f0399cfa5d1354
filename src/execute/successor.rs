//! What was made from a file that is about to be removed for it.

use std::rc::Rc;

use crate::execute::site::{Halt, Site, refused, system};
use crate::fault::Fault;
use crate::names::FileName;
use crate::plan::step::{Action, Place, Why};
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::{Dir, Errno};

/// It, in place.
pub(super) struct Successor {
    file: OpenFile,
    dir: Rc<Dir>,
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
    pub fn dir(&self) -> &Rc<Dir> {
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

/// Whether something that was made from a version is still there. It was on disk when the removal of the
/// version was postponed, but that disk had trouble, and somebody may have tidied up since.
fn stands(site: &Site<'_>, source: &Place) -> Result<(), Halt> {
    let why = site.plan.steps.get(site.at).map(|step| step.why);
    if why != Some(Why::Compressed) {
        return Ok(());
    }
    let what = format!("Failed to remove old log {}", site.shown(source));
    let names = site.dir(source)?.names().map_err(|errno| system(&what, errno))?;
    // `a.log.1.gz`, and not `a.log.10`.
    let is_made_of_it = |name: &FileName| {
        let rest = name.as_bytes().strip_prefix(source.name.as_bytes()).unwrap_or_default();
        rest.first().is_some_and(|byte| !byte.is_ascii_digit())
    };
    if names.iter().any(is_made_of_it) {
        return Ok(());
    }
    Err(Fault::new(format!("{what}: its compressed form is gone"))
        .with_hint("it stays as it is, an old version like the others")
        .into())
}

/// Makes sure that the successor of a file is in place, and that its content and its name are on disk.
pub(super) fn secure(site: &Site<'_>, source: &Place) -> Result<(), Halt> {
    let Some(successor) = Successor::of(site, source)? else { return stands(site, source) };
    file::sync_with_name(&successor.file, &successor.dir)
        .map_err(|errno| successor.in_doubt(site, errno))
}
