//! What a step does, as data.

use std::ffi::OsString;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use crate::config::policy::{Effort, ScriptKind};
use crate::facts::FileFacts;
use crate::names::{AnyPath, LogPath};
use crate::units::{FileTime, Mode, SignalName};

use super::step::{BlockKey, Place};

/// Mode, owner and times that a new file takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of the last read and of the last write, or `None` for the moment of its making.
    pub times: Option<(FileTime, FileTime)>,
}

impl Attributes {
    /// What a file looks like, with the times of its last read and write, or with new ones.
    pub fn of(facts: &FileFacts, times: Option<(FileTime, FileTime)>) -> Self {
        Self { mode: facts.mode, uid: facts.uid, gid: facts.gid, times }
    }
}

/// Mode and owner that a new directory gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirAttributes {
    /// Permission bits, whatever the umask.
    pub mode: Mode,
    /// Owner; `None`: that of whoever makes it.
    pub uid: Option<u32>,
    /// Group, likewise.
    pub gid: Option<u32>,
}

/// What compresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compressor {
    /// This program itself, to gzip.
    Gzip {
        /// From 1 (fast) to 9 (small).
        level: u8,
        /// Several members, and not one.
        #[serde(default)]
        members: bool,
    },
    /// This program itself, to zstd.
    Zstd {
        /// From 1 (fast) to 19 (small).
        level: u8,
    },
    /// A command, from its standard input to its standard output.
    Command {
        /// The program.
        program: AnyPath,
        /// Its options.
        options: Vec<AnyPath>,
    },
}

/// A kind of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Makes a directory. One that is there by then is taken as it is.
    MakeDir {
        /// Its place.
        dir: Place,
        /// What it will look like.
        attributes: DirAttributes,
    },
    /// Gives a file another name; never overwrites.
    Rename {
        /// The present name.
        from: Place,
        /// The new name.
        to: Place,
    },
    /// Makes the empty new log under a temporary name, so that a failure leaves the old log where
    /// it is.
    Create {
        /// The temporary name.
        temp: Place,
        /// The name that it will get.
        log: Place,
        /// What it will look like.
        attributes: Attributes,
        /// Whether it takes over the access list of the log that has that name.
        #[serde(default)]
        access_list: bool,
    },
    /// Gives the new log its name. If somebody has made the log meanwhile, theirs stays and ours goes.
    Install {
        /// The temporary name.
        temp: Place,
        /// The log.
        log: Place,
    },
    /// Copies a log to a temporary name and syncs it.
    Copy {
        /// The log.
        from: Place,
        /// The temporary name.
        temp: Place,
        /// The name that the copy will get (if it is there, the copy is complete).
        to: Place,
        /// What it will look like.
        attributes: Attributes,
        /// `allowhardlink`.
        allow_hard_links: bool,
        /// Whether it leaves out the gaps that earlier cuts have left in the log.
        #[serde(default)]
        without_gaps: bool,
    },
    /// Gives a finished temporary file its final name; never overwrites.
    Publish {
        /// The temporary name.
        temp: Place,
        /// The final name.
        to: Place,
    },
    /// Empties the log in place after its copy has caught up with it, has its final name and is on
    /// disk. Of a log that is in use the last part may stay: then it is not in the copy.
    Cut {
        /// The log.
        log: Place,
        /// Its copy; `None` if nothing is kept (compat ROT-54).
        archive: Option<Archive>,
        /// `allowhardlink`.
        allow_hard_links: bool,
    },
    /// Compresses a file to a temporary name, and syncs it.
    Compress {
        /// The file.
        from: Place,
        /// The temporary name.
        temp: Place,
        /// The name that the compressed file will get (if it is there, it is complete).
        to: Place,
        /// What compresses it.
        compressor: Compressor,
        /// How much of the machine it may use.
        #[serde(default)]
        effort: Effort,
        /// What it will look like.
        attributes: Attributes,
        /// `allowhardlink`.
        allow_hard_links: bool,
    },
    /// Sends a file to somebody. A file that is absent needs no mail. If it fails, what follows in its
    /// scope waits for a later run.
    Mail {
        /// The file.
        file: Place,
        /// What makes it readable, if it is compressed.
        uncompress: Option<AnyPath>,
        /// The program that mails, called with `-s SUBJECT ADDRESS`.
        program: AnyPath,
        /// The subject; `None` for the path of the file.
        subject: Option<AnyPath>,
        /// Who gets it.
        address: AnyPath,
    },
    /// Removes a file, after its `preremove` script if there is one. Removing what is absent is done.
    Remove {
        /// The file.
        file: Place,
        /// The script.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pre_remove: Option<ScriptRef>,
        /// How it is overwritten first, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shred: Option<Shred>,
    },
    /// Runs a script.
    Script(ScriptCall),
    /// Sends a signal. A run that died here leaves it to the next one, which may send it once more.
    Signal(SignalCall),
}

impl Action {
    /// The file that it takes: what [`Step::expect`](super::step::Step::expect) speaks of.
    pub fn source(&self) -> Option<&Place> {
        match self {
            Self::Rename { from, .. } | Self::Copy { from, .. } | Self::Compress { from, .. } => {
                Some(from)
            }
            Self::Install { temp, .. } | Self::Publish { temp, .. } => Some(temp),
            Self::Cut { log, .. } => Some(log),
            Self::Mail { file, .. } | Self::Remove { file, .. } => Some(file),
            Self::MakeDir { .. } | Self::Create { .. } | Self::Script(_) | Self::Signal(_) => None,
        }
    }

    /// The script that it runs, if it runs one.
    pub fn script_mut(&mut self) -> Option<&mut ScriptRef> {
        match self {
            Self::Script(call) => Some(&mut call.script),
            Self::Remove { pre_remove, .. } => pre_remove.as_mut(),
            _ => None,
        }
    }

    /// All names that it speaks of.
    pub fn places(&self) -> Vec<&Place> {
        match self {
            Self::Rename { from, to } => vec![from, to],
            Self::Copy { from, temp, to, .. } | Self::Compress { from, temp, to, .. } => {
                vec![from, temp, to]
            }
            Self::Create { temp, log, .. } | Self::Install { temp, log } => vec![temp, log],
            Self::Publish { temp, to } => vec![temp, to],
            Self::Cut { log, archive: None, .. } => vec![log],
            Self::Cut { log, archive: Some(Archive { temp, to }), .. } => vec![log, temp, to],
            Self::Mail { file, .. } | Self::Remove { file, .. } => vec![file],
            Self::MakeDir { dir, .. } => vec![dir],
            Self::Signal(SignalCall { to: Recipient::Writers(files), .. }) => {
                files.iter().collect()
            }
            Self::Signal(_) | Self::Script(_) => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub fn places_mut(&mut self) -> Vec<&mut Place> {
        match self {
            Self::Rename { from, to } => vec![from, to],
            Self::Copy { from, temp, to, .. } | Self::Compress { from, temp, to, .. } => {
                vec![from, temp, to]
            }
            Self::Create { temp, log, .. } | Self::Install { temp, log } => vec![temp, log],
            Self::Publish { temp, to } => vec![temp, to],
            Self::Cut { log, archive: None, .. } => vec![log],
            Self::Cut { log, archive: Some(Archive { temp, to }), .. } => vec![log, temp, to],
            Self::Mail { file, .. } | Self::Remove { file, .. } => vec![file],
            Self::MakeDir { dir, .. } => vec![dir],
            Self::Signal(SignalCall { to: Recipient::Writers(files), .. }) => {
                files.iter_mut().collect()
            }
            Self::Signal(_) | Self::Script(_) => Vec::new(),
        }
    }
}

/// How a file is overwritten before it is removed. One that is overwritten by half is still the file to
/// remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shred {
    /// How often; `None` leaves it to `shred`.
    pub cycles: Option<NonZeroU32>,
    /// `allowhardlink`: even if the file has other names, which then lose their content.
    pub allow_hard_links: bool,
}

/// A copy that gets its final name when it has its final length; never overwrites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// The temporary name.
    pub temp: Place,
    /// The final name.
    pub to: Place,
}

/// Names a script; its text is looked up in today's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScriptRef {
    /// The block.
    pub block: BlockKey,
    /// Which of its scripts.
    pub kind: ScriptKind,
    /// The log that it runs for, or `None` if it runs once for the block.
    pub log: Option<LogPath>,
}

/// A script and its arguments (compat SCR-1, SCR-2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScriptCall {
    /// The script.
    pub script: ScriptRef,
    /// Its arguments after `$0`.
    pub args: Vec<AnyPath>,
}

impl ScriptCall {
    /// The arguments as the system takes them.
    pub fn os_args(&self) -> impl Iterator<Item = OsString> + '_ {
        self.args.iter().map(|a| a.0.clone().into_os_string())
    }
}

/// A signal and who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalCall {
    /// The signal.
    pub signal: SignalName,
    /// Who.
    pub to: Recipient,
}

/// Who gets a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// The process whose number this file holds.
    PidFile(AnyPath),
    /// Each process that writes one of these files and handles the signal, once, unless its parent
    /// writes one too: who has started others tells them himself.
    Writers(Vec<Place>),
}
