//! Tests of the program as a whole, in one binary.
//!
//! `LOGROTATE_UNDER_TEST=theirs cargo test --test main compliance` runs the compliance tests on
//! the reference (Debian's logrotate 3.21) instead of our program.
#![expect(clippy::disallowed_methods, reason = "tests arrange files and run programs")]
// All of this is test code; `cfg(test)` tells clippy so for the helpers, too.
#![cfg(test)]

mod architecture;
mod bad_input;
mod calls;
mod compliance;
mod corpus;
mod crash;
mod cron;
mod daemons;
mod detection;
mod differential;
mod docs;
mod hostile;
mod full_disk;
mod limits;
mod messages;
mod scene;
mod shared_state;
mod overlap;
mod stop;
mod story;
mod writers;
