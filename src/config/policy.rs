//! What a block asks for: the settings, grouped as the manual groups them.
//!
//! A block starts as a copy of the global settings (compat CFG-40). Groups are shared until one of
//! their settings is changed, so that thirty thousand blocks cost little.

mod compression;
mod criteria;
mod scripts;
mod signal;

use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use compression::{COMPRESS_COMMAND, Compression, Effort, Mail, Packer, UNCOMPRESS_COMMAND};
pub use criteria::{Criteria, Interval, SlotLength, Trigger};
pub use scripts::{ScriptKind, Scripts};
pub use signal::{SignalTo, Signalled};

use crate::source::{Rare, Setting, SourceText, Span};
use crate::units::{Days, Identity, KeepCount, Mode};

/// A log file definition: patterns, settings, and where they stand.
#[derive(Debug, Clone)]
pub struct LogBlock {
    /// The patterns, one a word of the list, quotes removed.
    pub patterns: Vec<Setting<SourceText>>,
    /// The raw text of the list (trailing blanks cut, comment lines removed): what scripts get as
    /// argument and messages show (compat SCR-2, CFG-22).
    pub pattern_text: SourceText,
    /// The settings in force at the closing brace.
    pub policy: Policy,
    /// `ignoreduplicates` as it was when the list was read, for duplicates inside one list (compat
    /// CFG-30).
    pub ignore_duplicates_in_list: bool,
    /// From the first pattern to the closing brace.
    pub span: Span,
}

impl LogBlock {
    /// The directory that relative names are matched in: the include directory being read, or
    /// `None` for the start directory (compat CFG-24).
    pub fn base_dir(&self) -> Option<&Path> {
        self.span.file.dir()
    }

    /// The file that holds the block, valid from the start directory: the same in every run with the
    /// same arguments.
    pub fn file(&self) -> PathBuf {
        self.span.file.path()
    }
}

/// All settings of a block.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// When a log is due.
    pub criteria: Rc<Criteria>,
    /// Which logs are considered at all.
    pub selection: Rc<Selection>,
    /// How the log's content gets away from it.
    pub method: Rc<MethodSettings>,
    /// How old versions are named, and where they go.
    pub naming: Rc<Naming>,
    /// How many old versions are kept, and how long.
    pub retention: Rc<Retention>,
    /// The new log.
    pub create: Rc<Create>,
    /// How old versions are compressed.
    pub compression: Rc<Compression>,
    /// Who gets old versions by mail.
    pub mail: Rc<Mail>,
    /// The five scripts, and whether they are shared.
    pub scripts: Rc<Scripts>,
    /// Who is sent a signal after the logs have moved.
    pub signal: Option<Rc<SignalTo>>,
    /// What becomes of a rotated log that is still written.
    pub writers: Writers,
    /// How what is kept no longer goes.
    pub removal: Removal,
    /// Whose ids look at the logs and rotate them (`su`).
    pub rotate_as: RotateAs,
}

/// How what is kept no longer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removal {
    /// `shred`: it is overwritten first.
    pub shred: bool,
    /// `shredcycles`: how often; 0 leaves it to `shred`.
    pub cycles: u32,
}

/// Whose ids rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RotateAs {
    /// Those of whoever started the program.
    #[default]
    Invoker,
    /// `su USER GROUP`.
    User(Identity),
    /// `su auto`: owner and group of the directory that holds the log.
    DirectoryOwner,
}

/// `writers`: what is done with a rotated log that a process still has open for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// `wait DURATION`, in milliseconds: asked again for so long; then what would lose lines is
    /// postponed.
    Wait(u32),
    /// `ignore`: as if nobody wrote.
    Ignore,
    /// `error`: postponed at once, with an error.
    Error,
}

impl Default for Writers {
    /// A second: most daemons have opened their new log long before.
    fn default() -> Self {
        Self::Wait(1000)
    }
}

/// Which logs are considered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// `missingok`.
    pub missing_ok: bool,
    /// `notifempty`.
    pub skip_empty: bool,
    /// `ignoreduplicates`.
    pub ignore_duplicates: bool,
    /// `allowhardlink`.
    pub allow_hard_links: bool,
}

/// How the content leaves the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The log is renamed.
    #[default]
    Move,
    /// `copy`: the log is copied and stays as it is.
    Copy,
    /// `copytruncate`: the log is copied, then emptied in place.
    CopyTruncate,
    /// `renamecopy`: the log is renamed in its own directory, and copied from there after `postrotate`.
    RenameCopy,
}

/// The switches behind [`Method`], kept apart because each has its own negation (compat 2.8).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodSettings {
    /// `copy`.
    pub copy: bool,
    /// `copytruncate`; it takes `renamecopy` back.
    pub copy_truncate: bool,
    /// `renamecopy`; it takes `copytruncate` back.
    pub rename_copy: bool,
}

impl MethodSettings {
    /// The method in force: `copytruncate` wins over `copy` (compat ROT-54), and so does `renamecopy`
    /// (fixes B-20).
    pub fn method(&self) -> Method {
        match (self.copy_truncate, self.rename_copy, self.copy) {
            (true, _, _) => Method::CopyTruncate,
            (false, true, _) => Method::RenameCopy,
            (false, false, true) => Method::Copy,
            (false, false, false) => Method::Move,
        }
    }
}

/// How old versions are named, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// `start`: the lowest slot.
    pub start: u32,
    /// `dateext`.
    pub dated: bool,
    /// `dateformat`, leading blanks dropped.
    pub date_format: Option<Setting<Vec<u8>>>,
    /// `dateyesterday`.
    pub yesterday: bool,
    /// `datehourago`.
    pub hour_ago: bool,
    /// `extension`: a suffix that is moved behind the number or date.
    pub extension: Option<Vec<u8>>,
    /// `addextension`: a suffix that is put behind the number or date.
    pub add_extension: Option<Vec<u8>>,
    /// `olddir`: absolute, or relative to the log's directory.
    pub old_dir: Option<Setting<PathBuf>>,
    /// `createolddir`: whether a missing `olddir` is made, and how.
    pub create_old_dir: Create,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            start: 1,
            dated: false,
            date_format: None,
            yesterday: false,
            hour_ago: false,
            extension: None,
            add_extension: None,
            old_dir: None,
            create_old_dir: Create::default(),
        }
    }
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// `rotate N`.
    pub count: Setting<KeepCount>,
    /// `maxage`: `None` or 0: off.
    pub max_age: Rare<Days>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { count: Setting::default(KeepCount::Last(0)), max_age: None }
    }
}

/// `create` and `nocreate`, `createolddir` and `nocreateolddir`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Create {
    /// Whether a new log (a missing directory) is made.
    pub enabled: bool,
    /// Its mode, or the old log's; the negation keeps the value (compat 2.8).
    pub mode: Option<Mode>,
    /// Its owner, or the old log's.
    pub uid: Option<u32>,
    /// Its group, or the old log's.
    pub gid: Option<u32>,
}

impl Create {
    /// Switches it on; what is not given keeps its value (compat CFG-91).
    pub fn set(&mut self, mode: Option<Mode>, owner: Option<(u32, u32)>) {
        self.enabled = true;
        self.mode = mode.or(self.mode);
        if let Some((uid, gid)) = owner {
            (self.uid, self.gid) = (Some(uid), Some(gid));
        }
    }
}
