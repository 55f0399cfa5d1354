//! Hostile directories: whoever owns a directory of logs, or one above it, gains nothing from what root
//! does there.
//!
//! `swap.rs` races: an unprivileged process exchanges names as fast as it can while root rotates, and
//! nothing outside of its own directories may be made, changed, read or given away. `planted.rs` lays
//! things in wait; `names.rs` has names that are hostile by themselves; `entrances.rs` is about the files
//! that the program opens for itself.
//!
//! `LOGROTATE_RS_HOSTILE=N` makes the races N runs long for each method in each way (2,000 for a
//! release); otherwise there are a hundred for each method. With `LOGROTATE_UNDER_TEST=theirs` they count
//! what logrotate 3.21 lets happen, and fail if that is nothing: then they would prove nothing about ours.

mod attacker;
mod entrances;
mod ground;
mod lowered;
mod names;
mod planted;
mod swap;

/// Who attacks: the user and group `daemon`.
const ATTACKER: u32 = 1;
