//! Wall-clock slots: which one is it, by the instant at which it began.
//!
//! Minutes and hours count from local midnight, days from 1970-01-01, weeks from Monday. Two times
//! lie in the same slot exactly when their slots began at the same instant, so that a tick which
//! comes a second early or late never skips a turn, and a clock change is neither a missing nor a
//! double turn.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::clock::{LocalTime, Zone};
use crate::config::policy::SlotLength;

/// Days from Monday 1969-12-29, where weeks are counted from, to 1970-01-01.
const MONDAY_TO_EPOCH: i64 = 3;

/// The instant at which the slot that holds `now` began.
///
/// - In the hour that a clock change repeats, a start that names two instants is the later one that
///   is not after `now`: the second pass has slots of its own (fixes compat B-11).
/// - A slot that was left before the clock was set back, and is entered again by the change, begins
///   anew at the change.
/// - A start that a clock change left out is the moment of the change.
/// - Days and weeks begin once, also where the clock is set back over midnight.
pub fn start(length: SlotLength, now: LocalTime, zone: &dyn Zone) -> LocalTime {
    let civil = civil_start(length, now.civil());
    match length {
        SlotLength::Days(_) | SlotLength::Weeks(_) => zone.resolve(civil),
        SlotLength::Minutes(_) | SlotLength::Hours(_) => {
            let named = zone.instants(civil).into_iter().rfind(|&instant| instant <= now);
            let begun = named.unwrap_or_else(|| zone.resolve(civil));
            match set_back(begun, now, zone) {
                Some(change) if entered_again(length, civil, change, zone) => change,
                _ => begun,
            }
        }
    }
}

/// The beginning of the slot on the local calendar.
fn civil_start(length: SlotLength, civil: NaiveDateTime) -> NaiveDateTime {
    let minutes = i64::from(civil.hour() * 60 + civil.minute());
    let days = i64::from(civil.date().num_days_from_ce()) - i64::from(EPOCH.num_days_from_ce());
    let (date, minutes) = match length {
        SlotLength::Minutes(n) => (civil.date(), cut(minutes, i64::from(n))),
        SlotLength::Hours(n) => (civil.date(), cut(minutes, i64::from(n) * 60)),
        SlotLength::Days(n) => (day(cut(days, i64::from(n)), civil), 0),
        SlotLength::Weeks(n) => {
            let from_monday = cut(days + MONDAY_TO_EPOCH, i64::from(n) * 7);
            (day(from_monday - MONDAY_TO_EPOCH, civil), 0)
        }
    };
    date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes)
}

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();

/// The greatest multiple of `step` that is not above `value`.
fn cut(value: i64, step: i64) -> i64 {
    let step = step.max(1);
    value.div_euclid(step) * step
}

/// The date so many days after 1970-01-01; beyond the calendar's end, the date of `civil`.
fn day(number: i64, civil: NaiveDateTime) -> NaiveDate {
    TimeDelta::try_days(number)
        .and_then(|days| EPOCH.checked_add_signed(days))
        .unwrap_or(civil.date())
}

/// The moment between two times at which the clock was set back, if it was.
fn set_back(from: LocalTime, to: LocalTime, zone: &dyn Zone) -> Option<LocalTime> {
    let offset = |t: LocalTime| t.0.offset().local_minus_utc();
    if offset(from) <= offset(to) {
        return None;
    }
    // Halving ends at the second after which `to`'s offset holds; there is one change in a day.
    let (mut before, mut after) = (from.seconds(), to.seconds());
    while after - before > 1 {
        let middle =
            zone.at(
                from.0.to_utc() + TimeDelta::seconds(i64::midpoint(before, after) - from.seconds())
            );
        if offset(middle) == offset(to) {
            after = middle.seconds();
        } else {
            before = middle.seconds();
        }
    }
    Some(zone.at(from.0.to_utc() + TimeDelta::seconds(after - from.seconds())))
}

/// Whether another slot held the second before the clock was set back.
fn entered_again(
    length: SlotLength,
    start: NaiveDateTime,
    change: LocalTime,
    zone: &dyn Zone,
) -> bool {
    let before = zone.at(change.0.to_utc() - TimeDelta::seconds(1));
    civil_start(length, before.civil()) != start
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(zone: Tz, instant: &str) -> LocalTime {
        let instant: DateTime<Utc> = instant.parse().expect(instant);
        Zone::at(&zone, instant)
    }

    #[test]
    fn a_slot_begins_at_a_multiple_of_its_length() {
        use SlotLength::{Days, Hours, Minutes, Weeks};
        for (length, now, begun) in [
            (Minutes(1), "2026-07-01T12:34:59Z", "2026-07-01 12:34"),
            (Minutes(10), "2026-07-01T12:30:00Z", "2026-07-01 12:30"),
            (Minutes(10), "2026-07-01T12:29:59Z", "2026-07-01 12:20"),
            (Minutes(45), "2026-07-01T23:59:00Z", "2026-07-01 23:15"),
            (Minutes(7), "2026-07-01T23:59:00Z", "2026-07-01 23:55"),
            (Minutes(u32::MAX), "2026-07-01T23:59:00Z", "2026-07-01 00:00"),
            (Minutes(0), "2026-07-01T12:34:59Z", "2026-07-01 12:34"),
            (Hours(6), "2026-07-01T17:59:00Z", "2026-07-01 12:00"),
            (Hours(5), "2026-07-01T23:59:00Z", "2026-07-01 20:00"),
            (Hours(u32::MAX), "2026-07-01T23:59:00Z", "2026-07-01 00:00"),
            (Days(1), "2026-12-31T23:59:59Z", "2026-12-31 00:00"),
            (Days(1), "2027-01-01T00:00:00Z", "2027-01-01 00:00"),
            (Days(1), "2028-02-29T13:00:00Z", "2028-02-29 00:00"),
            (Days(2), "1970-01-02T13:00:00Z", "1970-01-01 00:00"),
            (Days(2), "1970-01-03T13:00:00Z", "1970-01-03 00:00"),
            (Days(u32::MAX), "2026-07-01T12:00:00Z", "1970-01-01 00:00"),
            (Days(u32::MAX), "1969-12-31T12:00:00Z", "1969-12-31 00:00"),
            // 2026-06-29 is a Monday.
            (Weeks(1), "2026-07-01T12:00:00Z", "2026-06-29 00:00"),
            (Weeks(1), "2026-07-05T23:59:59Z", "2026-06-29 00:00"),
            (Weeks(1), "2026-07-06T00:00:00Z", "2026-07-06 00:00"),
            (Weeks(2), "1970-01-01T00:00:00Z", "1969-12-29 00:00"),
            (Weeks(2), "1970-01-11T00:00:00Z", "1969-12-29 00:00"),
            (Weeks(2), "1970-01-12T00:00:00Z", "1970-01-12 00:00"),
        ] {
            let got = start(length, at(Tz::UTC, now), &Tz::UTC);
            assert_eq!(got.shown(), begun, "{length:?} {now}");
        }
    }

    #[test]
    fn a_slot_across_a_clock_change_begins_at_an_instant() {
        use SlotLength::{Days, Hours, Minutes};
        use chrono_tz::America::{Havana, Sao_Paulo};
        use chrono_tz::{Australia::Lord_Howe, Europe::Berlin};
        for (zone, length, now, begun) in [
            // Berlin repeats 02:00 to 03:00 at 2026-10-25T01:00Z.
            (Berlin, Hours(1), "2026-10-25T00:59:59Z", "2026-10-25T00:00:00Z"),
            (Berlin, Hours(1), "2026-10-25T01:00:00Z", "2026-10-25T01:00:00Z"),
            (Berlin, Minutes(10), "2026-10-25T00:35:00Z", "2026-10-25T00:30:00Z"),
            (Berlin, Minutes(10), "2026-10-25T01:35:00Z", "2026-10-25T01:30:00Z"),
            (Berlin, Hours(6), "2026-10-25T04:59:59Z", "2026-10-24T22:00:00Z"),
            (Berlin, Minutes(90), "2026-10-25T01:59:59Z", "2026-10-24T23:30:00Z"),
            (Berlin, Days(1), "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z"),
            // The slot of 01:59 was left at 02:06 and is entered again by the change.
            (Berlin, Minutes(7), "2026-10-25T00:05:00Z", "2026-10-24T23:59:00Z"),
            (Berlin, Minutes(7), "2026-10-25T01:05:00Z", "2026-10-25T01:00:00Z"),
            (Berlin, Minutes(7), "2026-10-25T01:06:00Z", "2026-10-25T01:06:00Z"),
            // Berlin leaves out 02:00 to 03:00 at 2026-03-29T01:00Z.
            (Berlin, Hours(2), "2026-03-29T00:59:59Z", "2026-03-28T23:00:00Z"),
            (Berlin, Hours(2), "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z"),
            (Berlin, Minutes(100), "2026-03-29T01:10:00Z", "2026-03-29T00:40:00Z"),
            (Berlin, Minutes(75), "2026-03-29T01:10:00Z", "2026-03-29T01:00:00Z"),
            // Lord Howe repeats 01:30 to 02:00 at 2026-04-04T15:00Z.
            (Lord_Howe, Hours(1), "2026-04-04T15:15:00Z", "2026-04-04T14:00:00Z"),
            (Lord_Howe, Minutes(30), "2026-04-04T14:59:00Z", "2026-04-04T14:30:00Z"),
            (Lord_Howe, Minutes(30), "2026-04-04T15:15:00Z", "2026-04-04T15:00:00Z"),
            // and leaves out 02:00 to 02:30 at 2026-10-03T15:30Z.
            (Lord_Howe, Hours(1), "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"),
            (Lord_Howe, Minutes(10), "2026-10-03T15:45:00Z", "2026-10-03T15:40:00Z"),
            // A day begins once, though Havana repeats 00:00 to 01:00 at 2026-11-01T05:00Z.
            (Havana, Days(1), "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z"),
            (Havana, Hours(1), "2026-11-01T05:30:00Z", "2026-11-01T05:00:00Z"),
            // Sao Paulo's 2018-11-04 began at 01:00.
            (Sao_Paulo, Days(1), "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z"),
        ] {
            let got = start(length, at(zone, now), &zone);
            assert_eq!(got, at(zone, begun), "{zone} {length:?} {now}");
        }
    }

    /// Walks from minute to minute and tells whether a slot begins after `from`, up to `to`.
    fn one_begins(length: SlotLength, zone: Tz, from: i64, to: i64) -> bool {
        let view = |minute: i64| {
            Zone::at(&zone, DateTime::from_timestamp(minute * 60, 0).expect("in range")).civil()
        };
        let once = matches!(length, SlotLength::Days(_) | SlotLength::Weeks(_));
        (from.div_euclid(60) + 1..=to.div_euclid(60)).any(|minute| {
            let (before, now) = (view(minute - 1), view(minute));
            let begun = civil_start(length, now);
            begun != civil_start(length, before) || (now < before && begun == now && !once)
        })
    }

    proptest! {
        #[test]
        fn two_times_share_a_start_exactly_if_no_slot_begins_between_them(
            zone in prop::sample::select(vec![
                Tz::UTC, Tz::Europe__Berlin, Tz::Australia__Lord_Howe, Tz::America__New_York,
                Tz::America__Havana, Tz::Asia__Kathmandu,
            ]),
            length in prop_oneof![
                (1u32..200).prop_map(SlotLength::Minutes),
                (1u32..30).prop_map(SlotLength::Hours),
                (1u32..4).prop_map(SlotLength::Days),
                (1u32..3).prop_map(SlotLength::Weeks),
            ],
            // Around the changes of 2026 more often than elsewhere.
            base in prop_oneof![
                Just(1_774_746_000i64), Just(1_792_890_000), Just(1_775_314_800),
                Just(1_791_041_400), Just(1_793_509_200), 1_767_225_600i64..1_798_761_600,
            ],
            shift in -20_000i64..20_000,
            later in 0i64..100_000,
        ) {
            let (from, to) = (base + shift, base + shift + later);
            let view = |seconds| Zone::at(&zone, DateTime::from_timestamp(seconds, 0).expect("in range"));
            let same = start(length, view(from), &zone) == start(length, view(to), &zone);
            prop_assert_eq!(same, !one_begins(length, zone, from, to));
        }

        #[test]
        fn a_slot_never_begins_after_the_time_that_it_holds(
            length in prop_oneof![
                any::<u32>().prop_map(SlotLength::Minutes), any::<u32>().prop_map(SlotLength::Hours),
                any::<u32>().prop_map(SlotLength::Days), any::<u32>().prop_map(SlotLength::Weeks),
            ],
            seconds in 0i64..4_102_444_800,
        ) {
            let zone = Tz::Australia__Lord_Howe;
            let now = Zone::at(&zone, DateTime::from_timestamp(seconds, 0).expect("in range"));
            prop_assert!(start(length, now, &zone) <= now);
        }
    }
}
