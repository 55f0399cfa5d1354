//! Steps that would take lines from whoever still writes a file wait until nobody does.
//!
//! The question costs one lease and its release; only if the answer is yes, or there is none, is
//! `/proc` looked at: for a name, or for the answer.

use std::time::Duration;

use crate::event::{Event, Observer, Postponement};
use crate::execute::site::Site;
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Action, Guard, Step};
use crate::system::file::{self, Access, OpenFile, Refused, Wanted};
use crate::system::holders::{self, Holder};
use crate::system::lease;
use crate::system::{Errno, Stopwatch};

/// Pauses between two questions: the first daemons are done within a millisecond, the last ones look
/// for a signal once in a while.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long until the next question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(pub Duration);

impl Pause {
    pub const FIRST: Self = Self(PAUSE);

    /// The pause after this one.
    pub fn next(self) -> Self {
        Self((self.0 * 2).min(LONGEST_PAUSE))
    }
}

/// Whether a step may be done, as far as writers are concerned.
pub(super) enum Answer {
    /// Nobody writes the file; or nobody can tell, which was said.
    Free,
    /// Somebody does, and may stop soon.
    AskAgain,
    /// Somebody does, and goes on.
    Postponed(Postponement),
}

/// Asks whether a step must wait.
///
/// For as long as the step allows, the answer is to ask again. Time runs from the first question that the
/// plan's steps had to repeat, since all of them wait for the same signal; without patience it has run
/// out.
pub(super) fn ask(
    site: &Site<'_>,
    step: &Step,
    since: &mut Option<Stopwatch>,
    patient: bool,
    observer: &mut dyn Observer,
) -> Answer {
    let Guard::NotWritten { wait, error } = step.guard else { return Answer::Free };
    let file = match open(site, step) {
        Some(Ok(file)) => file,
        Some(Err(Refused::System(errno))) => {
            tell_unknown(site, step, errno, observer);
            return Answer::Free;
        }
        // Gone, or another file: the step's own business.
        Some(Err(_)) | None => return Answer::Free,
    };
    match is_written(&file) {
        Ok(true) => {}
        Ok(false) => return Answer::Free,
        Err(errno) => {
            tell_unknown(site, step, errno, observer);
            return Answer::Free;
        }
    }
    let waited = since.get_or_insert_with(Stopwatch::start).elapsed();
    if patient && waited < Duration::from_millis(wait.into()) {
        return Answer::AskAgain;
    }
    Answer::Postponed(Postponement { reason: reason(site, step, &file), failed: error })
}

/// A fresh descriptor for reading.
fn open(site: &Site<'_>, step: &Step) -> Option<Result<OpenFile, Refused>> {
    let place = step.action.source()?;
    let wanted = Wanted { id: site.expected(place, step.expect), hard_links: true };
    let dir = site.dir(place).ok()?;
    Some(file::open(&dir, &place.name, Access::Read, &wanted).map(|(file, _)| file))
}

/// The kernel's answer; where it gives none, whether a writer can be seen. That none can be seen is no
/// answer: the error.
fn is_written(file: &OpenFile) -> Result<bool, Errno> {
    lease::is_written(file)
        .or_else(|errno| if writers(file).next().is_some() { Ok(true) } else { Err(errno) })
}

fn tell_unknown(site: &Site<'_>, step: &Step, errno: Errno, observer: &mut dyn Observer) {
    let shown = step.action.source().map_or_else(String::new, |place| site.shown(place));
    let text = format!("cannot tell whether {shown} is still written: {}", errno.desc());
    observer.observe(&Event::Debug(&text));
}

fn writers(file: &OpenFile) -> impl Iterator<Item = Holder> + use<> {
    holders::of(file).unwrap_or_default().into_iter().filter(|holder| holder.writes)
}

fn reason(site: &Site<'_>, step: &Step, file: &OpenFile) -> Fault {
    let shown = step.action.source().map_or_else(String::new, |place| site.shown(place));
    let what = match step.action {
        Action::Compress { .. } => "compressed",
        Action::Mail { .. } => "mailed",
        Action::Copy { .. } => "copied",
        Action::Remove { .. } => "removed",
        _ => "done",
    };
    let mut census = site.census.borrow_mut();
    let names: Vec<String> = census.writers(file).iter().map(named).collect();
    let by = match names.as_slice() {
        [] if census.is_complete() => "a process outside this namespace".to_owned(),
        [] => "a process that cannot be seen from here".to_owned(),
        names => names.join(", "),
    };
    Fault::new(format!("{shown} is still written by {by}; it will be {what} once nobody writes it"))
        .with_hint(
            "a signal makes most programs open their new log (`kill` in postrotate, or the line \
             `signal HUP writers`); copytruncate needs none",
        )
}

fn named(holder: &Holder) -> String {
    let Holder { pid, command, unit, appends, .. } = holder;
    // A process chooses its name itself.
    let command = Shown(command.as_bytes());
    let unit = unit.as_ref().map_or_else(String::new, |u| format!(", {}", Shown(u.as_bytes())));
    let way = if *appends { "" } else { ", without O_APPEND" };
    format!("process {pid} ({command}{unit}{way})")
}
