//! Which dated old versions go, and which of any kind are past `maxage`.

use crate::clock::LocalTime;
use crate::units::{Days, FileTime, KeepCount};

/// The age of a file in whole days; a time that lies ahead counts as no age.
pub fn age_in_days(modified: FileTime, now: LocalTime) -> i64 {
    (now.seconds() - modified.seconds).max(0) / 86_400
}

/// The file's age if it is past `maxage` (compat ROT-41, ROT-44: whole days, more than the limit).
pub fn expired(modified: FileTime, now: LocalTime, max_age: Option<Days>) -> Option<i64> {
    let age = age_in_days(modified, now);
    max_age.filter(|limit| limit.0 > 0 && age > i64::from(limit.0)).map(|_| age)
}

/// Which of the dated generations go, given oldest first with their age if it is past the limit.
///
/// The new version is not among them. With a count of N the first n - N + 1 go, with 0 as with 1
/// (compat ROT-44); past `maxage` any goes. The last of them goes in the end, the others before the
/// log is rotated; with `rotate 0` the last one stays (compat B-25).
pub fn dated(count: KeepCount, past_age: &[Option<i64>]) -> Dated {
    let surplus = match count {
        KeepCount::All => 0,
        KeepCount::Last(n) => (past_age.len() + 1).saturating_sub(n.max(1) as usize),
    };
    let mut first: Vec<usize> =
        (0..past_age.len()).filter(|&i| i < surplus || past_age[i].is_some()).collect();
    let last = first.pop().filter(|_| count != KeepCount::Last(0));
    Dated { first, last }
}

/// Indexes of the generations that go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// Before the log is rotated.
    pub first: Vec<usize>,
    /// After everything else.
    pub last: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_dated_versions_stay_as_the_count_says_with_the_new_one() {
        let rows: [(i64, usize, &[usize], Option<usize>); 6] = [
            (3, 2, &[], None),
            (3, 3, &[], Some(0)),
            (3, 5, &[0, 1], Some(2)),
            (1, 2, &[0], Some(1)),
            (0, 2, &[0], None),
            (-1, 9, &[], None),
        ];
        for (count, present, first, last) in rows {
            let keep = u32::try_from(count).map_or(KeepCount::All, KeepCount::Last);
            let found = dated(keep, &vec![None; present]);
            assert_eq!((&found.first[..], found.last), (first, last), "rotate {count}");
        }
    }

    #[test]
    fn expired_versions_go_whatever_the_count() {
        let found = dated(KeepCount::All, &[None, Some(9), None, Some(8)]);
        assert_eq!(found, Dated { first: vec![1], last: Some(3) });
    }

    #[test]
    fn a_version_expires_after_more_whole_days_than_the_limit() {
        let now =
            LocalTime(chrono::DateTime::from_timestamp(100 * 86_400, 0).expect("time").into());
        let at = |seconds| FileTime { seconds, nanos: 0 };
        let day = 86_400;
        assert_eq!(expired(at(90 * day), now, Some(Days(9))), Some(10));
        assert_eq!(expired(at(90 * day), now, Some(Days(10))), None);
        assert_eq!(expired(at(90 * day + 1), now, Some(Days(9))), None);
        assert_eq!(expired(at(0), now, Some(Days(0))), None, "0 means off");
        assert_eq!(expired(at(101 * day), now, Some(Days(1))), None, "ahead of us");
    }
}
