//! Locks that their file owns: gone when the file is closed, or the process ends.

use std::fs::File;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Why a lock was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockError {
    /// Somebody else holds it.
    Held,
    /// The system refused.
    System(Errno),
}

/// An open file with an exclusive flock(2) on it, which lasts until the value is dropped.
#[derive(Debug)]
pub struct LockedFile(Flock<File>);

impl LockedFile {
    /// Locks a file, at once or, with `wait`, whenever it is free.
    ///
    /// # Errors
    /// See [`LockError`]; with `wait` it is never [`LockError::Held`].
    pub fn lock(file: File, wait: bool) -> Result<Self, LockError> {
        let how = if wait { FlockArg::LockExclusive } else { FlockArg::LockExclusiveNonblock };
        let mut file = file;
        loop {
            match Flock::lock(file, how) {
                Ok(locked) => return Ok(Self(locked)),
                Err((same, Errno::EINTR)) => file = same,
                Err((_, Errno::EWOULDBLOCK)) => return Err(LockError::Held),
                Err((_, errno)) => return Err(LockError::System(errno)),
            }
        }
    }

    /// Gives the lock up and keeps the file open.
    ///
    /// # Errors
    /// If the system refuses; the file is closed then.
    pub fn unlock(self) -> Result<File, Errno> {
        self.0.unlock().map_err(|(_, errno)| errno)
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        let first = LockedFile::lock(temp.reopen().unwrap(), false).unwrap();
        let second = LockedFile::lock(temp.reopen().unwrap(), false).unwrap_err();
        assert_eq!(second, LockError::Held);
        drop(first);
        assert!(LockedFile::lock(temp.reopen().unwrap(), true).is_ok());
    }
}
