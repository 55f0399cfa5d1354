//! Opening and locking the state file: the way from a path to a lock that holds.

use std::path::Path;

use super::store::{Held, LockFailure, LockMode, Place, StoreEvent, beside, refused};
use crate::facts::{FileFacts, FileKind};
use crate::fault::Fault;
use crate::names::Shown;
use crate::system::OpenError;
use crate::system::dir::facts_of;
use crate::system::lock::{LockError, LockedFile};
use crate::system::state_file::{self, File, Spot};

/// The permission bits of a state file that is made anew, before the umask (compat ST-10).
const NEW_MODE: u32 = 0o640;

/// One opening, with the reference's remarks.
pub(super) struct Opening<'a> {
    pub(super) path: &'a Path,
    pub(super) notify: &'a mut dyn FnMut(StoreEvent),
}

impl Opening<'_> {
    /// Opens, makes and locks the file as [`super::Store::open`] says.
    pub(super) fn place(&mut self, mode: LockMode) -> Result<Place, LockFailure> {
        let spot = match Spot::find(self.path) {
            Err(OpenError::Missing) => {
                self.say_creating();
                return Err(self.failed("error creating stub state file", OpenError::Missing));
            }
            other => other.map_err(|e| self.failed("error opening state file", e))?,
        };
        // Each turn ends, or another run has replaced the file meanwhile and made progress.
        loop {
            let Some((file, facts)) = self.file(&spot)? else { continue };
            if !matches!(facts.kind, FileKind::Regular) {
                return Ok(Place::NotRegular);
            }
            let Some(file) = file else { return Ok(Place::NotRegular) };
            let current = if mode == LockMode::Skip {
                self.debug("Skip locking state file");
                Some(Held::Unlocked(file))
            } else if facts.mode.0 & 0o004 != 0 {
                self.replace_readable(&spot, &file, &facts)?.map(Held::Locked)
            } else {
                self.lock(&spot, file, &facts, mode)?.map(Held::Locked)
            };
            if let Some(current) = current {
                return Ok(Place::File { spot, current, replaced: Vec::new() });
            }
        }
    }

    /// Opens the file or makes it. `None` inside: it is there, but no regular file. `None`
    /// outside: another run was faster; look again.
    fn file(&mut self, spot: &Spot) -> Result<Option<(Option<File>, FileFacts)>, LockFailure> {
        let opening = "error opening state file";
        let (target, facts) = spot.resolve().map_err(|e| self.failed(opening, e))?;
        let file = match facts {
            Some(facts) if facts.kind == FileKind::Other => return Ok(Some((None, facts))),
            Some(_) => target.open(true).map_err(|e| self.failed(opening, e))?,
            None => {
                self.say_creating();
                // Made at the path itself: a dangling link is not written through.
                match spot.create(NEW_MODE) {
                    Ok(file) => file,
                    Err(errno) => {
                        let now_there = target.dir.facts(&target.name).is_ok_and(|f| f.is_some());
                        if state_file::is_taken(errno) && now_there {
                            return Ok(None);
                        }
                        return Err(self.failed("error creating stub state file", errno));
                    }
                }
            }
        };
        let facts = facts_of(&file).map_err(|e| self.failed(opening, e))?;
        Ok(Some((Some(file), facts)))
    }

    /// Locks the file; `None` if another one stands at the path by now.
    fn lock(
        &mut self,
        spot: &Spot,
        file: File,
        facts: &FileFacts,
        mode: LockMode,
    ) -> Result<Option<LockedFile>, LockFailure> {
        let wait = mode == LockMode::Wait;
        if wait {
            self.debug("waiting for lock on state file");
        }
        let locked = LockedFile::lock(file, wait).map_err(|error| match error {
            LockError::Held => LockFailure { fault: self.held(), held: true },
            LockError::System(errno) => self.failed("error acquiring lock on state file", errno),
        })?;
        let (_, now) = spot.resolve().map_err(|e| self.failed("error opening state file", e))?;
        if !now.is_some_and(|now| now.id.is(&facts.id)) {
            return Ok(None);
        }
        self.debug("acquired lock on state file");
        Ok(Some(locked))
    }

    /// Puts a locked copy that others cannot open in the place of a file that they can (compat
    /// B-52); `None` if another run was faster.
    ///
    /// The old file's lock proves nothing, since anybody may hold it. So a lock of our own decides
    /// between runs that do this at the same time.
    fn replace_readable(
        &mut self,
        spot: &Spot,
        old: &File,
        facts: &FileFacts,
    ) -> Result<Option<LockedFile>, LockFailure> {
        let what = "error replacing state file";
        let (turn, temp) = (beside(spot, ".new.lock")?, beside(spot, ".new")?);
        let held = turn.private_lock().map_err(|e| self.failed(what, e))?;
        let new = self.replace_in_turn(spot, &temp, old, facts);
        // If it stays, the next run takes it over.
        let _ = turn.remove();
        drop(held);
        let new = new.map_err(|e| self.failed(what, e))?;
        if new.is_some() {
            self.debug("acquired lock on state file");
        }
        Ok(new)
    }

    fn replace_in_turn(
        &mut self,
        spot: &Spot,
        temp: &Spot,
        old: &File,
        facts: &FileFacts,
    ) -> Result<Option<LockedFile>, OpenError> {
        let (_, now) = spot.resolve()?;
        if !now.is_some_and(|now| now.id.is(&facts.id)) {
            return Ok(None);
        }
        (self.notify)(StoreEvent::Warning(format!(
            "state file {} is world-readable and thus can be locked from other unprivileged \
             users. Replacing it by one that is not...",
            Shown::path(self.path)
        )));
        let bytes = state_file::read(old)?;
        temp.remove()?;
        let new = state_file::fill(temp.create(0)?, &bytes, old, facts)?;
        temp.replace(spot)?;
        Ok(Some(new))
    }

    fn held(&self) -> Fault {
        Fault::new(format!(
            "state file {} is already locked\nlogrotate does not support parallel execution on the \
             same set of logfiles.",
            Shown::path(self.path)
        ))
        .with_hint("with --wait-for-state-lock a run waits until the other one has ended")
    }

    fn say_creating(&mut self) {
        let path = Shown::path(self.path);
        (self.notify)(StoreEvent::Debug(format!("Creating stub state file: {path}")));
    }

    fn debug(&mut self, what: &str) {
        (self.notify)(StoreEvent::Debug(format!("{what} {}", Shown::path(self.path))));
    }

    fn failed(&self, what: &str, cause: impl Into<OpenError>) -> LockFailure {
        refused(what, self.path, cause).into()
    }
}
