//! Plans that are nothing but renames: a thread makes these while the next ones are planned.
//!
//! Of many logs in one block each has a plan of its own. To make one takes as long as to carry it out, so the
//! two go on side by side. The thread makes the system's calls and nothing else; the steps themselves (what
//! comes of a call that failed, the journal's lines, the records) are the main thread's, plan by plan in their
//! order.
//!
//! # Why it makes no difference
//!
//! - Each plan is in the journal before the thread hears of it. What the thread does shows on the disk, by the
//!   identity of the file that moved; so a run that takes over looks there, as it always does.
//! - Whoever gives plans answers for it that none of them touches, or was made in view of, a name that another
//!   one may touch.
//! - Whatever is no such rename waits for those that are on their way: the steps of other plans, scripts, other
//!   ids.
//! - If a plan has not gone as expected, all that are on their way are settled before another is given: nobody
//!   reads a directory in which something moves.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::event::{Observer, StepResult};
use crate::execute::live::Live;
use crate::execute::rename::known;
use crate::execute::work::Work;
use crate::execute::{Outcome, PlanId};
use crate::plan::step::{Action, Guard, Step};
use crate::system::mover::{Mover, Rename, Row};

/// Plans whose renames are on their way.
#[derive(Debug, Default)]
pub(super) struct Moves {
    mover: Mover,
    /// In the order in which the thread has them.
    plans: VecDeque<(u64, Work)>,
}

impl Moves {
    /// The next plan whose renames are made; `None` if there is none.
    fn take(&mut self) -> Option<(u64, Work)> {
        self.plans.front()?;
        let made = self.mover.take()?;
        let (id, mut work) = self.plans.pop_front()?;
        work.ahead = made;
        Some((id, work))
    }
}

impl Live {
    /// Gives the renames of a plan to the thread, if it has nothing else; gives what is expected of them.
    pub(super) fn rename_ahead(
        &mut self,
        id: &PlanId,
        observer: &mut dyn Observer,
    ) -> Option<Outcome> {
        let PlanId(id) = *id;
        let renames = self.renames(self.promised.get(&id)?)?;
        while !self.moves.mover.has_room() {
            self.moves.mover.pause();
            if !self.take_moves(observer) {
                return None;
            }
        }
        let results = vec![StepResult::Done; renames.len()];
        if self.moves.mover.give(Row::new(renames)).is_some() {
            return None;
        }
        self.moves.plans.push_back((id, self.promised.remove(&id)?));
        Some(Outcome { results, ..Outcome::default() })
    }

    /// The renames of a plan, if all are of files that are known, within their directories.
    fn renames(&self, work: &Work) -> Option<Vec<Rename>> {
        let plan = &work.plan;
        if work.resumed || plan.steps.is_empty() || plan.rest.is_some() || plan.identity.is_some() {
            return None;
        }
        let rename = |step: &Step| {
            let Action::Rename { from, to } = &step.action else { return None };
            let id = known(from, to, step.expect).filter(|_| step.guard == Guard::None)?;
            let dir = self.dirs.borrow_mut().open(plan.directory(from)).ok()?;
            let (from, to) = (from.name.clone(), to.name.clone());
            dir.keeps_numbers().then_some(Rename { dir, from, to, id })
        };
        plan.steps.iter().map(rename).collect()
    }

    /// Takes plans back whose renames are made; gives whether all went as expected. If one did not, nothing is
    /// on its way any more.
    pub(super) fn take_moves(&mut self, observer: &mut dyn Observer) -> bool {
        while let Some((id, work)) = self.moves.take() {
            if !self.take_back(id, work, observer) {
                self.settle_moves(observer);
                return false;
            }
        }
        true
    }

    /// Waits for all renames that are on their way, and takes their plans back.
    pub(super) fn settle_moves(&mut self, observer: &mut dyn Observer) {
        while !self.moves.plans.is_empty() {
            match self.moves.take() {
                Some((id, work)) => {
                    self.take_back(id, work, observer);
                }
                None => self.moves.mover.pause(),
            }
        }
    }

    /// Goes through the steps of a plan whose renames are made; gives whether all went as expected.
    fn take_back(&mut self, id: u64, work: Work, observer: &mut dyn Observer) -> bool {
        let plan = Rc::clone(&work.plan);
        let mut outcome = self.begin(id, work, observer);
        let as_expected = outcome.results.iter().all(|result| *result == StepResult::Done);
        if as_expected {
            // Whoever was told what to expect knows it.
            outcome.results.clear();
        }
        self.under_way.ended.push((plan, outcome));
        as_expected
    }
}
