//! The operating system: the only place that names `nix`, `rustix`, `std::fs` and `std::process`.
//!
//! Everything here is mechanism. Which file is touched, and why, is decided elsewhere.

pub mod accounts;
pub mod attend;
pub mod attributes;
pub mod boot;
pub mod child;
pub mod config_file;
pub mod copy;
#[cfg(test)]
pub mod crash;
pub mod census;
pub mod cut;
pub mod dir;
pub mod directory;
pub mod file;
pub mod file_system;
pub mod freeing;
pub mod gaps;
pub mod handler;
pub mod holders;
pub mod identity;
pub mod label;
pub mod lease;
pub mod ledger;
pub mod lock;
pub mod log_copy;
pub mod lookup;
pub mod mover;
pub mod packing;
pub mod pid_file;
pub mod priority;
pub mod process;
mod queue;
pub mod signal;
pub mod state_file;
pub mod status;
pub mod stop;
pub mod stopwatch;
pub mod walk;
pub mod watch;
mod ways;
pub mod words;

pub use accounts::{Accounts, SystemAccounts};
pub use config_file::{ConfigFault, ConfigFile, ConfigKind, ReadFault};
pub use dir::{Dir, Dirs, OpenError};
pub use nix::errno::Errno;
pub use stopwatch::Stopwatch;
pub use words::Words;
