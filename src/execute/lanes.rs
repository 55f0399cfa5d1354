//! Lets the lanes of plans that are under way go on (see [`under_way`](super::under_way)).
//!
//! A disk that is asked to make one file safe makes safe all that was done before, for the price of one. So
//! what has come together is done in company: all files that threads have finished are synced, then they
//! get their names, then these are synced, then the sources go. Where a disk is slow, more comes together.

use std::rc::Rc;
use std::result;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Observer;
use crate::execute::compress::Compressing;
use crate::execute::effects::is_there;
use crate::execute::live::Live;
use crate::execute::site::{Halt, Result};
use crate::execute::stepping::Patience;
use crate::execute::successor::Successor;
use crate::execute::under_way::{Lane, Pending, Wait};
use crate::execute::work::Work;
use crate::fault::Fault;
use crate::plan::Plan;
use crate::plan::step::Action;
use crate::system::packing::pool::Ended;
use crate::system::{Dir, Errno, identity};

impl Live {
    /// Lets what is under way go on, as far as it need not wait.
    pub(super) fn proceed(&mut self, observer: &mut dyn Observer) {
        for lane in self.under_way.take_asking() {
            if let Some(pending) = self.under_way.lend(lane.plan) {
                self.go_on(lane, pending, observer);
            }
        }
        loop {
            while let Some(ended) = self.under_way.pool.ended(Duration::ZERO) {
                self.under_way.arrived.push_back(ended);
            }
            // What threads have made is synced and named only after other tasks were begun: that takes
            // as long as a small file's compression, and no core is to stand idle.
            self.begin_queued(observer);
            let batch: Vec<Ended> = self.under_way.arrived.drain(..).collect();
            if batch.is_empty() && self.under_way.syncing.is_empty() {
                break;
            }
            self.take_in(batch, observer);
            self.secure(observer);
        }
    }

    /// Waits for all that is under way.
    pub(super) fn wait_for_all(&mut self, observer: &mut dyn Observer) {
        self.settle_moves(observer);
        self.proceed(observer);
        while !self.under_way.is_empty() {
            self.under_way.pause();
            self.proceed(observer);
        }
    }

    /// Does steps of a lane until one has to wait: then what for.
    pub(super) fn advance(
        &mut self,
        lane: &mut Lane,
        work: &mut Work,
        patience: Patience,
        observer: &mut dyn Observer,
    ) -> Option<Wait> {
        while lane.next < lane.end {
            // A resumed plan goes on where it was.
            if work.results.get(lane.next).is_some_and(Option::is_none)
                && let Some(wait) = self.try_step(lane.plan, work, lane.next, patience, observer)
            {
                return Some(wait);
            }
            lane.next += 1;
        }
        None
    }

    /// Lets lanes go on that have waited for a thread, as long as there is room for their tasks.
    fn begin_queued(&mut self, observer: &mut dyn Observer) {
        while let Some(lane) = self.under_way.queue.pop_front() {
            let Some(pending) = self.under_way.lend(lane.plan) else { continue };
            if self.go_on(lane, pending, observer) == Some(Wait::Room) {
                break;
            }
        }
    }

    /// Goes on with a lane of a plan that is under way; gives what it waits for, if it has to.
    fn go_on(
        &mut self,
        mut lane: Lane,
        mut pending: Pending,
        observer: &mut dyn Observer,
    ) -> Option<Wait> {
        let id = lane.plan;
        let wait = self.advance(&mut lane, &mut pending.work, Patience::InCompany, observer);
        match wait {
            Some(wait) if wait != Wait::End => self.under_way.park(lane, wait),
            _ => pending.lanes -= 1,
        }
        if let Some(work) = self.under_way.give_back(id, pending) {
            let rest = work.rest();
            let outcome = self.close(id, &work, rest, observer);
            let steps = work.plan.steps.get(rest..).unwrap_or_default().to_vec();
            let plan = Plan { steps, ..Plan::clone(&work.plan) };
            self.under_way.ended.push((Rc::new(plan), outcome));
        }
        wait
    }

    /// Takes in what threads have made: all is made to look as it shall, then all is synced, and then their
    /// lanes go on.
    fn take_in(&mut self, batch: Vec<Ended>, observer: &mut dyn Observer) {
        if batch.is_empty() {
            return;
        }
        self.log.sync(observer);
        let mut lanes = Vec::new();
        for ended in batch {
            let Some(lane) = self.under_way.lane_of(ended.ticket) else { continue };
            let Some(work) = self.under_way.work(lane.plan) else { continue };
            let dressed = self.dressed(work, lane.next, &ended);
            lanes.push((lane, ended, dressed));
        }
        let mut made = Vec::new();
        for (lane, ended, dressed) in lanes {
            let Some(work) = self.under_way.work(lane.plan) else { continue };
            let done = self.made(work, lane.next, &ended, dressed);
            made.push((lane, done));
        }
        for (mut lane, done) in made {
            let Some(mut pending) = self.under_way.lend(lane.plan) else { continue };
            if self.packed(lane.plan, &mut pending.work, lane.next, done, observer) {
                lane.next += 1;
            }
            self.go_on(lane, pending, observer);
        }
    }

    /// Makes what a thread has filled look as it shall; not synced.
    pub(super) fn dressed(&self, work: &Work, index: usize, ended: &Ended) -> Result<()> {
        let _lowered = identity::assume_if(work.plan.identity)?;
        let compressing = work.plan.steps.get(index).and_then(Compressing::of);
        let site = work.site(&self.dirs, &self.census, index);
        compressing.map_or(Ok(()), |compressing| compressing.dress(&site, ended))
    }

    /// Makes it safe on disk, or removes it if it has failed.
    pub(super) fn made(
        &self,
        work: &Work,
        index: usize,
        ended: &Ended,
        dressed: Result<()>,
    ) -> Result {
        let _lowered = identity::assume_if(work.plan.identity)?;
        let compressing = work.plan.steps.get(index).and_then(Compressing::of);
        let site = work.site(&self.dirs, &self.census, index);
        let nothing = || Err(Fault::new("nothing was to be compressed"));
        compressing.map_or_else(nothing, |compressing| compressing.end(&site, ended, dressed))
    }

    /// Makes sure of what was made from files that are about to be removed for it, and lets their lanes
    /// go on.
    fn secure(&mut self, observer: &mut dyn Observer) {
        let lanes = std::mem::take(&mut self.under_way.syncing);
        let mut made = Vec::new();
        for lane in lanes {
            let Some(work) = self.under_way.work(lane.plan) else { continue };
            let synced = self.synced(work, lane.next);
            made.push((lane, synced));
        }
        // When all files are synced, so that one time is enough.
        let mut directories: Vec<(Arc<Dir>, result::Result<(), Errno>)> = Vec::new();
        let mut lanes = Vec::new();
        for (lane, synced) in made {
            let Some(mut pending) = self.under_way.lend(lane.plan) else { continue };
            let secured = synced.and_then(|successor| {
                let Some(successor) = successor else { return Ok(()) };
                let _lowered = identity::assume_if(pending.work.plan.identity)?;
                let dir = successor.dir();
                let known = directories.iter().find(|(other, _)| Arc::ptr_eq(other, dir));
                let known = known.map(|&(_, named)| named);
                let named = known.unwrap_or_else(|| successor.sync_name());
                if known.is_none() {
                    directories.push((Arc::clone(dir), named));
                }
                let site = pending.work.site(&self.dirs, &self.census, lane.next);
                named.map_err(|errno| successor.in_doubt(&site, errno))
            });
            pending.work.secured.insert(lane.next, secured);
            self.under_way.give_back(lane.plan, pending);
            lanes.push(lane);
        }
        for lane in lanes {
            if let Some(pending) = self.under_way.lend(lane.plan) {
                self.go_on(lane, pending, observer);
            }
        }
    }

    /// What was made from the file that a step removes, if it is still there; its content is on disk then.
    fn synced(&self, work: &Work, index: usize) -> result::Result<Option<Successor>, Halt> {
        let Some(step) = work.plan.steps.get(index) else { return Ok(None) };
        let Action::Remove { file, .. } = &step.action else { return Ok(None) };
        let _lowered = identity::assume_if(work.plan.identity)?;
        let site = work.site(&self.dirs, &self.census, index);
        if !is_there(&site, file, step.expect)? {
            return Ok(None);
        }
        let Some(successor) = Successor::of(&site, file)? else { return Ok(None) };
        match successor.sync_content() {
            Ok(()) => Ok(Some(successor)),
            Err(errno) => Err(successor.in_doubt(&site, errno)),
        }
    }
}
