//! What the state store does to its file: finding, opening, writing anew.

pub use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat, renameat};
use nix::sys::stat::{Mode as OpenMode, fchmod, futimens};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, geteuid, unlinkat};
use rustix::fs::{PROC_SUPER_MAGIC, XattrFlags, fgetxattr, fsetxattr, fstatfs};

use super::dir::{Dir, OpenError, UntrustedLink, facts_of};
use super::file::{again, again_nix};
use super::lock::{LockError, LockedFile};
use crate::facts::{FileFacts, FileKind};
use crate::names::{FileName, LogPath};

/// As many links as the kernel itself follows in one path.
const MOST_LINKS: usize = 40;

/// Extended attributes that a new state file takes over from the old one (compat ST-22).
const KEPT_ATTRIBUTES: [&str; 2] = ["system.posix_acl_access", "security.selinux"];

/// Longer values are not copied; ACLs and labels are far below it.
const LONGEST_ATTRIBUTE: usize = 64 * 1024;

/// A name in a directory that is held.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The directory.
    pub dir: Rc<Dir>,
    /// The name.
    pub name: FileName,
}

impl Spot {
    /// Finds the place of a path, without looking at what is there.
    ///
    /// # Errors
    /// If its directory cannot be held, or the path ends in no file name.
    pub fn find(path: &Path) -> Result<Self, OpenError> {
        let Some(log) = LogPath::new(path) else {
            let empty = path.as_os_str().is_empty();
            return Err(if empty { OpenError::Missing } else { Errno::EISDIR.into() });
        };
        Ok(Self { dir: Rc::new(Dir::open(log.dir())?), name: log.name().clone() })
    }

    /// The same directory, another name.
    #[must_use]
    pub fn beside(&self, name: FileName) -> Self {
        Self { dir: Rc::clone(&self.dir), name }
    }

    /// What is there, and where links lead to. A link is followed only if nobody untrusted can
    /// change it. A link in `/proc` is the end of the way: it stands for an open file, not for a path.
    ///
    /// # Errors
    /// [`OpenError::UntrustedLink`], or what the system says.
    pub fn resolve(&self) -> Result<(Self, Option<FileFacts>), OpenError> {
        let mut here = self.clone();
        for _ in 0..=MOST_LINKS {
            let facts = here.dir.facts(&here.name)?;
            if !facts.is_some_and(|f| f.kind == FileKind::SymbolicLink) || here.is_magic() {
                return Ok((here, facts));
            }
            let link = here.dir.path().join(&here.name);
            if !here.dir.only_trusted_write()? {
                let link = UntrustedLink { path: link, follower: None };
                return Err(OpenError::UntrustedLink(link));
            }
            let target = readlinkat(here.dir.handle(), here.name.as_os_str())?;
            here = Self::find(&here.dir.path().join(target))?;
        }
        Err(Errno::ELOOP.into())
    }

    /// Whether links here stand for open files (`/proc/self/fd/1`).
    fn is_magic(&self) -> bool {
        fstatfs(self.dir.handle()).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
    }

    /// Opens what a link in `/proc` stands for, to write; waits for nobody.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_magic(&self) -> Result<File, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        openat(self.dir.handle(), self.name.as_os_str(), flags, OpenMode::empty()).map(File::from)
    }

    /// Opens the file itself, never a link, to write; waits for nobody.
    ///
    /// # Errors
    /// What the system says; `ENXIO` for a FIFO that nobody reads.
    pub fn open_to_write(&self) -> Result<File, Errno> {
        let access = OFlag::O_WRONLY | OFlag::O_NOFOLLOW;
        let guard = OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        openat(self.dir.handle(), self.name.as_os_str(), access | guard, OpenMode::empty())
            .map(File::from)
    }

    /// Opens the file itself, never a link, for reading and, with `write`, for writing too.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(&self, write: bool) -> Result<File, Errno> {
        let access = if write { OFlag::O_RDWR } else { OFlag::O_RDONLY };
        let guard = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        again_nix(|| {
            openat(self.dir.handle(), self.name.as_os_str(), access | guard, OpenMode::empty())
        })
        .map(File::from)
    }

    /// Makes the file, which must not exist.
    ///
    /// # Errors
    /// What the system says; `EEXIST` also for a dangling link.
    pub fn create(&self, mode: u32) -> Result<File, Errno> {
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = OpenMode::from_bits_truncate(mode);
        again_nix(|| openat(self.dir.handle(), self.name.as_os_str(), flags, mode)).map(File::from)
    }

    /// Removes the name; removing what is absent is done.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self) -> Result<(), Errno> {
        match again_nix(|| {
            unlinkat(self.dir.handle(), self.name.as_os_str(), UnlinkatFlags::NoRemoveDir)
        }) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Puts this file in the place of `to` and makes that last.
    ///
    /// # Errors
    /// What the system says.
    pub fn replace(&self, to: &Self) -> Result<(), Errno> {
        let (from_dir, to_dir) = (self.dir.handle(), to.dir.handle());
        again_nix(|| renameat(from_dir, self.name.as_os_str(), to_dir, to.name.as_os_str()))?;
        to.sync_dir()
    }

    /// Takes the lock that this file stands for, which nobody but us can take: the file is made if
    /// it is missing, and only its owner can open it. [`Spot::remove`] it before the lock is dropped.
    ///
    /// # Errors
    /// What the system says; `EACCES` for a file that others can open.
    pub fn private_lock(&self) -> Result<LockedFile, Errno> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        loop {
            let mode = OpenMode::S_IRUSR | OpenMode::S_IWUSR;
            let file = File::from(again_nix(|| {
                openat(self.dir.handle(), self.name.as_os_str(), flags, mode)
            })?);
            let facts = facts_of(&file)?;
            if facts.uid != geteuid().as_raw() || facts.mode.0 & 0o077 != 0 {
                return Err(Errno::EACCES);
            }
            let locked = LockedFile::lock(file, true).map_err(number)?;
            // Whoever held it before has removed it: then this is not the one that counts.
            if self.dir.facts(&self.name)?.is_some_and(|now| now.id.is(&facts.id)) {
                return Ok(locked);
            }
        }
    }

    /// Syncs the directory, which a handle for names only cannot do.
    fn sync_dir(&self) -> Result<(), Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match again_nix(|| openat(self.dir.handle(), ".", flags, OpenMode::empty())) {
            // A directory that may be written but not read cannot be synced.
            Err(Errno::EACCES) => Ok(()),
            Err(errno) => Err(errno),
            Ok(dir) => match again_nix(|| fsync(&dir)) {
                // Some file systems have no such thing.
                Ok(()) | Err(Errno::EINVAL) => Ok(()),
                Err(errno) => Err(errno),
            },
        }
    }
}

/// Sets an open file's times to now.
///
/// # Errors
/// What the system says.
pub fn touch(file: &File) -> Result<(), Errno> {
    again_nix(|| futimens(file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW))
}

/// Whether the error says that the name is taken.
pub fn is_taken(errno: Errno) -> bool {
    errno == Errno::EEXIST
}

/// Reads a whole file, as long as it is when this is asked.
///
/// # Errors
/// What the system says.
pub fn read(file: &File) -> Result<Vec<u8>, Errno> {
    let length = file.metadata().map_err(|error| errno_of(&error))?.len();
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let mut known = 0;
    while let Some(rest) = bytes.get_mut(known..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, known as u64) {
            Ok(0) => break,
            Ok(more) => known += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(errno_of(&error)),
        }
    }
    bytes.truncate(known);
    Ok(bytes)
}

/// Fills a file that [`Spot::create`] made with mode 0, and locks it before anybody else can open
/// it: content, ACL, label, owner, then the mode, all on disk when it returns.
///
/// # Errors
/// What the system says.
pub fn fill(file: File, bytes: &[u8], like: &File, look: &FileFacts) -> Result<LockedFile, Errno> {
    let locked = LockedFile::lock(file, false).map_err(number)?;
    let mut file = locked.file();
    file.write_all(bytes).map_err(|error| errno_of(&error))?;
    for name in KEPT_ATTRIBUTES {
        copy_attribute(like, file, name)?;
    }
    if geteuid().is_root() {
        again_nix(|| fchown(file, Some(Uid::from_raw(look.uid)), Some(Gid::from_raw(look.gid))))?;
    }
    // Not readable by others: whoever can open a file can lock it.
    again_nix(|| fchmod(file, OpenMode::from_bits_truncate(look.mode.0 & 0o777 & !0o004)))?;
    again_nix(|| fsync(file))?;
    Ok(locked)
}

/// Copies an extended attribute if the file has it and the file system takes it.
fn copy_attribute(from: &File, to: &File, name: &str) -> Result<(), Errno> {
    let mut value = vec![0; LONGEST_ATTRIBUTE];
    let Ok(length) = fgetxattr(from.as_fd(), name, &mut value) else { return Ok(()) };
    let value = value.get(..length).unwrap_or_default();
    match again(|| fsetxattr(to.as_fd(), name, value, XattrFlags::empty())) {
        // A label that this process may not set stays what the directory gives it.
        Ok(()) | Err(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EACCES) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The error number behind a failed lock.
fn number(error: LockError) -> Errno {
    match error {
        LockError::Held => Errno::EWOULDBLOCK,
        LockError::System(errno) => errno,
    }
}

/// The error number behind an error of the standard library.
fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}
