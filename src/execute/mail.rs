//! Mailing an old version.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::event::Postponement;
use crate::execute::effects::{Company, MOST_INTERRUPTED, is_there};
use crate::execute::site::{Effect, Halt, Site, refused};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Action, Step};
use crate::system::child::{self, Ended, Letter, NotRun};
use crate::system::file::{self, Access};

/// Mails a file (compat ROT-92, ROT-93).
///
/// A run that died may have sent it, or not: it is sent again. If the mailer fails, the step waits for
/// a later run, and so does the file's removal.
pub(super) fn mail(
    site: &Site<'_>,
    step: &Step,
    company: &Company<'_>,
) -> std::result::Result<Effect, Halt> {
    let Action::Mail { file: place, uncompress, program, subject, address } = &step.action else {
        return Ok(Effect::already(None));
    };
    if !is_there(site, place, step.expect)? {
        return Ok(Effect::already(None));
    }
    let shown = site.shown(place);
    let mail_failed =
        |reason: &str| Fault::new(format!("mail command failed for {shown}: {reason}"));
    if company.interrupted >= MOST_INTERRUPTED {
        let reason = format!("{} runs ended while it ran; it is given up", company.interrupted);
        return Err(mail_failed(&reason).into());
    }
    // Whoever may rotate a file with several names may read it.
    let wanted = site.wanted(place, step.expect, true);
    let dir = site.dir(place)?;
    let (content, _) = file::open(&dir, &place.name, Access::Read, &wanted)
        .map_err(|cause| refused(&format!("failed to open {shown} for mailing"), cause))?;
    let path = site.plan.path(place);
    let subject = one_line(subject.as_ref().map_or(path.as_os_str(), |s| s.0.as_os_str()));
    let letter = Letter {
        program: &program.0,
        subject: &subject,
        address: address.0.as_os_str(),
        content: &content,
        uncompress: uncompress.as_ref().map(|u| &*u.0),
    };
    let not_run = |command: &std::path::Path, cause: NotRun| {
        format!("cannot execute {}: {cause}", Shown::path(command))
    };
    let reason = match child::mail(&letter) {
        Ok(sent) => match (sent.uncompressed, sent.mailed) {
            (Ended::Well, Ended::Well) => return Ok(Effect::done(None)),
            (Ended::Well, mailed) => mail_failed(&mailed.to_string()),
            (uncompressed, _) => uncompress_failed(&shown, &uncompressed.to_string()),
        },
        Err(child::NotSent::Mailer(cause)) => mail_failed(&not_run(&program.0, cause)),
        Err(child::NotSent::Uncompressor(cause)) => {
            let command = uncompress.as_ref().map_or(&*program.0, |u| &*u.0);
            uncompress_failed(&shown, &not_run(command, cause))
        }
    };
    Err(Halt::Postponed(Postponement { reason, failed: true }))
}

/// A subject that stays one line: some mailers would take what follows a newline for another header,
/// and whoever may make a log may choose its name.
fn one_line(subject: &OsStr) -> Cow<'_, OsStr> {
    if subject.as_bytes().iter().any(u8::is_ascii_control) {
        return Cow::Owned(Shown(subject.as_bytes()).to_string().into());
    }
    Cow::Borrowed(subject)
}

fn uncompress_failed(shown: &str, reason: &str) -> Fault {
    Fault::new(format!("uncompress command failed mailing {shown}: {reason}"))
}
