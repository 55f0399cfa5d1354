//! Events as the reference's lines (compat section 8), for people and for the scripts that grep them.

use crate::config::policy::{Interval, LogBlock, ScriptKind, SlotLength, Trigger};
use crate::event::{Event, Observer, StepResult};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{
    Action, Attributes, Compressor, Expect, Place, Plan, Recipient, ScriptCall, SignalCall, Step,
    Why,
};
use crate::schedule::{Decision, RotateReason, Verdict};
use crate::units::KeepCount;

use super::messages::{Level, Messages};

/// Tells [`Messages`] what happens.
pub struct Text<'a>(pub &'a mut Messages);

impl Observer for Text<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if !self.wants_debug() && is_detail(event) {
            return;
        }
        match event {
            Event::Debug(line) => self.debug(line),
            Event::Note(line) => self.0.say(Level::Note, line),
            Event::Warning(line) => self.0.say(Level::Warning, line),
            Event::Error(fault) => self.error(fault),
            Event::Raw(text) => self.0.raw(text),
            Event::BlockStarted { block, forced, any_logs } => {
                self.debug("");
                self.debug(&header(block, *forced));
                if !any_logs {
                    self.debug("No logs found. Rotation not needed.");
                }
            }
            Event::Decided { decision, block } => self.decided(decision, block),
            Event::ScriptNotRun(kind) => self.debug(not_run(*kind)),
            Event::ScriptStarted { call, text, dry } => {
                self.debug(&format!("running {} script", call.script.kind.spoken()));
                if *dry {
                    self.debug(&with_arguments(call, text));
                }
            }
            Event::Rotating { block, log } => {
                let count = match block.policy.retention.count.value {
                    KeepCount::All => -1,
                    KeepCount::Last(n) => i64::from(n),
                };
                self.debug(&format!("rotating log {log}, log->rotateCount is {count}"));
            }
            // A step that may find nothing to do is told when it has found something.
            Event::StepStarted {
                step: Step { expect: Expect::IfThere | Expect::Left(_), .. },
                ..
            } => {}
            Event::StepStarted { plan, step }
            | Event::StepEnded {
                plan,
                step: step @ Step { expect: Expect::IfThere | Expect::Left(_), .. },
                result: StepResult::Done,
            } => self.step(plan, step),
            // What failed has been said by an event of its own.
            Event::StepEnded { .. } => {}
        }
    }

    fn wants_debug(&self) -> bool {
        self.0.wants_debug()
    }
}

/// Whether all that is said of an event is said at debug level.
fn is_detail(event: &Event<'_>) -> bool {
    match event {
        Event::Decided { decision, .. } => match &decision.verdict {
            Verdict::Rotate(reason) => reason.complaint(&decision.log).is_none(),
            Verdict::Skip(_) => true,
            Verdict::Refuse(_) => false,
        },
        Event::Debug(_)
        | Event::BlockStarted { .. }
        | Event::ScriptNotRun(_)
        | Event::ScriptStarted { .. }
        | Event::Rotating { .. } => true,
        // That a file was in the way is a warning.
        Event::StepStarted { step, .. } => step.why != Why::SetAside,
        // What was postponed is noted.
        Event::StepEnded { .. }
        | Event::Note(_)
        | Event::Warning(_)
        | Event::Error(_)
        | Event::Raw(_) => false,
    }
}

impl Text<'_> {
    fn debug(&mut self, line: &str) {
        self.0.say(Level::Debug, line);
    }

    fn error(&mut self, fault: &Fault) {
        self.0.fault(fault);
    }

    fn decided(&mut self, decision: &Decision, block: &LogBlock) {
        self.debug(&format!("considering log {}", decision.log));
        if let Some(last) = decision.last {
            if decision.first_seen.is_some() {
                self.debug("Creating new state");
            }
            if decision.reached_criteria() {
                self.debug(&format!("  Now: {}", decision.now.shown()));
                self.debug(&format!("  Last rotated at {}", last.shown()));
            }
        }
        match &decision.verdict {
            Verdict::Rotate(reason) => {
                if let Some(line) = reason.complaint(&decision.log) {
                    self.0.say(Level::Error, &line);
                }
                self.debug(&format!("  {}", RotateReason::TEXT));
            }
            Verdict::Skip(reason) => {
                for reason in std::iter::once(reason).chain(&decision.also) {
                    if let Some(line) = reason.text(&decision.log, &block.pattern_text) {
                        self.debug(&format!("  {line}"));
                    }
                }
            }
            Verdict::Refuse(reason) => {
                let fault = Fault {
                    hint: reason.hint(&decision.log),
                    ..Fault::new(reason.text(&decision.log))
                };
                self.error(&fault);
            }
        }
    }

    fn creating(&mut self, plan: &Plan, log: &Place) {
        let Some(Attributes { mode, uid, gid, .. }) = new_log(plan, log) else { return };
        let log = Shown::path(&plan.path(log)).to_string();
        self.debug(&format!("creating new {log} mode = {mode} uid = {uid} gid = {gid}"));
    }

    fn step(&mut self, plan: &Plan, step: &Step) {
        let path = |place: &Place| Shown::path(&plan.path(place)).to_string();
        match (&step.action, step.why) {
            (Action::Rename { from, to }, Why::Shift { count, start, slot }) => {
                let (from, to) = (path(from), path(to));
                self.debug(&format!(
                    "renaming {from} to {to} (rotatecount {count}, logstart {start}, i {slot}), "
                ));
            }
            (Action::Rename { from, to }, Why::SetAside) => {
                let line =
                    format!("destination {} already exists, renaming to {}", path(from), path(to));
                self.0.say(Level::Warning, &line);
            }
            (Action::Rename { from, to }, _) => {
                self.debug(&format!("renaming {} to {}", path(from), path(to)));
            }
            // Said here and not when it is made under its temporary name: people know this order.
            (Action::Install { log, .. }, _) => self.creating(plan, log),
            (Action::Publish { to, .. }, Why::Rotation) => {
                if let Some(log) = only_copied(plan, to) {
                    self.debug(&format!("Not truncating {}", path(log)));
                }
            }
            (Action::Copy { from, to, .. }, _) => {
                self.debug(&format!("copying {} to {}", path(from), path(to)));
            }
            (Action::MakeDir { dir, attributes }, _) => {
                // -1 is what the reference shows for an owner that stays (compat CFG-81).
                let id = |id: Option<u32>| id.map_or(-1, i64::from);
                self.debug(&format!(
                    "creating new directory {} mode = {} uid = {} gid = {}",
                    path(dir),
                    attributes.mode,
                    id(attributes.uid),
                    id(attributes.gid)
                ));
            }
            (Action::Cut { log, .. }, _) => self.debug(&format!("truncating {}", path(log))),
            (Action::Compress { compressor, .. }, _) => match compressor {
                Compressor::Gzip { .. } => self.debug("compressing log with: built-in gzip"),
                Compressor::Zstd { .. } => self.debug("compressing log with: built-in zstd"),
                Compressor::Command { program, .. } => {
                    self.debug(&format!("compressing log with: {}", Shown::path(&program.0)));
                }
            },
            (Action::Mail { file, address, .. }, _) => {
                self.debug(&format!("mailing {} to {}", path(file), Shown::path(&address.0)));
            }
            (Action::Signal(SignalCall { signal, to }), _) => {
                let whom = match to {
                    Recipient::PidFile(file) => format!("the process of {}", Shown::path(&file.0)),
                    Recipient::Writers(files) => {
                        let files: Vec<String> = files.iter().map(path).collect();
                        format!("the writers of {}", files.join(", "))
                    }
                };
                self.debug(&format!("sending {signal} to {whom}"));
            }
            (Action::Remove { file, .. }, Why::Parked) => {
                self.debug(&format!("removing tmp log {}", path(file)));
            }
            (Action::Remove { file, .. }, why) if why != Why::Compressed => {
                self.debug(&format!("removing old log {}", path(file)));
            }
            // A file that is removed because its compressed form is complete is not worth a line; the
            // copy was announced when it was begun; scripts speak for themselves.
            (
                Action::Remove { .. }
                | Action::Create { .. }
                | Action::Publish { .. }
                | Action::Script(_),
                _,
            ) => {}
        }
    }
}

/// The attributes of the new log that is made for a place.
fn new_log(plan: &Plan, place: &Place) -> Option<Attributes> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Create { log, attributes, .. } if log == place => Some(*attributes),
        _ => None,
    })
}

/// The log whose copy goes to a place, if it is not cut afterwards (compat ROT-55).
fn only_copied<'a>(plan: &'a Plan, place: &Place) -> Option<&'a Place> {
    let log = plan.steps.iter().find_map(|step| match &step.action {
        Action::Copy { from, to, .. } if to == place => Some(from),
        _ => None,
    })?;
    let cut =
        plan.steps.iter().any(|s| matches!(&s.action, Action::Cut { log: cut, .. } if cut == log));
    (!cut).then_some(log)
}

/// The first lines of a block (compat MSG-13).
fn header(block: &LogBlock, forced: bool) -> String {
    let policy = &block.policy;
    let criteria = &policy.criteria;
    let retention = &policy.retention;
    let mut parts = vec![format!("rotating pattern: {} ", Shown(&block.pattern_text))];
    parts.push(if forced {
        "forced from command line ".into()
    } else {
        trigger(criteria.trigger.value)
    });
    if let Some(dir) = &policy.naming.old_dir {
        parts.push(format!("olddir is {}, ", Shown::path(&dir.value)));
    }
    parts.push(if policy.selection.skip_empty {
        "empty log files are not rotated, ".into()
    } else {
        "empty log files are rotated, ".into()
    });
    if let Some(min) = criteria.min_size.as_ref().filter(|s| s.value.0 > 0) {
        parts.push(format!("only log files >= {} are rotated, ", min.value));
    }
    if let Some(max) = criteria.max_size.as_ref().filter(|s| s.value.0 > 0) {
        parts.push(format!("log files >= {} are rotated earlier, ", max.value.0));
    }
    if let Some(age) = criteria.min_age.as_ref().filter(|s| s.value.0 > 0) {
        parts.push(format!("only log files older than {} days are rotated, ", age.value.0));
    }
    let max_age = retention.max_age.as_ref().map(|s| s.value.0).filter(|&days| days > 0);
    let kept_for_ever = retention.count.value == KeepCount::All && max_age.is_none();
    if let Some(address) = policy.mail.address.as_ref().filter(|_| !kept_for_ever) {
        parts.push(format!("old logs mailed to {}, ", Shown::path(address.as_ref())));
    }
    parts.push(match (retention.count.value, max_age) {
        (KeepCount::All, None) => "old logs are kept forever".into(),
        (KeepCount::All, Some(_)) => "(unlimited rotations), old logs are removed".into(),
        (KeepCount::Last(0), _) => "no old logs will be kept".into(),
        (KeepCount::Last(n), _) => format!("({n} rotations), old logs are removed"),
    });
    // Where nothing is kept there is no age to speak of.
    if let Some(days) = max_age.filter(|_| retention.count.value != KeepCount::Last(0)) {
        parts.push(format!(" after {days} days"));
    }
    parts.concat()
}

fn trigger(trigger: Trigger) -> String {
    match trigger {
        Trigger::Size(size) => format!("{size} "),
        Trigger::Every(interval) => match interval {
            Interval::Hourly => "hourly ".into(),
            Interval::Daily => "after 1 days ".into(),
            Interval::Weekly(_) => "weekly ".into(),
            Interval::Monthly(_) => "monthly ".into(),
            Interval::Yearly => "yearly ".into(),
            Interval::Minutes(n) => format!("after {n} minutes "),
            Interval::Slots(SlotLength::Minutes(n)) => format!("every {n}m "),
            Interval::Slots(SlotLength::Hours(n)) => format!("every {n}h "),
            Interval::Slots(SlotLength::Days(n)) => format!("every {n}d "),
            Interval::Slots(SlotLength::Weeks(n)) => format!("every {n}w "),
        },
    }
}

fn not_run(kind: ScriptKind) -> &'static str {
    match kind {
        ScriptKind::FirstAction => "not running first action script, since no logs will be rotated",
        ScriptKind::PreRotate => "not running prerotate script, since no logs will be rotated",
        ScriptKind::PostRotate => "not running postrotate script, since no logs were rotated",
        ScriptKind::LastAction => "not running last action script, since no logs will be rotated",
        ScriptKind::PreRemove => "not running preremove script, since no logs will be removed",
    }
}

/// What a dry run shows instead of running a script (compat ROT-95).
fn with_arguments(call: &ScriptCall, text: &[u8]) -> String {
    let arguments: Vec<_> = call.args.iter().map(|a| Shown::path(&a.0).to_string()).collect();
    format!(
        "running script with args {}: \"{}\"",
        arguments.join(" "),
        String::from_utf8_lossy(text)
    )
}
