//! Postponed steps: what cannot be done yet, but must not be forgotten.
//!
//! # How to postpone a step
//!
//! Let the effect return [`Halt::Postponed`](super::site::Halt) before it has changed anything. All the
//! rest follows:
//!
//! - Later steps within the scope of the postponed one wait with it, in their order; steps of other
//!   scopes (such as the move to the refuge above the chain) go on.
//! - With [`Postponement::failed`](crate::event::Postponement) the reason is told as an error and the
//!   exit status becomes 1; without it nothing is said here (say it yourself, through the observer).
//! - Where what earlier steps have made for it must not be relied on, remove that, and return
//!   [`Halt::Undone`](super::site::Halt): they are tried again too.
//! - At the end of the run [`Journal::finish`](super::Journal::finish) writes a journal of these steps
//!   alone, each bound to its file by [`FileId`].
//! - Each later run tries them at its start, before anything is decided, and whether or not the log is
//!   due: [`Listings::find_again`] looks where each file is by then, since slots move. A file that is gone needs
//!   nothing any more; a block that is gone from the configuration is a note, and its files stay;
//!   one of a configuration that this run does not read is left alone.
//!
//! Without a journal (`-s /dev/null`) a postponed step is simply not done.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::mem::Discriminant;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use crate::event::StepResult;
use crate::execute::site::Site;
use crate::execute::work::Work;
use crate::names::{FileName, LogPath, Shown};
use crate::plan::Plan;
use crate::plan::step::{Action, Expect, Place, Scope, Step, Why};
use crate::system::Dirs;
use crate::units::FileId;

/// What later runs are to try again.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    plans: Vec<Plan>,
    /// The files that they are about, by inode: each step of a run asks for its own.
    files: HashMap<u64, Vec<FileId>>,
    /// The plans that are to copy what a log was moved to, by index.
    parked: HashMap<LogPath, Vec<usize>>,
}

impl Waiting {
    /// Takes in what was postponed in a plan.
    pub fn add(&mut self, work: &Work) {
        let Some(plan) = left_over(work) else { return };
        for step in &plan.steps {
            if let Expect::Present(id) = step.expect {
                self.files.entry(id.inode).or_default().push(id);
            }
        }
        for (log, _) in parked(&plan) {
            self.parked.entry(log.clone()).or_default().push(self.plans.len());
        }
        self.plans.push(plan);
    }

    /// Whether something waits for the file of a step already.
    pub fn has(&self, site: &Site<'_>, step: &Step) -> bool {
        let id = step.action.source().and_then(|place| site.expected(place, step.expect));
        id.is_some_and(|id| {
            self.files.get(&id.inode).is_some_and(|files| files.iter().any(|file| file.is(&id)))
        })
    }

    /// Whether a log that was moved aside still waits to be copied, and can be. (If another file has taken the
    /// copy's name, somebody has to see to that, and no log need wait for him.)
    pub fn awaits_copy(&self, log: &LogPath, dirs: &RefCell<Dirs>) -> bool {
        let is_free = |plan: &Plan, to: &Place| {
            let dir = dirs.borrow_mut().open(plan.directory(to));
            dir.is_ok_and(|dir| matches!(dir.facts(&to.name), Ok(None)))
        };
        let plans = self.parked.get(log).into_iter().flatten();
        plans
            .filter_map(|&plan| self.plans.get(plan))
            .any(|plan| parked(plan).any(|(parked, to)| parked == log && is_free(plan, to)))
    }

    /// All of it, each thing once.
    pub fn take(&mut self) -> Vec<Plan> {
        self.files.clear();
        self.parked.clear();
        once_each(std::mem::take(&mut self.plans))
    }
}

/// A plan of what was postponed in a plan; `None` if nothing was.
///
/// Each step is bound to the file that it would have taken. One whose file nobody knows is left out:
/// by its name alone it could meet another file later.
fn left_over(work: &Work) -> Option<Plan> {
    let mut steps: Vec<Step> = Vec::new();
    let mut made_here: HashSet<Place> = HashSet::new();
    let sources = undone(work);
    let is_undone = |action: &Action, made_here: &HashSet<Place>| match action {
        Action::Compress { from, temp, .. } | Action::Copy { from, temp, .. } => {
            sources.contains(from) || sources.contains(temp)
        }
        Action::Publish { temp, .. } => !sources.is_empty() && made_here.contains(temp),
        _ => false,
    };
    for (step, result) in work.plan.steps.iter().zip(&work.results) {
        let waits = result.as_ref().is_some_and(|result| result.postponement().is_some());
        if !waits && !is_undone(&step.action, &made_here) {
            continue;
        }
        let mut step = step.clone();
        if let Some(source) = step.action.source()
            && !made_here.contains(source)
            && !matches!(step.expect, Expect::Present(_))
        {
            let Some(&id) = work.made.get(source) else { continue };
            step.expect = Expect::Present(id);
        }
        made_here.extend(target(&step.action).cloned());
        steps.push(step);
    }
    if steps.is_empty() {
        return None;
    }
    Some(Plan { steps, records: Vec::new(), rest: None, ..Plan::clone(&work.plan) })
}

/// The logs that were moved aside and are to be copied, each with the place of the copy.
pub(super) fn parked(plan: &Plan) -> impl Iterator<Item = (&LogPath, &Place)> {
    plan.steps.iter().filter_map(|step| match (&step.action, step.scope) {
        (Action::Copy { to, .. }, Scope::Log(index)) if step.why == Why::Parked => {
            plan.logs.get(index as usize).map(|log| (log, to))
        }
        _ => None,
    })
}

/// The files that stay since what was made from them is gone, and those that are gone, as their
/// steps name them.
fn undone(work: &Work) -> HashSet<&Place> {
    let steps = work.plan.steps.iter().zip(&work.results);
    let undone = steps.filter(|(_, result)| matches!(result, Some(StepResult::Undone(_))));
    undone.filter_map(|(step, _)| step.action.source()).collect()
}

/// What a step leaves for later steps of its plan.
fn target(action: &Action) -> Option<&Place> {
    match action {
        Action::Create { temp, .. } | Action::Copy { temp, .. } | Action::Compress { temp, .. } => {
            Some(temp)
        }
        Action::Rename { to, .. } | Action::Publish { to, .. } => Some(to),
        Action::Install { log, .. } => Some(log),
        Action::Cut { archive, .. } => archive.as_ref().map(|archive| &archive.to),
        Action::Mail { .. }
        | Action::Remove { .. }
        | Action::Script(_)
        | Action::Signal(_)
        | Action::MakeDir { .. } => None,
    }
}

/// Leaves out what waits already: a file that must stay is met by every rotation anew.
fn once_each(plans: Vec<Plan>) -> Vec<Plan> {
    let mut seen: HashSet<(FileId, Discriminant<Action>)> = HashSet::new();
    let mut kept = Vec::new();
    for mut plan in plans {
        // A step that takes what another makes shares its fate.
        let mut is_new = true;
        plan.steps.retain(|step| {
            if let Expect::Present(id) = step.expect {
                is_new = seen.insert((id, std::mem::discriminant(&step.action)));
            }
            is_new
        });
        if !plan.steps.is_empty() {
            kept.push(plan);
        }
    }
    kept
}

/// The names that files have now, by directory and inode. Each directory is listed once for all that waits.
#[derive(Debug, Default)]
pub(super) struct Listings(HashMap<PathBuf, HashMap<u64, Vec<(FileName, FileId)>>>);

impl Listings {
    /// Renames the files of postponed steps to what they are called now. Where a file is gone, or is a log
    /// again, nothing is left to do.
    pub fn find_again(&mut self, work: &mut Work, dirs: &RefCell<Dirs>) {
        // The file of the last step that names one, for the steps that take what that one makes.
        let mut last = Found::Same;
        for index in 0..work.plan.steps.len() {
            if work.results[index].is_some() {
                continue;
            }
            let step = &work.plan.steps[index];
            if let (Expect::Present(id), Some(place)) = (step.expect, step.action.source()) {
                let dir = work.plan.directory(place);
                // With a disk that lost what was not synced, a log may have its old name back.
                let is_log = |name: &FileName| {
                    work.plan.logs.iter().any(|log| log.dir() == dir && log.name() == name)
                };
                last = match self.name(dir, &id, &place.name, dirs) {
                    Some(name) if is_log(&name) => Found::Gone,
                    Some(name) if name == place.name => Found::Same,
                    Some(name) => Found::Renamed(place.clone(), name),
                    None => Found::Gone,
                };
            }
            match &last {
                Found::Same => {}
                Found::Renamed(old, new) => {
                    for place in Rc::make_mut(&mut work.plan).steps[index].action.places_mut() {
                        if place.dir == old.dir
                            && let Some(name) = renamed(&place.name, &old.name, new)
                        {
                            place.name = name;
                        }
                    }
                }
                Found::Gone => work.results[index] = Some(StepResult::AlreadyDone),
            }
        }
    }

    /// What a file is called now, which was called `before`.
    fn name(
        &mut self,
        dir: &Path,
        id: &FileId,
        before: &FileName,
        dirs: &RefCell<Dirs>,
    ) -> Option<FileName> {
        let name = most_alike(self.listed(dir, id, dirs), before)?;
        let held = dirs.borrow_mut().open(dir).ok()?;
        if held.facts(&name).ok().flatten().is_some_and(|there| there.id.is(id)) {
            return Some(name);
        }
        // Something else that has waited has seen to it.
        self.0.remove(dir);
        most_alike(self.listed(dir, id, dirs), before)
    }

    /// All names of a file.
    fn listed(&mut self, dir: &Path, id: &FileId, dirs: &RefCell<Dirs>) -> Vec<&FileName> {
        if !self.0.contains_key(dir) {
            let mut listing: HashMap<u64, Vec<_>> = HashMap::new();
            for (name, id) in list(dir, &mut dirs.borrow_mut()) {
                listing.entry(id.inode).or_default().push((name, id));
            }
            self.0.insert(dir.to_owned(), listing);
        }
        let files = self.0.get(dir).and_then(|listing| listing.get(&id.inode));
        let files = files.into_iter().flatten().filter(|(_, there)| there.is(id));
        files.map(|(name, _)| name).collect()
    }
}

/// The name that is most like the one that a version had: somebody may have linked it to keep it.
fn most_alike(names: Vec<&FileName>, before: &FileName) -> Option<FileName> {
    let likeness = |name: &&FileName| {
        let pairs = name.as_bytes().iter().zip(before.as_bytes());
        let begin = pairs.take_while(|(a, b)| a == b).count();
        // Versions differ in their number or date.
        let form = without_digits(name) == without_digits(before);
        (*name == before, form, begin, Reverse(name.as_bytes().len()))
    };
    names.into_iter().max_by_key(likeness).cloned()
}

fn without_digits(name: &FileName) -> Vec<u8> {
    name.as_bytes().iter().copied().filter(|byte| !byte.is_ascii_digit()).collect()
}

/// Where a file is.
enum Found {
    Same,
    Renamed(Place, FileName),
    Gone,
}

/// The files of a directory; none if it cannot be read.
fn list(path: &Path, dirs: &mut Dirs) -> Vec<(FileName, FileId)> {
    let Ok(dir) = dirs.open(path) else { return Vec::new() };
    let names = dir.names().unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| dir.facts(&name).ok().flatten().map(|facts| (name, facts.id)))
        .collect()
}

/// What `name` becomes if it is `old` or made from it (`old.gz`, the temporary `.old.gz...`).
fn renamed(name: &FileName, old: &FileName, new: &FileName) -> Option<FileName> {
    let bytes = name.as_bytes();
    let (dot, rest) = match bytes.strip_prefix(old.as_bytes()) {
        Some(rest) => (&b""[..], rest),
        None => (&b"."[..], bytes.strip_prefix(b".")?.strip_prefix(old.as_bytes())?),
    };
    FileName::from_bytes(&[dot, new.as_bytes(), rest].concat())
}

/// What is said of a plan whose block is in another configuration.
pub(super) fn kept(plan: &Plan) -> String {
    let (file, pattern) = (Shown::path(&plan.block.file.0), plan.block.pattern.0.to_string_lossy());
    format!(
        "what an earlier run has left of '{pattern}' is kept for a run that reads {file} without an error"
    )
}

/// What is said of postponed steps whose block is gone.
pub(super) fn given_up(plan: &Plan) -> String {
    let pattern = plan.block.pattern.0.to_string_lossy();
    format!(
        "what was postponed for '{pattern}' is given up: it is not in the configuration any more"
    )
}
