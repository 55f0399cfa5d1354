//! Times for the state file, counted from now, in UTC.

use std::time::Duration;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};

/// Now.
pub fn now() -> NaiveDateTime {
    Utc::now().naive_utc()
}

/// As many days ago, at this time of day.
pub fn days_ago(days: i64) -> NaiveDateTime {
    now() - TimeDelta::days(days)
}

/// As many hours ago.
pub fn hours_ago(hours: i64) -> NaiveDateTime {
    now() - TimeDelta::hours(hours)
}

/// As many minutes ago.
pub fn minutes_ago(minutes: i64) -> NaiveDateTime {
    now() - TimeDelta::minutes(minutes)
}

/// The start of the day that was as many days ago.
pub fn midnight(days: i64) -> NaiveDateTime {
    days_ago(days).date().into()
}

/// The first moment of this hour.
pub fn this_hour() -> NaiveDateTime {
    let now = now();
    now.date().and_hms_opt(now.hour(), 0, 0).expect("full hour")
}

/// The first moment of this month.
pub fn this_month() -> NaiveDateTime {
    now().date().with_day(1).expect("first day").into()
}

/// The first moment of this year.
pub fn this_year() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(now().year(), 1, 1).expect("first day").into()
}

/// One second earlier.
pub fn just_before(time: NaiveDateTime) -> NaiveDateTime {
    time - TimeDelta::seconds(1)
}

/// Now, in the letters of strftime.
pub fn stamp(format: &str) -> String {
    Utc::now().format(format).to_string()
}

/// The time as the state file has it (compat ST-1).
pub fn in_state(at: NaiveDateTime) -> String {
    at.format("%Y-%-m-%-d-%-H:%-M:%-S").to_string()
}

/// Waits, if need be, until the minute, and so the hour and the day, will not end within the next
/// seconds: for tests that name the current minute, hour or day.
pub fn steady() {
    while now().second() >= 45 {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits, if need be, until the day will not end within the next minutes: for tests that run longer.
pub fn steady_day() {
    while now().hour() == 23 && now().minute() >= 57 {
        std::thread::sleep(Duration::from_secs(1));
    }
}
