//! What happens in a run, as data. Text, dry run and tests are observers of one stream.

use serde::{Deserialize, Serialize};

use crate::config::policy::{LogBlock, ScriptKind};
use crate::fault::Fault;
use crate::plan::step::{Plan, ScriptCall, Step};
use crate::schedule::Decision;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepResult {
    /// It was done.
    Done,
    /// The world was already as the step would have made it.
    AlreadyDone,
    /// An earlier failure took it with it.
    Cancelled,
    /// It failed.
    Failed(Fault),
    /// It could not be done yet and has changed nothing; later runs try it again.
    Postponed(Postponement),
    /// The same, and what earlier steps had made for it is gone: later runs try those again too.
    Undone(Postponement),
}

impl StepResult {
    /// Why it waits for later runs, if it does.
    pub fn postponement(&self) -> Option<&Postponement> {
        match self {
            Self::Postponed(why) | Self::Undone(why) => Some(why),
            Self::Done | Self::AlreadyDone | Self::Cancelled | Self::Failed(_) => None,
        }
    }
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponement {
    /// What keeps it from being done.
    pub reason: Fault,
    /// Whether that is an error: it is told as one, and the exit status becomes 1.
    pub failed: bool,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A remark at debug level (`-v`).
    Debug(&'a str),
    /// A remark worth a line without `-v` (`note: `).
    Note(&'a str),
    /// A warning; the exit status stays.
    Warning(&'a str),
    /// An error.
    Error(&'a Fault),
    /// Raw output of a compressor, for stderr only (compat CLI-33).
    Raw(&'a [u8]),
    /// A block begins.
    BlockStarted {
        /// The block.
        block: &'a LogBlock,
        /// Whether `-f` was given.
        forced: bool,
        /// Whether a pattern of it matched anything.
        any_logs: bool,
    },
    /// A log is decided.
    Decided {
        /// Its block.
        block: &'a LogBlock,
        /// The decision.
        decision: &'a Decision,
    },
    /// A script of the block is not run, for want of a log that is due (compat SCR-4).
    ScriptNotRun(ScriptKind),
    /// A script runs.
    ScriptStarted {
        /// The call.
        call: &'a ScriptCall,
        /// Its text.
        text: &'a [u8],
        /// A dry run shows it instead of running it.
        dry: bool,
    },
    /// The rotation of a log is planned (compat ROT-30).
    Rotating {
        /// The block.
        block: &'a LogBlock,
        /// The log.
        log: &'a crate::names::LogPath,
    },
    /// A step begins, or, in a dry run, would be done.
    StepStarted {
        /// Its plan.
        plan: &'a Plan,
        /// The step.
        step: &'a Step,
    },
    /// A step ended.
    StepEnded {
        /// Its plan.
        plan: &'a Plan,
        /// The step.
        step: &'a Step,
        /// How.
        result: &'a StepResult,
    },
}

/// Somebody who is told.
pub trait Observer {
    /// Called in the order in which things happen.
    fn observe(&mut self, event: &Event<'_>);

    /// Whether anybody will see what is said at debug level: if not, nobody need word it.
    fn wants_debug(&self) -> bool {
        true
    }
}

/// Keeps quiet.
impl Observer for () {
    fn observe(&mut self, _: &Event<'_>) {}

    fn wants_debug(&self) -> bool {
        false
    }
}
