//! Where `-l` puts copies of the messages.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use syslog::{Facility, Formatter3164, Logger, LoggerBackend};

use super::dir::{OpenError, facts_of};
use super::file::{Refused, empty};
use super::state_file::Spot;
use crate::facts::{FileFacts, FileKind};

/// How often a file is looked at again that others make and remove meanwhile.
const TRIES: u32 = 10;

/// The mode of a new file, less the umask.
const NEW_MODE: u32 = 0o666;

/// Why `-l FILE` is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOpened {
    /// There is no way to its place.
    Place(OpenError),
    /// What is there is not taken.
    File(Refused),
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::File(refused) => refused.fmt(f),
        }
    }
}

impl From<Errno> for NotOpened {
    fn from(errno: Errno) -> Self {
        Self::File(errno.into())
    }
}

/// Opens `-l FILE`: truncated or created (mode 0666 less umask). Scripts inherit the descriptor
/// (compat CLI-30), so it is the one thing we open that is not closed on exec.
///
/// Where others may write, only a regular file with no other name is taken, and a link that they may
/// change is not followed: they must not choose what is emptied. A FIFO that nobody reads is an error,
/// and never waited for.
///
/// # Errors
/// See [`NotOpened`].
pub fn open_file(path: &Path) -> Result<File, NotOpened> {
    let place = Spot::find(path).map_err(NotOpened::Place)?;
    let mut tries = 0;
    let file = loop {
        let opened = open_or_create(&place);
        tries += 1;
        match opened {
            // It has come, or gone, between our look and our call.
            Err(NotOpened::File(Refused::System(Errno::EEXIST) | Refused::Missing))
                if tries < TRIES => {}
            other => break other?,
        }
    };
    // Who opens it without waiting may still write to it as slowly as its reader reads.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(file)
}

fn open_or_create(place: &Spot) -> Result<File, NotOpened> {
    let (spot, there) = place.resolve().map_err(NotOpened::Place)?;
    let file = match there {
        None => return Ok(spot.create(NEW_MODE)?),
        Some(facts) if facts.kind == FileKind::SymbolicLink => spot.open_magic()?,
        Some(facts) => {
            check(&spot, &facts)?;
            spot.open_to_write()?
        }
    };
    let facts = facts_of(&file)?;
    check(&spot, &facts)?;
    if facts.kind == FileKind::Regular {
        empty(&file)?;
    }
    Ok(file)
}

/// What others may have put there is taken only if it is a file of one name.
fn check(spot: &Spot, facts: &FileFacts) -> Result<(), NotOpened> {
    let refused = match facts.kind {
        FileKind::Regular if facts.links > 1 => Refused::HardLinks(facts.links),
        FileKind::Regular => return Ok(()),
        _ => Refused::NotRegular,
    };
    if spot.dir.only_trusted_write()? { Ok(()) } else { Err(NotOpened::File(refused)) }
}

/// The system's logger, as `logrotate`, facility user (compat CLI-32).
pub struct Syslog(Logger<LoggerBackend, Formatter3164>);

/// Severities that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyslogLevel {
    /// Debug messages.
    Info,
    /// Notes.
    Notice,
    /// Warnings.
    Warning,
    /// Errors.
    Error,
}

impl Syslog {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect() -> io::Result<Self> {
        let formatter = Formatter3164 {
            facility: Facility::LOG_USER,
            hostname: None,
            process: "logrotate".into(),
            pid: std::process::id(),
        };
        syslog::unix(formatter).map(Self).map_err(|error| io::Error::other(error.to_string()))
    }

    /// Sends one message. One that does not arrive is lost, as everywhere in syslog.
    pub fn send(&mut self, level: SyslogLevel, text: &str) {
        let _ = match level {
            SyslogLevel::Info => self.0.info(text),
            SyslogLevel::Notice => self.0.notice(text),
            SyslogLevel::Warning => self.0.warning(text),
            SyslogLevel::Error => self.0.err(text),
        };
    }
}

/// Closes on exec everything that we were started with beyond 0, 1 and 2, so that a daemon that a
/// script starts inherits nothing of it.
pub fn keep_inherited_descriptors_from_children() {
    close_fds::set_fds_cloexec(3, &[]);
}
