//! From a step to what is done about it.

use crate::event::{Observer, Postponement};
use crate::execute::ScriptTexts;
use crate::execute::compress::{Compressing, by_command};
use crate::execute::copy::{Making, copy, copy_parked, dress, undo};
use crate::execute::cut::{Cutting, cut};
use crate::execute::mail::mail;
use crate::execute::make_dir::make_dir;
use crate::execute::rename::{install, publish, rename};
use crate::execute::script::{self, Ran};
use crate::execute::shred::shred;
use crate::execute::signal::signal;
use crate::execute::site::{Effect, Halt, Site, refused, system};
use crate::execute::successor::secure;
use crate::facts::FileKind;
use crate::fault::Fault;
use crate::plan::step::{
    Action, Attributes, Expect, Place, ScriptCall, ScriptRef, Shred, Step, Why,
};
use crate::system::file::{self, Refused};
use crate::system::{Errno, attributes as system_attributes, file_system, freeing, label};

/// Whom a step may call on besides the disk.
pub(super) struct Company<'a> {
    pub scripts: &'a dyn ScriptTexts,
    pub observer: &'a mut dyn Observer,
    /// How often a run began this step before and died; more than once, and a script is given up.
    pub interrupted: u32,
}

/// A script that was interrupted so often is not tried again.
pub(super) const MOST_INTERRUPTED: u32 = 2;

/// Whether the journal says that a step begins, and not only that it has ended: steps that cannot
/// tell from the disk whether they were done.
pub(super) fn is_announced(action: &Action) -> bool {
    match action {
        Action::Script(_) | Action::Mail { .. } | Action::Remove { pre_remove: Some(_), .. } => {
            true
        }
        Action::Cut { archive, .. } => archive.is_none(),
        Action::Rename { .. }
        | Action::MakeDir { .. }
        | Action::Create { .. }
        | Action::Install { .. }
        | Action::Copy { .. }
        | Action::Publish { .. }
        | Action::Compress { .. }
        | Action::Signal(_)
        | Action::Remove { pre_remove: None, .. } => false,
    }
}

/// Whether the disk shows that a step is done, so that the journal may say so later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// It does, and the step takes away nothing by which an earlier one shows.
    Always,
    /// It does, but what the step takes away may be that by which earlier ones show: their lines are
    /// written before it.
    Itself,
    /// It does not.
    Never,
}

/// What the disk shows of a step.
///
/// A file that the plan names by its identity is found under its new name, or is gone. A new log that
/// was made and has its name is made once more, and goes again. Everything else is written down at once:
/// what moves a file that an earlier step has made could not tell it from the next one of that name.
pub(super) fn shows_on_disk(step: &Step) -> Shows {
    let known = matches!(step.expect, Expect::Present(_));
    match &step.action {
        Action::Create { .. } | Action::Install { .. } => Shows::Always,
        Action::Rename { .. } if known => Shows::Always,
        Action::Remove { pre_remove: None, .. } if known => Shows::Itself,
        _ => Shows::Never,
    }
}

/// Carries out one step.
///
/// # Errors
/// Why it was not done: it failed, or it waits (see [`super::waiting`]). If a file system is to blame,
/// it is named.
pub(super) fn perform(
    site: &Site<'_>,
    step: &Step,
    company: &mut Company<'_>,
) -> Result<Effect, Halt> {
    act(site, step, company).map_err(|halt| match halt {
        Halt::Failed(fault) => failed(site, &step.action, fault),
        Halt::TryAgain(fault) => Halt::TryAgain(blame(site, &step.action, fault)),
        Halt::Undone(fault) => Halt::Undone(blame(site, &step.action, fault)),
        Halt::Postponed(Postponement { reason, failed }) => {
            Halt::Postponed(Postponement { reason: blame(site, &step.action, reason), failed })
        }
    })
}

/// What a fault means for its step: a file that could not be compressed for a cause that may pass waits,
/// and stays as it is meanwhile.
pub(super) fn failed(site: &Site<'_>, action: &Action, fault: Fault) -> Halt {
    let fault = blame(site, action, fault);
    if matches!(action, Action::Compress { .. }) && file_system::may_pass(&fault) {
        return Halt::TryAgain(fault);
    }
    Halt::Failed(fault)
}

/// Names the file system that a step could not change.
fn blame(site: &Site<'_>, action: &Action, fault: Fault) -> Fault {
    let full = file_system::is_full(&fault);
    let place = match action {
        Action::Copy { to, .. } | Action::Compress { to, .. } => Some(to),
        Action::Cut { archive: Some(archive), .. } if full => Some(&archive.to),
        Action::Create { temp, .. } => Some(temp),
        Action::MakeDir { dir, .. } => Some(dir),
        other => other.source(),
    };
    let Some(Ok(dir)) = place.map(|place| site.dir(place)) else { return fault };
    file_system::explain(fault, &dir)
}

fn act(site: &Site<'_>, step: &Step, company: &mut Company<'_>) -> Result<Effect, Halt> {
    let expect = step.expect;
    Ok(match &step.action {
        Action::Rename { from, to, .. } => rename(site, from, to, expect, step.why)?,
        Action::MakeDir { dir, attributes } => make_dir(site, dir, attributes)?,
        Action::Create { temp, log, attributes, access_list } => {
            create(site, temp, log, attributes, *access_list)?
        }
        Action::Install { temp, log } => install(site, temp, log, company.observer)?,
        Action::Copy { from, temp, to, attributes, allow_hard_links, without_gaps } => {
            let hard_links = *allow_hard_links;
            let making = Making { from, temp, to, attributes, hard_links, expect };
            match step.why {
                // The moved log is the only one: what keeps it from being copied may pass.
                Why::Parked => copy_parked(site, &making)
                    .map_err(|reason| Halt::Postponed(Postponement { reason, failed: true }))?,
                _ => copy(site, &making, *without_gaps)?,
            }
        }
        Action::Publish { temp, to } => {
            publish(site, temp, to).map_err(|fault| unpublished(step.why, fault))?
        }
        Action::Cut { log, archive, allow_hard_links } => {
            let (archive, hard_links) = (archive.as_ref(), *allow_hard_links);
            let in_doubt = company.interrupted > 0;
            let cutting = Cutting { log, archive, hard_links, expect, in_doubt };
            cut(site, &cutting, company.observer)?
        }
        Action::Compress { .. } => match Compressing::of(step) {
            Some(compressing) => by_command(site, &compressing, company.observer)?,
            None => Effect::done(None),
        },
        Action::Mail { .. } => mail(site, step, company)?,
        Action::Remove { file, pre_remove, shred } => {
            let removal = Removal { file, pre_remove: pre_remove.as_ref(), shred: *shred };
            remove(site, &removal, step, company)?
        }
        Action::Script(call) => match run_script(call, company)? {
            Ran::Well => Effect::done(None),
            Ran::Gone => Effect::already(None),
        },
        Action::Signal(call) => signal(site, call, company.observer)?,
    })
}

/// What it means that a finished file could not get its name, and is gone: its source waits for another
/// one if the cause may pass, and in any case if it is a log that was moved aside, which is the only one.
fn unpublished(why: Why, fault: Fault) -> Halt {
    let again = match why {
        Why::Parked => true,
        Why::Compression | Why::DelayedCompression => file_system::may_pass(&fault),
        _ => false,
    };
    if again { Halt::Undone(fault) } else { Halt::Failed(fault) }
}

/// Makes the empty new log under its temporary name (compat ROT-53, ROT-60). It is not synced: it holds
/// nothing, and a sync takes longer than the rest of a rotation.
fn create(
    site: &Site<'_>,
    temp: &Place,
    log: &Place,
    attributes: &Attributes,
    access_list: bool,
) -> Result<Effect, Fault> {
    let what = || format!("error creating output file {}", site.shown(log));
    // Both names are in one directory.
    let dir = site.dir(temp)?;
    if site.resumed {
        // Empty, or not yet as it shall be: it is made again.
        site.discard(temp)?;
    }
    let output = label::like_name(&dir, &log.name, || file::create_new(&dir, &temp.name))
        .map_err(|errno| system(&what(), errno))?;
    let dressed = dress(&output, attributes, None)
        .and_then(|()| {
            if access_list {
                system_attributes::copy_access_list_of(&dir, &log.name, &output)?;
            }
            Ok(())
        })
        .and_then(|()| file::facts(&output));
    match dressed {
        Ok(facts) => Ok(Effect::done(Some(facts.id))),
        Err(errno) => Err(undo(&dir, temp, &output, system(&what(), errno), site)),
    }
}

/// Parts of a step that removes a file.
struct Removal<'a> {
    file: &'a Place,
    pre_remove: Option<&'a ScriptRef>,
    shred: Option<Shred>,
}

/// Removes a file (compat ROT-73, ROT-90).
///
/// The order: what replaces the file is made sure of first; then its script may object; then the
/// file is looked at once more, since the script may have done anything; then it is overwritten, if it
/// is to be; then it goes.
fn remove(
    site: &Site<'_>,
    removal: &Removal<'_>,
    step: &Step,
    company: &mut Company<'_>,
) -> Result<Effect, Halt> {
    let &Removal { file: place, pre_remove, shred: overwriting } = removal;
    let Step { expect, why, .. } = *step;
    if !is_there(site, place, expect)? {
        return Ok(Effect::already(None));
    }
    if why.has_successor() {
        site.secured.cloned().unwrap_or_else(|| secure(site, place))?;
    }
    if let Some(script) = pre_remove {
        let call = script::before_removal(script, site.plan.path(place));
        give_up_if_interrupted(&call, company)?;
        // What objects today may agree tomorrow.
        let ran = script::run(&call, company.scripts, company.observer)
            .map_err(|reason| Halt::Postponed(Postponement { reason, failed: true }))?;
        // Without the line in its block the script is not wanted any more; without the block nobody knows.
        if ran == Ran::Gone && !company.scripts.has_block(&script.block) {
            let what = format!("{} stays: nobody can tell its preremove script", site.shown(place));
            return Err(Fault::new(what).into());
        }
        if !is_there(site, place, expect)? {
            return Ok(Effect::done(None));
        }
    }
    if let Some(how) = overwriting {
        shred(site, place, expect, how, company.observer)?;
    }
    match freeing::unlink(&*site.dir(place)?, &place.name) {
        Ok(()) => Ok(Effect::done(None)),
        Err(Errno::ENOENT) => Ok(Effect::already(None)),
        Err(errno) => {
            let fault = system(&format!("Failed to remove old log {}", site.shown(place)), errno);
            // What was overwritten is of no use to anybody; nor is what has a successor, and its lines
            // would be there twice.
            let useless = overwriting.is_some() || why.has_successor();
            let waits = useless || file_system::may_pass(&fault);
            Err(if waits { Halt::TryAgain(fault) } else { Halt::Failed(fault) })
        }
    }
}

/// Whether the file to be removed is there. Another file in its place is an error, but not when a
/// plan is resumed: then the file has been removed, and a later step has moved the other one there.
pub(super) fn is_there(site: &Site<'_>, place: &Place, expect: Expect) -> Result<bool, Fault> {
    let Some(facts) = site.facts(place)? else { return Ok(false) };
    let what = || format!("Failed to remove old log {}", site.shown(place));
    match site.expected(place, expect) {
        Some(id) if !id.is(&facts.id) => {
            if site.resumed {
                Ok(false)
            } else {
                Err(refused(&what(), Refused::Another))
            }
        }
        _ if facts.kind == FileKind::Directory => Err(system(&what(), Errno::EISDIR)),
        _ if facts.kind != FileKind::Regular => Err(refused(&what(), Refused::NotRegular)),
        _ => Ok(true),
    }
}

fn run_script(call: &ScriptCall, company: &mut Company<'_>) -> Result<Ran, Fault> {
    give_up_if_interrupted(call, company)?;
    script::run(call, company.scripts, company.observer)
}

/// A script that was interrupted too often counts as failed.
fn give_up_if_interrupted(call: &ScriptCall, company: &Company<'_>) -> Result<(), Fault> {
    if company.interrupted >= MOST_INTERRUPTED {
        let reason = format!("{} runs ended while it ran; it is given up", company.interrupted);
        return Err(script::failure(call, &reason));
    }
    Ok(())
}
