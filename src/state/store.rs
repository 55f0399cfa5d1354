//! The state file on the disk: locked, read, replaced.
//!
//! # Guarantees
//! - Two runs never hold the lock at once, except with `--skip-state-lock`. The lock is on the
//!   file's inode; whoever gets it looks at the path again and starts over if another file has
//!   taken the place meanwhile. The file that replaces it is locked **before** it gets the name,
//!   and both locks last until the store is dropped, so no third run slips in (fixes compat B-13).
//! - A file that others can read could be locked by them. It is replaced first (fixes compat B-52).
//! - Under its name there is always one complete state: the old one or the new one.
//! - Nothing is written through a symbolic link; one that untrusted users may change is refused.
//! - No descriptor is inherited by children (fixes compat B-39).

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::opening::Opening;
use crate::facts::FileKind;
use crate::fault::Fault;
use crate::names::{FileName, Shown};
use crate::system::dir::facts_of;
use crate::system::label;
use crate::system::lock::LockedFile;
use crate::system::state_file::{self, File, Spot};
use crate::system::{Dir, OpenError, file_system};

/// How the state file is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMode {
    /// At once or not at all.
    #[default]
    Normal,
    /// Not (`--skip-state-lock`).
    Skip,
    /// As soon as it is free, however long that takes (`--wait-for-state-lock`).
    Wait,
}

/// What happens while the state file is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreEvent {
    /// A line for `-v`.
    Debug(String),
    /// A warning; the exit status stays.
    Warning(String),
}

/// The state file could not be opened, made or locked: nothing may be rotated (exit 3, compat
/// CLI-21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFailure {
    /// What to say.
    pub fault: Fault,
    /// Whether another run holds the lock.
    pub held: bool,
}

impl From<Fault> for LockFailure {
    fn from(fault: Fault) -> Self {
        Self { fault, held: false }
    }
}

/// The state file, locked from [`Store::open`] until it is dropped.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    place: Place,
}

/// Where the state is kept.
#[derive(Debug)]
pub(super) enum Place {
    /// `/dev/null`: no state at all (compat CLI-40).
    Null,
    /// Something else that is no regular file (compat CLI-41).
    NotRegular,
    /// A state file.
    File {
        /// Its place; a link there is still to be resolved.
        spot: Spot,
        /// The file that holds the state.
        current: Held,
        /// Files that were replaced. Their locks stay: whoever waits for them must not go on
        /// before this run is over.
        replaced: Vec<Held>,
    },
}

/// An open state file.
#[derive(Debug)]
pub(super) enum Held {
    Locked(LockedFile),
    Unlocked(File),
}

impl Held {
    fn file(&self) -> &File {
        match self {
            Self::Locked(locked) => locked.file(),
            Self::Unlocked(file) => file,
        }
    }
}

impl Store {
    /// Opens the state file, makes it if it is missing (mode 0640), and locks it as `mode` says
    /// (compat ST-10, ST-11, ST-12).
    ///
    /// # Errors
    /// See [`LockFailure`].
    pub fn open(
        path: &Path,
        mode: LockMode,
        notify: &mut dyn FnMut(StoreEvent),
    ) -> Result<Self, LockFailure> {
        let place =
            if is_null(path) { Place::Null } else { Opening { path, notify }.place(mode)? };
        Ok(Self { path: path.into(), place })
    }

    /// The content. Nothing for what is no regular file.
    ///
    /// # Errors
    /// If the system refuses to read it.
    pub fn load(&mut self) -> Result<Vec<u8>, Fault> {
        let Place::File { current, .. } = &self.place else { return Ok(Vec::new()) };
        state_file::read(current.file())
            .map_err(|errno| refused("error reading state file", &self.path, errno))
    }

    /// Replaces the content as a whole (compat ST-22): written to a new file with the old one's
    /// owner, ACL, label and mode less reading by others, synced, locked, renamed in, directory
    /// synced. A symbolic link at the path gives way to the new file; its target stays.
    ///
    /// # Errors
    /// If the target is no regular file, or whatever the system refused, in the reference's words.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let replaced = self.replace_in_place(bytes);
        replaced.map_err(|fault| match &self.place {
            Place::File { spot, .. } => file_system::explain(fault, &spot.dir),
            Place::Null | Place::NotRegular => fault,
        })
    }

    fn replace_in_place(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let Some((spot, current, replaced)) = writable(&self.path, &mut self.place)? else {
            return Ok(());
        };
        let temp_path = with_suffix(&self.path, ".tmp");
        let temp = beside(spot, ".tmp")?;
        temp.remove()
            .map_err(|e| refused("error removing old temporary state file", &temp_path, e))?;
        let look = facts_of(current.file())
            .map_err(|e| refused("error opening state file", &self.path, e))?;
        // No mode at all, so that nobody can open and lock it before it is locked here.
        let file = label::like(current.file(), || temp.create(0))
            .map_err(|e| refused("error creating temp state file", &temp_path, e))?;
        let next = state_file::fill(file, bytes, current.file(), &look)
            .map_err(|e| refused("error writing to temp state file", &temp_path, e))
            .and_then(|locked| {
                let what = format!("error renaming temp state file {} to", Shown::path(&temp_path));
                temp.replace(spot).map_err(|e| refused(&what, &self.path, e))?;
                Ok(locked)
            })
            .inspect_err(|_| {
                // What is half done goes; if even that fails, the next run removes it.
                let _ = temp.remove();
            })?;
        let unlocked = matches!(current, Held::Unlocked(_));
        let next = if unlocked {
            let file = next.unlock();
            Held::Unlocked(
                file.map_err(|e| refused("error releasing lock on state file", &self.path, e))?,
            )
        } else {
            Held::Locked(next)
        };
        replaced.push(std::mem::replace(current, next));
        Ok(())
    }

    /// Says that a run took place in which nothing changed: the file's time becomes now.
    ///
    /// # Errors
    /// Those of [`Store::replace`], for the same targets.
    pub fn touch(&mut self) -> Result<(), Fault> {
        let Some((_, current, _)) = writable(&self.path, &mut self.place)? else { return Ok(()) };
        state_file::touch(current.file())
            .map_err(|e| refused("cannot set the time of state file", &self.path, e))
    }

    /// Where the journal belongs: `STATE.journal` beside the state file. None without a state.
    pub fn journal_place(&self) -> Option<(Rc<Dir>, FileName)> {
        let Place::File { spot, .. } = &self.place else { return None };
        let place = beside(spot, ".journal").ok()?;
        Some((place.dir, place.name))
    }
}

/// The state's content for a dry run: nothing is made, locked or changed. `None` if there is no
/// such file (compat CLI-42).
///
/// # Errors
/// If it is there and cannot be read.
pub fn read_only(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    if is_null(path) {
        return Ok(Some(Vec::new()));
    }
    let failed =
        |cause| refused_as("error opening state file", path, "; assuming empty state", cause);
    let found = match Spot::find(path).and_then(|spot| spot.resolve()) {
        Err(OpenError::Missing) => return Ok(None),
        other => other.map_err(failed)?,
    };
    match found {
        (_, None) => Ok(None),
        (spot, Some(facts)) if facts.kind == FileKind::Regular => {
            let file = spot.open(false).map_err(|e| failed(e.into()))?;
            Ok(Some(state_file::read(&file).map_err(|e| failed(e.into()))?))
        }
        (_, Some(_)) => Ok(Some(Vec::new())),
    }
}

/// The parts that a change needs; `None` for `/dev/null`.
#[expect(clippy::type_complexity, reason = "the parts of one variant")]
fn writable<'a>(
    path: &Path,
    place: &'a mut Place,
) -> Result<Option<(&'a Spot, &'a mut Held, &'a mut Vec<Held>)>, Fault> {
    match place {
        Place::Null => Ok(None),
        Place::NotRegular => Err(Fault::new(format!(
            "not writing state to {} because it is not a regular file",
            Shown::path(path)
        ))),
        Place::File { spot, current, replaced } => Ok(Some((spot, current, replaced))),
    }
}

/// Compat CLI-40: exactly this text.
fn is_null(path: &Path) -> bool {
    path.as_os_str() == "/dev/null"
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(suffix);
    whole.into()
}

pub(super) fn beside(spot: &Spot, suffix: &str) -> Result<Spot, Fault> {
    let name = with_suffix(spot.name.as_ref(), suffix).into_os_string();
    let name = FileName::new(name).ok_or_else(|| Fault::new("not a file name"))?;
    Ok(spot.beside(name))
}

pub(super) fn refused(what: &str, path: &Path, cause: impl Into<OpenError>) -> Fault {
    refused_as(what, path, "", cause)
}

/// `WHAT PATH NOTE: CAUSE`.
fn refused_as(what: &str, path: &Path, note: &str, cause: impl Into<OpenError>) -> Fault {
    let cause = cause.into();
    let fault = Fault {
        message: format!("{what} {}{note}: {cause}", Shown::path(path)),
        errno: cause.number(),
        hint: None,
    };
    match cause {
        OpenError::UntrustedLink(_) => fault.with_hint("name the file itself, not the link"),
        _ => fault,
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
