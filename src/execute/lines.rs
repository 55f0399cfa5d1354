//! The journal's text: one JSON value a line. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::StepResult;
use crate::execute::work::Work;
use crate::plan::step::Plan;
use crate::units::FileId;

/// The form that this program writes and reads.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    /// The first line: the form, and the boot within which device numbers hold.
    Journal { version: u32, boot: Cow<'a, str> },
    /// A plan, before its first step; `waiting`: one of postponed steps.
    Plan {
        id: u64,
        plan: Cow<'a, Plan>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        waiting: bool,
    },
    /// A step that must not be repeated for ever begins (a script).
    Started { plan: u64, step: usize },
    /// A step has ended; with the file that it has left under its target name, unless that is the one
    /// that it leaves in any case ([`Step::leaves`](crate::plan::Step::leaves)).
    Done {
        plan: u64,
        step: usize,
        result: Cow<'a, StepResult>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FileId>,
    },
    /// Nothing is left to do of a plan.
    Closed { plan: u64 },
}

impl Line<'_> {
    /// Adds the line's bytes, its end included; nothing if that fails.
    pub fn write_to(&self, bytes: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let before = bytes.len();
        let written = serde_json::to_writer(&mut *bytes, self);
        match written {
            Ok(()) => bytes.push(b'\n'),
            Err(_) => bytes.truncate(before),
        }
        written
    }
}

/// A journal that was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// The boot of the run that began it.
    pub boot: String,
    /// Its plans, and whether they are closed.
    pub plans: BTreeMap<u64, (Work, bool)>,
    /// The length of its whole lines. What follows was cut off in writing.
    pub whole: u64,
}

/// Reads a journal.
///
/// # Errors
/// Why it cannot be one of ours. A last line without its end is normal: the run died in writing it,
/// and what it says had not begun.
pub(super) fn read(bytes: &[u8]) -> Result<Read, String> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let (lines, rest) = bytes.split_at(whole);
    let mut read = Read { whole: whole as u64, ..Read::default() };
    if whole == 0 {
        return if is_cut_off_header(rest) { Ok(read) } else { Err("it is no journal".into()) };
    }
    for (number, line) in lines.split_inclusive(|&b| b == b'\n').enumerate() {
        let bad = |cause: &str| format!("line {}: {cause}", number + 1);
        let line: Line<'static> = serde_json::from_slice(line).map_err(|e| {
            if number == 0 { "it is no journal".into() } else { bad(&e.to_string()) }
        })?;
        if (number == 0) != matches!(line, Line::Journal { .. }) {
            return Err(bad("the first line, and no other, says what a journal is"));
        }
        apply(&mut read, line).map_err(|cause| bad(&cause))?;
    }
    Ok(read)
}

/// Whether text without a line's end can be the beginning of a first line, as far as it goes.
fn is_cut_off_header(text: &[u8]) -> bool {
    let start = br#"{"journal":{"version":"#;
    let length = text.len().min(start.len());
    text[..length] == start[..length] || text.iter().all(|&b| b == 0)
}

fn open_work(read: &mut Read, id: u64) -> Result<&mut Work, String> {
    match read.plans.get_mut(&id) {
        Some((work, false)) => Ok(work),
        Some((_, true)) => Err(format!("plan {id} is closed already")),
        None => Err(format!("there is no plan {id}")),
    }
}

fn apply(read: &mut Read, line: Line<'static>) -> Result<(), String> {
    let no_step = |id, step| format!("plan {id} has no step {step}");
    match line {
        Line::Journal { version: VERSION, boot } => read.boot = boot.into_owned(),
        Line::Journal { version, .. } => return Err(format!("version {version} is not known")),
        Line::Plan { id, plan, waiting } => {
            let mut work = Work::new(plan.into_owned());
            work.resumed = true;
            work.waiting = waiting;
            if read.plans.insert(id, (work, false)).is_some() {
                return Err(format!("there are two plans {id}"));
            }
        }
        Line::Started { plan, step } => {
            let work = open_work(read, plan)?;
            if step >= work.results.len() {
                return Err(no_step(plan, step));
            }
            *work.starts.entry(step).or_default() += 1;
        }
        Line::Done { plan, step, result, id } => {
            let work = open_work(read, plan)?;
            if step >= work.results.len() {
                return Err(no_step(plan, step));
            }
            let id = id.or_else(|| work.plan.steps.get(step)?.leaves());
            work.recall(step, result.into_owned(), id);
        }
        Line::Closed { plan } => {
            open_work(read, plan)?;
            if let Some((_, closed)) = read.plans.get_mut(&plan) {
                *closed = true;
            }
        }
    }
    Ok(())
}

/// What holds for any text: if it can be read as a journal, so can what a run that died has left of it, and
/// its lines are read as they were written.
///
/// # Panics
/// If it does not hold.
#[cfg(any(test, fuzzing))]
#[expect(clippy::expect_used, reason = "a finding is a panic")]
pub fn check(bytes: &[u8]) {
    let Ok(whole) = read(bytes) else { return };
    let mut kept = Vec::new();
    for line in bytes.split_inclusive(|&b| b == b'\n').filter(|line| line.ends_with(b"\n")) {
        let parsed: Line<'static> = serde_json::from_slice(line).expect("it was read");
        let mut printed = Vec::new();
        parsed.write_to(&mut printed).expect("it was read");
        assert_eq!(serde_json::from_slice::<Line<'static>>(&printed).expect("ours"), parsed);
        kept.extend(line);
        // Cut off at the line's end, and in the middle of the next.
        let cut = read(&kept).expect("the beginning of a journal is one");
        let next = bytes.get(kept.len()..).unwrap_or_default();
        let torn = next.iter().position(|&b| b == b'\n').unwrap_or(next.len()) / 2;
        assert_eq!(read(&bytes[..kept.len() + torn]).as_ref(), Ok(&cut));
        assert!(cut.plans.keys().all(|id| whole.plans.contains_key(id)));
    }
    assert_eq!(whole.whole, kept.len() as u64);
    for (work, _) in whole.plans.values() {
        // A resumed run asks this of each step.
        for index in 0..=work.results.len() {
            let (_, _) = (work.standing(index), work.must_be_made_up(index));
        }
        assert_eq!(work.outcome().results.len(), work.plan.steps.len());
    }
}
