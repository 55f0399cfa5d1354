//! The calendar intervals: counted by dates, never by hours, so that a clock change neither
//! shortens nor lengthens a day (fixes compat B-11, RD-26).

use chrono::{Datelike, Days, NaiveDate};

/// `daily`: another date (compat RD-13); a record a little ahead of now counts as another date too.
pub fn is_another_day(last: NaiveDate, today: NaiveDate) -> bool {
    last != today
}

/// `yearly`: another year (compat RD-13).
pub fn is_another_year(last: NaiveDate, today: NaiveDate) -> bool {
    last.year() != today.year()
}

/// `weekly D`: seven dates on, or a later date that is the weekday `day` (0 is Sunday, 7 no day;
/// compat RD-14).
pub fn is_week_due(day: u8, last: NaiveDate, today: NaiveDate) -> bool {
    let days = (today - last).num_days();
    days >= 7 || (days >= 1 && today.weekday().num_days_from_sunday() == u32::from(day))
}

/// `monthly D`: with 0, another month (compat RD-15); else once a month: the day D has been reached
/// since the last rotation. In a month that is too short for D, its last day stands for it (fixes
/// compat B-10, where the last day of every month counted as well).
///
/// The reference's further rule "31 days have passed" needs no words here: two such days are at
/// most 31 days apart, so whenever 31 days have passed, one of them has been reached. A day that
/// was missed, because the machine was off, is made up for on the next one.
pub fn is_month_due(day: u8, last: NaiveDate, today: NaiveDate) -> bool {
    if day == 0 {
        return (last.year(), last.month()) != (today.year(), today.month());
    }
    let this_month = day_of_month(day, today);
    let reached = if this_month <= today {
        this_month
    } else {
        // The day before the first of this month lies in the month before.
        let before = today.checked_sub_days(Days::new(u64::from(today.day())));
        before.map_or(this_month, |before| day_of_month(day, before))
    };
    last < reached
}

/// The day D, or the last one, of the month of a date.
fn day_of_month(day: u8, date: NaiveDate) -> NaiveDate {
    (1..=u32::from(day)).rev().find_map(|day| date.with_day(day)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect(text)
    }

    #[test]
    fn weekly_is_due_on_its_weekday_or_after_seven_dates() {
        // 2026-03-29 is a Sunday, and the spring change in Berlin.
        for (day, last, today, due) in [
            (0, "2026-03-28", "2026-03-29", true),
            (0, "2026-03-29", "2026-03-29", false),
            (0, "2026-03-29", "2026-03-30", false),
            (0, "2026-03-27", "2026-03-28", false),
            (0, "2026-03-23", "2026-03-30", true),
            (3, "2026-03-31", "2026-04-01", true),
            (7, "2026-03-28", "2026-03-29", false),
            (7, "2026-03-28", "2026-04-03", false),
            (7, "2026-03-28", "2026-04-04", true),
            (7, "2026-12-28", "2027-01-04", true),
            (0, "2026-03-30", "2026-03-29", false),
        ] {
            assert_eq!(is_week_due(day, date(last), date(today)), due, "{day} {last} {today}");
        }
    }

    #[test]
    fn monthly_is_due_once_its_day_has_been_reached() {
        for (day, last, today, due) in [
            (0, "2026-01-31", "2026-02-01", true),
            (0, "2026-02-01", "2026-02-28", false),
            (0, "2025-02-28", "2026-02-28", true),
            (1, "2026-01-01", "2026-01-31", false),
            (1, "2026-01-31", "2026-02-01", true),
            (15, "2026-01-14", "2026-01-15", true),
            (15, "2026-01-15", "2026-01-31", false),
            (15, "2026-01-15", "2026-02-14", false),
            (15, "2026-01-15", "2026-02-15", true),
            // Missed by a day: made up for.
            (15, "2026-01-15", "2026-02-16", true),
            (15, "2026-02-16", "2026-03-14", false),
            (15, "2026-02-16", "2026-03-15", true),
            (15, "2025-12-20", "2026-01-10", false),
            (15, "2025-12-14", "2026-01-10", true),
            (29, "2026-02-27", "2026-02-28", true),
            (29, "2028-02-27", "2028-02-28", false),
            (29, "2028-02-28", "2028-02-29", true),
            (30, "2026-02-28", "2026-03-01", false),
            (31, "2026-01-31", "2026-02-27", false),
            (31, "2026-01-31", "2026-02-28", true),
            (31, "2026-02-28", "2026-03-30", false),
            (31, "2026-02-28", "2026-03-31", true),
            (31, "2026-04-29", "2026-04-30", true),
            // The clock went back.
            (15, "2026-01-16", "2026-01-15", false),
        ] {
            assert_eq!(is_month_due(day, date(last), date(today)), due, "{day} {last} {today}");
        }
    }

    #[test]
    fn monthly_rotates_exactly_once_in_every_month() {
        for day in 0..=31 {
            let (mut last, mut counts) = (date("2026-12-31"), [0; 24]);
            for today in date("2027-01-01").iter_days().take(365 + 366) {
                if is_month_due(day, last, today) {
                    last = today;
                    let month = today.year() - 2027;
                    counts
                        [usize::try_from(month).expect("later") * 12 + today.month0() as usize] +=
                        1;
                }
            }
            assert_eq!(counts, [1; 24], "monthly {day}");
        }
    }

    #[test]
    fn thirty_one_days_always_make_a_month_due() {
        for day in 1..=31 {
            for last in date("2027-01-01").iter_days().take(800) {
                assert!(is_month_due(day, last, last + Days::new(31)), "monthly {day} from {last}");
                assert!(!is_month_due(day, last, last), "monthly {day} on {last} itself");
            }
        }
    }
}
