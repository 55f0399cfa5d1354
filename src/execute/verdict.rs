//! What the end of an effect means for its step, and who is told what.

use crate::event::{Event, Observer, Postponement, StepResult};
use crate::execute::site::{Effect, Halt};
use crate::execute::under_way::Wait;
use crate::fault::Fault;
use crate::system::stop;
use crate::units::FileId;

/// How a step ended, and the file that it left under its target name.
pub(super) type Settled = (StepResult, Option<FileId>);

/// What an effect means for its step; what went wrong is told. What goes wrong while we are asked to end
/// goes wrong because of that, and is left to the next run.
pub(super) fn judged(
    done: Result<Effect, Halt>,
    hearing: Hearing,
    observer: &mut dyn Observer,
) -> Result<Settled, Wait> {
    Ok(match done {
        Ok(effect) if effect.already => (StepResult::AlreadyDone, effect.id),
        Ok(effect) => (StepResult::Done, effect.id),
        Err(_) if stop::requested().is_some() => return Err(Wait::End),
        Err(Halt::Failed(fault)) => {
            observer.observe(&Event::Error(&fault));
            (StepResult::Failed(fault), None)
        }
        Err(Halt::Postponed(why)) => {
            if why.failed {
                observer.observe(&Event::Error(&why.reason));
            }
            (StepResult::Postponed(why), None)
        }
        Err(Halt::TryAgain(reason)) => {
            (StepResult::Postponed(told_once(reason, hearing, observer)), None)
        }
        Err(Halt::Undone(reason)) => {
            (StepResult::Undone(told_once(reason, hearing, observer)), None)
        }
    })
}

/// Whoever was told once can act; to be told by every tick until then is no help.
fn told_once(reason: Fault, hearing: Hearing, observer: &mut dyn Observer) -> Postponement {
    if hearing.known {
        observer.observe(&Event::Debug(&reason.in_one_line()));
    } else {
        observer.observe(&Event::Error(&hearing.tell(&reason)));
    }
    Postponement { reason, failed: !hearing.known }
}

/// What is known already of a step that may have to wait.
#[derive(Clone, Copy)]
pub(super) struct Hearing {
    /// An earlier run has told why.
    pub known: bool,
    /// Later runs hear of it: there is a journal.
    pub is_kept: bool,
}

impl Hearing {
    /// A fault, and what becomes of its step.
    fn tell(self, reason: &Fault) -> Fault {
        let again = "later runs try again";
        let hint = match &reason.hint {
            _ if !self.is_kept => return reason.clone(),
            Some(hint) => format!("{hint}; {again}"),
            None => again.into(),
        };
        reason.clone().with_hint(hint)
    }
}

/// Tells once a file who keeps it; later only who asks hears of it.
pub(super) fn say_held_back(why: &Postponement, known: bool, observer: &mut dyn Observer) {
    if why.failed {
        observer.observe(&Event::Error(&why.reason));
    } else if known {
        observer.observe(&Event::Debug(&why.reason.message));
    } else {
        observer.observe(&Event::Note(&why.reason.in_one_line()));
    }
}
