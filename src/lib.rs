//! Log rotation that reads today's logrotate configuration, at any interval, without losing a line.
//!
//! # One way through
//!
//! ```text
//!  argv        config files      state file     clock           file system
//!    |              |                |            |                  |
//!  cli::args   config::load          |            |                  |
//!    |              |                |            |                  |
//!    |          [LogBlock] ----------+------------+--------> survey (read only)
//!    |              |                v            v                  |
//!    |              |           last rotated     now                facts
//!    |              +--------+-------+------------+---------+--------+
//!    |                       v                              v
//!    |               schedule::decide -- [Decision] --> plan::build         (both pure)
//!    |                                                      |
//!    |                                                    Plan
//!    |                                 a dry run ends here  |
//!    |                                                      v
//!    |                                       execute: journal, effects -- Event --> report
//!    |                                                      |
//!    |                                                   Outcome
//!    +----------------------- state::Store <----------------+--> exit status
//! ```
//!
//! Data moves down and right only. Nobody below [`cli`] asks whether this is a dry run: it prints the
//! very steps that a real run performs.
//!
//! # Layers
//!
//! The modules below are listed lowest first, and a module imports only modules above it. In
//! addition [`schedule`] and [`plan`] import no [`system`] and no [`state`]; [`execute`] imports no
//! [`config`] (but the name of a script's kind), no [`schedule`] and no [`survey`]. `tests/architecture.rs`
//! and `clippy.toml` guard this.
//!
//! # Guarantees
//!
//! Nothing is overwritten; nothing is destroyed before what replaces it is on disk; a run that was
//! killed is finished by the next. [`execute`] says how, and where the limits are.

pub mod names;
pub mod units;
pub mod facts;
pub mod clock;
pub mod source;
pub mod diagnostic;
pub mod fault;
pub mod system;
pub mod config;
pub mod state;
pub mod survey;
pub mod schedule;
pub mod plan;
pub mod event;
pub mod execute;
pub mod run;
pub mod report;
pub mod cli;
