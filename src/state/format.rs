//! The state file's text (compat section 4.1): version 1 and 2 in, version 2 out.
//!
//! A line that cannot be read costs one error and one record, never the others (fixes compat B-12).

use std::io::Write as _;
use std::path::Path;

use chrono::{Datelike as _, Timelike as _};
use chrono::{Days, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};

use super::{Stamp, State};
use crate::clock::Zone;
use crate::fault::Fault;
use crate::names::Shown;

const VERSION_1: &[u8] = b"logrotate state -- version 1";
const VERSION_2: &[u8] = b"logrotate state -- version 2";

/// A longer line, its newline included, is too long for the reference (compat ST-5).
const LONGEST_LINE: usize = 8206;

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
enum Bad {
    /// Not a name and a time.
    Line,
    /// A part of the time is out of its range (compat ST-4).
    Part { part: &'static str, value: i64, name: Vec<u8> },
}

impl State {
    /// Reads the text of a state file; `file` is its name for messages.
    ///
    /// Every fault makes the exit status 1. Whatever can be read is in the state, also below a bad
    /// top line, in a line that is too long for the reference, or in a last line without a newline.
    pub fn parse(bytes: &[u8], file: impl AsRef<Path>, zone: &dyn Zone) -> (Self, Vec<Fault>) {
        let file = Shown::path(file.as_ref());
        let mut state = Self::default();
        let mut faults = Vec::new();
        // At once, since growing a table holds it twice.
        state.entries.reserve_exact(memchr::memchr_iter(b'\n', bytes).count() + 1);
        let mut has_top_line = true;
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').enumerate().peekable();
        match lines.peek() {
            None => state.changed = true,
            Some((_, top)) if top.strip_suffix(b"\n") == Some(VERSION_2) => {
                lines.next();
            }
            Some((_, top)) if top.strip_suffix(b"\n") == Some(VERSION_1) => {
                lines.next();
                state.changed = true;
            }
            Some(_) => {
                has_top_line = false;
                faults.push(Fault::new(format!("bad top line in state file {file}")));
            }
        }
        // Logs that are rotated together have one time.
        let mut last = Last::default();
        for (index, line) in lines {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if text.is_empty() {
                continue;
            }
            match entry(text, &mut last, zone) {
                Ok((name, stamp)) => state.insert(name, stamp, false),
                // What is not a state file at all is one error, not one a line.
                Err(_) if !has_top_line => {}
                Err(bad) => faults.push(fault(&bad, line, index + 1, file)),
            }
        }
        state.changed |= !faults.is_empty();
        (state, faults)
    }

    /// The text of the new state file, always version 2, records in their old order.
    ///
    /// A time in an hour that a clock change repeats carries its offset from UTC, which the
    /// reference reads past: `2026-10-25-2:30:0+0100`.
    pub fn to_bytes(&self, zone: &dyn Zone) -> Vec<u8> {
        let mut text = VERSION_2.to_vec();
        text.push(b'\n');
        for (path, entry) in &self.entries {
            text.push(b'"');
            for &byte in path {
                match byte {
                    b'"' | b'\\' => text.extend([b'\\', byte]),
                    b'\n' => text.extend(b"\\n"),
                    _ => text.push(byte),
                }
            }
            text.extend(b"\" ");
            write_time(&mut text, entry.stamp, zone);
            text.push(b'\n');
        }
        text
    }
}

fn write_time(text: &mut Vec<u8>, stamp: Stamp, zone: &dyn Zone) {
    let (civil, offset) = match stamp {
        Stamp::Civil(civil) => (civil, None),
        Stamp::Exact(time) => {
            let local = zone.at(time.0.to_utc());
            let repeated = zone.instants(local.civil()).len() > 1;
            (local.civil(), repeated.then(|| local.0.offset().local_minus_utc() / 60))
        }
    };
    let civil = readable(civil);
    let (date, clock) = (civil.date(), civil.time());
    // Writing to a vector cannot fail.
    let _ = write!(
        text,
        "{}-{}-{}-{}:{}:{}",
        date.year(),
        date.month(),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
    if let Some(minutes) = offset {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        let _ = write!(text, "{sign}{:02}{:02}", minutes / 60, minutes % 60);
    }
}

/// The nearest time that will be read again (compat ST-4): a clock may stand at its beginning, on
/// the last evening of 1969.
fn readable(civil: NaiveDateTime) -> NaiveDateTime {
    match civil.year() {
        1900 => civil,
        ..1970 => NaiveDate::from_ymd_opt(1970, 1, 1).map_or(civil, NaiveDateTime::from),
        2101.. => NaiveDate::from_ymd_opt(2100, 12, 31).map_or(civil, NaiveDateTime::from),
        _ => civil,
    }
}

/// The reference's words (compat ST-3 to ST-5).
fn fault(bad: &Bad, line: &[u8], number: usize, file: Shown<'_>) -> Fault {
    let unreadable = line.len() > LONGEST_LINE || !line.ends_with(b"\n") || line.contains(&0);
    Fault::new(match bad {
        Bad::Part { part, value, name } => {
            format!("bad {part} {value} for file {} in state file {file}", Shown(name))
        }
        Bad::Line if unreadable => format!("line {number} too long in state file {file}"),
        Bad::Line => format!("bad line {number} in state file {file}"),
    })
}

/// The time of the line before, if there was one: its text, and what that means.
type Last<'t> = Option<(&'t [u8], Stamp)>;

/// One record: a name and a time, in quotes or not.
fn entry<'t>(
    line: &'t [u8],
    last: &mut Last<'t>,
    zone: &dyn Zone,
) -> Result<(Box<[u8]>, Stamp), Bad> {
    if let Some((name, time)) = plain(line) {
        let stamp = match *last {
            Some((text, stamp)) if text == time => stamp,
            _ => stamp(time, name, zone)?,
        };
        *last = Some((time, stamp));
        return Ok((name.into(), stamp));
    }
    // No path holds a NUL.
    let words = if line.contains(&0) { None } else { words(line) };
    let Ok([name, time]) = <[Vec<u8>; 2]>::try_from(words.unwrap_or_default()) else {
        return Err(Bad::Line);
    };
    let name = unescaped(&name);
    let stamp = stamp(&time, &name, zone)?;
    Ok((name.into(), stamp))
}

/// Name and time of a line as both programs write it for nearly every log: the name in double quotes,
/// a blank, the time, and nothing that [`words`] would take for anything but itself.
fn plain(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"\"")?;
    let (name, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
    let time = rest.strip_prefix(b"\" ")?;
    let is_time = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':');
    let itself = !name.is_empty() && memchr::memchr2(b'\\', 0, name).is_none();
    (itself && !time.is_empty() && time.iter().all(is_time)).then_some((name, time))
}

/// Splits into words as popt does: white space separates, both quotes quote. Within quotes a
/// backslash only matters before the same quote; outside it makes the next byte literal. A quote
/// that is not closed is closed by the end of the line, and an empty word is none.
///
/// `None` if a backslash ends the line.
fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut words, mut word, mut quote) = (Vec::new(), Vec::new(), None);
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(open), b'\\') => {
                let next = bytes.next()?;
                if next != open {
                    word.push(b'\\');
                }
                word.push(next);
            }
            (None, b'\\') => word.push(bytes.next()?),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if is_space(byte) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(byte),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

/// Takes back what writing a name does to backslashes and newlines (compat ST-1); that of quotes is
/// taken back by the splitting. Any other backslash is one.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(word.len());
    let mut rest = word;
    loop {
        rest = match rest {
            [b'\\', b'\\', tail @ ..] => {
                name.push(b'\\');
                tail
            }
            [b'\\', b'n', tail @ ..] => {
                name.push(b'\n');
                tail
            }
            [byte, tail @ ..] => {
                name.push(*byte);
                tail
            }
            [] => return name,
        };
    }
}

/// The parts of a time: what separates each from the one before, its name, and its range.
const PARTS: [(&[u8], &str, i64, i64); 6] = [
    (b"", "year", 1970, 2100),
    (b"-", "month", 1, 12),
    (b"-", "day", 0, 31),
    (b"-", "hour", 0, 23),
    (b":", "minute", 0, 59),
    (b":", "second", 0, 59),
];

/// A time: at least a date; what is missing is 0, what follows is passed over unless it is an
/// offset (compat ST-3).
fn stamp(text: &[u8], name: &[u8], zone: &dyn Zone) -> Result<Stamp, Bad> {
    let mut values = [0; PARTS.len()];
    let (mut rest, mut read) = (text, 0);
    for (value, (separator, ..)) in values.iter_mut().zip(PARTS) {
        let Some((number, tail)) = rest.strip_prefix(separator).and_then(number) else { break };
        (*value, rest, read) = (number, tail, read + 1);
    }
    if read < 3 {
        return Err(Bad::Line);
    }
    for (value, (_, part, least, most)) in values.into_iter().zip(PARTS) {
        // The one early year that the reference takes.
        let fits = (least..=most).contains(&value) || (part == "year" && value == 1900);
        if !fits {
            return Err(Bad::Part { part, value, name: name.to_vec() });
        }
    }
    let civil = civil(values).ok_or(Bad::Line)?;
    let offset = if read == PARTS.len() { offset(rest) } else { None };
    Ok(match offset.and_then(|offset| civil.and_local_timezone(offset).single()) {
        Some(exact) => Stamp::Exact(zone.at(exact.to_utc())),
        None => Stamp::Civil(civil),
    })
}

/// A date and time; a day that the month does not have counts on into the next (compat ST-4).
fn civil(values: [i64; 6]) -> Option<NaiveDateTime> {
    let [year, month, day, hour, minute, second] = values;
    let small = |value: i64| u32::try_from(value).ok();
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, small(month)?, 1)?;
    let date = first.checked_add_days(Days::new(u64::try_from(day).ok()?))?.pred_opt()?;
    date.and_hms_opt(small(hour)?, small(minute)?, small(second)?)
}

/// A whole number as C reads it: leading blanks and a sign are fine.
fn number(text: &[u8]) -> Option<(i64, &[u8])> {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text {
        [b'-', tail @ ..] => (-1, tail),
        [b'+', tail @ ..] => (1, tail),
        _ => (1, text),
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(length).filter(|_| length > 0)?;
    let value = digits.iter().fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    Some((sign * value, rest))
}

/// An offset from UTC as we write it, and nothing behind it.
fn offset(text: &[u8]) -> Option<FixedOffset> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (value, _) = number(digits)?;
    let minutes = value / 100 * 60 + value % 100;
    let seconds = TimeDelta::minutes(sign * minutes).num_seconds();
    FixedOffset::east_opt(i32::try_from(seconds).ok()?)
}

#[cfg(test)]
mod tests;
