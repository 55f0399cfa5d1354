//! Any date format at any time: a suffix that was made is recognised whole, its glob matches it, and of two suffixes that
//! tell their time the later is the younger.
//!
//! The input is three lines: seconds since 1970, a format, and a text to look for a suffix in.
#![no_main]

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use chrono_tz::Europe::Berlin;
use libfuzzer_sys::fuzz_target;
use logrotate_rs::clock::Zone;
use logrotate_rs::config::policy::{Interval, Naming, Trigger};
use logrotate_rs::plan::date::{DateSuffix, suffix};
use logrotate_rs::source::Setting;
use logrotate_rs::survey::glob::Component;

/// The end of 2199: from the year 10000 on `%Y` has five digits.
const LAST: i64 = 7_258_118_399;

fn made(format: &[u8], seconds: i64, zone: &dyn Zone) -> Option<DateSuffix> {
    let naming =
        Naming { date_format: Some(Setting::default(format.to_vec())), ..Naming::default() };
    let now = zone.at(DateTime::<Utc>::from_timestamp(seconds, 0)?);
    suffix(&naming, Trigger::Every(Interval::Daily), now, zone).ok()
}

/// How exactly a format tells the time in UTC: as a time with all that it leaves out set to its beginning. `None` for
/// formats that this simple reading does not understand.
fn told(format: &[u8], seconds: i64) -> Option<NaiveDateTime> {
    let text = std::str::from_utf8(format).ok()?;
    let letters: Vec<char> =
        text.split('%').skip(1).map(|part| part.chars().next().unwrap_or('%')).collect();
    if letters.iter().any(|letter| !"YmdHMS".contains(*letter)) {
        return None;
    }
    let has = |letter| letters.contains(&letter);
    if !(has('Y') && has('m') && has('d')) {
        return None;
    }
    let time = DateTime::<Utc>::from_timestamp(seconds, 0)?.naive_utc();
    let part = |letter, value: u32| if has(letter) { value } else { 0 };
    time.date().and_hms_opt(
        part('H', time.hour()),
        part('M', time.minute()),
        part('S', time.second()),
    )
}

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |&byte| byte == b'\n');
    let (first, format) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let candidate = lines.next().unwrap_or_default();
    let number = first.iter().fold(0_i64, |n, &byte| {
        n.wrapping_mul(10).wrapping_add(i64::from(byte.wrapping_sub(b'0')))
    });
    let seconds = number.rem_euclid(LAST);
    for zone in [&Berlin as &dyn Zone, &Utc] {
        let Some(suffix) = made(format, seconds, zone) else { continue };
        let text = suffix.text();
        let found = suffix.parse(text).expect("a suffix is recognised by who made it");
        assert_eq!(found.length, text.len());
        // Whatever follows, the suffix is what it was.
        let followed = suffix.parse(&[text, candidate].concat()).expect("with text behind it");
        assert_eq!(followed, found);
        if !format.iter().any(|byte| b"*?[\\".contains(byte)) {
            // It stands behind the log's name.
            let glob = Component::new(&[b"x", suffix.glob().as_slice()].concat());
            assert!(glob.matches(&[b"x", text].concat()));
        }
        if let Some(other) = suffix.parse(candidate) {
            let part = &candidate[..other.length];
            assert_eq!(suffix.parse(part), Some(other), "what was found is found alone");
        }
    }
    // Another time, near or far.
    let step = candidate.first().map_or(1, |&byte| 1_i64 << (byte % 33));
    let later = (seconds + step).min(LAST);
    if let (Some(a), Some(b), Some(told_a), Some(told_b)) = (
        made(format, seconds, &Utc),
        made(format, later, &Utc),
        told(format, seconds),
        told(format, later),
    ) {
        let age = |text: &[u8]| a.parse(text).map(|dated| dated.age);
        assert_eq!(
            told_a.cmp(&told_b),
            age(a.text()).cmp(&age(b.text())),
            "{:?}",
            (a.text(), b.text())
        );
    }
});
