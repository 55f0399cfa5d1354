//! When a log is due.

use crate::source::{Rare, Setting};
use crate::units::{ByteSize, Days};

/// When a log is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criteria {
    /// The one that was set last wins (compat 2.8).
    pub trigger: Setting<Trigger>,
    /// `minsize`: not due below it. `None` or 0: off.
    pub min_size: Rare<ByteSize>,
    /// `maxsize`: due above it, whatever the trigger says. `None` or 0: off.
    pub max_size: Rare<ByteSize>,
    /// `minage`: not due if written to within so many days. `None` or 0: off.
    pub min_age: Rare<Days>,
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            trigger: Setting::default(Trigger::Size(ByteSize(1 << 20))),
            min_size: None,
            max_size: None,
            min_age: None,
        }
    }
}

/// What makes a log due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `size N`: the log has at least so many bytes.
    Size(ByteSize),
    /// An interval has begun since the last rotation.
    Every(Interval),
}

/// The intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Interval {
    /// `hourly`.
    Hourly,
    /// `daily`.
    Daily,
    /// `weekly D`: 0 is Sunday, 7 means "seven days after the last time" (compat RD-14).
    Weekly(u8),
    /// `monthly D`: 0 means "in another month than the last time" (compat RD-15).
    Monthly(u8),
    /// `yearly`.
    Yearly,
    /// `minutes N`: the clock's minute number has advanced by N or more.
    Minutes(u32),
    /// `minutely`, `every N<m|h|d|w>`: another wall-clock slot has begun.
    Slots(SlotLength),
}

/// The length of a wall-clock slot. The number is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SlotLength {
    /// Minutes from local midnight.
    Minutes(u32),
    /// Hours from local midnight.
    Hours(u32),
    /// Days from 1970-01-01.
    Days(u32),
    /// Weeks that begin on Monday.
    Weeks(u32),
}
