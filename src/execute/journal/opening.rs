//! Opening a journal, and setting one aside that cannot be used.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::{Journal, OpenPlan, open_plan};
use crate::execute::lines::{self, Read};
use crate::fault::Fault;
use crate::names::{FileName, Shown};
use crate::system::ledger::{Ledger, LedgerError, Use};
use crate::system::{Dir, Errno, file};

/// How often a locked journal is tried again: a dry run locks it for the moment of its look.
const TRIES: u32 = 5;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// As many unusable journals are set aside before one must be removed by hand.
const MOST_SET_ASIDE: u32 = 1000;

/// Why there is no journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalError {
    /// It belongs to a run that is going on: the sentence.
    Locked(Fault),
    /// It cannot be used: the sentence.
    Unusable(Fault),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(fault) | Self::Unusable(fault) => fault.fmt(f),
        }
    }
}

/// What opening found.
enum Opened {
    Absent,
    Good(Ledger, Read),
    Bad(String),
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
        let mut journal = Self::without_file(dir, name);
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
        let journal = Self::without_file(dir, name);
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
                Err(LedgerError::Locked) => {
                    let path = self.path();
                    let text =
                        format!("journal {} belongs to a run that is going on", Shown::path(&path));
                    let hint =
                        "wait for its end; two runs with one state file cannot work side by side";
                    return Err(JournalError::Locked(Fault::new(text).with_hint(hint)));
                }
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
}
