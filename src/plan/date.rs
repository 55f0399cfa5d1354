//! The date suffix of dated old versions: made for this run, recognised in names (compat 5.3).

use std::fmt::Write as _;

use chrono::{Datelike, NaiveTime, TimeDelta, Timelike};

use crate::clock::{LocalTime, Zone};
use crate::config::policy::{Interval, Naming, Trigger};
use crate::fault::Fault;
use crate::names::Shown;

mod reading;

pub use reading::{Age, Dated};

/// The reference's buffers: a longer glob text, or a longer suffix, is an error (compat ROT-23).
const LONGEST_GLOB: usize = 126;
const LONGEST_TEXT: usize = 63;

/// The date suffix of one run: its text, and how to recognise such suffixes in names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateSuffix {
    pieces: Vec<Piece>,
    text: Vec<u8>,
    /// The value of `dateformat`, if it is set.
    format: Option<Vec<u8>>,
}

/// A part of a date format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// This byte.
    Byte(u8),
    /// So many digits.
    Digits(Field, usize),
    /// `%z`: a sign and four digits.
    Offset,
}

/// What a group of digits means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// `%Y`.
    Year,
    /// `%y`.
    YearOfCentury,
    /// `%G`: the year of the ISO week.
    WeekYear,
    /// `%g`.
    WeekYearOfCentury,
    /// `%m`.
    Month,
    /// `%d`.
    Day,
    /// `%H`.
    Hour,
    /// `%M`.
    Minute,
    /// `%S`.
    Second,
    /// `%j`.
    DayOfYear,
    /// `%V`: the ISO week.
    IsoWeek,
    /// `%U`: the week of the year; weeks begin on Sunday.
    SundayWeek,
    /// `%W`: the week of the year; weeks begin on Monday.
    MondayWeek,
    /// `%u`: 1 is Monday, 7 is Sunday.
    WeekdayFromMonday,
    /// `%w`: 0 is Sunday.
    WeekdayFromSunday,
    /// `%s`: seconds since 1970-01-01 UTC.
    Seconds,
}

impl Field {
    /// The field and its width, by its letter (compat ROT-22).
    fn of(letter: u8) -> Option<(Self, usize)> {
        Some(match letter {
            b'Y' => (Self::Year, 4),
            b'G' => (Self::WeekYear, 4),
            b'y' => (Self::YearOfCentury, 2),
            b'g' => (Self::WeekYearOfCentury, 2),
            b'm' => (Self::Month, 2),
            b'd' => (Self::Day, 2),
            b'H' => (Self::Hour, 2),
            b'M' => (Self::Minute, 2),
            b'S' => (Self::Second, 2),
            b'V' => (Self::IsoWeek, 2),
            b'U' => (Self::SundayWeek, 2),
            b'W' => (Self::MondayWeek, 2),
            b'j' => (Self::DayOfYear, 3),
            b'u' => (Self::WeekdayFromMonday, 1),
            b'w' => (Self::WeekdayFromSunday, 1),
            b's' => (Self::Seconds, 10),
            _ => return None,
        })
    }

    /// Its value at a time.
    fn value(self, time: LocalTime) -> i64 {
        let civil = time.civil();
        let (date, clock) = (civil.date(), civil.time());
        let weekday = date.weekday();
        // The number of the week whose first day is so many days ago.
        let week = |days_ago: u32| i64::from((date.ordinal0() + 7 - days_ago) / 7);
        match self {
            Self::Year => i64::from(date.year()),
            Self::YearOfCentury => i64::from(date.year().rem_euclid(100)),
            Self::WeekYear => i64::from(date.iso_week().year()),
            Self::WeekYearOfCentury => i64::from(date.iso_week().year().rem_euclid(100)),
            Self::Month => date.month().into(),
            Self::Day => date.day().into(),
            Self::Hour => clock.hour().into(),
            Self::Minute => clock.minute().into(),
            Self::Second => clock.second().into(),
            Self::DayOfYear => date.ordinal().into(),
            Self::IsoWeek => date.iso_week().week().into(),
            Self::SundayWeek => week(weekday.num_days_from_sunday()),
            Self::MondayWeek => week(weekday.num_days_from_monday()),
            Self::WeekdayFromMonday => weekday.number_from_monday().into(),
            Self::WeekdayFromSunday => weekday.num_days_from_sunday().into(),
            Self::Seconds => time.seconds(),
        }
    }
}

/// Makes the date suffix of a run.
///
/// Without `dateformat` it is `-%Y%m%d`, under `hourly` `-%Y%m%d%H`, under `minutes`, `minutely` and
/// `every` `-%Y%m%d%H%M` (compat ROT-20). `dateyesterday` takes noon of the day before (compat ROT-21,
/// B-21), `datehourago` the hour before.
///
/// # Errors
/// In the reference's words, if the format is too long or its suffix too long or empty (compat ROT-23).
pub fn suffix(
    naming: &Naming,
    trigger: Trigger,
    now: LocalTime,
    zone: &dyn Zone,
) -> Result<DateSuffix, Fault> {
    let format = naming.date_format.as_ref().map(|setting| setting.value.clone());
    let pieces = pieces(format.as_deref().unwrap_or(default_format(trigger)));
    let text = expand(&pieces, moment(naming, now, zone));
    let suffix = DateSuffix { pieces, text, format };
    let shown = || Shown(suffix.format.as_deref().unwrap_or_default()).to_string();
    if suffix.glob().len() > LONGEST_GLOB {
        return Err(Fault::new(format!("Date format {} is too long", shown())));
    }
    if suffix.text.is_empty() || suffix.text.len() > LONGEST_TEXT {
        return Err(Fault::new(format!("failed to apply date format '{}'", shown())));
    }
    Ok(suffix)
}

fn default_format(trigger: Trigger) -> &'static [u8] {
    match trigger {
        Trigger::Every(Interval::Hourly) => b"-%Y%m%d%H",
        Trigger::Every(Interval::Minutes(_) | Interval::Slots(_)) => b"-%Y%m%d%H%M",
        Trigger::Every(_) | Trigger::Size(_) => b"-%Y%m%d",
    }
}

/// Takes a format apart. A percent sign that begins no field stands for itself, and what follows it
/// is ordinary text: `%%Y` is a percent sign and the year (compat ROT-22).
fn pieces(format: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let [byte, tail @ ..] = rest {
        let field = match tail {
            [b'z', ..] if *byte == b'%' => Some(Piece::Offset),
            [letter, ..] if *byte == b'%' => {
                Field::of(*letter).map(|(field, width)| Piece::Digits(field, width))
            }
            _ => None,
        };
        pieces.push(field.unwrap_or(Piece::Byte(*byte)));
        rest = tail.get(usize::from(field.is_some())..).unwrap_or_default();
    }
    pieces
}

/// The time that the suffix tells.
fn moment(naming: &Naming, now: LocalTime, zone: &dyn Zone) -> LocalTime {
    let mut time = now;
    if naming.yesterday {
        let civil = now.civil();
        let noon = NaiveTime::from_hms_opt(12, civil.minute(), civil.second());
        if let (Some(date), Some(noon)) = (civil.date().pred_opt(), noon) {
            // By the clock of today: on the day of a clock change it was eleven, or one o'clock.
            let there = date.and_time(noon).and_local_timezone(*now.0.offset()).single();
            time = there.map_or(now, |there| zone.at(there.to_utc()));
        }
    }
    if naming.hour_ago {
        time = zone.at(time.0.to_utc() - TimeDelta::hours(1));
    }
    time
}

fn expand(pieces: &[Piece], time: LocalTime) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        let mut number = String::new();
        // Writing to a string cannot fail.
        let _ = match *piece {
            Piece::Byte(byte) => {
                text.push(byte);
                Ok(())
            }
            Piece::Digits(field, width) => write!(number, "{:0width$}", field.value(time)),
            Piece::Offset => {
                let minutes = time.0.offset().local_minus_utc() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                write!(number, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
        };
        text.extend_from_slice(number.as_bytes());
    }
    text
}

impl DateSuffix {
    /// The suffix of this run.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The pattern of all such suffixes, for the debug message (compat ROT-23, ROT-24). Names are
    /// matched by [`DateSuffix::parse`], to which no byte of the format is special.
    pub fn glob(&self) -> Vec<u8> {
        let mut glob = Vec::new();
        for piece in &self.pieces {
            match *piece {
                Piece::Byte(byte) => glob.push(byte),
                Piece::Digits(_, width) => glob.extend(b"[0-9]".repeat(width)),
                Piece::Offset => glob.extend([&b"[-+]"[..], &b"[0-9]".repeat(4)].concat()),
            }
        }
        glob
    }

    /// The debug line about a `dateformat` (compat ROT-22): `Converted 'F' -> 'F2'`, where lone percent
    /// signs are doubled.
    pub fn converted(&self) -> Option<String> {
        let format = self.format.as_deref()?;
        let mut rest = format;
        let mut doubled = Vec::new();
        for piece in &self.pieces {
            let length = if matches!(piece, Piece::Byte(_)) { 1 } else { 2 };
            let (own, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            doubled.extend_from_slice(if own == b"%" { b"%%" } else { own });
            rest = tail;
        }
        Some(format!("Converted '{}' -> '{}'", Shown(format), Shown(&doubled)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::policy::SlotLength;
    use crate::source::Setting;
    use crate::units::ByteSize;
    use chrono::{DateTime, Utc};
    use chrono_tz::{Europe::Berlin, Tz};

    fn at(instant: &str) -> LocalTime {
        let instant: DateTime<Utc> = instant.parse().expect(instant);
        Zone::at(&Berlin, instant)
    }

    fn naming(format: &[u8]) -> Naming {
        Naming { date_format: Some(Setting::default(format.to_vec())), ..Naming::default() }
    }

    const DAILY: Trigger = Trigger::Every(Interval::Daily);

    /// The suffix of 2026-01-04 (a Sunday) 09:08:07 in Berlin.
    fn of(format: &[u8]) -> Result<DateSuffix, Fault> {
        suffix(&naming(format), DAILY, at("2026-01-04T08:08:07Z"), &Berlin)
    }

    #[test]
    fn the_default_is_as_fine_as_the_interval() {
        for (trigger, text) in [
            (Trigger::Size(ByteSize(1)), "-20260104"),
            (DAILY, "-20260104"),
            (Trigger::Every(Interval::Yearly), "-20260104"),
            (Trigger::Every(Interval::Hourly), "-2026010409"),
            (Trigger::Every(Interval::Minutes(5)), "-202601040908"),
            (Trigger::Every(Interval::Slots(SlotLength::Minutes(1))), "-202601040908"),
            (Trigger::Every(Interval::Slots(SlotLength::Weeks(1))), "-202601040908"),
        ] {
            let made = suffix(&Naming::default(), trigger, at("2026-01-04T08:08:07Z"), &Berlin);
            let made = made.expect("short enough");
            assert_eq!(made.text(), text.as_bytes());
            assert_eq!(made.converted(), None);
        }
    }

    #[test]
    fn every_letter_expands_as_the_references_does() {
        for (format, text, glob, converted) in [
            ("-%Y%m%d", "-20260104", "-dddddddd", "-%Y%m%d"),
            ("%G-%V-%g-%u", "2026-01-26-7", "dddd-dd-dd-d", "%G-%V-%g-%u"),
            ("%y%j%U%W%w", "2600401000", "dddddddddd", "%y%j%U%W%w"),
            (".%H%M%S", ".090807", ".dddddd", ".%H%M%S"),
            ("%s%z", "1767514087+0100", "dddddddddd[-+]dddd", "%s%z"),
            ("-%B", "-%B", "-%B", "-%%B"),
            ("-%%Y%", "-%2026%", "-%dddd%", "-%%%Y%%"),
            ("%%", "%%", "%%", "%%%%"),
            ("%%%d", "%%04", "%%dd", "%%%%%d"),
            ("*[a]", "*[a]", "*[a]", "*[a]"),
        ] {
            let made = of(format.as_bytes()).expect(format);
            assert_eq!(String::from_utf8_lossy(made.text()), text, "{format}");
            let expected = glob.replace('d', "[0-9]");
            assert_eq!(String::from_utf8_lossy(&made.glob()), expected, "{format}");
            assert_eq!(
                made.converted().expect("a format is set"),
                format!("Converted '{format}' -> '{converted}'")
            );
        }
        assert_eq!(of(b"-\xff%d").expect("bytes").text(), b"-\xff04");
    }

    #[test]
    fn week_numbers_agree_with_the_c_library_over_the_year_ends() {
        // date -d DAY +%G:%V:%g:%U:%W:%u:%w:%j
        for (day, text) in [
            ("2026-01-01", "2026:01:26:00:00:4:4:001"),
            ("2027-01-01", "2026:53:26:00:00:5:5:001"),
            ("2027-01-03", "2026:53:26:01:00:7:0:003"),
            ("2027-01-04", "2027:01:27:01:01:1:1:004"),
            ("2028-12-31", "2028:52:28:53:52:7:0:366"),
            ("2024-12-30", "2025:01:25:52:53:1:1:365"),
            ("2023-01-01", "2022:52:22:01:00:7:0:001"),
        ] {
            let made = suffix(
                &naming(b"%G:%V:%g:%U:%W:%u:%w:%j"),
                DAILY,
                at(&format!("{day}T11:00:00Z")),
                &Berlin,
            );
            assert_eq!(String::from_utf8_lossy(made.expect(day).text()), text, "{day}");
        }
    }

    #[test]
    fn yesterday_is_noon_of_the_day_before_and_an_hour_ago_an_hour_earlier() {
        for (yesterday, hour_ago, now, text) in [
            (true, false, "2026-01-01T08:08:07Z", "2025-12-31 12:08"),
            (true, true, "2026-01-01T08:08:07Z", "2025-12-31 11:08"),
            (false, true, "2025-12-31T23:08:07Z", "2025-12-31 23:08"),
            (true, false, "2028-02-29T23:30:00Z", "2028-02-29 12:30"),
            // Noon by the clock of today: it was set forward, or back, in the night.
            (true, false, "2026-03-29T08:08:07Z", "2026-03-28 11:08"),
            (true, false, "2026-10-25T08:08:07Z", "2026-10-24 13:08"),
            // The hour before three o'clock was one o'clock on the day of the spring change.
            (false, true, "2026-03-29T01:00:00Z", "2026-03-29 01:00"),
            (false, true, "2026-10-25T01:00:00Z", "2026-10-25 02:00"),
        ] {
            let naming = Naming { yesterday, hour_ago, ..naming(b"%Y-%m-%d %H:%M") };
            let made = suffix(&naming, DAILY, at(now), &Berlin).expect(now);
            assert_eq!(String::from_utf8_lossy(made.text()), text, "{now}");
        }
    }

    #[test]
    fn a_format_that_is_too_long_or_empty_is_an_error() {
        let long = |n: usize| vec![b'a'; n];
        assert!(of(&long(63)).is_ok());
        for (format, words) in [
            (long(64), "failed to apply date format 'aaaa"),
            (long(126), "failed to apply date format 'aaaa"),
            (long(127), "Date format aaaa"),
            (b"%s%s%s".to_vec(), "Date format %s%s%s is too long"),
            (b"".to_vec(), "failed to apply date format ''"),
        ] {
            let fault = of(&format).expect_err("too long");
            assert!(fault.message.starts_with(words), "{fault}");
        }
        // 25 digits make 125 characters of pattern.
        assert!(of(b"%s%s%Y%w").is_ok());
        assert!(of(b"%s%s%Y%w/").is_ok());
        assert!(of(b"%s%s%Y%w//").is_err());
    }

    #[test]
    fn an_offset_west_of_greenwich_is_negative() {
        let zone = Tz::America__St_Johns;
        let now = Zone::at(&zone, at("2026-01-04T08:08:07Z").0.to_utc());
        assert_eq!(suffix(&naming(b"%z"), DAILY, now, &zone).expect("made").text(), b"-0330");
    }
}
