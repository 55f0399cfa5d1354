//! What a run knows of the world besides its configuration: directories, time, and options.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::clock::{LocalTime, Zone};
use crate::config::policy::Policy;
use crate::event::StepResult;
use crate::execute::Outcome;
use crate::facts::{FileFacts, FileKind, Room};
use crate::fault::Fault;
use crate::names::{FileName, LogPath, Shown, Slot};
use crate::plan::date::{self, DateSuffix};
use crate::plan::naming::Stem;
use crate::plan::step::Archive;
use crate::plan::{Action, Place, Plan, Subject};
use crate::schedule::{self, Decision, Question};
use crate::state::State;
use crate::survey;
use crate::survey::index::{Index, Listing};
use crate::survey::matching::MatchedLog;
use crate::survey::old_dir::{missing_dirs, version_dir};
use crate::survey::rotated;
use crate::system::Words;
use crate::system::{Dirs, Errno, OpenError, file_system};
use crate::units::Identity;

use super::su;

/// The world of one run.
pub struct World<'a> {
    /// The directories in use, shared with whoever carries plans out.
    pub dirs: Rc<RefCell<Dirs>>,
    /// Their listings.
    pub index: RefCell<Index>,
    /// The local calendar.
    pub zone: &'a dyn Zone,
    /// The time of the run.
    pub now: LocalTime,
    /// `-f`.
    pub forced: bool,
    /// The program that mails (`-m`), for a plan.
    pub mail_program: &'a dyn Fn() -> &'a Path,
    /// Whether directories that others may write are refused (compat RD-2: root only).
    pub check_parents: bool,
}

impl World<'_> {
    /// Decides about a log, and keeps the state's account of it (compat RD-4, RD-24, RD-25).
    pub(super) fn decide(
        &mut self,
        matched: &MatchedLog,
        policy: &Policy,
        identity: Option<Identity>,
        state: &mut State,
    ) -> Decision {
        let log = &matched.path;
        let facts = survey::log_facts(&mut self.dirs.borrow_mut(), log);
        let is_there = matches!(facts.file, Ok(Some(_)));
        let decision = schedule::decide(&Question {
            log,
            facts: &facts,
            criteria: &policy.criteria,
            selection: &policy.selection,
            checks_parent: self.check_parents && su::checks_parent(policy, identity),
            last: state.get(log.as_path(), self.zone),
            now: self.now,
            forced: self.forced,
            zone: self.zone,
        });
        // A wildcard that matched nothing is no log, and gets no entry (fixes B-47); unless a log has
        // this very name, as `a[1].log` may.
        let is_log = is_there || !matched.from_wildcard_without_match;
        if let Some(stamp) = decision.first_seen.filter(|_| is_log) {
            state.set(log.as_path(), stamp);
        }
        if is_there {
            state.mark_used(log.as_path());
        }
        decision
    }

    /// The date suffix, which may fail for every rotation (compat 5.3, 2.8).
    pub(super) fn date(&self, policy: &Policy) -> Result<DateSuffix, Fault> {
        date::suffix(&policy.naming, policy.criteria.trigger.value, self.now, self.zone)
    }

    /// Looks at a log that is due, and at its old versions, as they are now.
    pub(super) fn subject(
        &self,
        log: &LogPath,
        policy: &Policy,
        date: &DateSuffix,
    ) -> Result<Subject, Fault> {
        let mut dirs = self.dirs.borrow_mut();
        let facts = check_again(&mut dirs, log, policy)?;
        let old_dir = version_dir(policy, log);
        let unusable = |cause: &OpenError| {
            Fault::new(format!("error opening directory {}: {cause}", Shown::path(&old_dir)))
        };
        let dir = match dirs.open(&old_dir) {
            Err(OpenError::Missing) if policy.naming.create_old_dir.enabled => {
                let missing_dirs = missing_dirs(&old_dir, &mut dirs);
                return Ok(Subject {
                    log: log.clone(),
                    facts,
                    missing_dirs: missing_dirs.map_err(|cause| unusable(&cause))?,
                    old_dir,
                    versions: Vec::new(),
                    occupied: Vec::new(),
                });
            }
            other => other.map_err(|cause| unusable(&cause))?,
        };
        let stem = Stem::of(log.name(), &policy.naming);
        let date_length = |rest: &[u8]| date.parse(rest).map(|d| d.length);
        let names = rotated::VersionNames {
            base: &stem.base,
            extension: &stem.extension,
            ending: &policy.compression.extension,
            naming: if policy.naming.dated {
                rotated::VersionNaming::Dated(&date_length)
            } else {
                rotated::VersionNaming::Numbered { start: Slot(policy.naming.start) }
            },
        };
        let mut index = self.index.borrow_mut();
        let listing = index.names(&old_dir, &mut dirs).map_err(|cause| unusable(&cause))?;
        let versions = rotated::old_versions(&dir, listing, &names).map_err(|cause| {
            Fault::new(format!("cannot look at the old versions of {log}: {cause}"))
        })?;
        let rotated::OldVersions { files: versions, occupied, .. } = versions;
        let missing_dirs = Vec::new();
        Ok(Subject { log: log.clone(), facts, old_dir, missing_dirs, versions, occupied })
    }

    /// Whether a name in a directory is in use.
    pub(super) fn taken(&self, dir: &Path, name: &FileName) -> bool {
        let mut dirs = self.dirs.borrow_mut();
        // The listing is kept current; should somebody else take the name meanwhile, the step fails.
        if let Ok(Listing::Names(names)) = self.index.borrow_mut().names(dir, &mut dirs) {
            return names.has(name.as_bytes());
        }
        match dirs.open(dir) {
            Ok(dir) => !matches!(dir.facts(name), Ok(None)),
            Err(OpenError::Missing) => false,
            // What cannot be looked at is left alone.
            Err(_) => true,
        }
    }

    /// What is left of the file system of a directory; `None` if it does not say.
    pub(super) fn room(&self, dir: &Path) -> Option<Room> {
        file_system::free(&*self.dirs.borrow_mut().open(dir).ok()?).ok()
    }

    /// Scripts may have changed anything.
    pub(super) fn forget(&self) {
        self.index.borrow_mut().script_ran();
        self.dirs.borrow_mut().forget_all();
    }

    /// Keeps the listings in step with what a plan did.
    pub(super) fn follow(&self, plan: &Plan, outcome: &Outcome) {
        let mut index = self.index.borrow_mut();
        for (step, result) in plan.steps.iter().zip(&outcome.results) {
            let done = matches!(result, StepResult::Done | StepResult::AlreadyDone);
            let mut moved = |from: Option<&Place>, to: Option<&Place>| {
                for place in from.into_iter().chain(to) {
                    if !done {
                        index.forget(plan.directory(place));
                    }
                }
                if let Some(from) = from.filter(|_| done) {
                    index.removed(plan.directory(from), &from.name);
                }
                if let Some(to) = to.filter(|_| *result == StepResult::Done) {
                    index.added(plan.directory(to), &to.name);
                }
            };
            match &step.action {
                Action::Rename { from, to } => moved(Some(from), Some(to)),
                Action::Create { temp, .. }
                | Action::Copy { temp, .. }
                | Action::Compress { temp, .. } => {
                    moved(None, Some(temp));
                }
                Action::Install { temp, log: to } | Action::Publish { temp, to } => {
                    moved(Some(temp), Some(to));
                }
                Action::MakeDir { dir, .. } => moved(None, Some(dir)),
                Action::Remove { file, pre_remove, .. } => {
                    moved(Some(file), None);
                    if pre_remove.is_some() {
                        index.script_ran();
                    }
                }
                Action::Cut { archive, .. } => {
                    if let Some(Archive { temp, to }) = archive {
                        moved(Some(temp), Some(to));
                    }
                }
                Action::Mail { .. } | Action::Signal(_) => {}
                Action::Script(_) => index.script_ran(),
            }
        }
    }
}

/// A script may have run since the decision: the log must still be one to rotate.
fn check_again(dirs: &mut Dirs, log: &LogPath, policy: &Policy) -> Result<FileFacts, Fault> {
    let facts = survey::log_facts(dirs, log);
    let failed = |cause: &str| Fault::new(format!("stat of {log} failed: {cause}"));
    let file = facts.file.map_err(|cause| failed(&cause))?;
    let file = file.ok_or_else(|| failed(&Errno::ENOENT.words()))?;
    if file.kind != FileKind::Regular || (file.links > 1 && !policy.selection.allow_hard_links) {
        return Err(Fault::new(format!(
            "cannot rotate {log}: it is no longer a regular file with one name"
        )));
    }
    Ok(file)
}
