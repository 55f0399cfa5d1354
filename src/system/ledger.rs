//! A private file that grows by whole pieces: what the journal is kept in.

use std::fs::File;
use std::io::{Read, Seek, Write};

use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::fs::{FlockOperation, Mode as OpenMode, OFlags};

use super::dir::Dir;
use super::file::{Held, Refused, again, before_effect, facts, io_errno, unlink};
use crate::facts::{FileFacts, FileKind};
use crate::names::FileName;

/// Why a ledger cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerError {
    /// Another process holds it.
    Locked,
    /// Somebody else may have written it: the reason.
    Untrusted(&'static str),
    /// The system refused.
    System(Errno),
}

impl From<Errno> for LedgerError {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// An open ledger; it is locked for as long as this lives.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    length: u64,
    /// A part of a piece may stand behind what counts.
    torn: bool,
}

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Going on with it; nobody else may.
    Write,
    /// A look; nobody may be writing it.
    Look,
}

impl Ledger {
    /// Opens a ledger if there is one: regular, one link, ours, closed to group and others. No link
    /// is followed.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open(dir: &Dir, name: &FileName, purpose: Use) -> Result<Option<Self>, LedgerError> {
        match Held::take(dir, name) {
            Ok(held) => trust(&held.facts()?)?,
            Err(Refused::Missing) => return Ok(None),
            Err(refused) => return Err(refused.errno().unwrap_or(Errno::EIO).into()),
        }
        let (access, lock) = match purpose {
            Use::Write => (OFlags::RDWR | OFlags::APPEND, FlockOperation::NonBlockingLockExclusive),
            Use::Look => (OFlags::RDONLY, FlockOperation::NonBlockingLockShared),
        };
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match again(|| {
            rustix::fs::openat(dir.handle(), name.as_bytes(), flags, OpenMode::empty())
        }) {
            Ok(file) => File::from(file),
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        lock_now(&file, lock)?;
        let facts = facts(&file)?;
        // The other run may have finished, and removed it, between our opening and our lock.
        if facts.links == 0 {
            return Ok(None);
        }
        trust(&facts)?;
        Ok(Some(Self { file, length: facts.size, torn: false }))
    }

    /// Makes a ledger that must not exist, and locks it.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn create(dir: &Dir, name: &FileName) -> Result<Self, LedgerError> {
        before_effect("create journal")?;
        let flags = OFlags::RDWR
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        let mode = OpenMode::RUSR | OpenMode::WUSR;
        let file = again(|| rustix::fs::openat(dir.handle(), name.as_bytes(), flags, mode))?;
        let file = File::from(file);
        lock_now(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { file, length: 0, torn: false })
    }

    /// All of it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn read(&mut self) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        let all = self.file.rewind().and_then(|()| self.file.read_to_end(&mut bytes));
        all.map_err(|e| io_errno(&e))?;
        Ok(bytes)
    }

    /// Cuts it to its first bytes: what follows them is a piece that was never finished.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn keep(&mut self, length: u64) -> Result<(), Errno> {
        if length < self.length {
            before_effect("cut journal")?;
            again(|| rustix::fs::ftruncate(&self.file, length))?;
            self.length = length;
        }
        Ok(())
    }

    /// Appends a piece, by one write unless the system takes only a part at once. If only a part fits, the part is taken back.
    ///
    /// # Errors
    /// Whatever the system says. If even taking back failed, the next append tries it again first.
    pub fn append(&mut self, piece: &[u8]) -> Result<(), Errno> {
        if self.torn {
            again(|| rustix::fs::ftruncate(&self.file, self.length))?;
            self.torn = false;
        }
        before_effect("write journal")?;
        match self.file.write_all(piece) {
            Ok(()) => {
                self.length += piece.len() as u64;
                Ok(())
            }
            Err(error) => {
                // The next append tries again, should even this fail.
                self.torn = again(|| rustix::fs::ftruncate(&self.file, self.length)).is_err();
                Err(io_errno(&error))
            }
        }
    }

    /// Waits until what it holds is on disk; of a new one its name too, as file systems with a journal
    /// have it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn sync(&self) -> Result<(), Errno> {
        before_effect("sync journal")?;
        again(|| rustix::fs::fdatasync(&self.file))
    }

    /// Gives it another's name and lets that one go, in one step. Both locks last.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn replace(&self, dir: &Dir, name: &FileName, other: &FileName) -> Result<(), Errno> {
        before_effect("rename journal")?;
        let (from, to) = (dir.handle(), dir.handle());
        again(|| rustix::fs::renameat(from, name.as_bytes(), to, other.as_bytes()))
    }

    /// Removes it from its directory, if it still is what stands there. The lock lasts.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn remove(&self, dir: &Dir, name: &FileName) -> Result<(), Errno> {
        let ours = facts(&self.file)?.id;
        match dir.facts(name)? {
            Some(there) if there.id.is(&ours) => unlink(dir, name),
            _ => Ok(()),
        }
    }
}

/// Only a file that nobody else could have written is obeyed.
fn trust(facts: &FileFacts) -> Result<(), LedgerError> {
    let reason = if facts.kind != FileKind::Regular {
        "it is not a regular file"
    } else if facts.links > 1 {
        "it has more than one name"
    } else if facts.uid != geteuid().as_raw() {
        "it belongs to somebody else"
    } else if facts.mode.0 & 0o077 != 0 {
        "it is open to its group or to others"
    } else {
        return Ok(());
    };
    Err(LedgerError::Untrusted(reason))
}

fn lock_now(file: &File, lock: FlockOperation) -> Result<(), LedgerError> {
    match again(|| rustix::fs::flock(file, lock)) {
        Ok(()) => Ok(()),
        Err(Errno::EWOULDBLOCK) => Err(LedgerError::Locked),
        Err(errno) => Err(errno.into()),
    }
}
