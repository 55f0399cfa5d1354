//! Plans that begin with nothing but renames: a thread makes these while the next ones are planned.
//!
//! Of many logs in one block each has a plan of its own. To make one takes as long as to carry it out, so the
//! two go on side by side. The thread makes the system's calls and nothing else; the steps themselves (what
//! comes of a call that failed, the journal's lines, the records, what follows after the renames) are the main
//! thread's, plan by plan in their order.
//!
//! # Why it makes no difference
//!
//! - Each plan is in the journal before the thread hears of it. What the thread does shows on the disk, by the
//!   identity of the file that moved; so a run that takes over looks there, as it always does.
//! - A plan that touches a file of one that is on its way waits for that. So does whatever is no rename: the
//!   steps of other plans, scripts, other ids.
//! - A plan that did not go as expected is settled, and all others that are on their way, before anything else
//!   is planned.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::rc::Rc;

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::event::{Observer, StepResult};
use crate::execute::live::Live;
use crate::execute::rename::known;
use crate::execute::work::Work;
use crate::execute::{Outcome, PlanId};
use crate::names::FileName;
use crate::plan::Plan;
use crate::plan::step::{Action, Guard, Step};
use crate::system::mover::{Mover, Rename, Row};
use crate::system::{Dir, Dirs};

/// Plans whose renames are on their way.
#[derive(Debug, Default)]
pub(super) struct Moves {
    mover: Mover,
    /// In the order in which the thread has them.
    plans: VecDeque<Moving>,
    /// The files that they may touch, with the number of plans that have them.
    files: HashMap<File, u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Moving {
    id: u64,
    work: Work,
    files: Vec<File>,
}

/// Stands for a directory and a name in it. Should two be the same, one waits for the other for nothing.
type File = u64;

impl Moves {
    /// Whether a plan may touch a file in a directory.
    pub fn has(&self, dir: &Path, name: &FileName, dirs: &RefCell<Dirs>) -> bool {
        !self.plans.is_empty()
            && dirs.borrow_mut().open(dir).is_ok_and(|dir| {
                self.file(&dir, name).is_none_or(|file| self.files.contains_key(&file))
            })
    }

    fn file(&self, dir: &Dir, name: &FileName) -> Option<File> {
        Some(self.hasher.hash_one((dir.first_facts().ok()?.id.inode, name)))
    }

    /// The files that a plan may touch, if all its directories can be held.
    fn files(&self, plan: &Plan, dirs: &RefCell<Dirs>) -> Option<Vec<File>> {
        let places = plan.steps.iter().flat_map(|step| step.action.places());
        places
            .map(|place| {
                let dir = dirs.borrow_mut().open(plan.directory(place)).ok()?;
                self.file(&dir, &place.name)
            })
            .collect()
    }

    /// Gives the first steps of a plan to the thread; it comes back if there is none.
    fn give(&mut self, renames: Vec<Rename>, plan: Moving) -> Option<Work> {
        if self.mover.give(Row::new(renames)).is_some() {
            return Some(plan.work);
        }
        for &file in &plan.files {
            *self.files.entry(file).or_default() += 1;
        }
        self.plans.push_back(plan);
        None
    }

    /// The next plan whose renames are made; `None` if there is none.
    fn take(&mut self) -> Option<(u64, Work)> {
        self.plans.front()?;
        let made = self.mover.take()?;
        let Moving { id, mut work, files } = self.plans.pop_front()?;
        for file in &files {
            if let Some(plans) = self.files.get_mut(file) {
                *plans -= 1;
                if *plans == 0 {
                    self.files.remove(file);
                }
            }
        }
        work.ahead = made;
        Some((id, work))
    }
}

impl Live {
    /// Gives the renames that a plan begins with to the thread, if it begins with nothing else; gives what is
    /// expected of them.
    pub(super) fn rename_ahead(
        &mut self,
        id: &PlanId,
        observer: &mut dyn Observer,
    ) -> Option<Outcome> {
        let PlanId(id) = *id;
        let work = self.promised.get(&id)?;
        let renames = self.renames(work)?;
        let files = self.moves.files(&work.plan, &self.dirs)?;
        if files.iter().any(|file| self.moves.files.contains_key(file)) {
            self.settle_moves(observer);
            // What moves now may be that by which earlier renames show.
            self.log.flush(observer);
        }
        while !self.moves.mover.has_room() {
            self.moves.mover.pause();
            self.take_moves(observer);
        }
        let results = vec![StepResult::Done; renames.len()];
        let work = self.promised.remove(&id)?;
        if let Some(work) = self.moves.give(renames, Moving { id, work, files }) {
            self.promised.insert(id, work);
            return None;
        }
        Some(Outcome { results, ..Outcome::default() })
    }

    /// The renames that a plan begins with, all of files that are known, within their directories.
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

    /// Goes on with plans whose renames are made.
    pub(super) fn take_moves(&mut self, observer: &mut dyn Observer) {
        while let Some((id, work)) = self.moves.take() {
            if !self.take_back(id, work, observer) {
                return self.settle_moves(observer);
            }
        }
    }

    /// Waits for all renames that are on their way, and goes on with their plans.
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

    /// Goes on with a plan whose renames are made; gives whether all went as expected.
    fn take_back(&mut self, id: u64, work: Work, observer: &mut dyn Observer) -> bool {
        let plan = Rc::clone(&work.plan);
        let expected = work.rest();
        let mut outcome = self.begin(id, work, observer);
        let first = outcome.results.get(..expected).unwrap_or_default();
        let as_expected = first.iter().all(|result| *result == StepResult::Done);
        if as_expected && outcome.results.len() == expected {
            // Whoever was told what to expect knows it.
            outcome.results.clear();
        }
        self.under_way.ended.push((plan, outcome));
        as_expected
    }
}
