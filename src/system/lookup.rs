//! Plain look-ups by path, for matching patterns.
//!
//! Patterns go through symbolic links as glob(3) does. Nothing is changed on the strength of what
//! is found here: the directory of a log is held by [`super::Dirs`] before anything happens in it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat, lstat, stat};
use rustix::fs::{FileType, RawDir};

use crate::facts::FileKind;
use crate::names::FileName;
use crate::system::Words;
use crate::system::file::errno;

/// How many bytes of a listing the system gives at once, as with the C library's readdir.
const LISTED_AT_ONCE: usize = 32 * 1024;

/// Which directory was listed: device and inode. Good within one run only.
pub type ListedId = (u64, u64);

/// A name in a listing, and what it is if the listing tells.
pub type Listed = (FileName, Option<FileKind>);

/// Why a directory was not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// Nothing is there, or something that is no directory.
    NoDirectory,
    /// The system refused: the cause.
    Refused(String),
}

impl From<Errno> for ListError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT | Errno::ENOTDIR => Self::NoDirectory,
            other => Self::Refused(other.words()),
        }
    }
}

/// Lists a directory, links on the way followed; in no order. The kinds are those that the listing
/// itself tells; a file system may leave them out.
///
/// # Errors
/// See [`ListError`].
pub fn list(path: &Path) -> Result<(ListedId, Vec<Listed>), ListError> {
    let dir = open(path)?;
    let found = fstat(&dir)?;
    let mut names = Vec::new();
    for_each(&dir, |name, kind| {
        // Only `.` and `..` are no file names.
        names.extend(FileName::from_bytes(name).map(|name| (name, kind)));
    })?;
    Ok(((found.st_dev, found.st_ino), names))
}

/// The names in a directory whose kind, as far as the listing tells, is wanted.
///
/// # Errors
/// See [`ListError`].
pub fn names_of(
    path: &Path,
    wanted: impl Fn(&Option<FileKind>) -> bool,
) -> Result<HashSet<Box<[u8]>>, ListError> {
    let mut names = HashSet::new();
    for_each(&open(path)?, |name, kind| {
        if wanted(&kind) {
            names.insert(name.into());
        }
    })?;
    Ok(names)
}

fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    nix::fcntl::open(path, flags, Mode::empty())
}

/// What the listing of an open directory tells of each entry, `.` and `..` among them. Straight from the
/// system: the C library asks it twice more before it begins.
pub(super) fn for_each(
    dir: &OwnedFd,
    mut each: impl FnMut(&[u8], Option<FileKind>),
) -> Result<(), Errno> {
    let mut buffer = Vec::with_capacity(LISTED_AT_ONCE);
    let mut listing = RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = listing.next() {
        let entry = match entry.map_err(errno) {
            // The directory itself is gone, and nothing is in it.
            Err(Errno::ENOENT) => break,
            other => other?,
        };
        each(entry.file_name().to_bytes(), kind_of(entry.file_type()));
    }
    Ok(())
}

fn kind_of(kind: FileType) -> Option<FileKind> {
    match kind {
        FileType::RegularFile => Some(FileKind::Regular),
        FileType::Symlink => Some(FileKind::SymbolicLink),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice | FileType::Socket => {
            Some(FileKind::Other)
        }
        FileType::Unknown => None,
    }
}

/// What stands at a path, the last link not followed; the cause if nothing can be seen there.
///
/// # Errors
/// The cause as the system words it.
pub fn kind(path: &Path) -> Result<FileKind, String> {
    let found = lstat(path).map_err(Words::words)?;
    let format = SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits());
    Ok(match format {
        SFlag::S_IFREG => FileKind::Regular,
        SFlag::S_IFLNK => FileKind::SymbolicLink,
        SFlag::S_IFDIR => FileKind::Directory,
        _ => FileKind::Other,
    })
}

/// A path from the root; as it is written where nobody knows the working directory any more.
pub fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Whether two paths lead to the same file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path| stat(path).map(|facts| (facts.st_dev, facts.st_ino));
    id(one).is_ok_and(|one| id(other) == Ok(one))
}
