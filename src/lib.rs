//! Log rotation that reads today's logrotate configuration. Modules are listed lowest first, and a
//! module imports only modules above it.

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
