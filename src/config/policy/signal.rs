//! `signal`: what tells programs that their log has moved.

use std::path::PathBuf;

use crate::units::SignalName;

/// A signal and who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalTo {
    /// The signal.
    pub signal: SignalName,
    /// Who.
    pub to: Signalled,
}

/// Who gets a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signalled {
    /// `pidfile PATH`: the process whose number this file holds. The path is absolute.
    PidFile(PathBuf),
    /// `writers`: whoever still writes a log that has moved, and handles the signal.
    Writers,
}
