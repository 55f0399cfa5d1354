//! Is a log due? Pure: policy, facts, record and time in; a [`Decision`] out.
//!
//! [`decide()`] asks the questions in the reference's order, [`calendar`] answers those about dates,
//! [`slots`] those about wall-clock slots; [`reason`] holds the answers and their wording.

pub mod calendar;
pub mod decide;
pub mod reason;
pub mod slots;

pub use decide::{Question, decide};
pub use reason::{Decision, RefuseReason, RotateReason, SkipReason, Verdict};
