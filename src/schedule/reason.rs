//! Decisions and their reasons, with the numbers that were compared.

use crate::clock::LocalTime;
use crate::config::policy::{Interval, SlotLength};
use crate::names::{LogPath, Shown};
use crate::units::{ByteSize, Days};

/// What is to happen to one log, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The log.
    pub log: LogPath,
    /// The time of this run.
    pub now: LocalTime,
    /// Its record: when it was last rotated or, if it is `first_seen`, the stamp that it gets now.
    /// `None` where the decision came before the record was looked up (compat RD-2, RD-3).
    pub last: Option<LocalTime>,
    /// The stamp to record, for a log that the state did not know (compat RD-24; slots and
    /// `minutely`: now).
    pub first_seen: Option<LocalTime>,
    /// The verdict.
    pub verdict: Verdict,
    /// Further reasons not to rotate that hold too, in the order in which they were found (compat
    /// RD-20, RD-21).
    pub also: Vec<SkipReason>,
}

/// Rotate, skip (normal), or refuse (an error).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The log is due.
    Rotate(RotateReason),
    /// The log is not due, or not one to rotate.
    Skip(SkipReason),
    /// The log ought to be looked after, but cannot be.
    Refuse(RefuseReason),
}

/// Why a log is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotateReason {
    /// `-f` (compat RD-8).
    Forced,
    /// Larger than `maxsize` (compat RD-9).
    AboveMaxSize {
        /// The log's size.
        size: ByteSize,
        /// The limit.
        limit: ByteSize,
    },
    /// At least as large as `size` (compat RD-10).
    Size {
        /// The log's size.
        size: ByteSize,
        /// The threshold.
        limit: ByteSize,
    },
    /// The record lies more than 25 hours ahead (compat RD-11).
    RecordInFuture {
        /// The record.
        last: LocalTime,
    },
    /// The interval has begun anew.
    Interval {
        /// Which one.
        interval: Interval,
        /// The record.
        last: LocalTime,
    },
}

/// Why a log is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// It does not exist, and `missingok` says that this is fine (compat RD-3).
    Missing,
    /// Its directory does not exist, and `missingok` says that this is fine (compat RD-2).
    ParentMissing,
    /// It is a symbolic link (compat RD-5).
    SymbolicLink,
    /// It has several names (compat RD-6).
    HardLinks {
        /// How many.
        links: u64,
    },
    /// Below the threshold of `size` (compat RD-10).
    BelowSize {
        /// The log's size.
        size: ByteSize,
        /// The threshold.
        limit: ByteSize,
    },
    /// Rotated in this very minute (compat RD-12).
    SameMinute {
        /// The record.
        last: LocalTime,
    },
    /// The interval has not begun anew (compat RD-17).
    WithinInterval {
        /// Which one.
        interval: Interval,
        /// The record.
        last: LocalTime,
    },
    /// Smaller than `minsize` (compat RD-20).
    BelowMinSize {
        /// The log's size.
        size: ByteSize,
        /// The threshold.
        limit: ByteSize,
    },
    /// Written to more recently than `minage` allows (compat RD-21).
    BelowMinAge {
        /// Seconds since the last write; negative if that lies ahead.
        age_seconds: i64,
        /// The threshold.
        limit: Days,
    },
    /// `notifempty` (compat RD-22).
    Empty,
}

/// Why a log cannot be looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefuseReason {
    /// It does not exist, and there is no `missingok`.
    Missing,
    /// Its directory does not exist, and there is no `missingok`.
    ParentMissing,
    /// Its directory could not be looked at.
    ParentFailed {
        /// The cause.
        cause: String,
    },
    /// Its directory may be written by others (compat RD-2).
    InsecureParent {
        /// The `su` line for its owner and group; `None` where it would be root's, and not make it safe.
        su: Option<String>,
    },
    /// A symbolic link on the way to it may be changed by somebody untrusted.
    UntrustedLink {
        /// The link.
        link: String,
        /// The `su` line for who may follow it all the same, if anybody may.
        su: Option<String>,
    },
    /// The file could not be looked at.
    Failed {
        /// The cause.
        cause: String,
    },
    /// It is a FIFO, a socket, a device or a directory (fixes compat B-55).
    NotRegular,
}

impl Decision {
    /// Whether the criteria were asked, so that the times compared are worth showing (compat RD-7).
    pub fn reached_criteria(&self) -> bool {
        match &self.verdict {
            Verdict::Rotate(_) => true,
            Verdict::Refuse(_) => false,
            Verdict::Skip(reason) => !matches!(
                reason,
                SkipReason::Missing
                    | SkipReason::ParentMissing
                    | SkipReason::SymbolicLink
                    | SkipReason::HardLinks { .. }
            ),
        }
    }
}

impl RotateReason {
    /// The debug line of a log that is due (compat RD-23).
    pub const TEXT: &'static str = "log needs rotating";

    /// What is printed as an error before it, without changing the exit status (compat RD-11).
    pub fn complaint(&self, log: &LogPath) -> Option<String> {
        matches!(self, Self::RecordInFuture { .. })
            .then(|| format!("log {log} last rotated in the future -- rotation forced"))
    }
}

impl SkipReason {
    /// The debug line, in the reference's words and without its leading blanks; `None` where the
    /// reference is silent (compat RD-2). `pattern` is the text of the block's pattern list.
    pub fn text(&self, log: &LogPath, pattern: &[u8]) -> Option<String> {
        let why = match self {
            Self::ParentMissing => return None,
            Self::Missing => return Some(format!("log {log} does not exist -- skipping")),
            Self::SymbolicLink => {
                return Some(format!(
                    "log {log} is symbolic link. Rotation of symbolic links is not allowed to \
                     avoid security issues -- skipping."
                ));
            }
            Self::HardLinks { links } => {
                return Some(format!(
                    "log {log} has multiple ({links}) hard links. Rotation of files with multiple \
                     hard links is not allowed for {} -- skipping.",
                    Shown(pattern)
                ));
            }
            Self::BelowSize { .. } => "log size is below the 'size' threshold".to_owned(),
            Self::SameMinute { .. } => "log has already been rotated".to_owned(),
            Self::WithinInterval { interval, last } => {
                let which = within(*interval);
                format!("log has been rotated at {}, which is {which}", last.shown())
            }
            Self::BelowMinSize { .. } => {
                "'minsize' directive is used and the log size is smaller than the minsize value"
                    .to_owned()
            }
            Self::BelowMinAge { .. } => {
                "'minage' directive is used and the log age is smaller than the minage days"
                    .to_owned()
            }
            Self::Empty => "log is empty".to_owned(),
        };
        Some(format!("log does not need rotating ({why})"))
    }
}

/// How long ago the last rotation was, at most (compat RD-17; slots in the same style).
fn within(interval: Interval) -> String {
    let (count, unit) = match interval {
        Interval::Hourly => return "less than an hour ago".to_owned(),
        Interval::Daily => return "less than a day ago".to_owned(),
        Interval::Weekly(_) => return "less than a week ago".to_owned(),
        Interval::Monthly(_) => return "less than a month ago".to_owned(),
        Interval::Yearly => return "less than a year ago".to_owned(),
        Interval::Minutes(n) => return format!("less than or equal {n} minutes ago"),
        Interval::Slots(SlotLength::Minutes(n)) => (n, "minute"),
        Interval::Slots(SlotLength::Hours(n)) => (n, "hour"),
        Interval::Slots(SlotLength::Days(n)) => (n, "day"),
        Interval::Slots(SlotLength::Weeks(n)) => (n, "week"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("within the same slot of {count} {unit}{plural}")
}

impl RefuseReason {
    /// The sentence after `error: `, in the reference's words where it has any (compat RD-2, RD-3).
    pub fn text(&self, log: &LogPath) -> String {
        let dir = Shown::path(log.dir());
        match self {
            Self::Missing => format!("stat of {log} failed: {NO_FILE}"),
            Self::ParentMissing => format!("stat of {dir} failed: {NO_FILE}"),
            Self::ParentFailed { cause } => format!("stat of {dir} failed: {cause}"),
            Self::InsecureParent { .. } => format!(
                "skipping \"{log}\" because parent directory has insecure permissions (It's world \
                 writable or writable by group which is not \"root\") Set \"su\" directive in \
                 config file to tell logrotate which user/group should be used for rotation."
            ),
            Self::UntrustedLink { link, .. } => {
                format!(
                    "skipping \"{log}\" because the symbolic link {link} may be changed by others"
                )
            }
            Self::Failed { cause } => format!("stat of {log} failed: {cause}"),
            Self::NotRegular => format!("skipping \"{log}\" because it is not a regular file"),
        }
    }

    /// What the user can do about it, where something else than the cause has to be said.
    pub fn hint(&self, log: &LogPath) -> Option<String> {
        match self {
            Self::InsecureParent { su } => {
                let dir = Shown::path(log.dir());
                Some(match su {
                    Some(su) => format!(
                        "add the line `{su}` to the block, or take the write permission from group \
                         and others (chmod go-w {dir})"
                    ),
                    None => format!(
                        "the directory belongs to root, so that no `su` line makes this safe: take \
                         the write permission from group and others (chmod go-w {dir}), or log to \
                         another directory"
                    ),
                })
            }
            Self::UntrustedLink { link, su } => {
                let su = su.as_ref().map(|su| format!("add the line `{su}` to the block, or "));
                Some(format!(
                    "{}let only root write the directory that holds {link}, or name the log by its \
                     path without the link",
                    su.unwrap_or_default()
                ))
            }
            _ => None,
        }
    }
}

/// The system's words for a name that is not there.
const NO_FILE: &str = "No such file or directory";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Zone;
    use chrono::DateTime;
    use chrono_tz::Tz;

    fn log() -> LogPath {
        LogPath::new("/var/log/a.log").expect("a path")
    }

    fn last() -> LocalTime {
        Zone::at(&Tz::UTC, DateTime::from_timestamp(1_767_571_445, 0).expect("in range"))
    }

    fn within_interval(interval: Interval) -> SkipReason {
        SkipReason::WithinInterval { interval, last: last() }
    }

    #[test]
    fn skips_are_told_in_the_references_words() {
        let (size, limit) = (ByteSize(1), ByteSize(2));
        for (reason, text) in [
            (SkipReason::Missing, "log /var/log/a.log does not exist -- skipping"),
            (
                SkipReason::SymbolicLink,
                "log /var/log/a.log is symbolic link. Rotation of symbolic links is not allowed \
                 to avoid security issues -- skipping.",
            ),
            (
                SkipReason::HardLinks { links: 3 },
                "log /var/log/a.log has multiple (3) hard links. Rotation of files with multiple \
                 hard links is not allowed for /var/log/*.log -- skipping.",
            ),
            (
                SkipReason::BelowSize { size, limit },
                "log does not need rotating (log size is below the 'size' threshold)",
            ),
            (
                SkipReason::SameMinute { last: last() },
                "log does not need rotating (log has already been rotated)",
            ),
            (
                within_interval(Interval::Weekly(3)),
                "log does not need rotating (log has been rotated at 2026-01-05 00:04, which is \
                 less than a week ago)",
            ),
            (
                within_interval(Interval::Minutes(5)),
                "log does not need rotating (log has been rotated at 2026-01-05 00:04, which is \
                 less than or equal 5 minutes ago)",
            ),
            (
                within_interval(Interval::Slots(SlotLength::Minutes(10))),
                "log does not need rotating (log has been rotated at 2026-01-05 00:04, which is \
                 within the same slot of 10 minutes)",
            ),
            (
                within_interval(Interval::Slots(SlotLength::Weeks(1))),
                "log does not need rotating (log has been rotated at 2026-01-05 00:04, which is \
                 within the same slot of 1 week)",
            ),
            (
                SkipReason::BelowMinSize { size, limit },
                "log does not need rotating ('minsize' directive is used and the log size is \
                 smaller than the minsize value)",
            ),
            (
                SkipReason::BelowMinAge { age_seconds: 1, limit: Days(1) },
                "log does not need rotating ('minage' directive is used and the log age is \
                 smaller than the minage days)",
            ),
            (SkipReason::Empty, "log does not need rotating (log is empty)"),
        ] {
            assert_eq!(reason.text(&log(), b"/var/log/*.log").as_deref(), Some(text));
        }
        assert_eq!(SkipReason::ParentMissing.text(&log(), b""), None);
    }

    #[test]
    fn each_interval_has_its_words() {
        for (interval, words) in [
            (Interval::Hourly, "less than an hour ago"),
            (Interval::Daily, "less than a day ago"),
            (Interval::Monthly(0), "less than a month ago"),
            (Interval::Yearly, "less than a year ago"),
            (Interval::Slots(SlotLength::Hours(6)), "within the same slot of 6 hours"),
            (Interval::Slots(SlotLength::Days(2)), "within the same slot of 2 days"),
        ] {
            assert_eq!(within(interval), words);
        }
    }

    #[test]
    fn refusals_are_told_in_the_references_words_where_it_has_any() {
        let cause = || "Permission denied".to_owned();
        for (reason, text) in [
            (RefuseReason::Missing, "stat of /var/log/a.log failed: No such file or directory"),
            (RefuseReason::ParentMissing, "stat of /var/log failed: No such file or directory"),
            (
                RefuseReason::ParentFailed { cause: cause() },
                "stat of /var/log failed: Permission denied",
            ),
            (
                RefuseReason::Failed { cause: cause() },
                "stat of /var/log/a.log failed: Permission denied",
            ),
            (
                RefuseReason::InsecureParent { su: Some("su a b".into()) },
                "skipping \"/var/log/a.log\" because parent directory has insecure permissions \
                 (It's world writable or writable by group which is not \"root\") Set \"su\" \
                 directive in config file to tell logrotate which user/group should be used for \
                 rotation.",
            ),
            (
                RefuseReason::UntrustedLink { link: "/srv/l".to_owned(), su: None },
                "skipping \"/var/log/a.log\" because the symbolic link /srv/l may be changed by \
                 others",
            ),
            (
                RefuseReason::NotRegular,
                "skipping \"/var/log/a.log\" because it is not a regular file",
            ),
        ] {
            assert_eq!(reason.text(&log()), text);
        }
    }

    #[test]
    fn hints_name_what_to_change() {
        let hint = |su: Option<&str>| {
            RefuseReason::InsecureParent { su: su.map(Into::into) }.hint(&log()).expect("a hint")
        };
        for su in [Some("su root adm"), None] {
            let hint = hint(su);
            assert_eq!(hint.contains("add the line `su root adm`"), su.is_some(), "{hint}");
            assert!(hint.contains("(chmod go-w /var/log)"), "{hint}");
        }
        let hint = |su: Option<&str>| {
            let reason =
                RefuseReason::UntrustedLink { link: "/srv/l".to_owned(), su: su.map(Into::into) };
            reason.hint(&log()).expect("a hint")
        };
        let start = "let only root write the directory that holds /srv/l, or name";
        assert!(hint(None).starts_with(start), "{}", hint(None));
        let su = hint(Some("su app app"));
        assert_eq!(su, format!("add the line `su app app` to the block, or {}", hint(None)));
        assert_eq!(RefuseReason::Missing.hint(&log()), None);
    }

    #[test]
    fn a_record_in_the_future_is_complained_about() {
        let complaint = RotateReason::RecordInFuture { last: last() }.complaint(&log());
        assert_eq!(
            complaint.as_deref(),
            Some("log /var/log/a.log last rotated in the future -- rotation forced")
        );
        assert_eq!(RotateReason::Forced.complaint(&log()), None);
    }
}
