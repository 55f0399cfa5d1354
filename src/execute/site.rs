//! Where a step works: its plan's directories, and what earlier steps have left there.

use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::event::Postponement;
use crate::facts::{FileFacts, FileKind};
use crate::fault::Fault;
use crate::names::Shown;
use crate::plan::step::{Expect, Place, Plan};
use crate::system::Words;
use crate::system::census::Census;
use crate::system::file::{self, Refused, Renamed, Wanted};
use crate::system::{Dir, Dirs, Errno};
use crate::units::FileId;

/// What a step has to work with.
pub(super) struct Site<'a> {
    pub dirs: &'a RefCell<Dirs>,
    /// Who has what open.
    pub census: &'a RefCell<Census>,
    pub plan: &'a Plan,
    pub made: &'a HashMap<Place, FileId>,
    /// See [`Work::fresh`](super::work::Work::fresh).
    pub fresh: &'a HashSet<Place>,
    /// The index of the step.
    pub at: usize,
    /// The step may have been done already, by a run that died.
    pub resumed: bool,
    /// See [`Work::secured`](super::work::Work::secured).
    pub secured: Option<&'a Result<(), Halt>>,
    /// See [`Work::ahead`](super::work::Work::ahead).
    pub ahead: Option<&'a Renamed>,
}

/// What a step has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// Whether the world was already so.
    pub already: bool,
    /// The file under its target name.
    pub id: Option<FileId>,
}

impl Effect {
    pub fn done(id: Option<FileId>) -> Self {
        Self { already: false, id }
    }

    pub fn already(id: Option<FileId>) -> Self {
        Self { already: true, id }
    }
}

/// Why a step was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// It failed; the next rotation looks at the disk and plans anew.
    Failed(Fault),
    /// It must wait: see [`super::waiting`].
    Postponed(Postponement),
    /// It failed, for a cause that may pass, and its file can wait: it is postponed, and told as an error
    /// by the first run that meets it.
    TryAgain(Fault),
    /// The same, and what earlier steps had made for it had to go: they are postponed with it.
    Undone(Fault),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// What a step did, or why it failed.
pub(super) type Result<T = Effect, E = Fault> = std::result::Result<T, E>;

impl Site<'_> {
    /// The directory of a place.
    pub fn dir(&self, place: &Place) -> Result<Arc<Dir>> {
        let path = self.plan.directory(place);
        self.dirs.borrow_mut().open(path).map_err(|error| {
            Fault::new(format!("cannot open directory {}: {error}", Shown::path(path)))
        })
    }

    /// The path of a place, for messages.
    pub fn shown(&self, place: &Place) -> String {
        Shown::path(&self.plan.path(place)).to_string()
    }

    /// What stands at a place.
    pub fn facts(&self, place: &Place) -> Result<Option<FileFacts>> {
        self.dir(place)?
            .facts(&place.name)
            .map_err(|errno| system(&format!("stat of {} failed", self.shown(place)), errno))
    }

    /// Which file a step must find at a place, as far as it is known.
    pub fn expected(&self, place: &Place, expect: Expect) -> Option<FileId> {
        match expect {
            Expect::Present(id) => Some(id),
            Expect::Left(id) => Some(self.made.get(place).copied().unwrap_or(id)),
            Expect::IfThere | Expect::Made | Expect::Absent | Expect::Nothing => {
                self.made.get(place).copied()
            }
        }
    }

    /// The same, with the rule about hard links.
    pub fn wanted(&self, place: &Place, expect: Expect, hard_links: bool) -> Wanted {
        Wanted { id: self.expected(place, expect), hard_links }
    }

    /// Removes a temporary file that a step has left or that is not wanted any more, if it is a
    /// regular file and, where that is known, the one that this plan has made.
    pub fn discard(&self, temp: &Place) -> Result<()> {
        let dir = self.dir(temp)?;
        let Some(facts) = self.facts(temp)? else { return Ok(()) };
        let ours = self.made.get(temp).is_none_or(|id| id.is(&facts.id));
        if facts.kind != FileKind::Regular || !ours {
            return Err(refused(
                &format!("cannot remove {}", self.shown(temp)),
                if ours { Refused::NotRegular } else { Refused::Another },
            ));
        }
        file::unlink(&dir, &temp.name)
            .map_err(|errno| system(&format!("cannot remove {}", self.shown(temp)), errno))
    }
}

/// `WHAT: CAUSE`.
pub(super) fn system(what: &str, errno: Errno) -> Fault {
    Fault { errno: Some(errno as i32), ..Fault::new(format!("{what}: {}", errno.words())) }
}

/// `WHAT: CAUSE`, for a file that was not taken.
pub(super) fn refused(what: &str, cause: Refused) -> Fault {
    let errno = cause.errno().map(|errno| errno as i32);
    Fault { errno, ..Fault::new(format!("{what}: {cause}")) }
}
