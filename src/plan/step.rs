//! The plan as data: immutable, serialisable, the same for a dry run, a real run and a resume. What a
//! step does is in [`action`](super::action).

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

pub use super::action::{
    Action, Archive, Attributes, Compressor, DirAttributes, Effort, Recipient, ScriptCall,
    ScriptKind, ScriptRef, Shred, SignalCall,
};
use crate::clock::LocalTime;
use crate::names::{AnyPath, FileName, LogPath};
use crate::units::{FileId, Identity};

/// What is to be done to the logs of one block (with `sharedscripts`) or to one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The block that it comes from; resume finds today's scripts by it.
    pub block: BlockKey,
    /// The time of the run that made it.
    pub now: LocalTime,
    /// Whose ids carry it out (`su`); `None`: those of whoever started the program. Scripts always
    /// run with the latter (compat SCR-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The directories that steps refer to.
    pub directories: Vec<AnyPath>,
    /// The logs that steps refer to.
    pub logs: Vec<LogPath>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Which logs get their new time in the state, and when.
    pub records: Vec<Record>,
    /// A closing plan (`lastaction`) is written down when its block begins and carried out after
    /// all other plans of the block.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closing: bool,
    /// From this step on nothing is left but what follows from the rotation of each log, in a row for each,
    /// without a script or a mail: it may be done while other logs are seen to. `None`: there is no such part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<u32>,
}

/// Whether a journal may leave a value out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Plan {
    /// The directory of a place.
    pub fn directory(&self, place: &Place) -> &std::path::Path {
        self.directories.get(place.dir.0 as usize).map_or(std::path::Path::new("."), |d| &d.0)
    }

    /// Whether all that it does to a log's content is to let it go (`rotate 0`), with nobody to ask or to give
    /// it to: then it needs no room. A crash in the middle may leave a version, but loses nothing that was to
    /// be kept.
    pub fn only_frees(&self) -> bool {
        let keeps = |step: &Step| {
            let asks = matches!(step.action, Action::Remove { pre_remove: Some(_), .. });
            let gives = matches!(
                step.action,
                Action::Copy { .. } | Action::Compress { .. } | Action::Mail { .. }
            );
            asks || gives
        };
        let rotated = self.steps.iter().filter_map(|step| match &step.action {
            Action::Rename { to, .. } if step.why == Why::Rotation => Some(to),
            _ => None,
        });
        let goes = |rotated: &Place| {
            let removed = |step: &Step| matches!(&step.action, Action::Remove { file, .. } if file == rotated);
            self.steps.iter().any(removed)
        };
        let emptied = |step: &Step| matches!(step.action, Action::Cut { archive: None, .. });
        let mut rotated = rotated.peekable();
        (rotated.peek().is_some() || self.steps.iter().any(emptied))
            && rotated.all(goes)
            && !self.steps.iter().any(keeps)
    }

    /// Makes it a plan of another block, whose scripts it runs from then on.
    pub fn belong_to(&mut self, block: &BlockKey) {
        self.block.clone_from(block);
        for script in self.steps.iter_mut().filter_map(|step| step.action.script_mut()) {
            script.block.clone_from(block);
        }
    }

    /// The whole path of a place, for messages and arguments.
    pub fn path(&self, place: &Place) -> PathBuf {
        let dir = self.directory(place);
        if dir.as_os_str() == "." {
            PathBuf::from(place.name.as_os_str())
        } else {
            dir.join(&place.name)
        }
    }
}

/// Names a block across runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlockKey {
    /// The configuration file; its absolute path.
    pub file: AnyPath,
    /// The raw text of the pattern list.
    pub pattern: AnyPath,
}

/// Index into [`Plan::directories`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DirIndex(pub u32);

/// A name in one of the plan's directories; written as `[DIRECTORY, NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "(DirIndex, FileName)")]
pub struct Place {
    /// The directory.
    pub dir: DirIndex,
    /// The name.
    pub name: FileName,
}

impl From<(DirIndex, FileName)> for Place {
    fn from((dir, name): (DirIndex, FileName)) -> Self {
        Self { dir, name }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.dir, &self.name).serialize(serializer)
    }
}

/// One change of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What the step must find.
    pub expect: Expect,
    /// What else is cancelled if it fails.
    pub scope: Scope,
    /// Why it is there.
    pub why: Why,
    /// What else must hold before it is done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub guard: Guard,
}

impl Step {
    /// Which file it leaves under its target name, if nothing else is said: a file that is renamed stays
    /// the same file, on nearly every file system.
    pub fn leaves(&self) -> Option<FileId> {
        match (&self.action, self.expect) {
            (Action::Rename { .. }, Expect::Present(id)) => Some(id),
            _ => None,
        }
    }
}

/// What must hold before a step is done, besides what it must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Guard {
    /// Nothing.
    #[default]
    None,
    /// Nobody has the file open for writing; else the step is postponed.
    NotWritten {
        /// How long it is asked again, in milliseconds.
        wait: u32,
        /// Whether it is an error if somebody has.
        error: bool,
    },
}

/// What a step must find at its source, or it fails without a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// The file that the survey saw.
    Present(FileId),
    /// What an earlier step of this plan made, if it did: when it is absent there is nothing to do.
    IfThere,
    /// The file that the survey saw, if an earlier step has left it there: when it is absent there is
    /// nothing to do. A run that repeats the plan may meet the next version under that name.
    Left(FileId),
    /// What an earlier step of this plan made.
    Made,
    /// Nothing: the step makes its target, which must not exist.
    Absent,
    /// The step does not look at a file (scripts).
    Nothing,
}

impl Expect {
    /// The same file, if earlier steps have left it there.
    #[must_use]
    pub fn if_left(self) -> Self {
        match self {
            Self::Present(id) | Self::Left(id) => Self::Left(id),
            Self::IfThere | Self::Made | Self::Absent | Self::Nothing => Self::IfThere,
        }
    }
}

/// What a failure takes with it: every later step whose scope lies within the failed step's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole plan.
    Block,
    /// The steps of one log, by its index in [`Plan::logs`], its versions included.
    Log(u32),
    /// The steps of one old version: its log's index and a number of its own. Its failure cancels
    /// nothing else.
    Version(u32, u32),
}

impl Scope {
    /// Whether a failure in `self` cancels a later step in `other`.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Block, _) => true,
            (Self::Log(a), Self::Log(b) | Self::Version(b, _)) => a == b,
            (Self::Version(..), _) => self == other,
            (Self::Log(_), Self::Block) => false,
        }
    }
}

/// Why a step is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The log is rotated.
    Rotation,
    /// An old version makes room for a newer one. The numbers are those of the reference's message
    /// (compat ROT-41).
    Shift {
        /// `rotate`; -1 for all.
        count: i64,
        /// `start`.
        start: u32,
        /// The slot that it leaves.
        slot: u32,
    },
    /// A second file in one slot, or a file in the way, is kept under another name.
    SetAside,
    /// More old versions than `rotate` keeps.
    Count,
    /// Older than `maxage`.
    Age {
        /// The age in whole days.
        days: i64,
    },
    /// `rotate 0`: the rotated log itself goes.
    KeepNone,
    /// `compress`.
    Compression,
    /// `compress` with `delaycompress`: the version of the last time.
    DelayedCompression,
    /// The uncompressed file whose compressed form is complete.
    Compressed,
    /// `createolddir`.
    NewDirectory,
    /// `create`.
    NewLog,
    /// `renamecopy`: the log was moved aside and is copied from there. If that is impossible it waits,
    /// since the moved log is the only one.
    Parked,
    /// A script is set.
    Script,
    /// `signal`.
    Signal,
    /// `mail`.
    Mail,
}

impl Why {
    /// Whether a file that is removed for this reason has a successor: what was made from it, which must be
    /// safe before it goes.
    pub fn has_successor(self) -> bool {
        matches!(self, Self::Compressed | Self::Parked)
    }
}

/// A log's new time in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The log.
    pub log: LogPath,
    /// Its new time.
    pub time: LocalTime,
    /// The step (by index) after which it holds, whatever fails later; `None`: at once.
    pub after: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_version_cancels_nothing_but_itself() {
        let version = Scope::Version(0, 3);
        assert!(version.covers(version));
        for other in [Scope::Block, Scope::Log(0), Scope::Version(0, 4), Scope::Version(1, 3)] {
            assert!(!version.covers(other), "{other:?}");
        }
    }

    #[test]
    fn a_failed_log_cancels_its_own_steps_only() {
        assert!(Scope::Log(1).covers(Scope::Log(1)));
        assert!(Scope::Log(1).covers(Scope::Version(1, 0)));
        assert!(!Scope::Log(1).covers(Scope::Log(2)));
        assert!(!Scope::Log(1).covers(Scope::Block));
        assert!(Scope::Block.covers(Scope::Log(2)));
    }
}
