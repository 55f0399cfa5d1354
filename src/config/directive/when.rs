//! When a log is due, and which logs are considered.

use super::Argument::{None as Bare, Raw, Value};
use super::Directive::{self, Switch as Set};
use super::{Row, Switch, needs, row, wants};
use crate::config::policy::{Interval, SlotLength, Trigger};
use crate::config::value::{self, Bad, Reading, count, shown, unsigned};
use crate::units::Days;

pub(super) const ROWS: &[Row] = &[
    row("hourly", Bare(|| every(Interval::Hourly)), "Due when the hour has changed."),
    row("daily", Bare(|| every(Interval::Daily)), "Due when the date has changed."),
    row("weekly", Raw(weekly), "Due on the given weekday (0 is Sunday), or after seven days."),
    row("monthly", Raw(monthly), "Due on the given day of the month, or in another month."),
    row("yearly", Bare(|| every(Interval::Yearly)), "Due when the year has changed."),
    row("minutes", Value(wants("minutes"), minutes), "Due after so many minutes."),
    row(
        "minutely",
        Bare(|| every(Interval::Slots(SlotLength::Minutes(1)))),
        "Due when the minute has changed.",
    ),
    row("every", Value(needs("every"), slots), "Due in each slot of so many m, h, d or w."),
    row(
        "size",
        Value(wants("size"), |text, _| {
            value::size(text).map(|size| Directive::Trigger(Trigger::Size(size)))
        }),
        "Due when the log has at least this size.",
    ),
    row(
        "minsize",
        Value(wants("minsize"), |text, _| value::size(text).map(Directive::MinSize)),
        "Not due below this size.",
    ),
    row(
        "maxsize",
        Value(wants("maxsize"), |text, _| value::size(text).map(Directive::MaxSize)),
        "Due above this size, before its time.",
    ),
    row(
        "minage",
        Value(needs("minage count"), |text, _| {
            unsigned(text, "bad-minimum-age", "minimum age").map(Days).map(Directive::MinAge)
        }),
        "Not due while the log was written to within so many days.",
    ),
    row("missingok", Bare(|| Set(Switch::MissingOk, true)), "A missing log is no error."),
    row("nomissingok", Bare(|| Set(Switch::MissingOk, false)), "A missing log is an error."),
    row("ifempty", Bare(|| Set(Switch::SkipEmpty, false)), "An empty log is rotated, too."),
    row("notifempty", Bare(|| Set(Switch::SkipEmpty, true)), "An empty log is not rotated."),
    row(
        "ignoreduplicates",
        Bare(|| Set(Switch::IgnoreDuplicates, true)),
        "A log that a later block names again stays with this one.",
    ),
    row(
        "allowhardlink",
        Bare(|| Set(Switch::AllowHardLinks, true)),
        "A log with several hard links is rotated.",
    ),
    row(
        "noallowhardlink",
        Bare(|| Set(Switch::AllowHardLinks, false)),
        "A log with several hard links is left alone.",
    ),
];

fn every(interval: Interval) -> Directive {
    Directive::Trigger(Trigger::Every(interval))
}

fn weekly(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    match value::day(text, 7) {
        Some(day) => Ok(every(Interval::Weekly(day))),
        None => Err(Bad::new("bad-weekly", format!("bad weekly directive '{}'", shown(text)))
            .with_hint(
                "write `weekly`, or `weekly` and a day from 0 (Sunday) to 6; 7 is every seven days",
            )),
    }
}

fn monthly(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    match value::day(text, 31) {
        Some(day) => Ok(every(Interval::Monthly(day))),
        None => Err(Bad::new("bad-monthly", format!("bad monthly directive '{}'", shown(text)))
            .with_hint("write `monthly`, or `monthly` and a day from 1 to 31")),
    }
}

fn minutes(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let minutes = count(text, 1, "bad-minutes", "minutes")?;
    match u32::try_from(minutes) {
        Ok(minutes) => Ok(every(Interval::Minutes(minutes))),
        Err(_) => Err(Bad::new("bad-minutes", format!("bad minutes '{}'", shown(text)))),
    }
}

/// Slots begin anew at midnight, so minutes and hours reach up to a day; a hundred years are enough
/// for the others.
fn slots(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let bad = || Bad::new("bad-every", format!("bad interval '{}'", shown(text)));
    let usage = "write a number and its unit: `every 10m`, `every 6h`, `every 2d`, `every 1w`";
    let Some((unit, digits)) = text.split_last() else {
        return Err(bad().with_hint(usage));
    };
    let (length, most): (fn(u32) -> SlotLength, u32) = match unit {
        b'm' => (SlotLength::Minutes, 24 * 60),
        b'h' => (SlotLength::Hours, 24),
        b'd' => (SlotLength::Days, 36_500),
        b'w' => (SlotLength::Weeks, 5_200),
        b's' => {
            let message = format!("bad interval '{}': there is no unit 's'", shown(text));
            return Err(Bad::new("every-seconds", message)
                .with_hint("the shortest interval is a minute: `every 1m`, or `minutely`"));
        }
        _ => return Err(bad().with_hint(usage)),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad().with_hint(usage));
    }
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    match number {
        Some(number) if (1..=most).contains(&number) => Ok(every(Interval::Slots(length(number)))),
        _ => Err(bad().with_hint(format!(
            "the number goes from 1 to {most} with this unit; `m` and `h` reach up to a day"
        ))),
    }
}
