//! What goes on while other logs are seen to: compressions, and steps that wait for a writer.
//!
//! A plan is carried out in place up to its rest ([`Plan::rest`](crate::plan::Plan)), so that all
//! scripts and moves keep their order. The rest is split into lanes, one for each log. A lane's steps are done
//! in their order, by the main thread, like any others; but where one would have to wait (for a thread, for
//! what a thread makes, for a writer), the lane is put here, and the next plan begins. Whenever the main
//! thread comes by, lanes that need not wait any more go on. Before a block's `lastaction`, before a log is
//! planned that a lane still has a file of, and at the end of the run, all are waited for. (A plan
//! that is nothing but renames may be on its way too: see [`moving`](super::moving).)
//!
//! # Why a kill does no harm
//!
//! Whatever the order in which the lanes of several plans come to their turn, the disk goes through
//! nothing that a run without overlap could not have left:
//!
//! - Threads only fill files that have a temporary name. Such a file counts for nothing: its step has no
//!   line in the journal before the main thread has found the result good, and a resumed step that finds
//!   the temporary file makes it anew. Everything that gives a name or takes one away is a step of the
//!   main thread, with its lines in the journal, as ever.
//! - A plan that is under way is open in the journal; one that was made later does not touch its files.
//!   So the next run can finish open plans one after the other, in any order between them, and `lastaction`
//!   last.
//! - The records of a plan hold after steps that come before its rest.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hashbrown::HashMap;

use crate::execute::Outcome;
use crate::execute::work::Work;
use crate::execute::writers::Pause;
use crate::plan::Plan;
use crate::system::Stopwatch;
use crate::system::packing::pool::{Ended, Pool};

/// Steps of a plan that are done one after the other.
#[derive(Debug)]
pub(super) struct Lane {
    pub plan: u64,
    /// The next step.
    pub next: usize,
    /// Behind the last one.
    pub end: usize,
}

/// What a lane waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// A thread.
    Room,
    /// What a thread makes: the ticket.
    Task(u64),
    /// A writer.
    Writer,
    /// The disk, in company with others.
    Disk,
    /// The next run: we are asked to end.
    End,
}

/// A plan whose rest is under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub work: Work,
    /// How many of its lanes have not ended.
    pub lanes: usize,
}

/// Plans whose rest is under way, and their lanes.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    plans: HashMap<u64, Pending>,
    /// Lanes that wait for a thread, or have not been looked at.
    pub queue: VecDeque<Lane>,
    /// Lanes that wait for a writer.
    asking: Vec<Lane>,
    /// When their writers were asked about, and how long until the next time.
    asked: Option<(Stopwatch, Pause)>,
    /// Lanes that wait for the disk.
    pub syncing: Vec<Lane>,
    /// Lanes that wait for what a thread makes, by ticket.
    running: HashMap<u64, Lane>,
    /// Tasks that ended while somebody waited for another.
    pub arrived: VecDeque<Ended>,
    pub pool: Pool,
    tickets: u64,
    /// What nobody has asked for yet.
    pub ended: Vec<(Rc<Plan>, Outcome)>,
    /// The files that lanes may still touch, with the number of plans that have them.
    names: HashMap<PathBuf, usize>,
}

impl UnderWay {
    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Whether a lane may still touch a file.
    pub fn has(&self, path: &Path) -> bool {
        self.names.contains_key(path)
    }

    /// A number for a task.
    pub fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Takes a plan in, with those of its lanes that remain.
    pub fn add(&mut self, id: u64, work: Work, lanes: Vec<(Lane, Wait)>) {
        for path in names(&work) {
            *self.names.entry(path).or_default() += 1;
        }
        self.plans.insert(id, Pending { work, lanes: lanes.len() });
        for (lane, wait) in lanes {
            self.park(lane, wait);
        }
    }

    /// A plan, and how far it has come.
    pub fn work(&self, id: u64) -> Option<&Work> {
        self.plans.get(&id).map(|pending| &pending.work)
    }

    /// Lends a plan to whoever goes on with a lane.
    pub fn lend(&mut self, id: u64) -> Option<Pending> {
        self.plans.remove(&id)
    }

    /// Takes it back; gives its work if no lane of it is left.
    pub fn give_back(&mut self, id: u64, pending: Pending) -> Option<Work> {
        if pending.lanes > 0 {
            self.plans.insert(id, pending);
            return None;
        }
        for path in names(&pending.work) {
            if let Some(plans) = self.names.get_mut(&path) {
                *plans -= 1;
                if *plans == 0 {
                    self.names.remove(&path);
                }
            }
        }
        Some(pending.work)
    }

    /// Puts a lane where it waits.
    pub fn park(&mut self, lane: Lane, wait: Wait) {
        match wait {
            Wait::Room => self.queue.push_front(lane),
            Wait::Task(ticket) => {
                self.running.insert(ticket, lane);
            }
            Wait::Writer => {
                self.asked.get_or_insert_with(|| (Stopwatch::start(), Pause::FIRST));
                self.asking.push(lane);
            }
            Wait::Disk => self.syncing.push(lane),
            // It is over.
            Wait::End => {}
        }
    }

    /// The lane that has waited for a task.
    pub fn lane_of(&mut self, ticket: u64) -> Option<Lane> {
        self.running.remove(&ticket)
    }

    /// The lanes whose writers are to be asked about again now.
    pub fn take_asking(&mut self) -> Vec<Lane> {
        match self.asked {
            Some((watch, pause)) if watch.elapsed() >= pause.0 => {
                self.asked = None;
                let lanes = std::mem::take(&mut self.asking);
                if !lanes.is_empty() {
                    self.asked = Some((Stopwatch::start(), pause.next()));
                }
                lanes
            }
            _ => Vec::new(),
        }
    }

    /// Waits until something may have changed.
    pub fn pause(&mut self) {
        let pause = match self.asked {
            Some((watch, pause)) if !self.asking.is_empty() => {
                pause.0.saturating_sub(watch.elapsed())
            }
            _ => LONG,
        };
        if self.pool.is_idle() {
            std::thread::sleep(pause.min(Pause::FIRST.0));
        } else {
            self.arrived.extend(self.pool.ended(pause));
        }
    }
}

/// While nobody is asked about, only a thread can bring news.
const LONG: std::time::Duration = std::time::Duration::from_secs(1);

/// The files that the rest of a plan may touch. Spellings of one path compare equal, and its directories
/// are spelled as in the configuration.
fn names(work: &Work) -> Vec<PathBuf> {
    let rest = work.plan.steps.get(work.rest()..).unwrap_or_default();
    let mut names: Vec<PathBuf> = rest
        .iter()
        .flat_map(|step| step.action.places())
        .map(|place| work.plan.path(place))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
