//! The dry run: shows the very steps that a real run carries out, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use hashbrown::HashSet;

use crate::event::{Event, Observer, StepResult};
use crate::execute::{Await, Outcome, Perform, PlanId, ScriptTexts, script};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::plan::step::{Action, Expect, ScriptCall};

/// Shows plans.
pub struct Preview {
    scripts: Rc<dyn ScriptTexts>,
    plans: BTreeMap<u64, Rc<Plan>>,
    next: u64,
}

impl Preview {
    /// A dry run; script texts are shown.
    pub fn new(scripts: Rc<dyn ScriptTexts>) -> Self {
        Self { scripts, plans: BTreeMap::new(), next: 1 }
    }

    fn show(&self, call: &ScriptCall, observer: &mut dyn Observer) {
        if let Some(text) = script::look_up(call, &*self.scripts, observer) {
            observer.observe(&Event::ScriptStarted { call, text: &text, dry: true });
        }
    }
}

impl Perform for Preview {
    fn promise(&mut self, plan: Rc<Plan>) -> Result<PlanId, Fault> {
        let id = self.next;
        self.next += 1;
        self.plans.insert(id, plan);
        Ok(PlanId(id))
    }

    fn make_room(&mut self, _: &Plan, _: &mut dyn Observer) -> bool {
        false
    }

    fn carry_out_unwritten(&mut self, _: Rc<Plan>, _: &mut dyn Observer) -> Outcome {
        Outcome::default()
    }

    /// No step has a result, since none is done; nothing is recorded.
    fn carry_out(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome {
        let Some(plan) = self.plans.remove(&id.0) else { return Outcome::default() };
        // What the steps so far would have taken away.
        let mut gone = HashSet::new();
        for step in &plan.steps {
            let may_be_gone = matches!(step.expect, Expect::IfThere | Expect::Left(_));
            if may_be_gone && step.action.source().is_some_and(|source| gone.contains(source)) {
                continue;
            }
            observer.observe(&Event::StepStarted { plan: &plan, step });
            match &step.action {
                Action::Script(call) => self.show(call, observer),
                Action::Remove { file, pre_remove: Some(script), .. } => {
                    self.show(&script::before_removal(script, plan.path(file)), observer);
                }
                _ => {}
            }
            observer.observe(&Event::StepEnded { plan: &plan, step, result: &StepResult::Done });
            match &step.action {
                Action::Rename { from, to } => {
                    gone.insert(from);
                    gone.remove(to);
                }
                Action::Publish { to, .. } | Action::Install { log: to, .. } => {
                    gone.remove(to);
                }
                Action::Remove { file, .. } => {
                    gone.insert(file);
                }
                _ => {}
            }
        }
        Outcome::default()
    }

    fn ended(&mut self, _: Await, _: &mut dyn Observer) -> Vec<(Rc<Plan>, Outcome)> {
        Vec::new()
    }

    fn is_under_way(&self, _: &Path) -> bool {
        false
    }

    fn script(&mut self, call: &ScriptCall, observer: &mut dyn Observer) -> Result<(), Fault> {
        self.show(call, observer);
        Ok(())
    }
}
