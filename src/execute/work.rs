//! A plan and how far it has come.

use std::collections::HashMap;

use crate::event::StepResult;
use crate::execute::Outcome;
use crate::plan::step::{Action, Place, Plan};
use crate::units::FileId;

/// A plan that is being carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub plan: Plan,
    /// How each step ended; `None`: not yet.
    pub results: Vec<Option<StepResult>>,
    /// Where this plan's own steps have put which file.
    pub made: HashMap<Place, FileId>,
    /// How often a step that must not be repeated for ever has been started, by index.
    pub starts: HashMap<usize, u32>,
    /// An interrupted run has begun it: any step may have been done already.
    pub resumed: bool,
}

impl Work {
    pub fn new(plan: Plan) -> Self {
        let results = vec![None; plan.steps.len()];
        let (made, starts) = (HashMap::new(), HashMap::new());
        Self { plan, results, made, starts, resumed: false }
    }

    /// Whether an earlier failure takes this step with it.
    pub fn is_cancelled(&self, index: usize) -> bool {
        let Some(step) = self.plan.steps.get(index) else { return false };
        let failed = |result: &Option<StepResult>| matches!(result, Some(StepResult::Failed(_)));
        let before = self.plan.steps.iter().zip(&self.results).take(index);
        before.filter(|(_, r)| failed(r)).any(|(s, _)| s.scope.covers(step.scope))
    }

    /// Notes how a step ended, and which file it left under its target name.
    pub fn settle(&mut self, index: usize, result: StepResult, id: Option<FileId>) {
        let ended_well = matches!(result, StepResult::Done | StepResult::AlreadyDone);
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
        if !ended_well {
            return;
        }
        let Some(step) = self.plan.steps.get(index) else { return };
        let (gone, there) = match &step.action {
            Action::Rename { from, to, .. } => (Some(from), Some(to)),
            Action::Publish { temp, to } => (Some(temp), Some(to)),
            Action::Install { temp, log } => (Some(temp), Some(log)),
            Action::Create { temp, .. }
            | Action::Copy { temp, .. }
            | Action::Compress { temp, .. } => (None, Some(temp)),
            Action::Remove { file, .. } => (Some(file), None),
            Action::Cut { .. } | Action::Script(_) => (None, None),
        };
        if let Some(gone) = gone {
            self.made.remove(gone);
        }
        if let (Some(there), Some(id)) = (there, id) {
            self.made.insert(there.clone(), id);
        }
    }

    /// Makes identities fit for another boot: device numbers have lost their meaning.
    pub fn forget_devices(&mut self) {
        for step in &mut self.plan.steps {
            if let crate::plan::Expect::Present(id) = &mut step.expect {
                *id = id.without_device();
            }
        }
        for id in self.made.values_mut() {
            *id = id.without_device();
        }
    }

    /// What became of it. A step that was not reached counts as cancelled.
    pub fn outcome(&self) -> Outcome {
        let results: Vec<StepResult> =
            self.results.iter().map(|r| r.clone().unwrap_or(StepResult::Cancelled)).collect();
        let holds = |after: Option<u32>| match after {
            None => true,
            Some(index) => matches!(
                results.get(index as usize),
                Some(StepResult::Done | StepResult::AlreadyDone)
            ),
        };
        let records = self.plan.records.iter().filter(|r| holds(r.after));
        let records = records.map(|r| (r.log.clone(), r.time)).collect();
        let failed = results.iter().any(|r| matches!(r, StepResult::Failed(_)));
        Outcome { results, records, failed }
    }
}
