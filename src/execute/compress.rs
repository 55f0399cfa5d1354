//! Compressing a file, in the program or by a command.

use std::path::Path;

use crate::event::{Event, Observer};
use crate::execute::copy::Making;
use crate::execute::site::{Effect, Result, Site, refused, system};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Action, Compressor, Place, Why};
use crate::system::child::{self, Ended, Filtered, NotRun};
use crate::system::file::{self, Access, OpenFile, Wanted};
use crate::system::packing::{self, Format};

/// Compresses a file to a temporary name (compat ROT-80 to ROT-84).
///
/// The output gets its final name only when the compressor has ended well and the output is synced;
/// the source is another step's business.
pub(super) fn compress(
    site: &Site<'_>,
    making: &Making<'_>,
    compressor: &Compressor,
    observer: &mut dyn Observer,
) -> Result {
    if let Some(id) = making.is_made(site)? {
        return Ok(Effect::already(Some(id)));
    }
    let source = making.open(site)?;
    let path = site.plan.path(making.from);
    let shown = Shown::path(&path).to_string();
    let built_in = |format: Format, output: &OpenFile| {
        packing::compress(format, &source, output)
            .map_err(|cause| Fault::new(format!("failed to compress log {shown}: {cause}")))
    };
    let fill = |output: &OpenFile| match compressor {
        Compressor::Gzip { level, members: false } => {
            built_in(Format::Gzip { level: *level }, output)
        }
        Compressor::Gzip { level, members: true } => {
            built_in(Format::GzipMembers { level: *level }, output)
        }
        Compressor::Zstd { level } => built_in(Format::Zstd { level: *level }, output),
        Compressor::Command { program, options } => {
            let arguments = options.iter().map(|o| o.0.clone().into_os_string());
            let result = child::filter(&program.0, arguments, &source, output, &path);
            judge(result, &program.0, &shown, observer)
        }
    };
    Ok(Effect::done(Some(making.make(site, fill, &source)?)))
}

/// What a compressor has done, in the reference's words (compat ROT-82, ROT-83). It may complain
/// without failing.
fn judge(
    result: std::result::Result<Filtered, NotRun>,
    program: &Path,
    shown: &str,
    observer: &mut dyn Observer,
) -> Result<()> {
    let filtered = result.unwrap_or_else(|cause| {
        let program = Shown::path(program);
        // The reference's child says so itself, on its standard error.
        let text = format!("error: cannot execute compress command '{program}': {cause}\n");
        Filtered { ended: Ended::Status(1), complaint: text.into_bytes() }
    });
    if !filtered.complaint.is_empty() {
        observer.observe(&Event::Error(&Fault::new(format!(
            "Compressing program wrote following message to stderr when compressing log {shown}:"
        ))));
        observer.observe(&Event::Raw(&filtered.complaint));
    }
    match filtered.ended {
        Ended::Well => Ok(()),
        ended => Err(Fault::new(format!("failed to compress log {shown}: {ended}"))),
    }
}

/// Makes sure that what was made from a file, which is about to be removed for it, is in place and that
/// its name is on disk too.
pub(super) fn secure(site: &Site<'_>, source: &Place, why: Why) -> Result<()> {
    let made = site.plan.steps.iter().find_map(|step| match &step.action {
        Action::Compress { from, to, .. } | Action::Copy { from, to, .. } if from == source => {
            Some(to)
        }
        _ => None,
    });
    let Some(to) = made else {
        // The removal alone was postponed; the compressed form was made sure of before.
        if why == Why::Compressed {
            return Ok(());
        }
        let what = format!("Failed to remove old log {}", site.shown(source));
        return Err(Fault::new(format!("{what}: nothing was made from it")));
    };
    let what = format!("error opening {}", site.shown(to));
    let wanted = Wanted { id: site.made.get(to).copied(), hard_links: false };
    let dir = site.dir(to)?;
    let (file, _) =
        file::open(&dir, &to.name, Access::Read, &wanted).map_err(|cause| refused(&what, cause))?;
    file::sync_with_name(&file, &dir).map_err(|errno| {
        let fault = system(&format!("error syncing {}", site.shown(to)), errno);
        // What it holds is in doubt, and the source is whole: not both are kept.
        match site.made.get(to).map(|_| site.discard(to)) {
            Some(Err(second)) => fault.with_hint(second.message),
            _ => fault,
        }
    })
}
