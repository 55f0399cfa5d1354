//! Where `-l` puts copies of the messages.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use syslog::{Facility, Formatter3164, Logger, LoggerBackend};

/// Opens `-l FILE`: truncated or created (mode 0666 less umask). Scripts inherit the descriptor
/// (compat CLI-30), so it is the one thing we open that is not closed on exec.
///
/// # Errors
/// Whatever the system says.
pub fn open_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(file)
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
