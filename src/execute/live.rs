//! The real run: carries plans out, and finishes those of a run that died.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::{Event, Observer, Postponement, StepResult};
use crate::execute::effects::{Company, is_announced, perform};
use crate::execute::journal::Journal;
use crate::execute::lines::Line;
use crate::execute::rename::discard_copy;
use crate::execute::script;
use crate::execute::site::{Halt, Site};
use crate::execute::waiting;
use crate::execute::work::{Standing, Work};
use crate::execute::writers;
use crate::execute::{Outcome, Perform, PlanId, ScriptTexts};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::plan::step::{Action, Archive, Expect, ScriptCall, Step};
use crate::system::{Dirs, identity};
use crate::units::FileId;

/// Carries plans out.
pub struct Live {
    dirs: Rc<RefCell<Dirs>>,
    scripts: Rc<dyn ScriptTexts>,
    log: Log,
    promised: BTreeMap<u64, Work>,
    /// What later runs are to try again.
    waiting: Vec<Plan>,
    /// Numbers plans where there is no journal to do it.
    next: u64,
}

/// The journal, if there is one.
struct Log {
    journal: Option<Journal>,
    /// Its trouble was told.
    told: bool,
}

impl Log {
    /// Notes progress. If that is impossible the run goes on: the steps are such that they can be
    /// done again, so it matters only if this run dies too.
    fn note(&mut self, line: &Line<'_>, observer: &mut dyn Observer) {
        let Some(journal) = &mut self.journal else { return };
        let written = match line {
            Line::Closed { plan } => journal.close(*plan),
            other => journal.write(other),
        };
        if let Err(fault) = written
            && !self.told
        {
            self.told = true;
            observer.observe(&Event::Warning(&fault.message));
        }
    }
}

impl Live {
    /// A real run; without a journal (`-s /dev/null`) nothing is finished after a kill.
    pub fn new(
        dirs: Rc<RefCell<Dirs>>,
        journal: Option<Journal>,
        scripts: Rc<dyn ScriptTexts>,
    ) -> Self {
        let log = Log { journal, told: false };
        Self { dirs, scripts, log, promised: BTreeMap::new(), waiting: Vec::new(), next: 1 }
    }

    /// Finishes what a run that died has left, closing plans last, then tries what was postponed, and
    /// gives the outcomes of all plans that are in the journal: those that were finished too, since
    /// nobody has recorded them.
    pub fn resume(&mut self, observer: &mut dyn Observer) -> Vec<(Plan, Outcome)> {
        let Some(journal) = &mut self.log.journal else { return Vec::new() };
        let mut found: Vec<_> = journal.take_found().into_iter().collect();
        found.sort_by_key(|(_, (work, _))| (work.waiting, work.plan.closing));
        let mut all = Vec::new();
        for (id, (mut work, closed)) in found {
            let plan = work.plan.clone();
            let outcome = if closed {
                self.waiting.extend(waiting::left_over(&work));
                work.outcome()
            } else if work.waiting && !self.scripts.has_block(&plan.block) {
                observer.observe(&Event::Note(&waiting::given_up(&plan)));
                self.log.note(&Line::Closed { plan: id }, observer);
                continue;
            } else {
                if work.waiting {
                    observer.observe(&Event::Debug("trying again what was postponed"));
                    // Without its identity nothing is looked for, and its steps say why they fail.
                    if let Ok(_lowered) = identity::assume_if(work.plan.identity) {
                        waiting::find_again(&mut work, &self.dirs);
                    }
                } else {
                    let logs: Vec<String> = plan.logs.iter().map(ToString::to_string).collect();
                    let note = format!("finishing an interrupted run: {}", logs.join(", "));
                    observer.observe(&Event::Note(&note));
                }
                self.promised.insert(id, work);
                self.carry_out(PlanId(id), observer)
            };
            all.push((plan, outcome));
        }
        all
    }

    /// Removes the journal, once the records of all outcomes are in the state, or leaves in it what
    /// was postponed. One that still has an open plan stays. Its lock lasts until the end of `self`.
    ///
    /// # Errors
    /// If it cannot be replaced or removed.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let waiting = waiting::once_each(std::mem::take(&mut self.waiting));
        self.log.journal.as_mut().map_or(Ok(()), |journal| journal.finish(&waiting))
    }

    /// One step: cancelled, or done, under the plan's identity, between the two lines that the journal
    /// has about it.
    fn step(&mut self, id: u64, work: &mut Work, index: usize, observer: &mut dyn Observer) {
        let Some(step) = work.plan.steps.get(index) else { return };
        let lowered = identity::assume_if(work.plan.identity);
        let site =
            Site { dirs: &self.dirs, plan: &work.plan, made: &work.made, resumed: work.resumed };
        let standing = work.standing(index);
        let held_back = match (&lowered, &standing) {
            (Ok(_), Standing::Free) => {
                writers::postponement(&site, step, &mut work.waited, !work.waiting, observer)
            }
            _ => None,
        };
        let (result, left) = match (&lowered, standing, held_back) {
            (Err(fault), ..) => {
                observer.observe(&Event::Error(fault));
                (StepResult::Failed(fault.clone()), None)
            }
            // A log that was moved aside to be copied is the only one: it is copied by the next run.
            (Ok(_), Standing::Cancelled, _) if work.must_be_made_up(index) => {
                let reason = Fault::new("an earlier step failed");
                (StepResult::Postponed(Postponement { reason, failed: false }), None)
            }
            (Ok(_), Standing::Cancelled, _) => {
                if let Err(fault) = tidy(&site, &step.action) {
                    observer.observe(&Event::Warning(&fault.message));
                }
                (StepResult::Cancelled, None)
            }
            // Whoever it waits with has said why.
            (Ok(_), Standing::Waits(reason), _) => {
                (StepResult::Postponed(Postponement { reason, failed: false }), None)
            }
            (Ok(_), Standing::Free, Some(why)) => {
                let known = work.waiting || waits(&self.waiting, &site, step);
                say_held_back(&why, known, observer);
                (StepResult::Postponed(why), None)
            }
            (Ok(_), Standing::Free, None) => {
                observer.observe(&Event::StepStarted { plan: &work.plan, step });
                let interrupted = work.starts.get(&index).copied().unwrap_or_default();
                if is_announced(&step.action) {
                    self.log.note(&Line::Started { plan: id, step: index }, observer);
                }
                let mut company = Company { scripts: &*self.scripts, observer, interrupted };
                match perform(&site, step, &mut company) {
                    Ok(effect) if effect.already => (StepResult::AlreadyDone, effect.id),
                    Ok(effect) => (StepResult::Done, effect.id),
                    Err(Halt::Failed(fault)) => {
                        observer.observe(&Event::Error(&fault));
                        (StepResult::Failed(fault), None)
                    }
                    Err(Halt::Postponed(why)) => {
                        if why.failed {
                            observer.observe(&Event::Error(&why.reason));
                        }
                        (StepResult::Postponed(why), None)
                    }
                }
            }
        };
        drop(lowered);
        self.ended(id, index, &result, left, observer);
        observer.observe(&Event::StepEnded { plan: &work.plan, step, result: &result });
        work.settle(index, result, left);
    }

    fn ended(
        &mut self,
        plan: u64,
        step: usize,
        result: &StepResult,
        id: Option<FileId>,
        observer: &mut dyn Observer,
    ) {
        let result = Cow::Borrowed(result);
        self.log.note(&Line::Done { plan, step, result, id }, observer);
    }
}

/// Whether something waits for the file of a step already.
fn waits(waiting: &[Plan], site: &Site<'_>, step: &Step) -> bool {
    let id = step.action.source().and_then(|place| site.expected(place, step.expect));
    let mut steps = waiting.iter().flat_map(|plan| &plan.steps);
    id.is_some_and(|id| {
        steps.any(|step| matches!(step.expect, Expect::Present(there) if there.is(&id)))
    })
}

/// Tells once a file who keeps it; later only who asks hears of it.
fn say_held_back(why: &Postponement, known: bool, observer: &mut dyn Observer) {
    if why.failed {
        observer.observe(&Event::Error(&why.reason));
    } else if known {
        observer.observe(&Event::Debug(&why.reason.message));
    } else {
        let Fault { message, hint, .. } = &why.reason;
        let hint = hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        observer.observe(&Event::Note(&format!("{message}{hint}")));
    }
}

/// Removes what an earlier step has prepared for one that will not run.
fn tidy(site: &Site<'_>, action: &Action) -> Result<(), Fault> {
    match action {
        Action::Install { temp, .. }
        | Action::Publish { temp, .. }
        | Action::Cut { archive: Some(Archive { temp, .. }), .. } => discard_copy(site, temp),
        _ => Ok(()),
    }
}

/// Whether a step runs a script, which may have replaced directories on purpose.
fn runs_script(action: &Action) -> bool {
    matches!(action, Action::Script(_) | Action::Remove { pre_remove: Some(_), .. })
}

impl Perform for Live {
    fn promise(&mut self, plan: Plan) -> Result<PlanId, Fault> {
        let id = match &mut self.log.journal {
            Some(journal) => journal.promise(&plan)?,
            None => self.next,
        };
        self.next = id + 1;
        self.promised.insert(id, Work::new(plan));
        Ok(PlanId(id))
    }

    fn carry_out(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome {
        let PlanId(id) = id;
        let Some(mut work) = self.promised.remove(&id) else { return Outcome::default() };
        for index in 0..work.plan.steps.len() {
            // A resumed plan goes on where it was.
            if work.results.get(index).is_some_and(Option::is_none) {
                self.step(id, &mut work, index, observer);
            }
        }
        // A failed plan is closed too: the next run looks at the disk and plans anew.
        self.log.note(&Line::Closed { plan: id }, observer);
        if work.plan.steps.iter().any(|step| runs_script(&step.action)) {
            let mut dirs = self.dirs.borrow_mut();
            for dir in &work.plan.directories {
                dirs.forget(&dir.0);
            }
        }
        self.waiting.extend(waiting::left_over(&work));
        work.outcome()
    }

    fn script(&mut self, call: &ScriptCall, observer: &mut dyn Observer) -> Result<(), Fault> {
        match script::run(call, &*self.scripts, observer) {
            Ok(_) => Ok(()),
            Err(fault) => {
                observer.observe(&Event::Error(&fault));
                Err(fault)
            }
        }
    }
}
