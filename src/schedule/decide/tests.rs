use super::*;
use chrono::{DateTime, Utc};
use chrono_tz::{Australia::Lord_Howe, Europe::Berlin, Tz};
use proptest::prelude::*;

use crate::source::Setting;
use crate::units::{FileId, FileTime, Mode};

use Interval::{Daily, Hourly, Minutes, Monthly, Slots, Weekly, Yearly};

fn at(zone: Tz, instant: &str) -> LocalTime {
    let instant: DateTime<Utc> = instant.parse().expect(instant);
    Zone::at(&zone, instant)
}

fn file(kind: FileKind, size: u64) -> FileFacts {
    let time = FileTime { seconds: 0, nanos: 0 };
    FileFacts {
        kind,
        size,
        mode: Mode(0o644),
        uid: 0,
        gid: 0,
        links: 1,
        modified: time,
        accessed: time,
        id: FileId { inode: 1, birth: None, device: None },
    }
}

/// A question that can be changed in one respect at a time.
#[derive(Clone)]
struct Case {
    zone: Tz,
    facts: LogFacts,
    criteria: Criteria,
    selection: Selection,
    checks_parent: bool,
    forced: bool,
}

impl Case {
    fn trigger(trigger: Trigger) -> Self {
        Self {
            zone: Tz::UTC,
            facts: LogFacts {
                parent: ParentFacts::Safe,
                file: Ok(Some(file(FileKind::Regular, 100))),
            },
            criteria: Criteria { trigger: Setting::default(trigger), ..Criteria::default() },
            selection: Selection::default(),
            checks_parent: true,
            forced: false,
        }
    }

    fn every(interval: Interval) -> Self {
        Self::trigger(Trigger::Every(interval))
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn ask(&self, last: Option<LocalTime>, now: LocalTime) -> Decision {
        let log = LogPath::new("/var/log/a.log").expect("a path");
        decide(&Question {
            log: &log,
            facts: &self.facts,
            criteria: &self.criteria,
            selection: &self.selection,
            checks_parent: self.checks_parent,
            last,
            now,
            forced: self.forced,
            zone: &self.zone,
        })
    }

    /// The verdict on a log that was last rotated a moment of UTC ago.
    fn verdict(&self, last: &str, now: &str) -> Verdict {
        self.ask(Some(at(self.zone, last)), at(self.zone, now)).verdict
    }

    fn due(&self, last: &str, now: &str) -> bool {
        matches!(self.verdict(last, now), Verdict::Rotate(_))
    }
}

const NOON: &str = "2026-07-01T12:30:00Z";
const BEFORE: &str = "2026-06-01T12:30:00Z";

fn insecure() -> ParentFacts {
    ParentFacts::Insecure { su: Some("su a b".into()) }
}

fn minutes(n: u32) -> Interval {
    Slots(SlotLength::Minutes(n))
}

#[test]
fn a_directory_that_cannot_be_trusted_or_found_is_told_first() {
    for (parent, missing_ok, checks, verdict) in [
        (ParentFacts::Missing, true, true, Verdict::Skip(SkipReason::ParentMissing)),
        (ParentFacts::Missing, false, true, Verdict::Refuse(RefuseReason::ParentMissing)),
        (
            insecure(),
            true,
            true,
            Verdict::Refuse(RefuseReason::InsecureParent { su: Some("su a b".into()) }),
        ),
        (
            ParentFacts::Failed("x".to_owned()),
            true,
            true,
            Verdict::Refuse(RefuseReason::ParentFailed { cause: "x".to_owned() }),
        ),
        (
            ParentFacts::UntrustedLink { link: "/l".to_owned(), su: None },
            true,
            false,
            Verdict::Refuse(RefuseReason::UntrustedLink { link: "/l".to_owned(), su: None }),
        ),
        (insecure(), true, false, Verdict::Skip(SkipReason::SymbolicLink)),
    ] {
        let case = Case::every(Daily).with(|c| {
            c.facts.parent = parent;
            c.facts.file = Ok(Some(file(FileKind::SymbolicLink, 1)));
            c.selection.missing_ok = missing_ok;
            c.checks_parent = checks;
            c.forced = true;
        });
        assert_eq!(case.verdict(BEFORE, NOON), verdict);
    }
}

#[test]
fn with_su_a_log_without_directory_is_a_missing_log() {
    for (missing_ok, verdict) in [
        (true, Verdict::Skip(SkipReason::Missing)),
        (false, Verdict::Refuse(RefuseReason::Missing)),
    ] {
        let case = Case::every(Daily).with(|c| {
            c.facts.parent = ParentFacts::Missing;
            c.facts.file = Ok(None);
            c.selection.missing_ok = missing_ok;
            c.checks_parent = false;
        });
        assert_eq!(case.verdict(BEFORE, NOON), verdict);
    }
}

#[test]
fn what_is_not_one_regular_file_is_not_rotated_even_if_forced() {
    let links = |links| FileFacts { links, ..file(FileKind::Regular, 1) };
    for (facts, missing_ok, verdict) in [
        (Ok(None), true, Verdict::Skip(SkipReason::Missing)),
        (Ok(None), false, Verdict::Refuse(RefuseReason::Missing)),
        (
            Err("x".to_owned()),
            true,
            Verdict::Refuse(RefuseReason::Failed { cause: "x".to_owned() }),
        ),
        (Ok(Some(file(FileKind::SymbolicLink, 1))), true, Verdict::Skip(SkipReason::SymbolicLink)),
        (Ok(Some(file(FileKind::Other, 1))), true, Verdict::Refuse(RefuseReason::NotRegular)),
        (Ok(Some(file(FileKind::Directory, 1))), true, Verdict::Refuse(RefuseReason::NotRegular)),
        (Ok(Some(links(2))), true, Verdict::Skip(SkipReason::HardLinks { links: 2 })),
        (Ok(Some(links(0))), true, Verdict::Skip(SkipReason::HardLinks { links: 0 })),
    ] {
        let case = Case::every(Daily).with(|c| {
            c.facts.file = facts;
            c.selection.missing_ok = missing_ok;
            c.forced = true;
        });
        assert_eq!(case.verdict(BEFORE, NOON), verdict);
    }
    let allowed = Case::every(Daily).with(|c| {
        c.facts.file = Ok(Some(links(2)));
        c.selection.allow_hard_links = true;
    });
    assert!(allowed.due(BEFORE, NOON));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let big = |c: &mut Case| c.criteria.max_size = Some(Setting::default(ByteSize(99)).into());
    let small = |c: &mut Case| c.criteria.min_size = Some(Setting::default(ByteSize(101)).into());
    let of = |n| Trigger::Size(ByteSize(n));
    let (size, day) = (ByteSize(100), Trigger::Every(Daily));
    let last = at(Tz::UTC, BEFORE);
    for (case, verdict) in [
        (Case::trigger(day), Verdict::Rotate(RotateReason::Interval { interval: Daily, last })),
        (Case::trigger(day).with(|c| c.forced = true), Verdict::Rotate(RotateReason::Forced)),
        (
            Case::trigger(day).with(big).with(small),
            Verdict::Rotate(RotateReason::AboveMaxSize { size, limit: ByteSize(99) }),
        ),
        (
            Case::trigger(of(100)).with(small),
            Verdict::Rotate(RotateReason::Size { size, limit: ByteSize(100) }),
        ),
        (
            Case::trigger(of(101)),
            Verdict::Skip(SkipReason::BelowSize { size, limit: ByteSize(101) }),
        ),
        (
            Case::trigger(of(101)).with(big),
            Verdict::Rotate(RotateReason::AboveMaxSize { size, limit: ByteSize(99) }),
        ),
        (
            Case::trigger(day)
                .with(|c| c.criteria.max_size = Some(Setting::default(ByteSize(100)).into()))
                .with(small),
            Verdict::Skip(SkipReason::BelowMinSize { size, limit: ByteSize(101) }),
        ),
        (
            Case::trigger(day)
                .with(|c| c.criteria.max_size = Some(Setting::default(ByteSize(0)).into()))
                .with(|c| c.criteria.min_size = Some(Setting::default(ByteSize(0)).into()))
                .with(|c| c.criteria.min_age = Some(Setting::default(Days(0)).into())),
            Verdict::Rotate(RotateReason::Interval { interval: Daily, last }),
        ),
    ] {
        assert_eq!(case.verdict(BEFORE, NOON), verdict);
    }
}

#[test]
fn minage_holds_back_a_log_that_was_written_to_lately() {
    let now = at(Tz::UTC, NOON);
    for (age_seconds, due) in [(2 * 86_400 + 1, true), (2 * 86_400, false), (0, false), (-5, false)]
    {
        let case = Case::every(Daily).with(|c| {
            c.criteria.min_age = Some(Setting::default(Days(2)).into());
            let modified = FileTime { seconds: now.seconds() - age_seconds, nanos: 0 };
            c.facts.file = Ok(Some(FileFacts { modified, ..file(FileKind::Regular, 1) }));
        });
        assert_eq!(case.due(BEFORE, NOON), due, "{age_seconds}");
    }
}

#[test]
fn further_reasons_are_told_even_if_the_interval_has_not_begun() {
    let now = at(Tz::UTC, NOON);
    let last = at(Tz::UTC, "2026-07-01T00:00:00Z");
    let case = Case::every(Daily).with(|c| {
        c.criteria.min_size = Some(Setting::default(ByteSize(1)).into());
        c.criteria.min_age = Some(Setting::default(Days(2)).into());
        c.selection.skip_empty = true;
        let modified = FileTime { seconds: now.seconds() - 60, nanos: 0 };
        c.facts.file = Ok(Some(FileFacts { modified, ..file(FileKind::Regular, 0) }));
    });
    let decision = case.ask(Some(last), now);
    assert_eq!(
        decision.verdict,
        Verdict::Skip(SkipReason::WithinInterval { interval: Daily, last })
    );
    assert_eq!(
        decision.also,
        [
            SkipReason::BelowMinSize { size: ByteSize(0), limit: ByteSize(1) },
            SkipReason::BelowMinAge { age_seconds: 60, limit: Days(2) }
        ]
    );
}

#[test]
fn empty_log_is_skipped_with_notifempty_even_if_forced() {
    for (forced, size, skip_empty, due) in [
        (false, 0, true, false),
        (true, 0, true, false),
        (true, 1, true, true),
        (true, 0, false, true),
    ] {
        let case = Case::every(Daily).with(|c| {
            c.forced = forced;
            c.selection.skip_empty = skip_empty;
            c.facts.file = Ok(Some(file(FileKind::Regular, size)));
        });
        assert_eq!(case.due(BEFORE, NOON), due, "{forced} {size} {skip_empty}");
    }
}

#[test]
fn an_interval_is_due_when_it_has_begun_anew() {
    for (interval, last, now, due) in [
        (Hourly, "2026-07-01T11:59:59Z", "2026-07-01T12:00:00Z", true),
        (Hourly, "2026-07-01T12:00:00Z", "2026-07-01T12:59:59Z", false),
        (Hourly, "2026-06-30T12:00:00Z", "2026-07-01T12:00:00Z", true),
        (Daily, "2026-06-30T23:59:59Z", "2026-07-01T00:00:01Z", true),
        (Daily, "2026-07-01T00:00:00Z", "2026-07-01T23:59:59Z", false),
        (Daily, "2028-02-28T12:00:00Z", "2028-02-29T00:00:00Z", true),
        (Daily, "2025-07-01T12:00:00Z", "2026-07-01T12:00:00Z", true),
        (Weekly(0), "2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z", true),
        (Monthly(0), "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z", true),
        (Yearly, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", true),
        (Yearly, "2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z", false),
        (Minutes(10), "2026-07-01T12:00:59Z", "2026-07-01T12:10:00Z", true),
        (Minutes(10), "2026-07-01T12:00:00Z", "2026-07-01T12:09:59Z", false),
        (minutes(10), "2026-07-01T12:09:59Z", "2026-07-01T12:10:00Z", true),
        (minutes(10), "2026-07-01T12:00:00Z", "2026-07-01T12:09:59Z", false),
        (minutes(1), "2026-07-01T12:09:59Z", "2026-07-01T12:10:00Z", true),
        (Slots(SlotLength::Days(1)), "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", true),
    ] {
        assert_eq!(Case::every(interval).due(last, now), due, "{interval:?} {last} {now}");
    }
}

#[test]
fn a_log_rotated_in_this_minute_is_not_rotated_again() {
    for interval in [Hourly, Daily, Weekly(3), Monthly(1), Yearly, Minutes(1), minutes(1)] {
        let verdict = Case::every(interval).verdict("2026-07-01T00:00:00Z", "2026-07-01T00:00:59Z");
        let last = at(Tz::UTC, "2026-07-01T00:00:00Z");
        assert_eq!(verdict, Verdict::Skip(SkipReason::SameMinute { last }), "{interval:?}");
    }
}

#[test]
fn a_clock_that_went_back_makes_no_log_wait_for_long() {
    // A record more than 25 hours ahead forces the rotation, whatever the interval.
    for interval in [Hourly, Daily, Weekly(3), Monthly(15), Yearly, Minutes(10), minutes(10)] {
        let case = Case::every(interval).with(|c| {
            c.criteria.min_size = Some(Setting::default(ByteSize(1000)).into());
        });
        let last = at(Tz::UTC, "2026-07-02T13:30:01Z");
        assert_eq!(
            case.verdict("2026-07-02T13:30:01Z", NOON),
            Verdict::Rotate(RotateReason::RecordInFuture { last }),
            "{interval:?}"
        );
    }
    for (interval, last, due) in [
        (Hourly, "2026-07-02T13:30:00Z", true),
        (Daily, "2026-07-02T13:30:00Z", true),
        (Weekly(3), "2026-07-02T13:30:00Z", false),
        (Monthly(1), "2026-07-02T13:30:00Z", false),
        (Yearly, "2026-07-02T13:30:00Z", false),
        (Minutes(10), "2026-07-02T13:30:00Z", true),
        (Minutes(10), "2026-07-01T12:40:00Z", true),
        (Minutes(10), "2026-07-01T12:39:59Z", false),
        (minutes(10), "2026-07-01T12:40:00Z", true),
        (minutes(10), "2026-07-01T12:39:59Z", false),
    ] {
        assert_eq!(Case::every(interval).due(last, NOON), due, "{interval:?} {last}");
    }
}

#[test]
fn a_clock_change_neither_loses_nor_doubles_a_turn() {
    for (zone, interval, last, now, due) in [
        // Berlin's repeated hour of 2026-10-25 is another hour.
        (Berlin, Hourly, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", true),
        (Berlin, Hourly, "2026-10-25T01:00:00Z", "2026-10-25T01:59:00Z", false),
        (Berlin, Hourly, "2026-10-25T01:59:00Z", "2026-10-25T02:00:00Z", true),
        (Berlin, minutes(10), "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", true),
        (Berlin, Minutes(10), "2026-10-25T00:55:00Z", "2026-10-25T01:05:00Z", true),
        (Berlin, Daily, "2026-10-24T22:30:00Z", "2026-10-25T22:30:00Z", false),
        (Berlin, Daily, "2026-10-25T22:30:00Z", "2026-10-25T23:00:00Z", true),
        // The same minute of the clock, an hour later.
        (Berlin, minutes(1), "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", true),
        // The spring change shortens no day.
        (Berlin, Weekly(0), "2026-03-28T11:00:00Z", "2026-03-29T01:30:00Z", true),
        (Berlin, Weekly(7), "2026-03-28T22:59:00Z", "2026-04-03T21:59:00Z", false),
        (Berlin, Weekly(7), "2026-03-28T22:59:00Z", "2026-04-03T22:00:00Z", true),
        (Berlin, Hourly, "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", true),
        // Half an hour on Lord Howe.
        (Lord_Howe, minutes(30), "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z", true),
        (Lord_Howe, minutes(30), "2026-04-04T15:00:00Z", "2026-04-04T15:29:00Z", false),
        (Lord_Howe, Hourly, "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z", false),
        (Lord_Howe, Hourly, "2026-10-03T15:29:00Z", "2026-10-03T15:30:00Z", true),
        (Lord_Howe, Hourly, "2026-10-03T15:30:00Z", "2026-10-03T15:59:00Z", false),
        (Lord_Howe, Daily, "2026-10-03T15:29:00Z", "2026-10-03T15:30:00Z", false),
    ] {
        let case = Case::every(interval).with(|c| c.zone = zone);
        assert_eq!(case.due(last, now), due, "{zone} {interval:?} {last} {now}");
    }
}

#[test]
fn a_record_is_read_on_todays_calendar_whatever_its_offset() {
    // 23:30 UTC is 00:30 of the next day in Berlin.
    let last = at(Tz::UTC, "2026-01-10T23:30:00Z");
    let case = Case::every(Daily).with(|c| c.zone = Berlin);
    let verdict = case.ask(Some(last), at(Berlin, "2026-01-11T12:00:00Z")).verdict;
    assert_eq!(verdict, Verdict::Skip(SkipReason::WithinInterval { interval: Daily, last }));
}

#[test]
fn a_log_first_seen_is_stamped_and_waits_for_its_interval() {
    let now = at(Tz::UTC, "2026-07-01T12:34:56Z");
    let hour = at(Tz::UTC, "2026-07-01T12:00:00Z");
    for (interval, stamp, due) in [
        (Hourly, hour, false),
        (Daily, hour, false),
        (Weekly(3), hour, false),
        (Monthly(1), hour, false),
        (Yearly, hour, false),
        // As the reference has it: compared with the hour's beginning.
        (Minutes(34), hour, true),
        (Minutes(35), hour, false),
        (minutes(1), now, false),
        (minutes(10), now, false),
        (Slots(SlotLength::Weeks(1)), now, false),
    ] {
        let decision = Case::every(interval).ask(None, now);
        assert_eq!((decision.first_seen, decision.last), (Some(stamp), Some(stamp)));
        assert_eq!(matches!(decision.verdict, Verdict::Rotate(_)), due, "{interval:?}");
        let known = Case::every(interval).ask(Some(hour), now);
        assert_eq!((known.first_seen, known.last), (None, Some(hour)));
    }
}

#[test]
fn a_log_first_seen_is_due_by_force_or_size() {
    let now = at(Tz::UTC, "2026-07-01T12:34:56Z");
    for case in [
        Case::every(minutes(10)).with(|c| c.forced = true),
        Case::every(minutes(10))
            .with(|c| c.criteria.max_size = Some(Setting::default(ByteSize(99)).into())),
        Case::trigger(Trigger::Size(ByteSize(100))),
    ] {
        assert!(matches!(case.ask(None, now).verdict, Verdict::Rotate(_)));
    }
}

#[test]
fn a_log_that_cannot_be_rotated_gets_a_record_all_the_same() {
    let now = at(Tz::UTC, "2026-07-01T12:34:56Z");
    let hour = at(Tz::UTC, "2026-07-01T12:00:00Z");
    let missing = |c: &mut Case| c.facts.file = Ok(None);
    let link = |c: &mut Case| c.facts.file = Ok(Some(file(FileKind::SymbolicLink, 1)));
    for (case, last, first_seen) in [
        (Case::every(Daily).with(missing), None, Some(hour)),
        (Case::every(Daily).with(link), Some(hour), Some(hour)),
        // Under slots a log has not been seen before it is there.
        (Case::every(minutes(10)).with(missing), None, None),
        (Case::every(minutes(10)).with(link), Some(now), Some(now)),
    ] {
        let decision = case.ask(None, now);
        assert_eq!((decision.last, decision.first_seen), (last, first_seen));
        assert!(!decision.reached_criteria());
        assert_eq!(case.ask(Some(hour), now).first_seen, None);
    }
}

/// The number of rotations of one log when the program runs at each of the ticks.
fn rotations(
    case: &Case,
    mut last: Option<LocalTime>,
    ticks: impl Iterator<Item = LocalTime>,
) -> usize {
    let mut count = 0;
    for now in ticks {
        let decision = case.ask(last, now);
        last = last.or(decision.first_seen);
        if matches!(decision.verdict, Verdict::Rotate(_)) {
            (last, count) = (Some(now), count + 1);
        }
    }
    count
}

/// Every ten minutes for a week, a second or two late as cron is: :00:01, :10:00, :20:02, ...
fn week_of_ticks(zone: Tz, from: &str) -> impl Iterator<Item = LocalTime> {
    let start = at(zone, from).0.to_utc();
    (0..7 * 24 * 6)
        .zip([1, 0, 2].into_iter().cycle())
        .map(move |(tick, late)| Zone::at(&zone, start + TimeDelta::seconds(tick * 600 + late)))
}

#[test]
fn a_week_of_ten_minute_ticks_gives_exactly_1008_rotations() {
    // An ordinary week in July, and the weeks of both clock changes.
    for (zone, from) in [
        (Tz::UTC, "2026-07-01T00:00:00Z"),
        (Berlin, "2026-03-26T00:00:00Z"),
        (Berlin, "2026-10-22T00:00:00Z"),
        (Lord_Howe, "2026-04-01T00:00:00Z"),
        (Lord_Howe, "2026-10-01T00:00:00Z"),
    ] {
        let before = Zone::at(&zone, at(zone, from).0.to_utc() - TimeDelta::seconds(598));
        for interval in [minutes(10), Minutes(10)] {
            let case = Case::every(interval).with(|c| c.zone = zone);
            let count = rotations(&case, Some(before), week_of_ticks(zone, from));
            assert_eq!(count, 1008, "{zone} {from} {interval:?}");
        }
        // Not yet known: the first tick only makes the record.
        let case = Case::every(minutes(10)).with(|c| c.zone = zone);
        assert_eq!(rotations(&case, None, week_of_ticks(zone, from)), 1007);
    }
}

#[test]
fn hourly_is_due_once_in_every_hour_that_passes_on_the_clock_change_days() {
    for (from, hours) in [("2026-10-24T22:00:00Z", 25), ("2026-03-28T23:00:00Z", 23)] {
        let start = at(Berlin, from).0.to_utc();
        let ticks = (0..hours * 12).map(|n| Zone::at(&Berlin, start + TimeDelta::minutes(n * 5)));
        let before = Zone::at(&Berlin, start - TimeDelta::minutes(5));
        let case = Case::every(Hourly).with(|c| c.zone = Berlin);
        let expected = usize::try_from(hours).expect("small");
        assert_eq!(rotations(&case, Some(before), ticks), expected, "{from}");
    }
}

proptest! {
    #[test]
    fn two_ticks_in_one_slot_never_both_rotate_and_one_in_a_later_slot_always_does(
        zone in prop::sample::select(vec![Tz::UTC, Berlin, Lord_Howe]),
        length in 1u32..=30,
        // Weeks that hold the clock changes of 2026, and any time of that year.
        base in prop_oneof![
            Just(1_774_746_000i64), Just(1_792_890_000), Just(1_775_314_800), Just(1_791_041_400),
            1_767_225_600i64..1_798_761_600,
        ],
        gaps in prop::collection::vec(0i64..3000, 2..60),
    ) {
        // Lengths that divide half an hour: their slots are the same in every zone's clock.
        let length = [1, 2, 3, 5, 6, 10, 15, 30][length as usize % 8];
        let case = Case::every(minutes(length)).with(|c| c.zone = zone);
        let slot = |t: LocalTime| t.seconds().div_euclid(i64::from(length) * 60);
        let mut seconds = base - 20_000;
        let mut last: Option<LocalTime> = None;
        for gap in gaps {
            seconds += gap;
            let now = Zone::at(&zone, DateTime::from_timestamp(seconds, 0).expect("in range"));
            let decision = case.ask(last, now);
            let rotates = matches!(decision.verdict, Verdict::Rotate(_));
            prop_assert_eq!(rotates, last.is_some_and(|last| slot(last) != slot(now)));
            if rotates || last.is_none() {
                last = Some(now);
            }
        }
    }
}
