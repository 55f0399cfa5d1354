//! The real run: carries plans out. What it takes over from a run that died, and what it leaves, is in
//! `resume`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hashbrown::HashMap;

use crate::event::{Event, Observer, StepResult};
use crate::execute::journal::Journal;
use crate::execute::lines::Line;
use crate::execute::moving::Moves;
use crate::execute::script;
use crate::execute::stepping::Patience;
use crate::execute::under_way::{Lane, UnderWay, Wait};
use crate::execute::waiting::Waiting;
use crate::execute::work::Work;
use crate::execute::{Await, HeldUp, Outcome, Perform, PlanId, ScriptTexts};
use crate::fault::Fault;
use crate::names::LogPath;
use crate::plan::Plan;
use crate::plan::step::{Action, Expect, Scope, ScriptCall, Step};
use crate::system::census::Census;
use crate::system::{Dirs, stop};

/// Carries plans out.
pub struct Live {
    pub(super) dirs: Rc<RefCell<Dirs>>,
    /// Who has what open.
    pub(super) census: RefCell<Census>,
    pub(super) scripts: Rc<dyn ScriptTexts>,
    pub(super) log: Log,
    pub(super) promised: BTreeMap<u64, Work>,
    pub(super) under_way: UnderWay,
    pub(super) moves: Moves,
    /// What later runs are to try again.
    pub(super) waiting: Waiting,
    /// The logs of plans that were interrupted, or have a copy to make, and are another configuration's: its
    /// file.
    pub(super) left_alone: HashMap<LogPath, PathBuf>,
    /// Numbers plans where there is no journal to do it.
    next: u64,
}

/// The journal, if there is one.
pub(super) struct Log {
    pub(super) journal: Option<Journal>,
    /// Its trouble was told.
    told: bool,
}

impl Log {
    /// Notes progress. If that is impossible the run goes on: the steps are such that they can be
    /// done again, so it matters only if this run dies too.
    pub(super) fn note(&mut self, line: &Line<'_>, observer: &mut dyn Observer) {
        let Some(journal) = &mut self.journal else { return };
        let written = match line {
            Line::Closed { plan } => journal.close(*plan),
            other => journal.write(other),
        };
        self.tell(written, observer);
    }

    /// Notes what the disk shows as well; it is written with what follows.
    pub(super) fn note_later(&mut self, line: &Line<'_>, observer: &mut dyn Observer) {
        let Some(journal) = &mut self.journal else { return };
        let kept = journal.write_later(line);
        self.tell(kept, observer);
    }

    /// Writes what was to be written later.
    pub(super) fn flush(&mut self, observer: &mut dyn Observer) {
        let Some(journal) = &mut self.journal else { return };
        let written = journal.flush();
        self.tell(written, observer);
    }

    /// Puts the plans on disk, and how far they have come.
    pub(super) fn sync(&mut self, observer: &mut dyn Observer) {
        let Some(journal) = &mut self.journal else { return };
        let synced = journal.flush().and_then(|()| journal.sync());
        self.tell(synced, observer);
    }

    /// Whether there is one.
    pub(super) fn is_kept(&self) -> bool {
        self.journal.is_some()
    }

    /// Leaves a plan to a later run.
    pub(super) fn keep(&mut self, plan: u64, work: Work) {
        if let Some(journal) = &mut self.journal {
            journal.keep(plan, work);
        }
    }

    fn tell(&mut self, done: Result<(), Fault>, observer: &mut dyn Observer) {
        if let Err(fault) = done
            && !self.told
        {
            self.told = true;
            observer.observe(&Event::Warning(&fault.in_one_line()));
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
        let promised = BTreeMap::new();
        let (under_way, moves) = (UnderWay::default(), Moves::default());
        let (census, waiting) = (RefCell::default(), Waiting::default());
        let left_alone = HashMap::new();
        Self {
            dirs,
            census,
            scripts,
            log,
            promised,
            under_way,
            moves,
            waiting,
            left_alone,
            next: 1,
        }
    }

    /// The steps of a plan up to its rest, one after the other; then its rest, as far as it need not wait.
    pub(super) fn begin(
        &mut self,
        id: u64,
        mut work: Work,
        observer: &mut dyn Observer,
    ) -> Outcome {
        let rest = work.rest();
        for index in 0..rest {
            // A resumed plan goes on where it was.
            if work.results.get(index).is_some_and(Option::is_none)
                && !self.step(id, &mut work, index, observer)
            {
                return self.close(id, &work, 0, observer);
            }
        }
        if work.plan.steps.iter().any(|step| runs_script(&step.action)) {
            let mut dirs = self.dirs.borrow_mut();
            for dir in &work.plan.directories {
                dirs.forget(&dir.0);
            }
        }
        let mut left = Vec::new();
        for steps in work.lanes() {
            let mut lane = Lane { plan: id, next: steps.start, end: steps.end };
            if let Some(wait) = self.advance(&mut lane, &mut work, Patience::Alone, observer)
                && wait != Wait::End
            {
                left.push((lane, wait));
            }
        }
        if left.is_empty() {
            return self.close(id, &work, 0, observer);
        }
        let outcome = work.outcome_of(0..rest);
        self.under_way.add(id, work, left);
        outcome
    }

    /// All steps of a plan have ended, or are left to the next run; gives what became of those from
    /// `first` on. A plan with a failed step is closed too: the next run looks at the disk and plans anew.
    pub(super) fn close(
        &mut self,
        id: u64,
        work: &Work,
        first: usize,
        observer: &mut dyn Observer,
    ) -> Outcome {
        let outcome = work.outcome_of(first..work.results.len());
        let Some(left) = work.results.iter().position(Option::is_none) else {
            self.log.note(&Line::Closed { plan: id }, observer);
            self.waiting.add(work);
            return outcome;
        };
        if self.log.journal.is_some() && !work.plan.logs.is_empty() {
            let logs: Vec<String> = work.plan.logs.iter().map(ToString::to_string).collect();
            let (logs, step, all) = (logs.join(", "), left + 1, work.plan.steps.len());
            let note = format!("{logs} is left to the next run at step {step} of {all}");
            observer.observe(&Event::Note(&note));
        }
        Outcome { failed: true, ..outcome }
    }
}

/// The removals of a plan that nothing has to precede: those of one old version each, which nobody
/// mails and no script objects to.
fn removals(plan: &Plan) -> Vec<Step> {
    let alone = |step: &&Step| {
        let removes = matches!(step.action, Action::Remove { pre_remove: None, .. });
        let known = matches!(step.expect, Expect::Present(_));
        let first = plan.steps.iter().find(|other| other.scope == step.scope);
        let version = matches!(step.scope, Scope::Version(..));
        removes && known && version && first == Some(*step)
    };
    plan.steps.iter().filter(alone).cloned().collect()
}

/// Whether a step runs a script, which may have replaced directories on purpose.
fn runs_script(action: &Action) -> bool {
    matches!(action, Action::Script(_) | Action::Remove { pre_remove: Some(_), .. })
}

impl Perform for Live {
    fn promise(&mut self, plan: Rc<Plan>) -> Result<PlanId, Fault> {
        let id = match &mut self.log.journal {
            Some(journal) => journal.promise(&plan)?,
            None => self.next,
        };
        self.next = id + 1;
        self.promised.insert(id, Work::new(plan));
        Ok(PlanId(id))
    }

    fn make_room(&mut self, plan: &Plan, observer: &mut dyn Observer) -> bool {
        let steps = removals(plan);
        let plan = Plan { steps, records: Vec::new(), rest: None, ..plan.clone() };
        if plan.steps.is_empty() {
            return false;
        }
        self.settle_moves(observer);
        let journal = self.log.journal.take();
        let mut work = Work::new(plan);
        for index in 0..work.plan.steps.len() {
            self.step(0, &mut work, index, observer);
        }
        self.log.journal = journal;
        work.results.contains(&Some(StepResult::Done))
    }

    fn carry_out(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome {
        let PlanId(id) = id;
        let Some(work) = self.promised.remove(&id) else { return Outcome::default() };
        if work.plan.closing {
            self.wait_for_all(observer);
        } else {
            self.settle_moves(observer);
            self.proceed(observer);
        }
        self.begin(id, work, observer)
    }

    fn carry_out_with_others(&mut self, id: PlanId, observer: &mut dyn Observer) -> Outcome {
        match self.rename_ahead(&id, observer) {
            Some(expected) => expected,
            None => self.carry_out(id, observer),
        }
    }

    fn carry_out_unwritten(&mut self, plan: Rc<Plan>, observer: &mut dyn Observer) -> Outcome {
        // What the journal knows of is noted there to its end.
        self.wait_for_all(observer);
        let journal = self.log.journal.take();
        let id = self.next;
        self.next += 1;
        self.promised.insert(id, Work::new(plan));
        let outcome = self.carry_out(PlanId(id), observer);
        self.wait_for_all(observer);
        self.log.journal = journal;
        outcome
    }

    fn ended(&mut self, awaited: Await, observer: &mut dyn Observer) -> Vec<(Rc<Plan>, Outcome)> {
        match awaited {
            Await::Nothing => {
                self.take_moves(observer);
            }
            Await::Beginnings => self.settle_moves(observer),
            Await::All => self.wait_for_all(observer),
        }
        std::mem::take(&mut self.under_way.ended)
    }

    fn is_under_way(&self, path: &Path) -> bool {
        self.under_way.has(path)
    }

    fn held_up(&self, log: &LogPath) -> Option<HeldUp> {
        if let Some(file) = self.left_alone.get(log) {
            return Some(HeldUp::Configuration(file.clone()));
        }
        self.waiting.awaits_copy(log, &self.dirs).then_some(HeldUp::Copy)
    }

    fn script(&mut self, call: &ScriptCall, observer: &mut dyn Observer) -> Result<(), Fault> {
        self.settle_moves(observer);
        self.log.flush(observer);
        match script::run(call, &*self.scripts, observer) {
            Ok(_) => Ok(()),
            Err(fault) => {
                observer.observe(&Event::Error(&fault));
                Err(fault)
            }
        }
    }

    fn halted(&self) -> Option<&'static str> {
        stop::requested()
    }
}
