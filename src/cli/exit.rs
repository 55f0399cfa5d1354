//! Exit statuses, as scripts and service managers know them (compat CLI-21).

/// Everything that was due is done. Warnings, and the few errors that change nothing (compat B-30),
/// do not count.
pub const DONE: u8 = 0;

/// Something failed: a configuration, a rotation, a script, the state file; or no configuration was
/// named (compat CLI-4), or both lock options were (compat CLI-5). Everything else was still done.
pub const FAILED: u8 = 1;

/// The command line was not understood; nothing was read and nothing done (compat CLI-2).
pub const USAGE: u8 = 2;

/// The state file could not be opened, made or locked, as a rule because another run holds the lock;
/// nothing was rotated.
pub const LOCKED: u8 = 3;
