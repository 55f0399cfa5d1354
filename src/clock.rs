//! Local time and calendar arithmetic. Reads no clock: every instant comes in as an argument.

use std::cell::Cell;

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};
use serde::{Deserialize, Serialize};

/// An instant together with the local calendar's view of it.
///
/// Two values are equal, and compare, by instant.
///
/// Written as `[SECONDS, NANOS, SECONDS EAST]`: a journal holds many. It is read as text too, as it was
/// written before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct LocalTime(pub DateTime<FixedOffset>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Parts(i64, u32, i32),
    Text(DateTime<FixedOffset>),
}

impl From<LocalTime> for Written {
    fn from(LocalTime(time): LocalTime) -> Self {
        let east = time.offset().local_minus_utc();
        Self::Parts(time.timestamp(), time.timestamp_subsec_nanos(), east)
    }
}

impl TryFrom<Written> for LocalTime {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Parts(seconds, nanos, east) => DateTime::from_timestamp(seconds, nanos)
                .zip(FixedOffset::east_opt(east))
                .map(|(time, east)| Self(time.with_timezone(&east)))
                .ok_or("not a time"),
            Written::Text(time) => Ok(Self(time)),
        }
    }
}

impl LocalTime {
    /// Seconds since 1970-01-01 UTC.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The minutes since 1970-01-01 UTC, cut off.
    pub fn minute_number(self) -> i64 {
        self.seconds().div_euclid(60)
    }

    /// The local calendar's date and time of day.
    pub fn civil(self) -> NaiveDateTime {
        self.0.naive_local()
    }

    /// The local calendar's date.
    pub fn date(self) -> NaiveDate {
        self.civil().date()
    }

    /// `Y-MM-DD HH:MM`, as the reference shows it (compat RD-7).
    pub fn shown(self) -> String {
        let c = self.civil();
        format!("{}-{:02}-{:02} {:02}:{:02}", c.year(), c.month(), c.day(), c.hour(), c.minute())
    }
}

/// A time zone: what the local calendar said at an instant, and which instants a calendar time names.
///
/// The program uses the machine's own zone; tests use any zone of the time-zone database.
pub trait Zone {
    /// The local view of an instant.
    fn at(&self, instant: DateTime<Utc>) -> LocalTime;

    /// The instants that the calendar time names: one, two in the hour that a clock change repeats
    /// (earlier first), or none in the hour that it leaves out.
    fn instants(&self, civil: NaiveDateTime) -> Vec<LocalTime>;

    /// The instant of a calendar time: the earlier of two; for a time that a clock change left out,
    /// the instant of the change.
    fn resolve(&self, civil: NaiveDateTime) -> LocalTime {
        if let Some(&first) = self.instants(civil).first() {
            return first;
        }
        // Not more than a day is ever left out; the first minute after the gap is the change itself.
        let mut probe = civil.with_second(0).unwrap_or(civil);
        for _ in 0..=24 * 60 {
            probe += TimeDelta::minutes(1);
            if let Some(&after) = self.instants(probe).first() {
                return after;
            }
        }
        self.at(civil.and_utc())
    }
}

impl<Z: TimeZone> Zone for Z {
    fn at(&self, instant: DateTime<Utc>) -> LocalTime {
        let local = instant.with_timezone(self);
        LocalTime(local.with_timezone(&local.offset().fix()))
    }

    fn instants(&self, civil: NaiveDateTime) -> Vec<LocalTime> {
        let fixed = |t: DateTime<Z>| LocalTime(t.with_timezone(&t.offset().fix()));
        let found = self.from_local_datetime(&civil);
        let (first, last) = (found.clone().earliest(), found.latest());
        let mut all: Vec<_> = first.into_iter().chain(last).map(fixed).collect();
        // `chrono::Local` names the later one first, and takes the second after a clock change for a
        // part of what the change repeated or left out.
        all.retain(|named| Zone::at(self, named.0.to_utc()).civil() == civil);
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A zone that remembers its last answers: the records of thousands of logs have few different times.
#[derive(Debug)]
pub struct Remembering<Z> {
    zone: Z,
    at: Cell<Option<(DateTime<Utc>, LocalTime)>>,
    resolved: Cell<Option<(NaiveDateTime, LocalTime)>>,
}

impl<Z: Zone> Remembering<Z> {
    /// Asks a zone.
    pub fn new(zone: Z) -> Self {
        Self { zone, at: Cell::new(None), resolved: Cell::new(None) }
    }
}

/// The last answer if the question is the same, else a new one.
fn again<Q: Copy + PartialEq>(
    last: &Cell<Option<(Q, LocalTime)>>,
    question: Q,
    ask: impl FnOnce() -> LocalTime,
) -> LocalTime {
    match last.get() {
        Some((asked, answer)) if asked == question => answer,
        _ => {
            let answer = ask();
            last.set(Some((question, answer)));
            answer
        }
    }
}

impl<Z: Zone> Zone for Remembering<Z> {
    fn at(&self, instant: DateTime<Utc>) -> LocalTime {
        again(&self.at, instant, || self.zone.at(instant))
    }

    fn instants(&self, civil: NaiveDateTime) -> Vec<LocalTime> {
        self.zone.instants(civil)
    }

    fn resolve(&self, civil: NaiveDateTime) -> LocalTime {
        again(&self.resolved, civil, || self.zone.resolve(civil))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::MappedLocalTime;
    use chrono_tz::Europe::Berlin;

    fn civil(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect(text)
    }

    #[test]
    fn a_time_is_read_as_it_is_written_and_as_it_was_written_before() {
        let text = "\"2026-11-29T22:20:35.184334636+05:30\"";
        let time: LocalTime = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&time).unwrap();
        assert_eq!(written, "[1795971035,184334636,19800]");
        let read: LocalTime = serde_json::from_str(&written).unwrap();
        assert_eq!((read, read.civil()), (time, time.civil()));
        for bad in ["[9223372036854775807,0,0]", "[0,4000000000,0]", "[0,0,90000]", "[0,0]", "5"] {
            assert!(serde_json::from_str::<LocalTime>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_repeated_hour_names_two_instants_an_hour_apart() {
        let two = Berlin.instants(civil("2026-10-25 02:30"));
        assert_eq!(two.len(), 2);
        assert_eq!(two[1].seconds() - two[0].seconds(), 3600);
        assert_eq!(two[0].shown(), two[1].shown());
        assert_ne!(two[0], two[1]);
    }

    #[test]
    fn a_time_that_was_left_out_is_the_moment_of_the_change() {
        assert!(Berlin.instants(civil("2026-03-29 02:30")).is_empty());
        assert_eq!(Berlin.resolve(civil("2026-03-29 02:30")).shown(), "2026-03-29 03:00");
    }

    #[test]
    fn an_ordinary_time_names_one_instant() {
        let one = Berlin.instants(civil("2026-07-01 12:00"));
        assert_eq!(one.len(), 1);
        assert_eq!(Berlin.at(one[0].0.to_utc()), one[0]);
    }

    /// Berlin as `chrono::Local` has it: the later of two instants first, and a clock change a second
    /// too long.
    #[derive(Debug, Clone)]
    struct Sloppy;

    impl TimeZone for Sloppy {
        type Offset = FixedOffset;

        fn from_offset(_: &FixedOffset) -> Self {
            Self
        }

        fn offset_from_local_date(&self, _: &NaiveDate) -> MappedLocalTime<FixedOffset> {
            MappedLocalTime::None
        }

        fn offset_from_local_datetime(
            &self,
            civil: &NaiveDateTime,
        ) -> MappedLocalTime<FixedOffset> {
            let before = Berlin.offset_from_local_datetime(&(*civil - TimeDelta::seconds(1)));
            match (Berlin.offset_from_local_datetime(civil), before) {
                (MappedLocalTime::Ambiguous(first, last), _)
                | (MappedLocalTime::Single(_), MappedLocalTime::Ambiguous(first, last)) => {
                    MappedLocalTime::Ambiguous(last.fix(), first.fix())
                }
                (MappedLocalTime::None, MappedLocalTime::Single(one)) => {
                    MappedLocalTime::Single(one.fix())
                }
                (MappedLocalTime::Single(last), MappedLocalTime::None) => {
                    let first = FixedOffset::east_opt(3600).expect("an offset");
                    MappedLocalTime::Ambiguous(first, last.fix())
                }
                (other, _) => other.map(|offset| offset.fix()),
            }
        }

        fn offset_from_utc_date(&self, date: &NaiveDate) -> FixedOffset {
            Berlin.offset_from_utc_date(date).fix()
        }

        fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
            Berlin.offset_from_utc_datetime(utc).fix()
        }
    }

    #[test]
    fn what_the_machines_zone_names_at_a_clock_change_is_checked_and_sorted() {
        for text in [
            "2026-10-25 01:59",
            "2026-10-25 02:00",
            "2026-10-25 02:30",
            "2026-10-25 03:00",
            "2026-10-25 03:01",
            "2026-03-29 01:59",
            "2026-03-29 02:00",
            "2026-03-29 02:30",
            "2026-03-29 03:00",
            "2026-03-29 03:01",
        ] {
            let civil = civil(text);
            assert_eq!(Sloppy.instants(civil), Berlin.instants(civil), "{text}");
            assert_eq!(Sloppy.resolve(civil), Berlin.resolve(civil), "{text}");
        }
    }

    #[test]
    fn a_remembering_zone_answers_each_question_as_its_zone_does() {
        let zone = Remembering::new(Berlin);
        for text in ["2026-10-24 02:30", "2026-10-25 02:30", "2026-10-25 02:30", "2026-03-29 02:30"]
        {
            let civil = civil(text);
            assert_eq!(zone.resolve(civil), Berlin.resolve(civil), "{civil}");
            assert_eq!(Zone::at(&zone, civil.and_utc()), Zone::at(&Berlin, civil.and_utc()));
        }
    }
}
