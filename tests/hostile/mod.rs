//! Hostile directories: whoever owns a directory of logs, or one above it, gains nothing from what root
//! does there.
//!
//! `swap.rs` races: an unprivileged process exchanges names as fast as it can while root rotates, and
//! nothing outside of its own directories may be made, changed, read or given away. `planted.rs` lays
//! things in wait; `names.rs` has names that are hostile by themselves; `configuration.rs`, `state.rs` and
//! `log_option.rs` are about the files that the program opens for itself, `lowered.rs` about the rights
//! that it gives up.
//!
//! `LOGROTATE_RS_HOSTILE=N` makes the races N runs long for each method in each way (2,000 for a
//! release); otherwise there are a hundred for each method. With `LOGROTATE_UNDER_TEST=theirs` they count
//! what logrotate 3.21 lets happen, and fail if that is nothing: then they would prove nothing about ours.

mod attacker;
mod configuration;
mod ground;
mod log_option;
mod lowered;
mod names;
mod planted;
mod state;
mod swap;

/// Who attacks: the user and group `daemon`.
const ATTACKER: u32 = 1;
