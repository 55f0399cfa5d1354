//! Facts about our own process and its surroundings.
#![expect(clippy::disallowed_methods, reason = "system is where the environment is read")]

use std::sync::OnceLock;

use rustix::process::{Resource, getrlimit};

/// Whether root started the program (the real uid is 0): only then do the owner and mode of a
/// configuration file (compat CFG-4) and of a log's directory (compat RD-2) matter.
pub fn started_by_root() -> bool {
    starter() == 0
}

/// The user who started the program: the real uid, which never changes.
pub fn starter() -> u32 {
    static STARTER: OnceLock<u32> = OnceLock::new();
    *STARTER.get_or_init(|| nix::unistd::getuid().as_raw())
}

/// How many files may be open.
pub fn most_open() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Whether options end at the first file name (compat CLI-1).
pub fn posixly_correct() -> bool {
    std::env::var_os("POSIXLY_CORRECT").is_some()
}

/// The time. Asked once a run, by the command line.
pub fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
