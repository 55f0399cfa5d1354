//! What a block asks for: the settings, grouped as the manual groups them.
//!
//! A block starts as a copy of the global settings (compat CFG-40). Groups are shared until one of
//! their settings is changed, so that thirty thousand blocks cost little.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::source::{Setting, Span};
use crate::units::{ByteSize, Days, Identity, KeepCount, Mode};

/// A log file definition: patterns, settings, and where they stand.
#[derive(Debug, Clone)]
pub struct LogBlock {
    /// The patterns, one a word of the list, quotes removed.
    pub patterns: Vec<Setting<Vec<u8>>>,
    /// The raw text of the list (trailing blanks cut, comment lines removed): what scripts get as
    /// argument and messages show (compat SCR-2, CFG-22).
    pub pattern_text: Vec<u8>,
    /// The settings in force at the closing brace.
    pub policy: Policy,
    /// `ignoreduplicates` as it was when the list was read, for duplicates inside one list (compat
    /// CFG-30).
    pub ignore_duplicates_in_list: bool,
    /// From the first pattern to the closing brace.
    pub span: Span,
    /// The directory that relative names are matched in: the include directory being read, or
    /// `None` for the start directory (compat CFG-24).
    pub base_dir: Option<PathBuf>,
    /// The file that holds the block, valid from the start directory: the same in every run with the
    /// same arguments.
    pub file: PathBuf,
}

/// All settings of a block.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// When a log is due.
    pub criteria: Arc<Criteria>,
    /// Which logs are considered at all.
    pub selection: Arc<Selection>,
    /// How the log's content gets away from it.
    pub method: Arc<MethodSettings>,
    /// How old versions are named, and where they go.
    pub naming: Arc<Naming>,
    /// How many old versions are kept, and how long.
    pub retention: Arc<Retention>,
    /// The new log.
    pub create: Arc<Create>,
    /// How old versions are compressed.
    pub compression: Arc<Compression>,
    /// Who gets old versions by mail.
    pub mail: Arc<Mail>,
    /// The five scripts, and whether they are shared.
    pub scripts: Arc<Scripts>,
    /// What becomes of a rotated log that is still written.
    pub writers: Writers,
    /// Whose ids look at the logs and rotate them (`su`).
    pub rotate_as: RotateAs,
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

/// When a log is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criteria {
    /// The one that was set last wins (compat 2.8).
    pub trigger: Setting<Trigger>,
    /// `minsize`: not due below it. `None` or 0: off.
    pub min_size: Option<Setting<ByteSize>>,
    /// `maxsize`: due above it, whatever the trigger says. `None` or 0: off.
    pub max_size: Option<Setting<ByteSize>>,
    /// `minage`: not due if written to within so many days. `None` or 0: off.
    pub min_age: Option<Setting<Days>>,
}

/// What makes a log due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `size N`: the log has at least so many bytes.
    Size(ByteSize),
    /// An interval has begun since the last rotation.
    Every(Interval),
}

/// The intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Interval {
    /// `hourly`.
    Hourly,
    /// `daily`.
    Daily,
    /// `weekly D`: 0 is Sunday, 7 means "seven days after the last time" (compat RD-14).
    Weekly(u8),
    /// `monthly D`: 0 means "in another month than the last time" (compat RD-15).
    Monthly(u8),
    /// `yearly`.
    Yearly,
    /// `minutes N`: the clock's minute number has advanced by N or more.
    Minutes(u32),
    /// `minutely`, `every N<m|h|d|w>`: another wall-clock slot has begun.
    Slots(SlotLength),
}

/// The length of a wall-clock slot. The number is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SlotLength {
    /// Minutes from local midnight.
    Minutes(u32),
    /// Hours from local midnight.
    Hours(u32),
    /// Days from 1970-01-01.
    Days(u32),
    /// Weeks that begin on Monday.
    Weeks(u32),
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
    pub max_age: Option<Setting<Days>>,
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

/// How old versions are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// `compress`.
    pub enabled: bool,
    /// `delaycompress`.
    pub delayed: bool,
    /// `compresscmd`; `None` for the built-in gzip.
    pub program: Option<OsString>,
    /// `compressoptions`.
    pub options: Vec<OsString>,
    /// `compressext`, with its dot.
    pub extension: Vec<u8>,
    /// `uncompresscmd`: what makes a version readable for mail.
    pub uncompress: OsString,
}

/// `mail`, `mailfirst` and `maillast`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// Who gets what is removed; `None`: nobody.
    pub address: Option<OsString>,
    /// `mailfirst`: the newest version is mailed, not the one that expires.
    pub first: bool,
}

/// What uncompresses an old version for mail, unless a package chooses another at build time.
pub const UNCOMPRESS_COMMAND: &str = match option_env!("LOGROTATE_UNCOMPRESS_COMMAND") {
    Some(command) => command,
    None => "/bin/gunzip",
};

/// The built-in defaults (compat CFG-43).
impl Default for Compression {
    fn default() -> Self {
        Self {
            enabled: false,
            delayed: false,
            program: None,
            options: Vec::new(),
            extension: b".gz".to_vec(),
            uncompress: UNCOMPRESS_COMMAND.into(),
        }
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            trigger: Setting::default(Trigger::Size(ByteSize(1 << 20))),
            min_size: None,
            max_size: None,
            min_age: None,
        }
    }
}

/// The five scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scripts {
    /// `sharedscripts`.
    pub shared: bool,
    /// Run once, before anything, if a log of the block is due.
    pub first_action: Option<Setting<Vec<u8>>>,
    /// Run before a log (shared: all logs) is rotated.
    pub pre_rotate: Option<Setting<Vec<u8>>>,
    /// Run after a log (shared: all logs) has been rotated, before compression.
    pub post_rotate: Option<Setting<Vec<u8>>>,
    /// Run once, after everything, if a log of the block was due.
    pub last_action: Option<Setting<Vec<u8>>>,
    /// Run before a file is removed.
    pub pre_remove: Option<Setting<Vec<u8>>>,
}

/// Which of the five.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ScriptKind {
    /// `firstaction`.
    FirstAction,
    /// `prerotate`.
    PreRotate,
    /// `postrotate`.
    PostRotate,
    /// `lastaction`.
    LastAction,
    /// `preremove`.
    PreRemove,
}

impl ScriptKind {
    /// What messages call it (compat SCR-4).
    pub fn spoken(self) -> &'static str {
        match self {
            Self::FirstAction => "first action",
            Self::PreRotate => "prerotate",
            Self::PostRotate => "postrotate",
            Self::LastAction => "last action",
            Self::PreRemove => "preremove",
        }
    }
}

impl Scripts {
    /// The script of a kind, if it is set. An empty one is set (compat CFG-101).
    pub fn get(&self, kind: ScriptKind) -> Option<&Setting<Vec<u8>>> {
        match kind {
            ScriptKind::FirstAction => &self.first_action,
            ScriptKind::PreRotate => &self.pre_rotate,
            ScriptKind::PostRotate => &self.post_rotate,
            ScriptKind::LastAction => &self.last_action,
            ScriptKind::PreRemove => &self.pre_remove,
        }
        .as_ref()
    }

    /// Sets the script of a kind; a later one replaces an earlier (compat 2.8).
    pub fn set(&mut self, kind: ScriptKind, script: Setting<Vec<u8>>) {
        *match kind {
            ScriptKind::FirstAction => &mut self.first_action,
            ScriptKind::PreRotate => &mut self.pre_rotate,
            ScriptKind::PostRotate => &mut self.post_rotate,
            ScriptKind::LastAction => &mut self.last_action,
            ScriptKind::PreRemove => &mut self.pre_remove,
        } = Some(script);
    }
}
