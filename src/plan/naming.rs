//! Names of old versions, temporaries and files set aside.

use chrono::{Datelike, Timelike};

use crate::clock::LocalTime;
use crate::config::policy::Naming;
use crate::names::{FileName, Slot};

/// The longest name that Linux file systems take.
const LONGEST_NAME: usize = 255;

/// The two ends of an old version's name: what stands before and behind its number or date.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stem {
    /// The log's name, less the suffix that `extension` or `addextension` moves.
    pub base: Vec<u8>,
    /// That suffix.
    pub extension: Vec<u8>,
}

impl Stem {
    /// Takes a log's name apart (compat ROT-2): `addextension` holds in any case, `extension` only
    /// if the rest of the name ends with it, and then it wins.
    pub fn of(log: &FileName, naming: &Naming) -> Self {
        let mut stem = Self { base: log.as_bytes().to_vec(), extension: Vec::new() };
        if let Some(added) = &naming.add_extension {
            stem.cut(added);
            stem.extension.clone_from(added);
        }
        if let Some(moved) = &naming.extension
            && stem.cut(moved)
        {
            stem.extension.clone_from(moved);
        }
        stem
    }

    fn cut(&mut self, suffix: &[u8]) -> bool {
        let found = self.base.ends_with(suffix);
        if found {
            self.base.truncate(self.base.len() - suffix.len());
        }
        found
    }

    /// `base.N` with suffix and ending (compat ROT-3).
    pub fn numbered(&self, slot: Slot, ending: &[u8]) -> Option<FileName> {
        self.join(format!(".{}", slot.0).as_bytes(), ending)
    }

    /// `base` and date, with suffix and ending (compat ROT-3). `None` if the date's format holds a
    /// slash.
    pub fn dated(&self, date: &[u8], ending: &[u8]) -> Option<FileName> {
        self.join(date, ending)
    }

    fn join(&self, middle: &[u8], ending: &[u8]) -> Option<FileName> {
        FileName::from_bytes(&[&self.base, middle, &self.extension, ending].concat())
    }
}

/// A temporary name for a file that will be called `name`: hidden, so that no pattern matches it,
/// and free.
pub fn temporary(name: &FileName, taken: impl Fn(&FileName) -> bool) -> Option<FileName> {
    first_free(b".", name.as_bytes(), b".logrotate-rs", taken)
}

/// Where `renamecopy` keeps a log until it is copied: `LOG.tmp` (compat ROT-51), with a number behind it
/// where that name is taken: it may be the only copy of an earlier log (fixes B-06).
pub fn parked(log: &FileName, taken: impl Fn(&FileName) -> bool) -> Option<FileName> {
    first_free(b"", log.as_bytes(), b".tmp", taken)
}

/// The name under which a file in the way is kept: `NAME-YYYYMMDDHH.backup` (compat ROT-60), with a
/// number behind it where that name is taken: nothing is ever put over another (fixes B-43).
pub fn set_aside(
    name: &FileName,
    now: LocalTime,
    taken: impl Fn(&FileName) -> bool,
) -> Option<FileName> {
    let t = now.civil();
    let stamp = format!("-{}{:02}{:02}{:02}.backup", t.year(), t.month(), t.day(), t.hour());
    first_free(b"", name.as_bytes(), stamp.as_bytes(), taken)
}

/// `PREFIX NAME SUFFIX`, else with `-1`, `-2`, ... behind it. A name that is too long loses its end.
fn first_free(
    prefix: &[u8],
    name: &[u8],
    suffix: &[u8],
    taken: impl Fn(&FileName) -> bool,
) -> Option<FileName> {
    (0..u32::MAX).find_map(|n| {
        let number = if n == 0 { String::new() } else { format!("-{n}") };
        let room = LONGEST_NAME.saturating_sub(prefix.len() + suffix.len() + number.len());
        let kept = &name[..name.len().min(room)];
        FileName::from_bytes(&[prefix, kept, suffix, number.as_bytes()].concat())
            .filter(|candidate| !taken(candidate))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn name(text: &str) -> FileName {
        FileName::new(text).expect("a name")
    }

    #[test]
    fn extensions_move_behind_the_number() {
        let rows: [(&str, Option<&str>, Option<&str>, &str); 6] = [
            ("user.log", None, None, "user.log.1"),
            ("user.log", Some(".log"), None, "user.1.log"),
            ("user.log", Some(".txt"), None, "user.log.1"),
            ("user.log", None, Some(".old"), "user.log.1.old"),
            ("user.log", None, Some(".log"), "user.1.log"),
            ("user.log.x", Some(".log"), Some(".x"), "user.1.log"),
        ];
        for (log, extension, add_extension, first) in rows {
            let naming = Naming {
                extension: extension.map(|e| e.as_bytes().to_vec()),
                add_extension: add_extension.map(|e| e.as_bytes().to_vec()),
                ..Naming::default()
            };
            let stem = Stem::of(&name(log), &naming);
            assert_eq!(stem.numbered(Slot(1), b""), Some(name(first)), "{log}");
        }
    }

    #[test]
    fn a_file_set_aside_never_takes_a_name_that_is_in_use() {
        let now = LocalTime(
            chrono::FixedOffset::east_opt(0)
                .and_then(|z| z.with_ymd_and_hms(2026, 2, 3, 4, 5, 6).single())
                .expect("a time"),
        );
        let first = name("a.1-2026020304.backup");
        assert_eq!(set_aside(&name("a.1"), now, |_| false), Some(first.clone()));
        assert_eq!(
            set_aside(&name("a.1"), now, |n| *n == first),
            Some(name("a.1-2026020304.backup-1"))
        );
    }

    #[test]
    fn a_temporary_name_is_hidden_and_fits() {
        assert_eq!(temporary(&name("a"), |_| false), Some(name(".a.logrotate-rs")));
        let long = name(&"x".repeat(255));
        let made = temporary(&long, |_| false).expect("fits");
        assert_eq!(made.as_bytes().len(), 255);
    }

    #[test]
    fn a_date_with_a_slash_makes_no_name() {
        let stem = Stem { base: b"a".to_vec(), extension: Vec::new() };
        assert_eq!(stem.dated(b"-2026/01", b""), None);
    }
}
