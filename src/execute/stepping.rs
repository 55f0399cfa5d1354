//! One step of a plan: cancelled, postponed or done, between the lines that the journal has about it.

use std::borrow::Cow;

use crate::event::{Event, Observer, Postponement, StepResult};
use crate::execute::compress::{Compressing, Opened};
use crate::execute::effects::{Company, Shows, failed, is_announced, perform, shows_on_disk};
use crate::execute::lines::Line;
use crate::execute::live::Live;
use crate::execute::rename::discard_copy;
use crate::execute::site::{Effect, Site};
use crate::execute::under_way::Wait;
use crate::execute::verdict::{Hearing, Settled, judged, say_held_back};
use crate::execute::work::{Standing, Work};
use crate::execute::writers::{self, Answer, Pause};
use crate::fault::Fault;
use crate::plan::step::{Action, Archive, Step};
use crate::system::{identity, stop};

/// What a step may wait for without holding anything up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Nothing: nothing else will be done meanwhile.
    None,
    /// Threads and writers.
    Alone,
    /// The disk as well, which others wait for.
    InCompany,
}

impl Live {
    /// One step, done before anything else is; gives whether it has ended and is not left to the next run.
    pub(super) fn step(
        &mut self,
        id: u64,
        work: &mut Work,
        index: usize,
        observer: &mut dyn Observer,
    ) -> bool {
        let mut pause = Pause::FIRST;
        loop {
            match self.try_step(id, work, index, Patience::None, observer) {
                None => return true,
                Some(Wait::End) => return false,
                Some(Wait::Room | Wait::Disk) => self.under_way.pause(),
                Some(Wait::Writer) => {
                    std::thread::sleep(pause.0);
                    pause = pause.next();
                }
                Some(Wait::Task(ticket)) => {
                    let ended = loop {
                        let arrived = &mut self.under_way.arrived;
                        let at = arrived.iter().position(|ended| ended.ticket == ticket);
                        match at.and_then(|at| arrived.remove(at)) {
                            Some(ended) => break ended,
                            None => self.under_way.pause(),
                        }
                    };
                    self.log.sync(observer);
                    let dressed = self.dressed(work, index, &ended);
                    let done = self.made(work, index, &ended, dressed);
                    return self.packed(id, work, index, done, observer);
                }
            }
        }
    }

    /// One step, unless it has to wait: then what for.
    pub(super) fn try_step(
        &mut self,
        id: u64,
        work: &mut Work,
        index: usize,
        patience: Patience,
        observer: &mut dyn Observer,
    ) -> Option<Wait> {
        let step = work.plan.steps.get(index)?;
        // What is done already has only to be noted.
        if stop::requested().is_some() && index >= work.ahead.len() {
            return Some(Wait::End);
        }
        let lowered = identity::assume_if(work.plan.identity);
        let site = work.site(&self.dirs, &self.census, index);
        let settled = match (&lowered, work.standing(index)) {
            (Err(fault), _) => {
                observer.observe(&Event::Error(fault));
                (StepResult::Failed(fault.clone()), None)
            }
            // A log that was moved aside to be copied is the only one: it is copied by the next run.
            (Ok(_), Standing::Cancelled) if work.must_be_made_up(index) => {
                let reason = Fault::new("an earlier step failed");
                (StepResult::Postponed(Postponement { reason, failed: false }), None)
            }
            (Ok(_), Standing::Cancelled) => {
                if let Err(fault) = tidy(&site, &step.action) {
                    observer.observe(&Event::Warning(&fault.message));
                }
                (StepResult::Cancelled, None)
            }
            // Whoever it waits with has said why.
            (Ok(_), Standing::Waits(reason)) => {
                (StepResult::Postponed(Postponement { reason, failed: false }), None)
            }
            (Ok(_), Standing::Free)
                if patience == Patience::InCompany && work.waits_for_disk(index) =>
            {
                return Some(Wait::Disk);
            }
            (Ok(_), Standing::Free) => {
                let (mut since, patient) = (work.waits_since, !work.waiting);
                let answer = writers::ask(&site, step, &mut since, patient, observer);
                work.waits_since = since;
                let site = work.site(&self.dirs, &self.census, index);
                match answer {
                    Answer::AskAgain => return Some(Wait::Writer),
                    Answer::Postponed(why) => {
                        let known = work.waiting || self.waiting.has(&site, step);
                        say_held_back(&why, known, observer);
                        (StepResult::Postponed(why), None)
                    }
                    Answer::Free => match self.act(id, work, index, patience, observer) {
                        Ok(settled) => settled,
                        Err(wait) => return Some(wait),
                    },
                }
            }
        };
        drop(lowered);
        self.settle(id, work, index, settled, observer);
        None
    }

    /// Does a step that nothing stands in the way of, or gives it to a thread.
    fn act(
        &mut self,
        id: u64,
        work: &Work,
        index: usize,
        patience: Patience,
        observer: &mut dyn Observer,
    ) -> Result<Settled, Wait> {
        let plan = &work.plan;
        let Some(step) = plan.steps.get(index) else { return Ok((StepResult::Cancelled, None)) };
        let site = work.site(&self.dirs, &self.census, index);
        if shows_on_disk(step) != Shows::Always {
            self.log.flush(observer);
        }
        if let Some(reason) = still_full(work, &site, step) {
            observer.observe(&Event::Debug(&reason.in_one_line()));
            return Ok((StepResult::Postponed(Postponement { reason, failed: false }), None));
        }
        let hearing = self.hearing(work, &site, step);
        let compressing = Compressing::of(step);
        let format = compressing.as_ref().and_then(Compressing::format);
        if let (Some(compressing), Some(format)) = (compressing, format) {
            let opened = compressing.open(&site, format, patience == Patience::None);
            if let Ok(Opened::Ready { threads, jobs, .. }) = opened
                && !self.under_way.pool.has_room(format, threads, jobs)
            {
                return Err(Wait::Room);
            }
            observer.observe(&Event::StepStarted { plan, step });
            let begun = opened.and_then(|opened| match opened {
                Opened::Made(id) => Ok(Err(Effect::already(Some(id)))),
                Opened::Ready { input, threads, jobs } => {
                    let ticket = self.under_way.ticket();
                    let task = compressing.task(&site, format, ticket, (input, threads, jobs))?;
                    Ok(Ok((ticket, self.under_way.pool.begin(task))))
                }
            });
            return match begun {
                Ok(Ok((ticket, None))) => Err(Wait::Task(ticket)),
                // No thread is to be had.
                Ok(Ok((_, Some(ended)))) => {
                    self.log.sync(observer);
                    let dressed = compressing.dress(&site, &ended);
                    let done = compressing.end(&site, &ended, dressed);
                    let done = done.map_err(|fault| failed(&site, &step.action, fault));
                    judged(done, hearing, observer)
                }
                Ok(Err(effect)) => judged(Ok(effect), hearing, observer),
                Err(fault) => judged(Err(failed(&site, &step.action, fault)), hearing, observer),
            };
        }
        observer.observe(&Event::StepStarted { plan, step });
        let interrupted = work.starts.get(&index).copied().unwrap_or_default();
        if is_announced(&step.action) {
            self.log.note(&Line::Started { plan: id, step: index }, observer);
        }
        if syncs(&step.action) {
            self.log.sync(observer);
        }
        let mut company = Company { scripts: &*self.scripts, observer, interrupted };
        let done = perform(&site, step, &mut company);
        judged(done, hearing, observer)
    }

    /// What is known already of a step that may have to wait.
    fn hearing(&self, work: &Work, site: &Site<'_>, step: &Step) -> Hearing {
        let known = work.waiting || self.waiting.has(site, step);
        Hearing { known, is_kept: self.log.is_kept() }
    }

    /// A thread has ended what a step gave it, and what it made is safe on disk, unless something failed.
    /// Gives whether the step has ended too, and is not left to the next run.
    pub(super) fn packed(
        &mut self,
        id: u64,
        work: &mut Work,
        index: usize,
        done: Result<Effect, Fault>,
        observer: &mut dyn Observer,
    ) -> bool {
        let Some(step) = work.plan.steps.get(index) else { return true };
        // Whatever is asked to explain a failure is asked as it was done.
        let lowered = identity::assume_if(work.plan.identity);
        let site = work.site(&self.dirs, &self.census, index);
        let hearing = self.hearing(work, &site, step);
        let done = done.map_err(|fault| failed(&site, &step.action, fault));
        let Ok(settled) = judged(done, hearing, observer) else { return false };
        drop(lowered);
        self.settle(id, work, index, settled, observer);
        true
    }

    /// Writes down how a step ended.
    fn settle(
        &mut self,
        plan: u64,
        work: &mut Work,
        step: usize,
        (result, id): Settled,
        observer: &mut dyn Observer,
    ) {
        let told = id.filter(|_| work.plan.steps.get(step).and_then(Step::leaves) != id);
        let line = Line::Done { plan, step, result: Cow::Borrowed(&result), id: told };
        let done = matches!(result, StepResult::Done | StepResult::AlreadyDone);
        let shows = work.plan.steps.get(step).map_or(Shows::Never, shows_on_disk);
        if done && shows != Shows::Never {
            self.log.note_later(&line, observer);
        } else {
            self.log.note(&line, observer);
        }
        if let Some(step) = work.plan.steps.get(step) {
            observer.observe(&Event::StepEnded { plan: &work.plan, step, result: &result });
        }
        work.settle(step, result, id);
    }
}

/// Why a compression that an earlier run has postponed need not even be tried.
fn still_full(work: &Work, site: &Site<'_>, step: &Step) -> Option<Fault> {
    Compressing::of(step).filter(|_| work.waiting)?.lacks_room(site)
}

/// Whether a step waits for the disk, and earlier steps would be put there with it. (What follows a copy
/// or a compression, and waits too, is told from the disk alone.)
fn syncs(action: &Action) -> bool {
    match action {
        Action::Copy { .. } | Action::Compress { .. } => true,
        // A half-overwritten file must be known for what it is.
        Action::Remove { shred, .. } => shred.is_some(),
        _ => false,
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
