//! One block, from its first log to its `lastaction` (compat 5.2).

use crate::config::policy::ScriptKind;
use crate::event::{Event, Observer};
use crate::execute::Perform;
use crate::fault::Fault;
use crate::names::{LogPath, Shown};
use crate::plan::date::DateSuffix;
use crate::plan::{self, BlockKey, Request, ScriptCall, Subject, script_call};
use crate::schedule::{Decision, Verdict};
use crate::state::State;

use super::{Work, World, block_key, fold};

/// Handles a block; gives whether all went well.
pub(super) fn handle(
    work: &Work<'_>,
    world: &mut World<'_>,
    state: &mut State,
    perform: &mut dyn Perform,
    observer: &mut dyn Observer,
) -> bool {
    let (block, any_logs) = (work.block, !work.logs.is_empty());
    observer.observe(&Event::BlockStarted { block, forced: world.forced, any_logs });
    if !any_logs {
        return true;
    }
    let decisions = decide_all(work, world, state, observer);
    let refused = decisions.iter().any(|d| matches!(d.verdict, Verdict::Refuse(_)));
    let due: Vec<LogPath> = decisions
        .into_iter()
        .filter(|d| matches!(d.verdict, Verdict::Rotate(_)))
        .map(|d| d.log)
        .collect();
    let mut handling =
        Handling { work, key: block_key(block), world, state, perform, observer, failed: refused };
    if due.is_empty() {
        handling.nothing_due();
    } else {
        handling.rotate(&due, refused);
    }
    !handling.failed
}

fn decide_all(
    work: &Work<'_>,
    world: &mut World<'_>,
    state: &mut State,
    observer: &mut dyn Observer,
) -> Vec<Decision> {
    let mut decisions = Vec::with_capacity(work.logs.len());
    for matched in &work.logs {
        let decision = world.decide(matched, &work.block.policy, state);
        observer.observe(&Event::Decided { block: work.block, decision: &decision });
        decisions.push(decision);
    }
    decisions
}

struct Handling<'a, 'w> {
    work: &'a Work<'a>,
    key: BlockKey,
    world: &'a mut World<'w>,
    state: &'a mut State,
    perform: &'a mut dyn Perform,
    observer: &'a mut dyn Observer,
    failed: bool,
}

impl Handling<'_, '_> {
    fn nothing_due(&mut self) {
        let scripts = &self.work.block.policy.scripts;
        let mut kinds = vec![ScriptKind::FirstAction];
        if scripts.shared {
            kinds.extend([ScriptKind::PreRotate, ScriptKind::PostRotate]);
        }
        kinds.push(ScriptKind::LastAction);
        for kind in kinds {
            if scripts.get(kind).is_some() {
                self.observer.observe(&Event::ScriptNotRun(kind));
            }
        }
    }

    fn rotate(&mut self, due: &[LogPath], refused: bool) {
        if !self.run(ScriptKind::FirstAction, None) {
            return;
        }
        let scripts = &self.work.block.policy.scripts;
        let closing = if scripts.last_action.is_some() {
            let plan = plan::closing(&self.key, self.world.now);
            match self.perform.promise(plan) {
                Ok(id) => Some(id),
                Err(fault) => return self.fail(&fault),
            }
        } else {
            None
        };
        if !scripts.shared {
            for log in due {
                if self.run(ScriptKind::PreRotate, Some(log)) {
                    self.rotate_together(std::slice::from_ref(log));
                }
            }
        // With sharedscripts one log that cannot be looked after stops them all (compat B-45).
        } else if !refused && self.run(ScriptKind::PreRotate, None) {
            self.rotate_together(due);
        }
        if let Some(id) = closing {
            let outcome = self.perform.carry_out(id, self.observer);
            self.failed |= outcome.failed;
            self.world.forget();
        }
    }

    /// Runs a script of the block if it has one; gives whether the way is free.
    fn run(&mut self, kind: ScriptKind, log: Option<&LogPath>) -> bool {
        if self.work.block.policy.scripts.get(kind).is_none() {
            return true;
        }
        let call: ScriptCall = script_call(&self.key, kind, log);
        let result = self.perform.script(&call, self.observer);
        self.world.forget();
        // What went wrong has been said by whoever ran it.
        self.failed |= result.is_err();
        result.is_ok()
    }

    /// Plans and carries out the rotation of logs that stand or fall together.
    fn rotate_together(&mut self, logs: &[LogPath]) {
        let policy = &self.work.block.policy;
        let mut subjects: Vec<Subject> = Vec::with_capacity(logs.len());
        let date = match self.world.date(policy) {
            Ok(date) => date,
            Err(fault) => {
                self.fail(&fault);
                // As the reference does: no format of today will do better before the next turn.
                for log in logs {
                    self.state.set(log.as_path(), self.world.now);
                }
                return;
            }
        };
        for log in logs {
            match self.world.subject(log, policy, &date) {
                Ok(subject) => subjects.push(subject),
                Err(fault) => {
                    self.fail(&fault);
                    return;
                }
            }
        }
        for subject in &subjects {
            self.observer.observe(&Event::Rotating { block: self.work.block, log: &subject.log });
        }
        self.show_date(&date);
        let compression = &policy.compression;
        if compression.delayed && !compression.enabled {
            for subject in &subjects {
                let log = &subject.log;
                self.observer.observe(&Event::Warning(&format!(
                    "delayed compression for log file {log} ignored since compression is disabled"
                )));
            }
        }
        let built = plan::build(&Request {
            block: self.key.clone(),
            policy,
            now: self.world.now,
            mail_program: self.world.mail_program,
            date: Some(&date).filter(|_| policy.naming.dated),
            subjects,
            taken: &|dir, name| self.world.taken(dir, name),
        });
        for fault in &built.faults {
            self.fail(fault);
        }
        let plan = built.plan;
        if plan.steps.is_empty() {
            for record in &plan.records {
                self.state.set(record.log.as_path(), record.time);
            }
            return;
        }
        let shown = plan.clone();
        match self.perform.promise(plan) {
            Ok(id) => {
                let outcome = self.perform.carry_out(id, self.observer);
                self.failed |= outcome.failed;
                fold(&outcome, self.state);
                self.world.follow(&shown, &outcome);
            }
            Err(fault) => self.fail(&fault),
        }
    }

    /// Says what the date suffix is, also where versions are numbered (compat ROT-22, ROT-24).
    fn show_date(&mut self, date: &DateSuffix) {
        let converted = date.converted();
        let suffix = format!("dateext suffix '{}'", Shown(date.text()));
        let pattern = format!("glob pattern '{}'", Shown(&date.glob()));
        for line in converted.into_iter().chain([suffix, pattern]) {
            self.observer.observe(&Event::Debug(&line));
        }
    }

    fn fail(&mut self, fault: &Fault) {
        self.observer.observe(&Event::Error(fault));
        self.failed = true;
    }
}
