//! A plan in the making: its steps so far, and the directories as those steps leave them.

use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};

use crate::config::policy::Writers;
use crate::names::{AnyPath, FileName, LogPath};

use super::Request;
use super::step::{Action, Archive, DirIndex, Expect, Guard, Place, Record, Scope, Step, Why};

/// Collects steps, and answers which names they leave in use.
pub(super) struct Draft<'a> {
    request: &'a Request<'a>,
    pub(super) directories: Vec<AnyPath>,
    known: HashMap<PathBuf, DirIndex>,
    pub(super) steps: Vec<Step>,
    pub(super) records: Vec<Record>,
    added: HashSet<Place>,
    removed: HashSet<Place>,
    versions: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        Self {
            request,
            directories: Vec::new(),
            known: HashMap::new(),
            steps: Vec::new(),
            records: Vec::new(),
            added: HashSet::new(),
            removed: HashSet::new(),
            versions: 0,
        }
    }

    /// The index of a directory.
    pub(super) fn dir(&mut self, path: &Path) -> DirIndex {
        let number = |count: usize| DirIndex(u32::try_from(count).unwrap_or(u32::MAX));
        // Most plans have one directory. (Spellings of one path that differ are told by the table.)
        if let Some(last) = self.directories.last()
            && last.0.as_os_str() == path.as_os_str()
        {
            return number(self.directories.len() - 1);
        }
        if let Some(&index) = self.known.get(path) {
            return index;
        }
        let index = number(self.directories.len());
        self.directories.push(AnyPath(path.into()));
        self.known.insert(path.into(), index);
        index
    }

    /// Whether a name is in use after the steps so far.
    pub(super) fn taken(&self, place: &Place) -> bool {
        self.added.contains(place)
            || (!self.removed.contains(place)
                && self
                    .directories
                    .get(place.dir.0 as usize)
                    .is_some_and(|dir| (self.request.taken)(&dir.0, &place.name)))
    }

    /// The same, for names in one directory.
    pub(super) fn taken_in(&self, dir: DirIndex) -> impl Fn(&FileName) -> bool + '_ {
        move |name| self.taken(&Place { dir, name: name.clone() })
    }

    /// Whether a step so far takes what has this name, or gives the name to something else.
    pub(super) fn changes(&self, dir: &Path, name: &FileName) -> bool {
        self.known.get(dir).is_some_and(|&dir| {
            let place = Place { dir, name: name.clone() };
            self.added.contains(&place) || self.removed.contains(&place)
        })
    }

    /// A scope of its own for one old version of a log.
    pub(super) fn version_scope(&mut self, log: u32) -> Scope {
        self.versions += 1;
        Scope::Version(log, self.versions)
    }

    /// Adds a step and follows what it does to the names.
    pub(super) fn push(&mut self, action: Action, expect: Expect, scope: Scope, why: Why) {
        match &action {
            Action::Rename { from, to, .. } => {
                self.gone(from);
                self.made(to);
            }
            Action::Create { temp, .. }
            | Action::Copy { temp, .. }
            | Action::Compress { temp, .. } => self.made(temp),
            Action::Install { temp, log: to } | Action::Publish { temp, to } => {
                self.gone(temp);
                self.made(to);
            }
            Action::Remove { file, .. } => self.gone(file),
            Action::MakeDir { dir, .. } => self.made(dir),
            Action::Cut { archive, .. } => {
                if let Some(Archive { temp, to }) = archive {
                    self.gone(temp);
                    self.made(to);
                }
            }
            Action::Mail { .. } | Action::Script(_) | Action::Signal(_) => {}
        }
        let guard = self.guard(&action, why);
        self.steps.push(Step { action, expect, scope, why, guard });
    }

    /// What would take lines from a writer waits for it. A file that goes once its compressed form, or its
    /// copy, is complete was asked about before that was begun: what is written later is not in it.
    fn guard(&self, action: &Action, why: Why) -> Guard {
        let takes = match action {
            Action::Compress { .. } | Action::Mail { .. } => true,
            Action::Copy { .. } => why == Why::Parked,
            Action::Remove { .. } => !why.has_successor(),
            _ => false,
        };
        match self.request.policy.writers {
            Writers::Wait(wait) if takes => Guard::NotWritten { wait, error: false },
            Writers::Error if takes => Guard::NotWritten { wait: 0, error: true },
            _ => Guard::None,
        }
    }

    /// Records a log's new time once the last step so far is done; at once if there is none.
    pub(super) fn record_after_last_step(&mut self, log: &LogPath) {
        let after = self.steps.len().checked_sub(1).and_then(|i| u32::try_from(i).ok());
        self.record(log, after);
    }

    /// Records a log's new time whatever happens.
    pub(super) fn record_at_once(&mut self, log: &LogPath) {
        self.record(log, None);
    }

    fn record(&mut self, log: &LogPath, after: Option<u32>) {
        self.records.push(Record { log: log.clone(), time: self.request.now, after });
    }

    fn made(&mut self, place: &Place) {
        self.removed.remove(place);
        self.added.insert(place.clone());
    }

    fn gone(&mut self, place: &Place) {
        self.added.remove(place);
        self.removed.insert(place.clone());
    }
}
