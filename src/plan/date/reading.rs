//! Recognising date suffixes in names, and which of two is older.

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::{DateSuffix, Field, Piece};

/// A date suffix found at the start of some text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// How many bytes it takes.
    pub length: usize,
    /// Its place among others; the least is the oldest.
    pub age: Age,
}

/// The order of date suffixes: with `dateformat` by the time that they tell, else by their bytes
/// (compat ROT-43). Digits that tell no time (`-20261399`) come first, among themselves by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    time: Option<i64>,
    text: Vec<u8>,
}

impl DateSuffix {
    /// Recognises, at the start of `candidate` (a name without the log's base name), a suffix that
    /// this format could have made: digits where it has fields, its own bytes elsewhere.
    pub fn parse(&self, candidate: &[u8]) -> Option<Dated> {
        let mut rest = candidate;
        let mut time = Time::default();
        for piece in &self.pieces {
            match *piece {
                Piece::Byte(byte) => rest = rest.strip_prefix(&[byte])?,
                Piece::Digits(field, width) => {
                    let (value, tail) = digits(rest, width)?;
                    time.set(field, value);
                    rest = tail;
                }
                Piece::Offset => {
                    let (&sign, tail) = rest.split_first()?;
                    let sign = match sign {
                        b'+' => 1,
                        b'-' => -1,
                        _ => return None,
                    };
                    let (value, tail) = digits(tail, 4)?;
                    time.offset = sign * (value / 100 * 3600 + value % 100 * 60);
                    rest = tail;
                }
            }
        }
        let length = candidate.len() - rest.len();
        let text = candidate.get(..length)?.to_vec();
        let time = self.format.as_ref().and_then(|_| time.seconds());
        Some(Dated { length, age: Age { time, text } })
    }
}

/// Reads so many digits.
fn digits(text: &[u8], width: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(width)?;
    let value = digits.iter().try_fold(0i64, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })?;
    Some((value, rest))
}

/// What a suffix tells of its time. A field that stands twice counts as it stands last.
#[derive(Debug, Default, Clone, Copy)]
struct Time {
    year: Option<i64>,
    week_year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_week: Option<i64>,
    sunday_week: Option<i64>,
    monday_week: Option<i64>,
    /// 0 is Monday.
    weekday: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    seconds: Option<i64>,
    /// East of Greenwich, in seconds.
    offset: i64,
}

impl Time {
    fn set(&mut self, field: Field, value: i64) {
        // As the C library reads two digits: 69 is 1969, 68 is 2068.
        let of_century = if value < 69 { 2000 + value } else { 1900 + value };
        match field {
            Field::Year => self.year = Some(value),
            Field::YearOfCentury => self.year = Some(of_century),
            Field::WeekYear => self.week_year = Some(value),
            Field::WeekYearOfCentury => self.week_year = Some(of_century),
            Field::Month => self.month = Some(value),
            Field::Day => self.day = Some(value),
            Field::Hour => self.hour = value,
            Field::Minute => self.minute = value,
            Field::Second => self.second = value,
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::IsoWeek => self.iso_week = Some(value),
            Field::SundayWeek => self.sunday_week = Some(value),
            Field::MondayWeek => self.monday_week = Some(value),
            Field::WeekdayFromMonday => self.weekday = Some(value - 1),
            Field::WeekdayFromSunday => self.weekday = Some((value + 6) % 7),
            Field::Seconds => self.seconds = Some(value),
        }
    }

    /// Seconds by which suffixes of one format can be compared, or `None` if there is no such time.
    fn seconds(self) -> Option<i64> {
        if self.seconds.is_some() {
            return self.seconds;
        }
        let small = |value: i64| u32::try_from(value).ok();
        let (hour, minute, second) = (small(self.hour)?, small(self.minute)?, small(self.second)?);
        let civil = self.date()?.and_hms_opt(hour, minute, second)?;
        Some(civil.and_utc().timestamp() - self.offset)
    }

    /// The date, from whatever names one; a part that is not told is its first value, and a year
    /// that is not told is a leap year.
    fn date(self) -> Option<NaiveDate> {
        let year = i32::try_from(self.year.or(self.week_year).unwrap_or(2000)).ok()?;
        let small = |value: i64| u32::try_from(value).ok();
        if self.month.is_some() || self.day.is_some() {
            let (month, day) = (small(self.month.unwrap_or(1))?, small(self.day.unwrap_or(1))?);
            return NaiveDate::from_ymd_opt(year, month, day);
        }
        if let Some(day) = self.day_of_year {
            return NaiveDate::from_yo_opt(year, small(day)?);
        }
        let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
        let weekday = self.weekday.unwrap_or(0);
        if !(0..7).contains(&weekday) {
            return None;
        }
        // Each week is counted from the first day of the year's first week.
        let (week, start, in_week) = if let Some(week) = self.iso_week {
            let year = self.week_year.map_or(Some(year), |year| i32::try_from(year).ok())?;
            let fourth = NaiveDate::from_ymd_opt(year, 1, 4)?;
            (
                week,
                fourth - TimeDelta::days(fourth.weekday().num_days_from_monday().into()),
                weekday,
            )
        } else if let Some(week) = self.monday_week {
            let ahead = (7 - first.weekday().num_days_from_monday()) % 7;
            (week, first + TimeDelta::days(ahead.into()), weekday)
        } else if let Some(week) = self.sunday_week {
            let ahead = (7 - first.weekday().num_days_from_sunday()) % 7;
            (week, first + TimeDelta::days(ahead.into()), (weekday + 1) % 7)
        } else {
            return first.checked_add_signed(TimeDelta::days(weekday));
        };
        (week <= 53).then_some(())?;
        start.checked_add_signed(TimeDelta::days((week - 1) * 7 + in_week))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{LocalTime, Zone};
    use crate::config::policy::{Interval, Naming, Trigger};
    use crate::plan::date::suffix;
    use crate::source::Setting;
    use chrono::DateTime;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(seconds: i64) -> LocalTime {
        Zone::at(&Tz::Europe__Berlin, DateTime::from_timestamp(seconds, 0).expect("in range"))
    }

    fn of(format: Option<&str>, seconds: i64) -> DateSuffix {
        let date_format = format.map(|format| Setting::default(format.as_bytes().to_vec()));
        let naming = Naming { date_format, ..Naming::default() };
        let trigger = Trigger::Every(Interval::Daily);
        suffix(&naming, trigger, at(seconds), &Tz::Europe__Berlin).expect("short enough")
    }

    fn age(suffix: &DateSuffix, text: &str) -> Age {
        suffix.parse(text.as_bytes()).expect(text).age
    }

    #[test]
    fn a_suffix_is_recognised_with_whatever_follows_it() {
        for (format, text, length) in [
            (None, "-20260704", Some(9)),
            (None, "-20260704.gz", Some(9)),
            (None, "-202607041200", Some(9)),
            (None, "-99999999", Some(9)),
            (None, "-2026070", None),
            (None, "-2026070x", None),
            (None, "20260704", None),
            (None, "", None),
            (Some("-%s"), "-1767514087.gz", Some(11)),
            (Some("-%Y%z"), "-2026+0100.gz", Some(10)),
            (Some("-%Y%z"), "-2026-0100", Some(10)),
            (Some("-%Y%z"), "-2026x0100", None),
            (Some("-%Y%z"), "-2026", None),
            // No byte of the format is a wildcard (fixes compat B-26).
            (Some("-*%d"), "-*04", Some(4)),
            (Some("-*%d"), "-x04", None),
            (Some("%%%d"), "%%04", Some(4)),
        ] {
            let found = of(format, 0).parse(text.as_bytes()).map(|dated| dated.length);
            assert_eq!(found, length, "{format:?} {text}");
        }
    }

    #[test]
    fn with_a_format_the_time_decides_which_is_older() {
        for (format, older, newer) in [
            ("-%d%m%Y", "-31122025", "-01012026"),
            ("-%y%m%d", "-991231", "-000101"),
            ("-%H.%j.%Y", "-23.365.2025", "-00.001.2026"),
            ("-%V.%G", "-52.2025", "-01.2026"),
            ("-%V.%g.%u", "-01.26.1", "-01.26.7"),
            ("-%U.%Y.%w", "-01.2026.0", "-01.2026.6"),
            ("-%W.%Y.%u", "-01.2026.6", "-01.2026.7"),
            ("-%S%M%H", "-595900", "-000001"),
            ("-%H%z", "-12+0200", "-12+0100"),
            ("-%w", "-1", "-0"),
            ("-%s", "-0999999999", "-1000000000"),
            ("-%d%m", "-2902", "-0103"),
            // Digits that tell no time come first.
            ("-%d%m%Y", "-31022026", "-01012001"),
            ("-%d%m%Y", "-31022026", "-32012026"),
        ] {
            let suffix = of(Some(format), 0);
            assert!(age(&suffix, older) < age(&suffix, newer), "{format}: {older} {newer}");
        }
    }

    #[test]
    fn without_a_format_the_bytes_decide_which_is_older() {
        let suffix = of(None, 0);
        assert!(age(&suffix, "-20261399") < age(&suffix, "-20270101"));
        assert!(age(&suffix, "-20270101") < age(&suffix, "-99999999"));
    }

    proptest! {
        #[test]
        fn what_a_format_makes_it_recognises_and_orders_by_time(
            format in prop::sample::select(vec![
                "-%d.%m.%Y", "%j-%Y", "%u-%V-%G", "%u-%V-%g", "%w.%U.%Y", "%u.%W.%Y", "%w%W%y",
                "%d%m%y%H", "%S%M%H%d%m%Y%z", "%s",
            ]),
            // Two digits of a year reach to 2068.
            (a, b) in (1_000_000_000i64..3_100_000_000, 1_000_000_000i64..3_100_000_000),
        ) {
            // The same time of the day, so that formats of whole days order them too.
            let (a, b) = (a - a % 86_400 + 43_200, b - b % 86_400 + 43_200);
            let (first, second) = (of(Some(format), a), of(Some(format), b));
            let read = |suffix: &DateSuffix| first.parse(suffix.text()).expect("its own text");
            prop_assert_eq!(read(&first).length, first.text().len());
            prop_assert_eq!(read(&first).age.cmp(&read(&second).age), a.cmp(&b));
        }

        #[test]
        fn no_text_makes_it_panic(
            format in prop::collection::vec(prop::sample::select(b"%YGygmdHMSVUWjuwszB-".to_vec()), 1..12),
            text in prop::collection::vec(prop::sample::select(b"0123456789-+%B".to_vec()), 0..40),
        ) {
            let naming = Naming {
                date_format: Some(Setting::default(format)),
                ..Naming::default()
            };
            let trigger = Trigger::Every(Interval::Daily);
            if let Ok(suffix) = suffix(&naming, trigger, at(0), &Tz::Europe__Berlin) {
                let length = suffix.parse(&text).map_or(0, |dated| dated.length);
                prop_assert!(length <= text.len());
            }
        }
    }
}
