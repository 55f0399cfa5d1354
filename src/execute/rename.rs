//! Steps that give a file another name. None of them overwrites anything.

use crate::event::{Event, Observer};
use crate::execute::site::{Effect, Result, Site, refused, system};
use crate::facts::FileKind;
use crate::fault::Fault;
use crate::plan::step::{Expect, Place, Why};
use crate::system::Errno;
use crate::system::Words;
use crate::system::file::{self, Held, Refused};
use crate::units::FileId;

/// The beginning of the reference's sentence about a failed rename (compat ROT-41, ROT-50).
fn sentence(site: &Site<'_>, from: &Place, to: &Place, why: Why) -> String {
    let verb = match why {
        Why::Rotation => "failed to rename",
        _ => "error renaming",
    };
    format!("{verb} {} to {}", site.shown(from), site.shown(to))
}

/// Which file moves within its directory, if that is known: then nothing is lost by looking afterwards only,
/// since another file goes back.
pub(super) fn known(from: &Place, to: &Place, expect: Expect) -> Option<FileId> {
    match expect {
        Expect::Present(id) if from.dir == to.dir => Some(id),
        _ => None,
    }
}

/// Moves a file whose identity is known, or one that an earlier step has left there.
///
/// Whether it has been done already is told by identity alone: the file stands under its new name.
pub(super) fn rename(
    site: &Site<'_>,
    from: &Place,
    to: &Place,
    expect: Expect,
    why: Why,
) -> Result {
    let what = || sentence(site, from, to, why);
    let (from_dir, to_dir) = (site.dir(from)?, site.dir(to)?);
    let wanted = site.expected(from, expect);
    if let Some(id) = known(from, to, expect)
        && !site.resumed
        && from_dir.keeps_numbers()
    {
        let make = || file::rename_and_look(&from_dir, &from.name, &to.name);
        match site.ahead.map_or_else(make, Clone::clone) {
            Ok(there) => {
                let there =
                    there.map_err(|e| system(&format!("stat of {} failed", site.shown(to)), e));
                let cause = match there? {
                    Some(there) if !there.id.is(&id) => Refused::Another,
                    Some(there) if there.kind != FileKind::Regular && why != Why::SetAside => {
                        Refused::NotRegular
                    }
                    Some(_) => return Ok(Effect::done(Some(id))),
                    None => Refused::Another,
                };
                return Err(move_back(site, from, to, refused(&what(), cause)));
            }
            // Why, is told below.
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(system(&what(), errno)),
        }
    }
    let may_be_gone = matches!(expect, Expect::IfThere | Expect::Left(_));
    let moved = || Ok(site.facts(to)?.filter(|target| wanted.is_some_and(|id| id.is(&target.id))));
    // Where a move may give the file another number, only a handle tells it afterwards.
    let held = if from_dir.keeps_numbers() {
        None
    } else {
        match Held::take(&from_dir, &from.name) {
            Err(Refused::Missing) => None,
            other => Some(other.map_err(|cause| refused(&what(), cause))?),
        }
    };
    let source = match &held {
        Some(held) => Some(held.facts().map_err(|errno| system(&what(), errno))?),
        None => from_dir.facts(&from.name).map_err(|errno| system(&what(), errno))?,
    };
    let Some(source) = source else {
        return match moved()? {
            Some(there) => Ok(Effect::already(Some(there.id))),
            None if may_be_gone => Ok(Effect::already(None)),
            None => Err(refused(&what(), Refused::Missing)),
        };
    };
    if wanted.is_some_and(|id| !id.is(&source.id)) {
        // A new log may have the old name by now; what counts is where the old one is.
        return match moved()? {
            Some(there) => Ok(Effect::already(Some(there.id))),
            // It was gone, and this run has been here before.
            None if may_be_gone && site.resumed => Ok(Effect::already(None)),
            None => Err(refused(&what(), Refused::Another)),
        };
    }
    // What is in the way may be anything; everything else that moves is a log or was one.
    if source.kind != FileKind::Regular && why != Why::SetAside {
        return Err(refused(&what(), Refused::NotRegular));
    }
    match file::rename_new(&from_dir, &from.name, &to_dir, &to.name) {
        Ok(()) => {}
        // Both names: the run died between the link and the unlink of a rename in two steps.
        Err(Errno::EEXIST)
            if site.resumed && site.facts(to)?.is_some_and(|there| there.id.is(&source.id)) =>
        {
            file::unlink(&from_dir, &from.name).map_err(|errno| system(&what(), errno))?;
            return Ok(Effect::done(Some(source.id)));
        }
        Err(errno) => return Err(system(&what(), errno)),
    }
    // Somebody may have put another file there between our look and the rename. What was moved
    // then is not ours to move.
    let arrived = site.facts(to)?;
    if arrived.is_some_and(|f| f.id.is(&source.id)) {
        return Ok(Effect::done(Some(source.id)));
    }
    // A move to another layer of an overlay may have given it another number: the held file tells.
    if let Some(held) = held {
        let held = held.facts().map_err(|errno| system(&what(), errno))?;
        if arrived.is_some_and(|f| f.id.is(&held.id)) {
            return Ok(Effect::done(Some(held.id)));
        }
    }
    Err(move_back(site, from, to, refused(&what(), Refused::Another)))
}

/// Moves a file back that was not the one to move; gives what is to be said about it.
fn move_back(site: &Site<'_>, from: &Place, to: &Place, fault: Fault) -> Fault {
    let back = site.dir(from).and_then(|from_dir| Ok((from_dir, site.dir(to)?)));
    let (from_dir, to_dir) = match back {
        Ok(dirs) => dirs,
        Err(second) => return fault.with_hint(second.message),
    };
    match file::rename_new(&to_dir, &to.name, &from_dir, &from.name) {
        Ok(()) | Err(Errno::ENOENT) => fault,
        Err(errno) => fault.with_hint(format!(
            "{} now holds a file that was to stay where it was, and could not be moved back: {}",
            site.shown(to),
            errno.words()
        )),
    }
}

/// Gives a finished copy its final name. If that is impossible the copy goes, since its source is
/// still there and the next run makes another.
pub(super) fn publish(site: &Site<'_>, temp: &Place, to: &Place) -> Result {
    let result = place(site, temp, to);
    if result.is_err() {
        discard_copy(site, temp)?;
    }
    result
}

fn place(site: &Site<'_>, temp: &Place, to: &Place) -> Result {
    let what = || format!("error renaming {} to {}", site.shown(temp), site.shown(to));
    let (temp_dir, to_dir) = (site.dir(temp)?, site.dir(to)?);
    let made = site.made.get(temp);
    let Some(source) = site.facts(temp)? else {
        return match site.facts(to)? {
            Some(there) if there.kind == FileKind::Regular => match made {
                Some(id) if !id.is(&there.id) => Err(refused(&what(), Refused::Missing)),
                None if !site.resumed => Err(refused(&what(), Refused::Missing)),
                _ => Ok(Effect::already(Some(there.id))),
            },
            _ => Err(refused(&what(), Refused::Missing)),
        };
    };
    if source.kind != FileKind::Regular || made.is_some_and(|id| !id.is(&source.id)) {
        return Err(refused(&what(), Refused::Another));
    }
    // Both names: see `rename`.
    if site.resumed && site.facts(to)?.is_some_and(|there| there.id.is(&source.id)) {
        file::unlink(&temp_dir, &temp.name).map_err(|errno| system(&what(), errno))?;
        return Ok(Effect::done(Some(source.id)));
    }
    file::rename_new(&temp_dir, &temp.name, &to_dir, &to.name)
        .map_err(|errno| system(&what(), errno))?;
    Ok(Effect::done(Some(source.id)))
}

/// Removes a file that will not get its name: a copy, whose source is whole, since nothing that
/// destroys a source runs without the copy's final name; or an empty new log. Only what this plan
/// has made for sure, and only if it has no other name.
pub(super) fn discard_copy(site: &Site<'_>, temp: &Place) -> Result<()> {
    match (site.made.get(temp), site.facts(temp)?) {
        (Some(id), Some(facts)) if id.is(&facts.id) && facts.links == 1 => site.discard(temp),
        _ => Ok(()),
    }
}

/// Gives the new log its name. A log that a daemon has made meanwhile stays, and ours goes: the
/// daemon writes into its own.
pub(super) fn install(
    site: &Site<'_>,
    temp: &Place,
    log: &Place,
    observer: &mut dyn Observer,
) -> Result {
    let what = || format!("error renaming {} to {}", site.shown(temp), site.shown(log));
    let (temp_dir, log_dir) = (site.dir(temp)?, site.dir(log)?);
    let made = site.made.get(temp);
    let Some(source) = site.facts(temp)? else {
        return match site.facts(log)? {
            // Installed before the run died, or theirs was there and ours has gone.
            Some(there) if site.resumed || made.is_some_and(|id| id.is(&there.id)) => {
                Ok(Effect::already(Some(there.id)))
            }
            _ => Err(refused(&what(), Refused::Missing)),
        };
    };
    if source.kind != FileKind::Regular || made.is_some_and(|id| !id.is(&source.id)) {
        return Err(refused(&what(), Refused::Another));
    }
    match file::rename_new(&temp_dir, &temp.name, &log_dir, &log.name) {
        Ok(()) => Ok(Effect::done(Some(source.id))),
        Err(Errno::EEXIST) => {
            file::unlink(&temp_dir, &temp.name).map_err(|errno| system(&what(), errno))?;
            let text = format!("{} exists already and stays as it is", site.shown(log));
            observer.observe(&Event::Debug(&text));
            Ok(Effect::already(site.facts(log)?.map(|f| f.id)))
        }
        Err(errno) => {
            let fault: Fault = system(&what(), errno);
            // A log that is missing stops the next run, so there is a second way.
            if file::link_then_unlink(&temp_dir, &temp.name, &log_dir, &log.name).is_ok() {
                let text = format!("{}; it has its name by a link", fault.message);
                observer.observe(&Event::Warning(&text));
                return Ok(Effect::done(Some(source.id)));
            }
            // An empty file that nobody will need.
            site.discard(temp)?;
            Err(fault)
        }
    }
}
