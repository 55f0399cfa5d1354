//! Opening and reading a configuration file.
//!
//! A file is opened once; type, size, owner and mode are those of the very descriptor that is read
//! afterwards, so that no other file can be slipped in between. A directory is listed, and its files are
//! opened, by the handle that was found. Opening never blocks, whatever stands under the name (fixes
//! compat B-18). The way there is walked as that to a log: who else could lead it elsewhere could choose
//! which of root's files is read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode as OpenMode, SFlag, fstat};
use rustix::fs::FlockOperation;

use super::dir::{Dir, facts_of};
use super::file::io_errno;
use super::walk::{self, Walk};
use crate::facts::FileKind;
use crate::units::Mode;

/// What a name in a configuration stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// Anything else.
    Other,
}

/// Why a name cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFault {
    /// Nothing can be found under it.
    Stat(Errno),
    /// It is there, but cannot be opened.
    Open(Errno),
}

/// Why a file that is open cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The system refused.
    System(Errno),
    /// It changed meanwhile.
    Changed,
}

/// A configuration file that is open, and what is known of it.
#[derive(Debug)]
pub struct ConfigFile {
    handle: OwnedFd,
    /// The path of a directory.
    path: PathBuf,
    /// What it is.
    pub kind: ConfigKind,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner.
    pub uid: u32,
    /// Device and inode: which file it is, while it is open.
    pub id: (u64, u64),
    /// How many names it has.
    pub links: u64,
    /// The first link on the way to it that others may have put there.
    pub doubtful_link: Option<PathBuf>,
    /// The first directory on the way in which others can replace what leads to it.
    pub exposed: Option<PathBuf>,
}

impl ConfigFile {
    /// Opens a name, following links; a relative one inside `dir`, or in the current directory.
    ///
    /// # Errors
    /// See [`ConfigFault`].
    pub fn open(dir: Option<&Dir>, path: &Path) -> Result<Self, ConfigFault> {
        // No name at all is not the name of the directory.
        if path.as_os_str().is_empty() {
            return Err(ConfigFault::Stat(Errno::ENOENT));
        }
        let straight = match (dir, last_name(path)) {
            (_, None) => None,
            (Some(dir), Some((name, None))) => Self::open_in(dir, name)?,
            (_, Some((name, way))) => Self::open_at_end(dir, way.unwrap_or(Path::new(".")), name)?,
        };
        if let Some(mut file) = straight {
            if file.kind == ConfigKind::Directory {
                file.path = whole(dir, path);
            }
            return Ok(file);
        }
        let walk = Walk::to(dir, path).map_err(ConfigFault::Stat)?;
        let handle = match walk.end() {
            None => walk.here().try_clone().map_err(|error| ConfigFault::Stat(io_errno(&error)))?,
            Some(_) if path.as_os_str().as_bytes().ends_with(b"/") => {
                return Err(ConfigFault::Stat(Errno::ENOTDIR));
            }
            // A link at the end of the way is one of those in `/proc`, which must be followed.
            Some(end) => {
                let is_link = end.kind == FileKind::SymbolicLink;
                let follow = if is_link { OFlag::empty() } else { OFlag::O_NOFOLLOW };
                open_at(walk.here().as_fd(), &end.name, follow).map_err(ConfigFault::Open)?
            }
        };
        let mut file = Self::opened(handle).map_err(ConfigFault::Open)?;
        file.path = whole(dir, path);
        file.doubtful_link = walk.doubtful_link().map(Path::to_path_buf);
        file.exposed = walk.exposed().map(Path::to_path_buf);
        Ok(file)
    }

    /// Opens a name in a directory that is held; `None` for a link, which is to be walked.
    fn open_in(dir: &Dir, name: &OsStr) -> Result<Option<Self>, ConfigFault> {
        let Some(mut file) = Self::open_itself(dir.handle(), name)? else { return Ok(None) };
        let own = dir.first_facts().map_err(ConfigFault::Open)?;
        file.exposed = walk::may_replace(&own, file.uid).then(|| dir.path().into());
        Ok(Some(file))
    }

    /// Opens a name at the end of a way; `None` as there, and for a way that ends in no directory: a link in
    /// `/proc` is followed only if something comes after it.
    fn open_at_end(
        dir: Option<&Dir>,
        way: &Path,
        name: &OsStr,
    ) -> Result<Option<Self>, ConfigFault> {
        let walk = Walk::to(dir, way).map_err(ConfigFault::Stat)?;
        if walk.end().is_some() {
            return Ok(None);
        }
        let Some(mut file) = Self::open_itself(walk.here().as_fd(), name)? else { return Ok(None) };
        file.doubtful_link = walk.doubtful_link().map(Path::to_path_buf);
        file.exposed = walk.exposed_to_replace(file.uid).map(Path::to_path_buf);
        Ok(Some(file))
    }

    /// Opens what has a name, unless that is a link, or a directory that may only be searched.
    fn open_itself(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Self>, ConfigFault> {
        match open_at(dir, name, OFlag::O_NOFOLLOW) {
            Ok(handle) => Self::opened(handle).map(Some).map_err(ConfigFault::Open),
            Err(Errno::ELOOP | Errno::EACCES) => Ok(None),
            Err(errno) => Err(ConfigFault::of(errno)),
        }
    }

    fn opened(handle: OwnedFd) -> Result<Self, Errno> {
        let facts = fstat(&handle)?;
        Ok(Self {
            handle,
            path: PathBuf::new(),
            kind: kind(&facts),
            size: u64::try_from(facts.st_size).unwrap_or(0),
            mode: Mode(facts.st_mode & 0o7777),
            uid: facts.st_uid,
            id: (facts.st_dev, facts.st_ino),
            links: facts.st_nlink,
            doubtful_link: None,
            exposed: None,
        })
    }

    /// The directory that it is, held since it was found.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn into_dir(self) -> Result<Dir, Errno> {
        let facts = facts_of(&self.handle)?;
        Ok(Dir::reached(Arc::new(self.handle), &self.path, facts))
    }

    /// Tries for a read lock, as editors and the reference do (compat CFG-1); whether it was granted.
    /// It lasts until the file is closed.
    pub fn lock(&self) -> bool {
        rustix::fs::fcntl_lock(&self.handle, FlockOperation::NonBlockingLockShared).is_ok()
    }

    /// Reads the whole text, by one call for nearly every file.
    ///
    /// # Errors
    /// Whatever the system says; and that the file has another length than when it was opened: somebody
    /// is writing it, and half of a configuration may say something else than all of it.
    pub fn read(self) -> Result<Vec<u8>, ReadFault> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX - 1);
        // A byte more, to see whether it has grown.
        let mut bytes = vec![0; size + 1];
        let (mut file, mut length) = (File::from(self.handle), 0);
        while length < size
            && let Some(rest) = bytes.get_mut(length..)
        {
            match file.read(rest) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
                    return Err(ReadFault::System(errno));
                }
            }
        }
        if length != size {
            return Err(ReadFault::Changed);
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl ConfigFault {
    fn of(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG => {
                Self::Stat(errno)
            }
            errno => Self::Open(errno),
        }
    }
}

/// A path in a directory, or by itself.
fn whole(dir: Option<&Dir>, path: &Path) -> PathBuf {
    dir.map_or_else(|| path.into(), |dir| dir.path().join(path))
}

/// The last component of a path, if that is a name, and the way to it.
fn last_name(path: &Path) -> Option<(&OsStr, Option<&Path>)> {
    let name = path.file_name()?;
    // `a/.` and `a/` name a directory.
    let is_last = path.as_os_str().as_bytes().ends_with(name.as_bytes());
    let way = path.parent().filter(|way| !way.as_os_str().is_empty());
    is_last.then_some((name, way))
}

/// Opens a name for reading, whatever it is, and waits for nobody.
fn open_at(dir: BorrowedFd<'_>, name: &OsStr, more: OFlag) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    openat(dir, name, flags | more, OpenMode::empty())
}

fn kind(facts: &FileStat) -> ConfigKind {
    match SFlag::from_bits_truncate(facts.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => ConfigKind::Regular,
        SFlag::S_IFDIR => ConfigKind::Directory,
        _ => ConfigKind::Other,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_is_opened_without_waiting_for_a_writer() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let path = temp.path().join("fifo");
        nix::unistd::mkfifo(&path, OpenMode::S_IRWXU).expect("a FIFO");
        let file = ConfigFile::open(None, &path).expect("opens");
        assert_eq!(file.kind, ConfigKind::Other);
    }

    #[test]
    fn a_file_that_grows_or_shrinks_while_it_is_read_is_told() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let path = temp.path().join("a");
        for text in ["", "daily\n", "daily\nrotate 5\nshared"] {
            std::fs::write(&path, "daily\nrotate 5\n").expect("writes");
            let file = ConfigFile::open(None, &path).expect("opens");
            std::fs::write(&path, text).expect("writes");
            assert_eq!(file.read(), Err(ReadFault::Changed), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_found_inside_the_held_directory() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(temp.path().join("a"), "daily\n").expect("writes");
        let dir = Dir::open(temp.path()).expect("opens");
        let file = ConfigFile::open(Some(&dir), Path::new("a")).expect("opens");
        assert_eq!((file.kind, file.size, file.lock()), (ConfigKind::Regular, 6, true));
        assert_eq!(file.read().expect("reads"), b"daily\n");
        let missing = ConfigFile::open(Some(&dir), Path::new("b")).map(|_| ());
        assert_eq!(missing, Err(ConfigFault::Stat(Errno::ENOENT)));
        assert_eq!(ConfigFile::open(None, temp.path()).map(|f| f.kind), Ok(ConfigKind::Directory));
    }
}
