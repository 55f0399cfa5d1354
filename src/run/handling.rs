//! What happens to the logs of a block that are due: its scripts, a plan for each, or for all of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use crate::config::policy::{Policy, ScriptKind};
use crate::event::{Event, Observer};
use crate::execute::{Await, Perform};
use crate::fault::Fault;
use crate::names::{FileName, LogPath, Shown};
use crate::plan::date::DateSuffix;
use crate::plan::{self, BlockKey, Plan, Request, ScriptCall, Subject, script_call};
use crate::state::State;
use crate::system::{file_system, identity};
use crate::units::Identity;

use super::block::{Due, are_apart, catch_up};
use super::{Work, World, block_key, fold, su};

/// So many logs of a block are worth a thread: fewer are renamed before it has begun.
const MANY: usize = 16;

/// A block of which some logs are due.
pub(super) struct Handling<'a, 'w> {
    work: &'a Work<'a>,
    key: BlockKey,
    world: &'a mut World<'w>,
    state: &'a mut State,
    perform: &'a mut dyn Perform,
    observer: &'a mut dyn Observer,
    failed: bool,
    /// Whether the renames of a log may be made while the next one is planned.
    overlaps: bool,
    /// The program that mails.
    mail_program: &'w Path,
    /// The date suffix, once it is known: that of all the block's logs.
    date: Option<Rc<DateSuffix>>,
}

impl<'a, 'w> Handling<'a, 'w> {
    /// Begins; with our own ids, by which the mail program is looked for.
    pub(super) fn of(
        work: &'a Work<'a>,
        world: &'a mut World<'w>,
        state: &'a mut State,
        perform: &'a mut dyn Perform,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let (key, mail_program) = (block_key(&work.block), (world.mail_program)());
        let (failed, overlaps, date) = (false, false, None);
        Self { work, key, world, state, perform, observer, failed, overlaps, mail_program, date }
    }

    /// From the `firstaction` to the `lastaction`; gives whether all went well. `refused`: a log of the block
    /// cannot be looked after.
    pub(super) fn rotate_all(mut self, due: &[Due], refused: bool) -> bool {
        self.rotate(due, refused);
        !self.failed
    }

    fn rotate(&mut self, due: &[Due], refused: bool) {
        if !self.run(ScriptKind::FirstAction, None) {
            return;
        }
        let scripts = &self.work.block.policy.scripts;
        let closing = if scripts.last_action.is_some() {
            let plan = plan::closing(&self.key, self.world.now);
            match self.perform.promise(plan.into()) {
                Ok(id) => Some(id),
                Err(fault) => return self.fail(&fault),
            }
        } else {
            None
        };
        if !scripts.shared {
            self.overlaps = self.may_overlap(due);
            for one in due {
                if self.perform.halted().is_some() {
                    break;
                }
                if self.run(ScriptKind::PreRotate, Some(&one.log)) {
                    self.rotate_together(std::slice::from_ref(one));
                }
            }
            self.catch_up(Await::Beginnings);
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
    fn rotate_together(&mut self, due: &[Due]) {
        let policy = &self.work.block.policy;
        let dirs = &self.world.dirs;
        let same = due.iter().try_for_each(|one| su::still(policy, &one.log, one.identity, dirs));
        let planned = same.and_then(|()| one_identity(due)).and_then(|identity| {
            // Looking is the rotating user's business too.
            let _lowered = identity::assume_if(identity)?;
            Ok(self.plan(due, identity))
        });
        let plan = match planned {
            Ok(Some(plan)) => plan,
            Ok(None) => return,
            Err(fault) => return self.fail(&fault),
        };
        if plan.steps.is_empty() {
            for record in &plan.records {
                self.state.set(record.log.as_path(), record.time);
            }
            return;
        }
        let plan = Rc::new(plan);
        let promised = self.perform.promise(Rc::clone(&plan)).or_else(|fault| {
            if file_system::is_full(&fault) && self.perform.make_room(&plan, self.observer) {
                self.perform.promise(Rc::clone(&plan))
            } else {
                Err(fault)
            }
        });
        let outcome = match promised {
            Ok(id) if self.overlaps => self.perform.carry_out_with_others(id, self.observer),
            Ok(id) => self.perform.carry_out(id, self.observer),
            Err(fault) if file_system::is_full(&fault) && plan.only_frees() => {
                self.perform.carry_out_unwritten(Rc::clone(&plan), self.observer)
            }
            Err(fault) => return self.not_written(&plan, fault),
        };
        self.failed |= outcome.failed;
        fold(&outcome, self.state);
        self.world.follow(&plan, &outcome);
    }

    /// Whether the renames of a log may be made while the next one is planned: there are many, nobody can tell
    /// (what is said of each keeps its turn), and no plan is made in view of what another one does.
    fn may_overlap(&self, due: &[Due]) -> bool {
        let policy = &self.work.block.policy;
        due.len() >= MANY
            && due.iter().all(|one| one.identity.is_none())
            && !self.observer.wants_debug()
            && !has_idle_delay(policy)
            && are_apart(due, &policy.naming)
    }

    /// Says that a plan is not carried out since it could not be written down.
    fn not_written(&mut self, plan: &Plan, fault: Fault) {
        let logs: Vec<String> = plan.logs.iter().map(ToString::to_string).collect();
        let message = format!("{} is not rotated: {}", logs.join(", "), fault.message);
        self.fail(&Fault { message, ..fault });
    }

    /// What fails is said of every log.
    fn date(&mut self) -> Result<Rc<DateSuffix>, Fault> {
        if let Some(date) = &self.date {
            return Ok(Rc::clone(date));
        }
        let date = Rc::new(self.world.date(&self.work.block.policy)?);
        Ok(Rc::clone(self.date.insert(date)))
    }

    /// The plan for logs that are due; `None` if one of them cannot be rotated, which has been said.
    fn plan(&mut self, due: &[Due], identity: Option<Identity>) -> Option<Plan> {
        let policy = &self.work.block.policy;
        let date = match self.date() {
            Ok(date) => date,
            Err(fault) => {
                self.fail(&fault);
                // As the reference does: no format of today will do better before the next turn.
                for one in due {
                    self.state.set(one.log.as_path(), self.world.now);
                }
                return None;
            }
        };
        let mut subjects: Vec<Subject> = Vec::with_capacity(due.len());
        self.catch_up(Await::Nothing);
        for one in due {
            match self.subject(&one.log, &date) {
                Ok(subject) => subjects.push(subject),
                Err(fault) => {
                    self.fail(&fault);
                    return None;
                }
            }
        }
        for subject in &subjects {
            self.observer.observe(&Event::Rotating { block: &self.work.block, log: &subject.log });
        }
        self.show_date(&date);
        self.warn(&subjects, identity);
        let built = plan::build(&Request {
            block: self.key.clone(),
            policy,
            now: self.world.now,
            mail_program: self.mail_program,
            identity,
            date: Some(&*date).filter(|_| policy.naming.dated),
            subjects,
            taken: &|dir, name| self.world.taken(dir, name),
            room: &|dir| self.world.room(dir),
        });
        for remark in &built.remarks {
            self.observer.observe(&Event::Debug(remark));
        }
        for fault in &built.faults {
            self.fail(fault);
        }
        Some(built.plan)
    }

    /// A log and its old versions. If something is under way with one of them, that ends first.
    fn subject(&mut self, log: &LogPath, date: &DateSuffix) -> Result<Subject, Fault> {
        let policy = &self.work.block.policy;
        let subject = self.world.subject(log, policy, date)?;
        let is_under_way = |name: &FileName| self.perform.is_under_way(&subject.old_dir.join(name));
        if !self.perform.is_under_way(log.as_path())
            && !subject.versions.iter().any(|version| is_under_way(&version.name))
        {
            return Ok(subject);
        }
        self.catch_up(Await::All);
        self.world.subject(log, policy, date)
    }

    fn catch_up(&mut self, awaited: Await) {
        self.failed |= !catch_up(awaited, self.world, self.state, self.perform, self.observer);
    }

    /// What the configuration asks for without an effect.
    fn warn(&mut self, subjects: &[Subject], identity: Option<Identity>) {
        let policy = &self.work.block.policy;
        let idle_delay = has_idle_delay(policy);
        let dirs: BTreeSet<_> = subjects.iter().flat_map(|subject| &subject.missing_dirs).collect();
        for dir in dirs {
            if let Some(line) = su::owner_not_given(&policy.naming.create_old_dir, identity, dir) {
                self.observer.observe(&Event::Warning(&line));
            }
        }
        for log in subjects.iter().map(|subject| &subject.log) {
            if idle_delay {
                self.observer.observe(&Event::Warning(&format!(
                    "delayed compression for log file {log} ignored since compression is disabled"
                )));
            }
            if let Some(line) = su::owner_not_given(&policy.create, identity, log) {
                self.observer.observe(&Event::Warning(&line));
            }
        }
    }

    /// Says what the date suffix is, also where versions are numbered (compat ROT-22, ROT-24).
    fn show_date(&mut self, date: &DateSuffix) {
        if !self.observer.wants_debug() {
            return;
        }
        let converted = date.converted();
        let suffix = format!("dateext suffix '{}'", Shown(date.text()));
        let pattern = format!("glob pattern '{}'", Shown(&date.glob()));
        for line in converted.into_iter().chain([suffix, pattern]) {
            self.observer.observe(&Event::Debug(&line));
        }
    }

    fn fail(&mut self, fault: &Fault) {
        // What went wrong before is said before.
        self.catch_up(Await::Beginnings);
        self.observer.observe(&Event::Error(fault));
        self.failed = true;
    }
}

/// `delaycompress` without `compress`, of which each log is warned.
fn has_idle_delay(policy: &Policy) -> bool {
    policy.compression.delayed && !policy.compression.enabled
}

/// Logs of one plan are rotated by one user.
fn one_identity(due: &[Due]) -> Result<Option<Identity>, Fault> {
    let first = due.first().and_then(|one| one.identity);
    match due.iter().find(|one| one.identity != first) {
        None => Ok(first),
        Some(other) => Err(Fault::new(format!(
            "cannot rotate {} and {} together: their directories have different owners",
            due.first().map_or(&other.log, |one| &one.log),
            other.log
        ))
        .with_hint("with `su auto` and `sharedscripts`, give each owner a block of its own")),
    }
}
