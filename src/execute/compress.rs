//! Compressing a file, in the program or by a command.

use std::path::Path;

use crate::event::{Event, Observer};
use crate::execute::copy::Making;
use crate::execute::site::{Effect, Halt, Result, Site, refused, system};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Action, Compressor, Effort, Place, Step};
use crate::system::child::{self, Ended as ChildEnded, Filtered, NotRun};
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::packing::pool::{Ended, Task};
use crate::system::packing::{Format, NotCompressed, usual_jobs};
use crate::system::{Errno, file_system};
use crate::units::FileId;

/// A step that compresses.
pub(super) struct Compressing<'a> {
    pub making: Making<'a>,
    pub compressor: &'a Compressor,
    pub effort: Effort,
}

impl<'a> Compressing<'a> {
    /// The step, if it is one.
    pub fn of(step: &'a Step) -> Option<Self> {
        let Action::Compress { from, temp, to, compressor, effort, attributes, .. } = &step.action
        else {
            return None;
        };
        let Action::Compress { allow_hard_links, .. } = step.action else { return None };
        let (hard_links, expect) = (allow_hard_links, step.expect);
        let making = Making { from, temp, to, attributes, hard_links, expect };
        Some(Self { making, compressor, effort: *effort })
    }

    /// What is made, if a thread of ours makes it.
    pub fn format(&self) -> Option<Format> {
        match *self.compressor {
            Compressor::Gzip { level, members: false } => Some(Format::Gzip { level }),
            Compressor::Gzip { level, members: true } => Some(Format::GzipMembers { level }),
            Compressor::Zstd { level } => Some(Format::Zstd { level }),
            Compressor::Command { .. } => None,
        }
    }

    /// Opens what a thread needs, unless all was done by a run that died.
    ///
    /// With `at_once` the file has all threads that there may be: somebody waits for it.
    pub fn open(&self, site: &Site<'_>, format: Format, at_once: bool) -> Result<Opened> {
        if let Some(id) = self.making.is_made(site)? {
            return Ok(Opened::Made(id));
        }
        let input = self.making.open(site)?;
        let length = file::facts(&input)
            .map_err(|errno| {
                system(&format!("stat of {} failed", site.shown(self.making.from)), errno)
            })?
            .size;
        let jobs = self.effort.jobs.map_or_else(usual_jobs, usize::from);
        let threads = format.threads(if at_once { u64::MAX } else { length }, jobs);
        Ok(Opened::Ready { input, threads, jobs })
    }

    /// Why a file that could not be compressed by an earlier run is not tried now: what is left of its
    /// file system would be filled once more. (Logs shrink to a quarter, and mostly to much less.)
    pub fn lacks_room(&self, site: &Site<'_>) -> Option<Fault> {
        let length = site.facts(self.making.from).ok()??.size;
        let dir = site.dir(self.making.to).ok()?;
        let room = file_system::free(&dir).ok()?;
        if room.bytes >= length / 4 && room.files > 0 {
            return None;
        }
        let what = format!("{} is not compressed yet", site.shown(self.making.from));
        Some(file_system::explain(system(&what, Errno::ENOSPC), &dir))
    }

    /// Makes the output, and with it the task.
    pub fn task(
        &self,
        site: &Site<'_>,
        format: Format,
        ticket: u64,
        (input, threads): (OpenFile, usize),
    ) -> Result<Task> {
        let output = self.making.create(site, &input)?;
        Ok(Task { ticket, format, input, output, threads, idle: self.effort.idle })
    }

    /// What became of the task. The output gets its final name only later, and the source is another
    /// step's business.
    pub fn end(&self, site: &Site<'_>, ended: &Ended) -> Result {
        let shown = site.shown(self.making.from);
        let filled = ended.result.map_err(|cause| {
            let fault = Fault::new(format!("failed to compress log {shown}: {cause}"));
            match cause {
                NotCompressed::System(errno) => Fault { errno: Some(errno as i32), ..fault },
                NotCompressed::Unlike => fault,
            }
        });
        let id = self.making.complete(site, &ended.output, filled, &ended.input)?;
        Ok(Effect::done(Some(id)))
    }
}

/// What is needed to compress a file.
pub(super) enum Opened {
    /// Nothing: this is it.
    Made(FileId),
    /// The source; how many threads are to work on it, and on all.
    Ready { input: OpenFile, threads: usize, jobs: usize },
}

/// Compresses a file to a temporary name by a command (compat ROT-80 to ROT-84).
pub(super) fn by_command(
    site: &Site<'_>,
    compressing: &Compressing<'_>,
    observer: &mut dyn Observer,
) -> Result {
    let (making, Compressor::Command { program, options }) =
        (&compressing.making, compressing.compressor)
    else {
        return Err(Fault::new("no command compresses this"));
    };
    if let Some(id) = making.is_made(site)? {
        return Ok(Effect::already(Some(id)));
    }
    let source = making.open(site)?;
    let path = site.plan.path(making.from);
    let shown = Shown::path(&path).to_string();
    let dir = site.dir(making.to)?;
    let fill = |output: &OpenFile| {
        let arguments = options.iter().map(|o| o.0.clone().into_os_string());
        let result = child::filter(&program.0, arguments, &source, output, &path);
        // To see why, what it has made must still be there.
        judge(result, &program.0, &shown, observer)
            .map_err(|(fault, complaint)| file_system::blame_if_full(fault, &complaint, &dir))
    };
    Ok(Effect::done(Some(making.make(site, fill, &source)?)))
}

/// What a compressor has done, in the reference's words (compat ROT-82, ROT-83). It may complain
/// without failing; what it said comes back with the fault.
fn judge(
    result: std::result::Result<Filtered, NotRun>,
    program: &Path,
    shown: &str,
    observer: &mut dyn Observer,
) -> std::result::Result<(), (Fault, Vec<u8>)> {
    let filtered = result.unwrap_or_else(|cause| {
        let program = Shown::path(program);
        // The reference's child says so itself, on its standard error.
        let text = format!("error: cannot execute compress command '{program}': {cause}\n");
        Filtered { ended: ChildEnded::Status(1), complaint: text.into_bytes() }
    });
    if !filtered.complaint.is_empty() {
        observer.observe(&Event::Error(&Fault::new(format!(
            "Compressing program wrote following message to stderr when compressing log {shown}:"
        ))));
        observer.observe(&Event::Raw(&filtered.complaint));
    }
    match filtered.ended {
        ChildEnded::Well => Ok(()),
        ended => {
            let fault = Fault::new(format!("failed to compress log {shown}: {ended}"));
            Err((fault, filtered.complaint))
        }
    }
}

/// Makes sure that what was made from a file, which is about to be removed for it, is in place and that
/// its name is on disk too.
///
/// # Errors
/// If it is not. What was made is in doubt then, and is removed: it is made again by a later run.
pub(super) fn secure(site: &Site<'_>, source: &Place) -> std::result::Result<(), Halt> {
    // It stands shortly before: a plan may have thousands of other logs.
    let mut earlier = site.plan.steps.iter().take(site.at).rev();
    let made = earlier.find_map(|step| match &step.action {
        Action::Compress { from, to, .. } | Action::Copy { from, to, .. } if from == source => {
            Some(to)
        }
        _ => None,
    });
    let Some(to) = made else {
        // The removal alone was postponed; what was made was made sure of before.
        return Ok(());
    };
    let what = format!("error opening {}", site.shown(to));
    let wanted = Wanted { id: site.made.get(to).copied(), hard_links: false };
    let dir = site.dir(to)?;
    let opened = file::open(&dir, &to.name, Access::Read, &wanted);
    let (file, _) = opened.map_err(|cause| match (cause, wanted.id) {
        // A run that died has removed it, as below.
        (Refused::Missing, Some(_)) => Halt::Undone(refused(&what, cause)),
        _ => Halt::Failed(refused(&what, cause)),
    })?;
    file::sync_with_name(&file, &dir).map_err(|errno| {
        let fault = system(&format!("error syncing {}", site.shown(to)), errno);
        // What it holds is in doubt, and the source is whole: not both are kept.
        match site.made.get(to).map(|_| site.discard(to)) {
            Some(Ok(())) => Halt::Undone(fault),
            Some(Err(second)) => Halt::Failed(fault.with_hint(second.message)),
            None => Halt::Failed(fault),
        }
    })
}
