//! From decisions to steps. Pure: all policy is decided here; what executes the plan has no choice
//! left.
//!
//! [`build`] takes the logs of one plan (with `sharedscripts` all that are due, else one) and their
//! old versions, and gives the steps in order: make room ([`chain`], [`retention`]), get the content
//! out of the log, `signal`, `postrotate`, compress, dispose.

pub mod action;
pub mod chain;
mod compressor;
pub mod date;
mod dated;
mod draft;
mod finish;
mod generations;
mod live;
pub mod naming;
mod numbered;
pub mod retention;
mod room;
mod sequence;
mod signal;
pub mod step;

use std::path::{Path, PathBuf};

pub use sequence::build;
pub use step::{
    Action, BlockKey, DirIndex, Expect, Guard, Place, Plan, Record, Scope, ScriptCall, ScriptRef,
    Step, Why,
};

use crate::clock::LocalTime;
use crate::config::policy::{Policy, ScriptKind};
use crate::facts::{FileFacts, Room};
use crate::fault::Fault;
use crate::names::{AnyPath, FileName, LogPath};
use crate::survey::rotated::{Occupied, RotatedFile};
use crate::units::Identity;

/// What a plan is made from.
pub struct Request<'a> {
    /// The block.
    pub block: BlockKey,
    /// Its settings.
    pub policy: &'a Policy,
    /// The time of the run.
    pub now: LocalTime,
    /// The program that mails.
    pub mail_program: &'a Path,
    /// Whose ids are to carry it out (`su`).
    pub identity: Option<Identity>,
    /// The date suffix, if versions are dated.
    pub date: Option<&'a date::DateSuffix>,
    /// The logs that are due, in the block's order.
    pub subjects: Vec<Subject>,
    /// What is left of the file system of a directory. Asked only where an old version has to go.
    pub room: &'a dyn Fn(&Path) -> Option<Room>,
    /// Whether a name in a directory is in use.
    pub taken: &'a dyn Fn(&Path, &FileName) -> bool,
}

/// A log that is due.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The log.
    pub log: LogPath,
    /// The file, as it is now: regular, and with as many names as the policy allows.
    pub facts: FileFacts,
    /// The directory of its old versions.
    pub old_dir: PathBuf,
    /// What of that directory is missing and has to be made, outermost first.
    pub missing_dirs: Vec<LogPath>,
    /// Its old versions, in any order.
    pub versions: Vec<RotatedFile>,
    /// Names of old versions that something else has: a directory, a link, a device.
    pub occupied: Vec<Occupied>,
}

/// A plan, and what stands against rotating some of its logs.
#[derive(Debug)]
pub struct Built {
    /// The plan. With a fault it changes nothing on the disk, but may hold records.
    pub plan: Plan,
    /// Why logs cannot be rotated.
    pub faults: Vec<Fault>,
    /// What the reference says, with `-v`, about old versions that it looked for in vain.
    pub remarks: Vec<String>,
}

/// The call of a script that runs once for its block (compat SCR-2: its argument is the pattern
/// list), or for one log.
pub fn script_call(block: &BlockKey, kind: ScriptKind, log: Option<&LogPath>) -> ScriptCall {
    let argument = match log {
        Some(log) => AnyPath(log.as_path().into()),
        None => block.pattern.clone(),
    };
    ScriptCall {
        script: ScriptRef { block: block.clone(), kind, log: log.cloned() },
        args: vec![argument],
    }
}

/// The plan of a block's `lastaction`: written down when the block begins, carried out when all its
/// other plans are closed, so that a crash in between does not swallow it.
pub fn closing(block: &BlockKey, now: LocalTime) -> Plan {
    Plan {
        block: block.clone(),
        now,
        identity: None,
        directories: Vec::new(),
        logs: Vec::new(),
        steps: vec![Step {
            action: Action::Script(script_call(block, ScriptKind::LastAction, None)),
            expect: Expect::Nothing,
            scope: Scope::Block,
            why: Why::Script,
            guard: Guard::None,
        }],
        records: Vec::new(),
        closing: true,
        rest: None,
    }
}

#[cfg(test)]
mod tests;
