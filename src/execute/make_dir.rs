//! Making a directory for old versions.

use crate::execute::site::{Effect, Result, Site, system};
use crate::facts::FileKind;
use crate::plan::step::{DirAttributes, Place};
use crate::system::{Errno, directory};

/// Makes a directory (compat CFG-80, CFG-81). One that is there is taken as it is, except that a
/// resumed step finishes what it had only just made.
pub(super) fn make_dir(site: &Site<'_>, place: &Place, attributes: &DirAttributes) -> Result {
    let what = format!("error creating directory {}", site.shown(place));
    let dir = site.dir(place)?;
    let DirAttributes { mode, uid, gid } = *attributes;
    let there = site.facts(place)?;
    match there {
        None => directory::make(&dir, &place.name).map_err(|errno| system(&what, errno))?,
        Some(facts) if facts.kind != FileKind::Directory => {
            return Err(system(&what, Errno::EEXIST));
        }
        Some(facts) if !site.resumed || !directory::is_unfinished(&facts) => {
            return Ok(Effect::already(None));
        }
        Some(_) => {}
    }
    match directory::dress(&dir, &place.name, mode, uid, gid) {
        // It is in use already, so it was finished.
        Err(Errno::EEXIST) if there.is_some() => Ok(Effect::already(None)),
        Err(errno) => Err(system(&what, errno)),
        Ok(()) => Ok(Effect::done(None)),
    }
}
