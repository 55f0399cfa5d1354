//! The journal (`STATE.journal`): plans, appended before their first step, and the number of each
//! finished step.
//!
//! What a kill leaves is in the kernel's memory, so most of it is never synced. But a sync of anything
//! puts all the renames before it on disk too, and a loss of power after that must not leave them
//! without their plan: so the journal is synced before a copy or a compressed file is, and before the
//! state is. It names scripts but never holds their text.

mod opening;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::execute::lines::{Line, VERSION};
use crate::execute::work::Work;
use crate::fault::Fault;
use crate::names::{FileName, Shown};
use crate::plan::Plan;
use crate::system::Words;
use crate::system::ledger::{Ledger, LedgerError};
use crate::system::{Dir, Errno, boot, file, file_system};

pub use opening::JournalError;

/// A plan that an earlier run has left in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPlan {
    /// The plan.
    pub plan: Plan,
    /// How many of its steps have ended.
    pub ended: usize,
    /// Whether nothing is left to do but to record it.
    pub closed: bool,
    /// Whether it is made of postponed steps: no run was interrupted.
    pub waiting: bool,
}

/// The journal of a run; locked for as long as it lives.
///
/// Its file is made at the first promise, so that a run that does nothing makes none.
#[derive(Debug)]
pub struct Journal {
    dir: Rc<Dir>,
    name: FileName,
    file: Option<Ledger>,
    /// Whether the file has its first line.
    begun: bool,
    /// Which boot this is; asked when it is first needed.
    boot: OnceCell<String>,
    /// What an earlier run has left, until it is taken over.
    found: BTreeMap<u64, (Work, bool)>,
    open: BTreeSet<u64>,
    /// What is left to runs with another configuration.
    kept: Vec<Work>,
    /// Lines that go with the next write: that a step is done which the disk itself shows to be done,
    /// and that a plan is closed. Until they are written, a run that takes over looks at the disk, and
    /// finds nothing to do.
    unwritten: Vec<u8>,
    /// Whether something was written that may not be on disk yet.
    unsynced: bool,
    next: u64,
}

impl Journal {
    /// One that has no file yet.
    fn without_file(dir: Rc<Dir>, name: FileName) -> Self {
        Self {
            dir,
            name,
            file: None,
            begun: false,
            boot: OnceCell::new(),
            found: BTreeMap::new(),
            open: BTreeSet::new(),
            kept: Vec::new(),
            unwritten: Vec::new(),
            unsynced: false,
            next: 1,
        }
    }

    /// What an earlier run has left.
    pub fn found(&self) -> Vec<OpenPlan> {
        self.found.values().map(open_plan).collect()
    }

    /// The path, for messages.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// Leaves nothing but what waits for later runs, or was kept for them, once the records are in the
    /// state: the file is replaced by one with these plans alone, or removed if there are none. If a plan is still open,
    /// it stays. Its lock lasts as long as `self`.
    ///
    /// # Errors
    /// If the file cannot be replaced or removed: the next run will record its plans again.
    pub fn finish(&mut self, waiting: &[Plan]) -> Result<(), Fault> {
        if !self.open.is_empty() || !self.found.is_empty() {
            return self.flush();
        }
        self.unwritten.clear();
        if !waiting.is_empty() || !self.kept.is_empty() {
            return self.rewrite(waiting);
        }
        if self.file.is_none() {
            return Ok(());
        }
        self.discard_spare()?;
        let Some(ledger) = &self.file else { return Ok(()) };
        ledger.remove(&self.dir, &self.name).map_err(|e| self.fault("cannot remove", e))
    }

    /// Puts a journal of these plans, and of what was kept, in the place of this one, in one step.
    fn rewrite(&mut self, waiting: &[Plan]) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        self.add_header(&mut bytes)?;
        for (id, work) in (1..).zip(&self.kept) {
            work.lines(id).iter().try_for_each(|line| self.add(line, &mut bytes))?;
        }
        for (id, plan) in (self.kept.len() as u64 + 1..).zip(waiting) {
            let plan = Cow::Borrowed(plan);
            self.add(&Line::Plan { id, plan, waiting: true }, &mut bytes)?;
        }
        self.discard_spare()?;
        let Some(spare) = self.spare() else { return Ok(()) };
        let mut ledger = Ledger::create(&self.dir, &spare).map_err(|e| self.refused(e))?;
        ledger
            .append(&bytes)
            .and_then(|()| ledger.replace(&self.dir, &spare, &self.name))
            .map_err(|e| self.fault("cannot write", e))?;
        self.file = Some(ledger);
        Ok(())
    }

    /// The name under which the next journal is made.
    fn spare(&self) -> Option<FileName> {
        FileName::from_bytes(&[self.name.as_bytes(), b".new"].concat())
    }

    /// Removes what a run that died in [`Self::rewrite`] has left.
    fn discard_spare(&self) -> Result<(), Fault> {
        let Some(spare) = self.spare() else { return Ok(()) };
        match self.dir.facts(&spare) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => file::unlink(&self.dir, &spare),
            Err(errno) => Err(errno),
        }
        .map_err(|e| self.fault("cannot remove the old draft of", e))
    }

    /// Hands over what an earlier run has left: plan by plan, and whether it is closed.
    pub(super) fn take_found(&mut self) -> BTreeMap<u64, (Work, bool)> {
        std::mem::take(&mut self.found)
    }

    /// Leaves a plan that was found to a run with another configuration.
    pub(super) fn keep(&mut self, plan: u64, work: Work) {
        self.open.remove(&plan);
        self.kept.push(work);
    }

    /// Writes a plan down and gives its number.
    pub(super) fn promise(&mut self, plan: &Plan) -> Result<u64, Fault> {
        let id = self.next;
        self.write(&Line::Plan { id, plan: Cow::Borrowed(plan), waiting: false })?;
        self.next += 1;
        self.open.insert(id);
        Ok(id)
    }

    /// Waits until all that was written is on disk.
    ///
    /// # Errors
    /// If that is impossible: a loss of power may then leave what plans did, and no trace of them.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        if !std::mem::take(&mut self.unsynced) {
            return Ok(());
        }
        let Some(ledger) = &self.file else { return Ok(()) };
        ledger.sync().map_err(|e| self.fault("cannot sync", e))
    }

    /// Writes that nothing is left to do of a plan.
    pub(super) fn close(&mut self, plan: u64) -> Result<(), Fault> {
        // Even if the line cannot be written, this run has done its part.
        self.open.remove(&plan);
        self.write_later(&Line::Closed { plan })
    }

    /// Keeps a line for the next write.
    pub(super) fn write_later(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let mut unwritten = std::mem::take(&mut self.unwritten);
        let added = self.add(line, &mut unwritten);
        self.unwritten = unwritten;
        added
    }

    /// Writes the lines that were kept.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        let Some(ledger) = self.file.as_mut().filter(|_| !self.unwritten.is_empty()) else {
            return Ok(());
        };
        ledger.append(&self.unwritten).map_err(|errno| self.fault("cannot write", errno))?;
        self.unsynced = true;
        self.unwritten.clear();
        Ok(())
    }

    /// Appends a line, and what was kept before it.
    pub(super) fn write(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        if self.file.is_none() {
            let made = Ledger::create(&self.dir, &self.name).map_err(|e| self.refused(e))?;
            self.file = Some(made);
        }
        // The memory is used again: there may be thousands of plans.
        let mut bytes = std::mem::take(&mut self.unwritten);
        let kept = bytes.len();
        let written = self.append_with(line, &mut bytes);
        if written.is_ok() {
            self.unsynced = true;
            bytes.clear();
        } else {
            bytes.truncate(kept);
        }
        self.unwritten = bytes;
        written
    }

    /// Adds a line to bytes that were kept, and writes all of it.
    fn append_with(&mut self, line: &Line<'_>, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        // Nothing can have been kept before the first line.
        if !self.begun {
            self.add_header(bytes)?;
        }
        self.add(line, bytes)?;
        let Some(ledger) = &mut self.file else { return Ok(()) };
        ledger.append(bytes).map_err(|errno| self.fault("cannot write", errno))?;
        self.begun = true;
        Ok(())
    }

    fn boot(&self) -> &str {
        self.boot.get_or_init(boot::id)
    }

    fn add_header(&self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let boot = Cow::Borrowed(self.boot());
        self.add(&Line::Journal { version: VERSION, boot }, bytes)
    }

    fn add(&self, line: &Line<'_>, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let failed = |e| format!("cannot write journal {}: {e}", Shown::path(&self.path()));
        line.write_to(bytes).map_err(|e| Fault::new(failed(e)))
    }

    fn fault(&self, verb: &str, errno: Errno) -> Fault {
        let message = format!("{verb} journal {}: {}", Shown::path(&self.path()), errno.words());
        let fault = Fault { errno: Some(errno as i32), ..Fault::new(message) };
        file_system::explain(fault, &self.dir)
    }

    fn unusable(&self, verb: &str, errno: Errno) -> JournalError {
        JournalError::Unusable(self.fault(verb, errno))
    }

    fn refused(&self, error: LedgerError) -> Fault {
        match error {
            LedgerError::System(errno) => self.fault("cannot write", errno),
            LedgerError::Locked => self.fault("cannot lock", Errno::EWOULDBLOCK),
            LedgerError::Untrusted(reason) => {
                Fault::new(format!("cannot write journal {}: {reason}", Shown::path(&self.path())))
            }
        }
    }
}

fn open_plan((work, closed): &(Work, bool)) -> OpenPlan {
    let ended = work.results.iter().flatten().count();
    OpenPlan { plan: Plan::clone(&work.plan), ended, closed: *closed, waiting: work.waiting }
}
