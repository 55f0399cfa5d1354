//! Making a file from another: a copy of a log, and what every such file has in common.

use crate::execute::site::{Effect, Result, Site, refused, system};
use crate::facts::{FileFacts, FileKind};
use crate::fault::Fault;
use crate::plan::step::{Archive, Attributes, Expect, Place};
use crate::system::Words;
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::{
    Dir, Errno, attributes as system_attributes, copy as system_copy, cut as system_cut,
    gaps::Copying, label,
};
use crate::units::FileId;

/// File times that differ by less may be the same: some file systems keep whole seconds, or two.
const SAME_TIME_SECONDS: i64 = 2;

/// Places of a step that makes a file from another.
pub(super) struct Making<'a> {
    pub from: &'a Place,
    pub temp: &'a Place,
    pub to: &'a Place,
    pub attributes: &'a Attributes,
    pub hard_links: bool,
    pub expect: Expect,
}

impl Making<'_> {
    /// Whether the final file is there already, and complete; else makes room for the temporary one.
    ///
    /// In a resumed plan, a final name without a temporary one means that the run died after giving
    /// it, unless the source was put there by this run: what is older than its source holds something
    /// else (a journal that was cut off may not tell). A temporary one is unfinished, as far as we know,
    /// and is made again. In any other case neither may be there.
    pub fn is_made(&self, site: &Site<'_>) -> Result<Option<FileId>> {
        let what = format!("error creating output file {}", site.shown(self.to));
        let (temp, to) = (site.facts(self.temp)?, site.facts(self.to)?);
        let fresh = site.fresh.contains(self.from);
        match (temp, to) {
            (None, None) => Ok(None),
            (None, Some(to)) if site.resumed && !fresh && self.can_be_ours(&to) => Ok(Some(to.id)),
            (Some(temp), Some(to)) if site.resumed && temp.id.is(&to.id) => Ok(Some(to.id)),
            (_, Some(_)) => Err(system(&what, Errno::EEXIST)),
            (Some(_), None) if site.resumed => {
                site.discard(self.temp)?;
                Ok(None)
            }
            (Some(_), None) => {
                let what = format!("error creating output file {}", site.shown(self.temp));
                Err(system(&what, Errno::EEXIST)
                    .with_hint("an interrupted run may have left it; remove it if none is at work"))
            }
        }
    }

    fn can_be_ours(&self, facts: &FileFacts) -> bool {
        let times = self.attributes.times.is_none_or(|(_, modified)| {
            (facts.modified.seconds - modified.seconds).abs() <= SAME_TIME_SECONDS
        });
        facts.kind == FileKind::Regular && times
    }

    /// Opens the source.
    pub fn open(&self, site: &Site<'_>) -> Result<OpenFile> {
        let wanted = site.wanted(self.from, self.expect, self.hard_links);
        let what = || format!("error opening {}", site.shown(self.from));
        // The new file will look like the one that was planned for, so it must be no other's copy.
        if self.expect == Expect::Made && wanted.id.is_none() {
            return Err(refused(&what(), Refused::Another));
        }
        let dir = site.dir(self.from)?;
        file::open(&dir, &self.from.name, Access::Read, &wanted)
            .map(|(file, _)| file)
            .map_err(|cause| refused(&what(), cause))
    }

    /// Makes the temporary file, lets `fill` fill it, and makes it look as it shall and safe on
    /// disk. If anything fails it is removed again; the source stays.
    pub fn make(
        &self,
        site: &Site<'_>,
        fill: impl FnOnce(&OpenFile) -> Result<()>,
        source: &OpenFile,
    ) -> Result<FileId> {
        let output = self.create(site, source)?;
        let dressed = fill(&output).and_then(|()| self.dress(site, &output, source));
        self.secure(site, &output, dressed)
    }

    /// Makes the temporary file, empty.
    pub fn create(&self, site: &Site<'_>, source: &OpenFile) -> Result<OpenFile> {
        let dir = site.dir(self.temp)?;
        let what = || format!("error creating output file {}", site.shown(self.to));
        label::like(source, || file::create_new(&dir, &self.temp.name))
            .map_err(|errno| system(&what(), errno))
    }

    /// Makes the temporary file look as it shall; not synced.
    pub fn dress(&self, site: &Site<'_>, output: &OpenFile, source: &OpenFile) -> Result<()> {
        dress(output, self.attributes, Some(source)).map_err(|errno| self.not_made(site, errno))
    }

    /// Makes the temporary file safe on disk, if all went well with it; else, or if that fails, removes it
    /// again.
    pub fn secure(
        &self,
        site: &Site<'_>,
        output: &OpenFile,
        dressed: Result<()>,
    ) -> Result<FileId> {
        let synced = dressed.and_then(|()| {
            let synced = file::sync(output).and_then(|()| file::facts(output));
            synced.map_err(|errno| self.not_made(site, errno))
        });
        match synced {
            Ok(facts) => Ok(facts.id),
            Err(fault) => Err(undo(&*site.dir(self.temp)?, self.temp, output, fault, site)),
        }
    }

    fn not_made(&self, site: &Site<'_>, errno: Errno) -> Fault {
        system(&format!("error creating output file {}", site.shown(self.to)), errno)
    }
}

/// Owner, mode, access list and times, in the order in which each leaves the earlier ones alone:
/// a new owner clears set-id bits, an access list rewrites the group bits. Not synced.
pub(super) fn dress(
    file: &OpenFile,
    attributes: &Attributes,
    source: Option<&OpenFile>,
) -> std::result::Result<(), Errno> {
    system_attributes::set_owner(file, attributes.uid, attributes.gid)?;
    system_attributes::set_mode(file, attributes.mode)?;
    if let Some(source) = source {
        system_attributes::copy_access_list(source, file)?;
    }
    if let Some((accessed, modified)) = attributes.times {
        system_attributes::set_times(file, accessed, modified)?;
    }
    Ok(())
}

/// Removes an unfinished file, if it is still what stands under its name.
pub(super) fn undo(
    dir: &Dir,
    temp: &Place,
    output: &OpenFile,
    fault: Fault,
    site: &Site<'_>,
) -> Fault {
    let ours = file::facts(output).ok();
    let there = dir.facts(&temp.name).ok().flatten();
    let removed = match (ours, there) {
        (Some(ours), Some(there)) if ours.id.is(&there.id) => file::unlink(dir, &temp.name),
        _ => Ok(()),
    };
    match removed {
        Ok(()) => fault,
        Err(errno) => fault.with_hint(format!(
            "{} is unfinished and could not be removed: {}",
            site.shown(temp),
            errno.words()
        )),
    }
}

/// Copies a log to a temporary name (compat ROT-54, ROT-56), without the gaps that our cuts have left in it,
/// if it is to be so; all other holes are kept.
pub(super) fn copy(site: &Site<'_>, making: &Making<'_>, without_gaps: bool) -> Result {
    if let Some(id) = making.is_made(site)? {
        return Ok(Effect::already(Some(id)));
    }
    let source = making.open(site)?;
    let (from, to) = (site.shown(making.from), site.shown(making.to));
    let fill = |output: &OpenFile| {
        let copied = || {
            let reserved = system_copy::reserve(&source, output)?;
            let mut copying =
                if without_gaps { Copying::without_gaps(&source)? } else { Copying::of_all() };
            copying.go_on_or_stop(&source, output)?;
            let end = copying.length();
            // The log has become shorter meanwhile, or is shorter without its gaps.
            if end < reserved { system_cut::shorten(output, end) } else { Ok(()) }
        };
        copied().map_err(|errno| system(&format!("error copying {from} to {to}"), errno))
    };
    Ok(Effect::done(Some(making.make(site, fill, &source)?)))
}

/// Copies a log that was moved aside (compat ROT-70). A file that stands under the final name already is
/// its copy only if it holds the same: the name may be another version's by now.
pub(super) fn copy_parked(site: &Site<'_>, making: &Making<'_>) -> Result {
    let (source, there) = (site.facts(making.from)?, site.facts(making.to)?);
    if let (Some(_), Some(there)) = (source, there)
        && site.resumed
    {
        let what = format!("error creating output file {}", site.shown(making.to));
        let source = making.open(site)?;
        let wanted = Wanted { id: Some(there.id), hard_links: true };
        let dir = site.dir(making.to)?;
        let copied = file::open(&dir, &making.to.name, Access::Read, &wanted);
        let (copied, facts) = copied.map_err(|cause| refused(&what, cause))?;
        let length = file::facts(&source).map_err(|errno| system(&what, errno))?.size;
        let same = system_copy::begins_with(&source, &copied);
        if facts.size != length || !same.map_err(|errno| system(&what, errno))? {
            return Err(system(&what, Errno::EEXIST));
        }
        if site.facts(making.temp)?.is_some_and(|temp| !temp.id.is(&there.id)) {
            site.discard(making.temp)?;
        }
        return Ok(Effect::already(Some(there.id)));
    }
    copy(site, making, false)
}

/// Opens the copy that this plan has made, under the name that it has by now; any other file there
/// is none of ours to append to.
pub(super) fn open_copy(site: &Site<'_>, archive: &Archive) -> Result<(OpenFile, FileId)> {
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
