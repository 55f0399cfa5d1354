//! Carries plans out. The only changes of logs, old versions and scripts' world are made here.
//!
//! A plan leaves no choice: every step says what it must find ([`crate::plan::Expect`]). Where the
//! world has moved meanwhile, the step fails and says so; it never guesses.
//!
//! # Guarantees
//!
//! - **Nothing is overwritten.** A new name is taken only while it is free (`RENAME_NOREPLACE`;
//!   where the file system lacks it, `link` and `unlink`; where it lacks these too, a look and a
//!   rename). What stands in the way stays, and the step fails.
//! - **Nothing is destroyed before what replaces it is on disk.** A log is cut only after its copy
//!   and the copy's name are synced without an error; a file is removed in favour of its compressed
//!   form only after that is in place and synced. Unfinished files have temporary names.
//! - **No moment without a log** under `create`, but for the instant between two renames: the new
//!   log is complete under a temporary name before the old one moves.
//! - **Killed at any moment** (SIGKILL, out of memory): the plan was written down before its first
//!   step, so the next run finishes it. No step is done twice to the same file; a rename is
//!   recognised by the moved file's identity, a copy by its final name, a cut by its content.
//! - **Asked to end** (TERM, INT): the script, compressor or mailer that is running gets TERM, and KILL
//!   after five seconds, or at once if we are asked again; compression and copying in the program stop
//!   within a block, and what they had made is removed. The step counts as interrupted, the plan stays
//!   in the journal, the exit status is 1, and the next run finishes it.
//! - **What must wait is not forgotten.** A postponed step stays in the journal and is tried again at
//!   the start of every run, whatever the file is called by then (`waiting` says how).
//! - **Power loss** takes what was not synced. No content of a log is lost by that, and nothing is
//!   overwritten. Whatever we sync ourselves, the journal is synced before it, so the plan is there and
//!   is finished, but see *Limits*.
//! - **A full disk** stops a plan before its first step if it cannot be written down, unless the removal
//!   of old versions that have to go makes room for it. Space for a copy is asked for before its first byte.
//!   A copy or a compressed file that does not fit is removed again, and its source stays.
//! - **A disk that fails** in mid-run leaves the journal: the next run finishes what could not be done, and
//!   tries again what was not moved, copied or cut.
//! - **Held directories.** A directory that is swapped for another in mid-plan changes nothing.
//!
//! - **Overlap.** What takes long for one log goes on while the next ones are rotated, and of many logs that are
//!   only renamed, one is renamed while the next is planned; `under_way` and `moving` say how, and why a kill
//!   finds nothing new.
//!
//! # Limits
//!
//! - A script that was running when the run died is run once more (it may have run to its end, or
//!   not); one that was interrupted twice counts as failed.
//! - `copytruncate` of a log that is in use loses nothing where the file system can take the head of a
//!   file away (ext4, xfs). Elsewhere (tmpfs, btrfs), and of a log of less than a block, it can lose what
//!   is written between the last read and the truncation, about a microsecond with nothing inside it, and
//!   the write that is in progress then.
//! - Power loss just after somebody else has synced what we did and not yet noted on disk: what is left of
//!   the plan is repeated where it can be, or fails where the world looks otherwise, and the next run plans
//!   anew. That leaves at worst a temporary file, a second, complete copy of a log, or one rotation more.
//! - A file system without `RENAME_NOREPLACE` and hard links (vfat) can overwrite a file that
//!   somebody makes in the microseconds between our look and our rename.
//! - If the very rename that gives the new log its name is refused, and a link too (its directory is
//!   full or broken, a moment after it let the old log move), the log is missing until its writer
//!   makes it.
//! - Without a journal (`-s /dev/null`) nothing is finished after a kill.
//! - A journal names relative directories as the configuration does: a run that is started
//!   elsewhere finds nothing there, and those steps fail.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::clock::LocalTime;
use crate::event::{Observer, StepResult};
use crate::fault::Fault;
use crate::names::LogPath;
use crate::plan::Plan;
use crate::plan::step::{BlockKey, ScriptCall, ScriptRef};

mod compress;
mod copy;
mod cut;
mod effects;
pub mod journal;
mod lanes;
mod lines;
pub mod live;
mod make_dir;
mod mail;
mod moving;
pub mod preview;
mod rename;
mod resume;
mod script;
mod signal;
mod shred;
mod site;
mod stepping;
mod successor;
#[cfg(test)]
mod tests;
mod under_way;
mod verdict;
mod waiting;
mod work;
mod writers;

pub use journal::{Journal, JournalError, OpenPlan};
#[cfg(fuzzing)]
pub use lines::check as check_journal_text;
pub use live::Live;
pub use preview::Preview;

/// A promised plan. It can be carried out once.
#[derive(Debug, PartialEq, Eq)]
pub struct PlanId(u64);

/// Carries plans out, or shows what it would do. The command line chooses; nobody below asks which.
pub trait Perform {
    /// Writes a plan down so that a crash from now on will be made good.
    ///
    /// # Errors
    /// If it cannot be written down. Then it must not be carried out: nothing of it was done.
    fn promise(&mut self, plan: Rc<Plan>) -> Result<PlanId, Fault>;

    /// Removes the old versions that a plan would remove whatever else happens, so that there is
    /// room to write it down; gives whether there were any. Nothing is promised for that: what was
    /// removed is no more, and the plan finds nothing left to do there.
    fn make_room(&mut self, plan: &Plan, observer: &mut dyn Observer) -> bool;

    /// Carries out (or shows) a promised plan. A failed step is told to the observer and takes the
    /// later steps of its scope with it; the others are done.
    ///
    /// The outcome may be that of the plan's first steps alone: then the rest is under way
    /// ([`Plan::rest`]), and [`Self::ended`] tells of it.
    fn carry_out(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome;

    /// The same for a plan that could not be promised for want of room, and makes room
    /// ([`Plan::only_frees`]). A crash in the middle is not made good.
    fn carry_out_unwritten(&mut self, plan: Rc<Plan>, observer: &mut dyn Observer) -> Outcome;

    /// The same for one of many plans, none of which touches, or was made in view of, a name that another one
    /// may touch: nothing of it need be done when this returns. Then the outcome says what is expected of its
    /// steps, without a record, and [`Self::ended`] tells what became of them.
    fn carry_out_with_others(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome {
        self.carry_out(id, observer)
    }

    /// What was under way and has ended since this was last asked: plans of the remaining steps alone, in
    /// the order in which they ended; and plans that were carried out with others, which have no results if all
    /// went as expected.
    fn ended(&mut self, awaited: Await, observer: &mut dyn Observer) -> Vec<(Rc<Plan>, Outcome)>;

    /// Whether something that is under way may still touch a file.
    fn is_under_way(&self, path: &Path) -> bool;

    /// What an earlier run has left that a log must not be rotated before; nothing as a rule.
    fn held_up(&self, _log: &LogPath) -> Option<HeldUp> {
        None
    }

    /// Runs (or shows) a script outside of a plan: `firstaction`, `prerotate`.
    ///
    /// # Errors
    /// If it fails, in the reference's words (compat SCR-5); the observer was told.
    fn script(&mut self, call: &ScriptCall, observer: &mut dyn Observer) -> Result<(), Fault>;

    /// The name of the signal by which we were asked to end, if we were. What is promised from then on
    /// is left to the next run.
    fn halted(&self) -> Option<&'static str> {
        None
    }
}

/// What is waited for of what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Await {
    /// Nothing.
    Nothing,
    /// The first steps of all plans.
    Beginnings,
    /// All.
    All,
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How each step ended.
    pub results: Vec<StepResult>,
    /// The logs whose new time belongs into the state, whatever else failed.
    pub records: Vec<(LogPath, LocalTime)>,
    /// Whether a step has failed in this run: the exit status becomes 1.
    pub failed: bool,
}

/// What a log must not be rotated before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldUp {
    /// What an earlier run has moved its content to is to be copied: versions would change their order if it
    /// were moved once more.
    Copy,
    /// A run with this configuration was interrupted, or has left a copy to make, and the next one with it
    /// goes on.
    Configuration(PathBuf),
}

/// Knows today's scripts.
pub trait ScriptTexts {
    /// The text of a script; `None` if its block, or the script, is gone from the configuration.
    fn text(&self, script: &ScriptRef) -> Option<Vec<u8>>;

    /// How long a script may take; `None`: for ever.
    fn limit(&self, _script: &ScriptRef) -> Option<Duration> {
        None
    }

    /// Whether a block is in today's configuration.
    fn has_block(&self, block: &BlockKey) -> bool;

    /// Whose business it is what an earlier run has left of a plan.
    fn owner(&self, plan: &Plan) -> Owner;
}

/// Whose business a plan of an earlier run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// That of a block of today's configuration: the plan's own, or else the one that has its logs now.
    Block(BlockKey),
    /// That of a configuration which this run has not read, or could not read without an error: several
    /// may share one state file. Meanwhile its logs are left alone if it was interrupted.
    Another,
    /// Nobody's: the block is gone.
    Nobody,
}
