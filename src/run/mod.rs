//! Drives the blocks: scripts between decide, plan and execute; outcomes into the state.
//!
//! What this module promises: blocks are handled one after the other in the order of the
//! configuration; one block's failure never stops another; a log's record is made as soon as its
//! content has left it, whatever fails later (design.md, *Records*).

mod block;
mod handling;
mod scripts;
mod su;
#[cfg(test)]
mod tests;
mod world;

pub use scripts::ConfiguredScripts;
pub use world::World;

use std::ops::Deref;
use std::rc::Rc;

use crate::clock::{LocalTime, Zone};
use crate::config::policy::LogBlock;
use crate::event::{Event, Observer};
use crate::execute::{Await, Outcome, Perform};
use crate::fault::Fault;
use crate::names::{AnyPath, LogPath};
use crate::plan::BlockKey;
use crate::state::State;
use crate::survey::{Finding, Index, MatchedLog, Promised, match_blocks, verify_old_dir};
use crate::system::{Accounts, Dirs, lookup};

/// A block and the logs that its patterns matched.
pub struct Work<'a> {
    /// The block, with what it takes from others: see [`Promised`].
    pub block: Complete<'a>,
    /// Its logs, in order.
    pub logs: Vec<MatchedLog>,
}

/// A block. Nearly all are as they are written; so the other ones, and not all of them, take their room.
pub enum Complete<'a> {
    /// As it is written.
    Written(&'a LogBlock),
    /// With what it takes from others.
    Completed(Box<LogBlock>),
}

impl Deref for Complete<'_> {
    type Target = LogBlock;

    fn deref(&self) -> &LogBlock {
        match self {
            Self::Written(block) => block,
            Self::Completed(block) => block,
        }
    }
}

/// Finds the logs of all blocks; gives also the listings that were read for it. A block whose `olddir` cannot be used is left out; the finding says
/// why (compat CFG-80).
pub fn find<'a>(
    blocks: &'a [LogBlock],
    dirs: &mut Dirs,
    accounts: &dyn Accounts,
) -> (Vec<Work<'a>>, Index, Vec<Finding>) {
    let mut index = Index::default();
    let home = |user: Option<&[u8]>| accounts.home(user);
    let matched = match_blocks(blocks, &mut index, &home);
    let mut findings = matched.findings;
    let mut promised = Promised::default();
    for (block, logs) in blocks.iter().zip(&matched.logs) {
        promised.add(block, logs, dirs);
    }
    let mut work = Vec::with_capacity(blocks.len());
    for (block, logs) in blocks.iter().zip(matched.logs) {
        let old_dir = verify_old_dir(block, &logs, &promised, dirs);
        let usable = !old_dir.iter().any(|f| matches!(f, Finding::Diagnostic(_)));
        findings.extend(old_dir);
        if usable {
            let block = match promised.for_block(block, &logs) {
                None => Complete::Written(block),
                Some(how) => {
                    let mut block = Box::new(block.clone());
                    Rc::make_mut(&mut block.policy.naming).create_old_dir = how.clone();
                    Complete::Completed(block)
                }
            };
            work.push(Work { block, logs });
        }
    }
    (work, index, findings)
}

/// Names a block across runs, whichever directory they are started in.
pub fn block_key(block: &LogBlock) -> BlockKey {
    use std::os::unix::ffi::OsStringExt;
    let pattern = std::ffi::OsString::from_vec(block.pattern_text.to_vec());
    BlockKey { file: AnyPath(lookup::absolute(block.file())), pattern: AnyPath(pattern.into()) }
}

/// Rotates what is due; gives whether everything went well. If it is asked to end, what is left is left to
/// the next run.
pub fn all(
    work: &[Work<'_>],
    world: &mut World<'_>,
    state: &mut State,
    perform: &mut dyn Perform,
    observer: &mut dyn Observer,
) -> bool {
    observer.observe(&Event::Debug(""));
    observer.observe(&Event::Debug(&format!("Handling {} logs", work.len())));
    let mut all_well = true;
    for work in work {
        if perform.halted().is_some() {
            break;
        }
        all_well &= block::handle(work, world, state, perform, observer);
    }
    all_well &= block::catch_up(Await::All, world, state, perform, observer);
    if let Some(signal) = perform.halted() {
        let text = format!("ended by {signal}; what is left is done by the next run");
        observer.observe(&Event::Error(&Fault::new(text)));
        all_well = false;
    }
    all_well
}

/// Puts an outcome's records into the state.
pub fn fold(outcome: &Outcome, state: &mut State) {
    outcome.records.iter().for_each(|record| put(record, state));
}

/// The same for what an earlier run has done: what was recorded since holds, unless it is in the future.
pub fn fold_resumed(outcome: &Outcome, state: &mut State, now: LocalTime, zone: &dyn Zone) {
    for record in &outcome.records {
        let since = state.get(record.0.as_path(), zone);
        if since.is_none_or(|since| since.0 <= record.1.0 || since.0 > now.0) {
            put(record, state);
        }
    }
}

fn put((log, time): &(LogPath, LocalTime), state: &mut State) {
    state.set(log.as_path(), *time);
    state.mark_used(log.as_path());
}
