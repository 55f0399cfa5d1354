//! The state: when each log was last rotated.
//!
//! [`mod@format`] turns the state file's text into a [`State`] and back; both are pure. Reading,
//! locking and replacing the file is the store's work.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, Timelike};
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use crate::clock::{LocalTime, Zone};

pub mod format;
mod opening;
pub mod store;

pub use store::{LockFailure, LockMode, Store, StoreEvent, read_only};

/// How long the record of a log that is gone is kept: a solar year, in seconds (compat ST-21).
const KEPT: i64 = 31_556_926;

/// The records of all logs, in the order in which they first appeared.
///
/// Paths are compared byte for byte. Times have whole seconds.
#[derive(Debug, Clone, Default)]
pub struct State {
    entries: IndexMap<Box<[u8]>, Entry, DefaultHashBuilder>,
    changed: bool,
}

/// One log's record.
#[derive(Debug, Clone, Copy)]
struct Entry {
    stamp: Stamp,
    /// Whether the log was met in this run.
    used: bool,
}

/// A record's time: as read, or exact.
///
/// Most records are only copied from the old file to the new one, so that a time is looked up in
/// the time zone when somebody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    /// What the calendar said; in a repeated hour this may be either pass.
    Civil(NaiveDateTime),
    /// The instant.
    Exact(LocalTime),
}

impl Stamp {
    fn time(self, zone: &dyn Zone) -> LocalTime {
        match self {
            Self::Civil(civil) => zone.resolve(civil),
            Self::Exact(time) => time,
        }
    }
}

impl State {
    /// The record of a log, or `None` if it has none.
    pub fn get(&self, path: &Path, zone: &dyn Zone) -> Option<LocalTime> {
        self.entries.get(key(path)).map(|entry| entry.stamp.time(zone))
    }

    /// Sets the record of a log, and marks it as used. The same time again is no change.
    pub fn set(&mut self, path: &Path, time: LocalTime) {
        // What is written has whole seconds.
        let time = LocalTime(time.0.with_nanosecond(0).unwrap_or(time.0));
        let stamp = Stamp::Exact(time);
        if let Some(entry) = self.entries.get_mut(key(path)) {
            self.changed |= match entry.stamp {
                Stamp::Exact(before) => before != time,
                Stamp::Civil(before) => before != time.civil(),
            };
            *entry = Entry { stamp, used: true };
        } else {
            self.insert(key(path).into(), stamp, true);
            self.changed = true;
        }
    }

    /// Marks a log as met in this run, so that its record is kept however old it is (compat RD-4,
    /// ST-21). Not a change.
    pub fn mark_used(&mut self, path: &Path) {
        if let Some(entry) = self.entries.get_mut(key(path)) {
            entry.used = true;
        }
    }

    /// Drops the records that are not used and older than a solar year, and gives their paths in
    /// the order of the file (compat ST-21). A record that lies ahead is not old.
    pub fn drop_unused(&mut self, now: LocalTime, zone: &dyn Zone) -> Vec<PathBuf> {
        let old = |entry: &Entry| {
            let age = now.seconds().saturating_sub(entry.stamp.time(zone).seconds());
            !entry.used && age > KEPT
        };
        let mut dropped = Vec::new();
        self.entries.retain(|path, entry| {
            let goes = old(entry);
            if goes {
                dropped.push(PathBuf::from(OsStr::from_bytes(path)));
            }
            !goes
        });
        self.changed |= !dropped.is_empty();
        dropped
    }

    /// Whether the file has to be written: a record was set, dropped, or the file that was read
    /// was not one that we would write (empty, version 1, or with lines that had to be dropped).
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The logs that have a record, in the order of the file.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.entries.keys().map(|path| Path::new(OsStr::from_bytes(path)))
    }

    /// Adds a record, or replaces it in its place.
    fn insert(&mut self, path: Box<[u8]>, stamp: Stamp, used: bool) {
        self.entries.insert(path, Entry { stamp, used });
    }
}

fn key(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::Europe::Berlin;

    fn at(instant: &str) -> LocalTime {
        let instant: DateTime<Utc> = instant.parse().expect(instant);
        Zone::at(&Berlin, instant)
    }

    fn read(lines: &str) -> State {
        let text = format!("logrotate state -- version 2\n{lines}");
        let (state, faults) = State::parse(text.as_bytes(), Path::new("s"), &Berlin);
        assert_eq!(faults, []);
        state
    }

    #[test]
    fn a_record_is_found_by_the_bytes_of_its_path() {
        let mut state = State::default();
        let odd = Path::new(OsStr::from_bytes(b"/a/\xff"));
        state.set(odd, at("2026-07-01T10:00:00Z"));
        assert_eq!(state.get(odd, &Berlin), Some(at("2026-07-01T10:00:00Z")));
        for other in ["/a//\u{fffd}", "/a/", "/a/./\u{ff}"] {
            assert_eq!(state.get(Path::new(other), &Berlin), None);
        }
        // Paths that the system takes for the same are two names in the state file.
        state.set(Path::new("/b/c"), at("2026-07-01T10:00:00Z"));
        assert_eq!(state.get(Path::new("/b//c"), &Berlin), None);
    }

    #[test]
    fn setting_the_same_time_is_no_change() {
        let mut state = read("\"/a\" 2026-7-1-12:0:0\n");
        assert!(!state.is_changed());
        let time = at("2026-07-01T10:00:00Z");
        state.set(Path::new("/a"), time);
        state.set(Path::new("/a"), LocalTime(time.0 + TimeDelta::milliseconds(900)));
        state.mark_used(Path::new("/a"));
        state.mark_used(Path::new("/unknown"));
        assert!(!state.is_changed());
        state.set(Path::new("/a"), at("2026-07-01T10:00:01Z"));
        assert!(state.is_changed());
    }

    #[test]
    fn a_new_record_is_a_change_and_comes_last() {
        let mut state = read("\"/z\" 2026-7-1\n\"/a\" 2026-7-1\n");
        state.set(Path::new("/b"), at("2026-07-01T10:00:00Z"));
        state.set(Path::new("/z"), at("2026-07-01T10:00:00Z"));
        assert!(state.is_changed());
        assert_eq!(state.paths().collect::<Vec<_>>(), ["/z", "/a", "/b"].map(Path::new));
        assert_eq!((state.len(), state.is_empty()), (3, false));
    }

    #[test]
    fn a_record_that_is_unused_for_a_solar_year_is_dropped() {
        let now = at("2026-07-01T10:00:00Z");
        let ago = |seconds| {
            let time = Zone::at(&Berlin, now.0.to_utc() - TimeDelta::seconds(seconds));
            time.civil().format("%Y-%m-%d-%H:%M:%S").to_string()
        };
        let text = format!(
            "/old {}\n/kept {}\n/used {}\n/older {}\n/ahead 2100-1-1\n",
            ago(KEPT + 1),
            ago(KEPT),
            ago(KEPT + 1),
            ago(KEPT * 20),
        );
        let mut state = read(&text);
        state.mark_used(Path::new("/used"));
        assert_eq!(state.drop_unused(now, &Berlin), ["/old", "/older"].map(PathBuf::from));
        assert!(state.is_changed());
        assert_eq!(state.paths().collect::<Vec<_>>(), ["/kept", "/used", "/ahead"].map(Path::new));
        let mut fresh = read("/a 2026-7-1\n");
        assert_eq!(fresh.drop_unused(now, &Berlin), Vec::<PathBuf>::new());
        assert!(!fresh.is_changed());
    }
}
