//! The journal (`STATE.journal`): plans, appended before their first step, and the number of each
//! finished step.
//!
//! What a kill leaves is in the kernel's memory, so most of it is never synced. But a sync of anything
//! puts all the renames before it on disk too, and a loss of power after that must not leave them
//! without their plan: so the journal is synced before a copy or a compressed file is, and before the
//! state is. It names scripts but never holds their text.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::execute::lines::{self, Line, Read, VERSION};
use crate::execute::work::Work;
use crate::fault::Fault;
use crate::names::{FileName, Shown};
use crate::plan::Plan;
use crate::system::Words;
use crate::system::ledger::{Ledger, LedgerError, Use};
use crate::system::{Dir, Errno, boot, file, file_system};

/// How often a locked journal is tried again: a dry run locks it for the moment of its look.
const TRIES: u32 = 5;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// As many unusable journals are set aside before one must be removed by hand.
const MOST_SET_ASIDE: u32 = 1000;

/// Why there is no journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalError {
    /// It belongs to a run that is going on.
    Locked,
    /// It cannot be used: the sentence.
    Unusable(Fault),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("the journal belongs to a run that is going on"),
            Self::Unusable(fault) => fault.fmt(f),
        }
    }
}

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
    /// Lines that go with the next write: that a step is done which the disk itself shows to be done,
    /// and that a plan is closed. Until they are written, a run that takes over looks at the disk, and
    /// finds nothing to do.
    unwritten: Vec<u8>,
    /// Whether something was written that may not be on disk yet.
    unsynced: bool,
    next: u64,
}

impl Journal {
    /// Takes the journal of a state file over, if there is one.
    ///
    /// One that is not ours to obey, or that holds something else, is renamed `.bad` (`.bad.1`, ...;
    /// nothing is overwritten) and the second value says so; the run goes on with a new one.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(dir: Rc<Dir>, name: FileName) -> Result<(Self, Option<Fault>), JournalError> {
        let mut journal = Self {
            dir,
            name,
            file: None,
            begun: false,
            boot: OnceCell::new(),
            found: BTreeMap::new(),
            open: BTreeSet::new(),
            unwritten: Vec::new(),
            unsynced: false,
            next: 1,
        };
        let reason = match journal.open_file(Use::Write)? {
            Opened::Absent => return Ok((journal, None)),
            Opened::Bad(reason) => reason,
            Opened::Good(mut ledger, read) => {
                ledger.keep(read.whole).map_err(|e| journal.unusable("cannot write", e))?;
                journal.take_over(ledger, read);
                return Ok((journal, None));
            }
        };
        let aside = journal.set_aside().map_err(JournalError::Unusable)?;
        let (path, aside) = (journal.path(), aside.to_string());
        let message = format!(
            "journal {} cannot be used ({reason}); it is now called {aside}",
            Shown::path(&path)
        );
        let hint = "a rotation that it may speak of is not finished; look at the logs";
        Ok((journal, Some(Fault::new(message).with_hint(hint))))
    }

    /// Looks at what a run would finish, without changing anything: for a dry run.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn peek(dir: Rc<Dir>, name: FileName) -> Result<Vec<OpenPlan>, JournalError> {
        let journal = Self {
            dir,
            name,
            file: None,
            begun: false,
            boot: OnceCell::new(),
            found: BTreeMap::new(),
            open: BTreeSet::new(),
            unwritten: Vec::new(),
            unsynced: false,
            next: 1,
        };
        match journal.open_file(Use::Look)? {
            Opened::Absent => Ok(Vec::new()),
            Opened::Good(_, read) => Ok(read.plans.values().map(open_plan).collect()),
            Opened::Bad(reason) => {
                let path = journal.path();
                let message = format!("journal {} cannot be used ({reason})", Shown::path(&path));
                Err(JournalError::Unusable(Fault::new(message)))
            }
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

    /// Leaves nothing but what waits for later runs, once the records are in the state: the file is
    /// replaced by one with these plans alone, or removed if there are none. If a plan is still open,
    /// it stays. Its lock lasts as long as `self`.
    ///
    /// # Errors
    /// If the file cannot be replaced or removed: the next run will record its plans again.
    pub fn finish(&mut self, waiting: &[Plan]) -> Result<(), Fault> {
        if !self.open.is_empty() || !self.found.is_empty() {
            return self.flush();
        }
        self.unwritten.clear();
        if self.file.is_none() {
            return Ok(());
        }
        if !waiting.is_empty() {
            return self.rewrite(waiting);
        }
        self.discard_spare()?;
        let Some(ledger) = &self.file else { return Ok(()) };
        ledger.remove(&self.dir, &self.name).map_err(|e| self.fault("cannot remove", e))
    }

    /// Puts a journal of these plans in the place of this one, in one step.
    fn rewrite(&mut self, waiting: &[Plan]) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        self.add_header(&mut bytes)?;
        for (id, plan) in (1..).zip(waiting) {
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

    fn open_file(&self, purpose: Use) -> Result<Opened, JournalError> {
        let mut tries = 0;
        let mut ledger = loop {
            match Ledger::open(&self.dir, &self.name, purpose) {
                Ok(None) => return Ok(Opened::Absent),
                Ok(Some(ledger)) => break ledger,
                Err(LedgerError::Untrusted(reason)) => return Ok(Opened::Bad(reason.into())),
                Err(LedgerError::Locked) if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(PAUSE);
                }
                Err(LedgerError::Locked) => return Err(JournalError::Locked),
                Err(LedgerError::System(errno)) => return Err(self.unusable("cannot open", errno)),
            }
        };
        let bytes = ledger.read().map_err(|e| self.unusable("cannot read", e))?;
        match lines::read(&bytes) {
            Ok(read) => Ok(Opened::Good(ledger, read)),
            Err(reason) => Ok(Opened::Bad(reason)),
        }
    }

    fn take_over(&mut self, ledger: Ledger, read: Read) {
        self.file = Some(ledger);
        self.begun = read.whole > 0;
        self.next = read.plans.keys().next_back().map_or(1, |last| last.saturating_add(1));
        self.open = read.plans.iter().filter(|(_, (_, closed))| !closed).map(|(&i, _)| i).collect();
        self.found = read.plans;
        if read.boot != self.boot() {
            for (work, _) in self.found.values_mut() {
                work.forget_devices();
            }
        }
    }

    /// Renames an unusable journal, so that nobody loses what it says.
    fn set_aside(&self) -> Result<FileName, Fault> {
        for number in 0..MOST_SET_ASIDE {
            let mut name = self.name.as_os_str().to_owned();
            name.push(".bad");
            if number > 0 {
                name.push(format!(".{number}"));
            }
            let Some(name) = FileName::new(name) else { break };
            match file::rename_new(&self.dir, &self.name, &self.dir, &name) {
                Ok(()) => return Ok(name),
                Err(Errno::EEXIST) => {}
                Err(errno) => return Err(self.fault("cannot rename unusable", errno)),
            }
        }
        Err(self.fault("cannot rename unusable", Errno::EEXIST))
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

/// What opening found.
enum Opened {
    Absent,
    Good(Ledger, Read),
    Bad(String),
}

fn open_plan((work, closed): &(Work, bool)) -> OpenPlan {
    let ended = work.results.iter().flatten().count();
    OpenPlan { plan: Plan::clone(&work.plan), ended, closed: *closed, waiting: work.waiting }
}
