//! The decision about one log, in the reference's order (compat section 3).

use chrono::TimeDelta;

use crate::clock::{LocalTime, Zone};
use crate::config::policy::{Criteria, Interval, Selection, SlotLength, Trigger};
use crate::facts::{FileFacts, FileKind};
use crate::names::LogPath;
use crate::schedule::reason::{Decision, RefuseReason, RotateReason, SkipReason, Verdict};
use crate::schedule::{calendar, slots};
use crate::survey::{LogFacts, ParentFacts};
use crate::units::{ByteSize, Days};

/// A record further ahead than this is taken for a clock that was wrong (compat RD-11).
const FUTURE: TimeDelta = TimeDelta::hours(25);

/// Everything that the decision about a log depends on.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The log.
    pub log: &'a LogPath,
    /// What is on the disk.
    pub facts: &'a LogFacts,
    /// When it is due.
    pub criteria: &'a Criteria,
    /// Whether it is considered at all.
    pub selection: &'a Selection,
    /// Whether a directory that others may write is refused: the real user is root and no `su` is
    /// in force (compat RD-2).
    pub checks_parent: bool,
    /// Its record; `None` if the state does not know it.
    pub last: Option<LocalTime>,
    /// The time of this run.
    pub now: LocalTime,
    /// Whether `-f` was given.
    pub forced: bool,
    /// The local time zone.
    pub zone: &'a dyn Zone,
}

/// Decides about one log. Reads nothing but its argument.
pub fn decide(question: &Question<'_>) -> Decision {
    // The record's view of the calendar is today's, whatever offset it was written with.
    let known = question.last.map(|last| question.zone.at(last.0.to_utc()));
    let question = &Question { last: known, ..*question };
    let mut also = Vec::new();
    let (verdict, last, first_seen) = match usable(question) {
        // Without a file the record has not been looked up, but the log gets one (compat RD-25).
        Err(Unusable { verdict, file: None }) => (verdict, None, stamp_if_unknown(question)),
        Err(Unusable { verdict, file: Some(_) }) => {
            let stamp = stamp_if_unknown(question);
            (verdict, question.last.or(stamp), stamp)
        }
        Ok(file) => {
            let first_seen = question.last.is_none().then(|| first_stamp(question));
            let last = question.last.or(first_seen).unwrap_or(question.now);
            let verdict = with_content(question, file, last, &mut also);
            (verdict, Some(last), first_seen)
        }
    };
    Decision { log: question.log.clone(), now: question.now, last, first_seen, verdict, also }
}

/// A log that is not one to rotate.
struct Unusable<'a> {
    verdict: Verdict,
    /// The file, if there is one.
    file: Option<&'a FileFacts>,
}

/// The log's file, if it is one to rotate: compat RD-2 to RD-6, and B-55.
fn usable<'a>(question: &Question<'a>) -> Result<&'a FileFacts, Unusable<'a>> {
    let missing_ok = question.selection.missing_ok;
    let no_file = |verdict| Err(Unusable { verdict, file: None });
    let refuse = |reason| no_file(Verdict::Refuse(reason));
    match &question.facts.parent {
        // With `su` nobody asks for the directory: it is the log that is missing.
        ParentFacts::Missing if question.checks_parent && missing_ok => {
            return no_file(Verdict::Skip(SkipReason::ParentMissing));
        }
        ParentFacts::Missing if question.checks_parent => {
            return refuse(RefuseReason::ParentMissing);
        }
        ParentFacts::Failed(cause) => {
            return refuse(RefuseReason::ParentFailed { cause: cause.clone() });
        }
        ParentFacts::UntrustedLink { link, su } => {
            return refuse(RefuseReason::UntrustedLink { link: link.clone(), su: su.clone() });
        }
        ParentFacts::Insecure { su } if question.checks_parent => {
            return refuse(RefuseReason::InsecureParent { su: su.clone() });
        }
        ParentFacts::Missing | ParentFacts::Insecure { .. } | ParentFacts::Safe => {}
    }
    let file = match &question.facts.file {
        Ok(Some(file)) => file,
        Ok(None) if missing_ok => return no_file(Verdict::Skip(SkipReason::Missing)),
        Ok(None) => return refuse(RefuseReason::Missing),
        Err(cause) => return refuse(RefuseReason::Failed { cause: cause.clone() }),
    };
    let verdict = match file.kind {
        FileKind::SymbolicLink => Verdict::Skip(SkipReason::SymbolicLink),
        FileKind::Directory | FileKind::Other => Verdict::Refuse(RefuseReason::NotRegular),
        FileKind::Regular if file.links != 1 && !question.selection.allow_hard_links => {
            Verdict::Skip(SkipReason::HardLinks { links: file.links })
        }
        FileKind::Regular => return Ok(file),
    };
    Err(Unusable { verdict, file: Some(file) })
}

/// The record of a log that the state does not know: this hour's beginning, as the reference has it
/// (compat RD-24); for slots now, so that the log is not due in the slot in which it is first seen.
fn first_stamp(question: &Question<'_>) -> LocalTime {
    match question.criteria.trigger.value {
        Trigger::Every(Interval::Slots(_)) => question.now,
        Trigger::Every(_) | Trigger::Size(_) => {
            slots::start(SlotLength::Hours(1), question.now, question.zone)
        }
    }
}

/// The stamp for a log that cannot be rotated. One under slots that is not there has not been seen
/// yet: its first slot is the one in which it appears.
fn stamp_if_unknown(question: &Question<'_>) -> Option<LocalTime> {
    let by_slots = matches!(question.criteria.trigger.value, Trigger::Every(Interval::Slots(_)));
    let there = matches!(question.facts.file, Ok(Some(_)));
    (question.last.is_none() && (there || !by_slots)).then(|| first_stamp(question))
}

/// What the criteria say, and then `notifempty`, which overrules even `-f` (compat RD-22).
fn with_content(
    question: &Question<'_>,
    file: &FileFacts,
    last: LocalTime,
    also: &mut Vec<SkipReason>,
) -> Verdict {
    match by_criteria(question, file, last, also) {
        Verdict::Rotate(_) if question.selection.skip_empty && file.size == 0 => {
            Verdict::Skip(SkipReason::Empty)
        }
        verdict => verdict,
    }
}

/// The first rule that matches (compat RD-8 to RD-17, RD-20, RD-21).
fn by_criteria(
    question: &Question<'_>,
    file: &FileFacts,
    last: LocalTime,
    also: &mut Vec<SkipReason>,
) -> Verdict {
    let Question { criteria, now, .. } = *question;
    let size = ByteSize(file.size);
    if question.forced {
        return Verdict::Rotate(RotateReason::Forced);
    }
    if let Some(limit) = set(criteria.max_size.as_ref().map(|s| s.value))
        && size > limit
    {
        return Verdict::Rotate(RotateReason::AboveMaxSize { size, limit });
    }
    let interval = match criteria.trigger.value {
        Trigger::Size(limit) if size >= limit => {
            return Verdict::Rotate(RotateReason::Size { size, limit });
        }
        Trigger::Size(limit) => return Verdict::Skip(SkipReason::BelowSize { size, limit }),
        Trigger::Every(interval) => interval,
    };
    if last.0.signed_duration_since(now.0) > FUTURE {
        return Verdict::Rotate(RotateReason::RecordInFuture { last });
    }
    if last.minute_number() == now.minute_number() {
        return Verdict::Skip(SkipReason::SameMinute { last });
    }
    let mut reasons = Vec::new();
    if !has_begun(interval, last, now, question.zone) {
        reasons.push(SkipReason::WithinInterval { interval, last });
    }
    if let Some(limit) = set(criteria.min_size.as_ref().map(|s| s.value))
        && size < limit
    {
        reasons.push(SkipReason::BelowMinSize { size, limit });
    }
    let age_seconds = now.seconds().saturating_sub(file.modified.seconds);
    if let Some(limit) = criteria.min_age.as_ref().map(|s| s.value).filter(|&age| age != Days(0))
        && limit.seconds() >= age_seconds
    {
        reasons.push(SkipReason::BelowMinAge { age_seconds, limit });
    }
    let mut reasons = reasons.into_iter();
    let Some(first) = reasons.next() else {
        return Verdict::Rotate(RotateReason::Interval { interval, last });
    };
    also.extend(reasons);
    Verdict::Skip(first)
}

/// A limit of 0 is off.
fn set(limit: Option<ByteSize>) -> Option<ByteSize> {
    limit.filter(|&limit| limit != ByteSize(0))
}

/// Whether the interval has begun anew since the last rotation.
///
/// A clock that went back by less than [`FUTURE`] makes those due whose unit it left (compat RD-13);
/// `minutes N` if it went back by N or more, so that no log waits until the clock has caught up.
fn has_begun(interval: Interval, last: LocalTime, now: LocalTime, zone: &dyn Zone) -> bool {
    let (from, today) = (last.date(), now.date());
    let slot = |length| slots::start(length, last, zone) != slots::start(length, now, zone);
    match interval {
        Interval::Hourly => slot(SlotLength::Hours(1)),
        Interval::Daily => calendar::is_another_day(from, today),
        Interval::Weekly(day) => calendar::is_week_due(day, from, today),
        Interval::Monthly(day) => calendar::is_month_due(day, from, today),
        Interval::Yearly => calendar::is_another_year(from, today),
        Interval::Minutes(n) => now.minute_number().abs_diff(last.minute_number()) >= u64::from(n),
        Interval::Slots(length) => slot(length),
    }
}

#[cfg(test)]
mod tests;
