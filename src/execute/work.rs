//! A plan and how far it has come.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use crate::event::StepResult;
use crate::execute::Outcome;
use crate::execute::lines::Line;
use crate::execute::site::{Halt, Site};
use crate::fault::Fault;
use crate::plan::step::{Action, BlockKey, Expect, Place, Plan, Scope, Step, Why};
use crate::system::census::Census;
use crate::system::file::Renamed;
use crate::system::{Dirs, Stopwatch};
use crate::units::FileId;

/// A plan that is being carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub plan: Rc<Plan>,
    /// How each step ended; `None`: not yet.
    pub results: Vec<Option<StepResult>>,
    /// The steps that failed or were postponed, by index, and what each takes with it: so that a
    /// step need not look through all earlier ones.
    stopped: Vec<(usize, Scope)>,
    /// Where this plan's own steps have put which file.
    pub made: HashMap<Place, FileId>,
    /// Where steps have put a file in this run: nothing was made from it before.
    pub fresh: HashSet<Place>,
    /// How often a step that must not be repeated for ever has been started, by index.
    pub starts: HashMap<usize, u32>,
    /// Whether a step has failed in this run. What failed in an earlier one was told by that.
    failed: bool,
    /// An interrupted run has begun it: any step may have been done already.
    pub resumed: bool,
    /// Earlier runs have postponed it: nobody was interrupted, unless a step has ended.
    pub waiting: bool,
    /// When its steps began to wait for writers.
    pub waits_since: Option<Stopwatch>,
    /// Whether what replaces a file that a step removes was made sure of, where that is known already, by
    /// the index of the step.
    pub secured: HashMap<usize, Result<(), Halt>>,
    /// What a thread has done of its first steps: see [`moving`](super::moving).
    pub ahead: Vec<Renamed>,
}

/// What earlier steps mean for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Free,
    /// A failure takes it with it.
    Cancelled,
    /// One that it builds on was postponed, for this reason: it waits too.
    Waits(Fault),
}

impl Work {
    pub fn new(plan: impl Into<Rc<Plan>>) -> Self {
        let plan = plan.into();
        let results = vec![None; plan.steps.len()];
        let (made, starts, stopped) = (HashMap::new(), HashMap::new(), Vec::new());
        Self {
            plan,
            results,
            stopped,
            made,
            fresh: HashSet::new(),
            starts,
            failed: false,
            resumed: false,
            waiting: false,
            waits_since: None,
            secured: HashMap::new(),
            ahead: Vec::new(),
        }
    }

    /// Where a step works.
    pub fn site<'a>(
        &'a self,
        dirs: &'a RefCell<Dirs>,
        census: &'a RefCell<Census>,
        index: usize,
    ) -> Site<'a> {
        Site {
            dirs,
            census,
            plan: &self.plan,
            made: &self.made,
            fresh: &self.fresh,
            at: index,
            resumed: self.resumed,
            secured: self.secured.get(&index),
            ahead: self.ahead.get(index),
        }
    }

    /// Whether a step has to wait for the disk, in company with others: to make sure of what replaces the
    /// file that it removes.
    pub fn waits_for_disk(&self, index: usize) -> bool {
        let step = self.plan.steps.get(index);
        step.is_some_and(|s| s.why.has_successor() && matches!(s.action, Action::Remove { .. }))
            && !self.secured.contains_key(&index)
    }

    /// Whether earlier steps stand in the way of this one.
    pub fn standing(&self, index: usize) -> Standing {
        let Some(step) = self.plan.steps.get(index) else { return Standing::Free };
        let before = self
            .stopped
            .iter()
            .filter(|&&(earlier, scope)| earlier < index && scope.covers(step.scope));
        let mut standing = Standing::Free;
        for &(earlier, _) in before {
            let Some(Some(result)) = self.results.get(earlier) else { continue };
            match result.postponement() {
                None if matches!(result, StepResult::Failed(_)) => return Standing::Cancelled,
                Some(why) if !self.is_apart(earlier, step) => {
                    standing = Standing::Waits(why.reason.clone());
                }
                _ => {}
            }
        }
        standing
    }

    /// Whether a step disposes of an old version that a postponed one has nothing to do with, since that is
    /// about the new version, or about another's compressed form: it must not wait for room that it makes.
    fn is_apart(&self, earlier: usize, step: &Step) -> bool {
        let (Some(earlier), Some(file)) = (self.plan.steps.get(earlier), step.action.source())
        else {
            return false;
        };
        // The source of what was made is no old version that has to go.
        let disposes = matches!(step.action, Action::Mail { .. } | Action::Remove { .. })
            && !step.why.has_successor()
            && matches!(step.expect, Expect::Present(_));
        let makes = matches!(
            earlier.why,
            Why::Compression | Why::DelayedCompression | Why::Compressed | Why::Parked
        );
        disposes
            && (makes || earlier.expect == Expect::Made)
            && !earlier.action.places().contains(&file)
    }

    /// Whether a step may not be cancelled for good: the copy of a log that was moved aside for it, and
    /// what follows from that copy.
    pub fn must_be_made_up(&self, index: usize) -> bool {
        let Some(step) = self.plan.steps.get(index) else { return false };
        let before = index.checked_sub(1).and_then(|before| self.results.get(before));
        step.why == Why::Parked
            && (matches!(step.action, Action::Copy { .. })
                || matches!(before, Some(Some(StepResult::Postponed(_)))))
    }

    /// Notes how a step ended in this run, and which file it left under its target name.
    pub fn settle(&mut self, index: usize, result: StepResult, id: Option<FileId>) {
        self.failed |= match &result {
            StepResult::Failed(_) => true,
            StepResult::Postponed(why) | StepResult::Undone(why) => why.failed,
            StepResult::Done | StepResult::AlreadyDone | StepResult::Cancelled => false,
        };
        let done = result == StepResult::Done;
        self.recall(index, result, id);
        let place = self.plan.steps.get(index).and_then(|step| files(&step.action).1);
        if let Some(place) = place.filter(|_| done) {
            self.fresh.insert(place.clone());
        }
    }

    /// The same for a step of an earlier run.
    pub fn recall(&mut self, index: usize, result: StepResult, id: Option<FileId>) {
        let stops = matches!(result, StepResult::Failed(_)) || result.postponement().is_some();
        if stops && let Some(step) = self.plan.steps.get(index) {
            self.stopped.push((index, step.scope));
        }
        let ended_well = matches!(result, StepResult::Done | StepResult::AlreadyDone);
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
        if !ended_well {
            return;
        }
        let Some(step) = self.plan.steps.get(index) else { return };
        let (gone, there) = files(&step.action);
        if let Some(gone) = gone {
            self.made.remove(gone);
        }
        if let (Some(there), Some(id)) = (there, id) {
            self.made.insert(there.clone(), id);
        }
    }

    /// Makes it a plan of another block: the one that has its logs now.
    pub fn belong_to(&mut self, block: &BlockKey) {
        if self.plan.block != *block {
            Rc::make_mut(&mut self.plan).belong_to(block);
        }
    }

    /// All that a later run must know, as the journal's lines.
    pub fn lines(&self, id: u64) -> Vec<Line<'_>> {
        let plan = Line::Plan { id, plan: Cow::Borrowed(&self.plan), waiting: self.waiting };
        let mut lines = vec![plan];
        for (step, result) in self.results.iter().enumerate() {
            let starts = self.starts.get(&step).copied().unwrap_or_default();
            lines.extend((0..starts).map(|_| Line::Started { plan: id, step }));
            let Some(result) = result else { continue };
            let left = self.plan.steps.get(step).and_then(|step| files(&step.action).1);
            let left = left.and_then(|place| self.made.get(place)).copied();
            lines.push(Line::Done { plan: id, step, result: Cow::Borrowed(result), id: left });
        }
        lines
    }

    /// Makes identities fit for another boot: device numbers have lost their meaning.
    pub fn forget_devices(&mut self) {
        for step in &mut Rc::make_mut(&mut self.plan).steps {
            if let Expect::Present(id) | Expect::Left(id) = &mut step.expect {
                *id = id.without_device();
            }
        }
        for id in self.made.values_mut() {
            *id = id.without_device();
        }
    }

    /// Where its rest begins ([`Plan::rest`]); behind the last step if it has none.
    pub fn rest(&self) -> usize {
        self.plan.rest.map_or(self.results.len(), |rest| self.results.len().min(rest as usize))
    }

    /// The parts of its rest: one for each log, in order.
    pub fn lanes(&self) -> Vec<Range<usize>> {
        let log = |index: usize| match self.plan.steps.get(index).map(|step| step.scope) {
            Some(Scope::Log(log) | Scope::Version(log, _)) => Some(log),
            Some(Scope::Block) | None => None,
        };
        let mut lanes: Vec<Range<usize>> = Vec::new();
        for index in self.rest()..self.results.len() {
            match lanes.last_mut() {
                Some(lane) if log(lane.start) == log(index) => lane.end = index + 1,
                _ => lanes.push(index..index + 1),
            }
        }
        lanes
    }

    /// What became of it. A step that was not reached counts as cancelled.
    pub fn outcome(&self) -> Outcome {
        self.outcome_of(0..self.results.len())
    }

    /// What became of some of its steps, and the records that hold after them.
    pub fn outcome_of(&self, steps: Range<usize>) -> Outcome {
        let result = |index: usize| {
            let result = self.results.get(index).and_then(Clone::clone);
            result.unwrap_or(StepResult::Cancelled)
        };
        let results: Vec<StepResult> = steps.clone().map(result).collect();
        let holds = |after: Option<u32>| match after {
            None => steps.start == 0,
            Some(index) => {
                let done = matches!(
                    self.results.get(index as usize),
                    Some(Some(StepResult::Done | StepResult::AlreadyDone))
                );
                done && steps.contains(&(index as usize))
            }
        };
        let records = self.plan.records.iter().filter(|r| holds(r.after));
        let records = records.map(|r| (r.log.clone(), r.time)).collect();
        Outcome { results, records, failed: self.failed }
    }
}

/// The place that a step takes a file from, and the one that it puts a file to.
fn files(action: &Action) -> (Option<&Place>, Option<&Place>) {
    match action {
        Action::Rename { from, to, .. } => (Some(from), Some(to)),
        Action::Publish { temp, to } => (Some(temp), Some(to)),
        Action::Install { temp, log } => (Some(temp), Some(log)),
        Action::Create { temp, .. } | Action::Copy { temp, .. } | Action::Compress { temp, .. } => {
            (None, Some(temp))
        }
        Action::Remove { file, .. } => (Some(file), None),
        Action::Cut { archive: Some(archive), .. } => (Some(&archive.temp), Some(&archive.to)),
        Action::Cut { archive: None, .. }
        | Action::MakeDir { .. }
        | Action::Mail { .. }
        | Action::Script(_)
        | Action::Signal(_) => (None, None),
    }
}
