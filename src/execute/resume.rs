//! What a run takes over from earlier ones, and what it leaves to later ones.

use std::rc::Rc;

use crate::event::{Event, Observer};
use crate::execute::lines::Line;
use crate::execute::live::Live;
use crate::execute::waiting::{self, Listings};
use crate::execute::{Await, Outcome, Owner, Perform, PlanId};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::system::identity;

impl Live {
    /// Finishes what a run that died has left, closing plans last, then tries what was postponed, and
    /// gives the outcomes of all plans that are in the journal: those that were finished too, since
    /// nobody has recorded them.
    pub fn resume(&mut self, observer: &mut dyn Observer) -> Vec<(Rc<Plan>, Outcome)> {
        let Some(journal) = &mut self.log.journal else { return Vec::new() };
        let mut found: Vec<_> = journal.take_found().into_iter().collect();
        found.sort_by_key(|(_, (work, _))| (work.waiting, work.plan.closing));
        let mut all = Vec::new();
        let mut listings = Listings::default();
        for (id, (mut work, closed)) in found {
            let plan = Rc::clone(&work.plan);
            let outcome = if closed {
                self.waiting.add(&work);
                work.outcome()
            } else {
                match self.scripts.owner(&plan) {
                    Owner::Another => {
                        if !work.waiting || waiting::parked(&plan).next().is_some() {
                            let file = &plan.block.file.0;
                            let logs = plan.logs.iter().cloned();
                            self.left_alone.extend(logs.map(|log| (log, file.clone())));
                        }
                        observer.observe(&Event::Debug(&waiting::kept(&plan)));
                        self.log.keep(id, work);
                        continue;
                    }
                    Owner::Nobody if work.waiting => {
                        observer.observe(&Event::Note(&waiting::given_up(&plan)));
                        self.log.note(&Line::Closed { plan: id }, observer);
                        continue;
                    }
                    Owner::Nobody => {}
                    Owner::Block(block) => work.belong_to(&block),
                }
                if work.waiting {
                    observer.observe(&Event::Debug("trying again what was postponed"));
                    // Without its identity nothing is looked for, and its steps say why they fail.
                    if let Ok(_lowered) = identity::assume_if(work.plan.identity) {
                        listings.find_again(&mut work, &self.dirs);
                    }
                } else {
                    let mut logs: Vec<String> = plan.logs.iter().map(ToString::to_string).collect();
                    if logs.is_empty() {
                        logs.push(plan.block.pattern.0.to_string_lossy().into_owned());
                    }
                    let note = format!("finishing an interrupted run: {}", logs.join(", "));
                    observer.observe(&Event::Note(&note));
                }
                self.promised.insert(id, work);
                self.carry_out(PlanId(id), observer)
            };
            all.push((plan, outcome));
        }
        all.extend(self.ended(Await::All, observer));
        all
    }

    /// To be called before the records are put into the state: that puts all that was done on disk, and
    /// a loss of power then must find the plans there too.
    pub fn prepare_records(&mut self, observer: &mut dyn Observer) {
        self.log.sync(observer);
    }

    /// Removes the journal, once the records of all outcomes are in the state, or leaves in it what
    /// was postponed. One that still has an open plan stays. Its lock lasts until the end of `self`.
    ///
    /// # Errors
    /// If it cannot be replaced or removed.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let waiting = self.waiting.take();
        self.log.journal.as_mut().map_or(Ok(()), |journal| journal.finish(&waiting))
    }
}
