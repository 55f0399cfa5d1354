//! Plain look-ups by path, for matching patterns.
//!
//! Patterns go through symbolic links as glob(3) does. Nothing is changed on the strength of what
//! is found here: the directory of a log is held by [`super::Dirs`] before anything happens in it.

use std::path::{Path, PathBuf};

use hashbrown::HashSet;
use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat, lstat, stat};

use crate::facts::FileKind;
use crate::names::FileName;
use crate::system::Words;

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
    let mut dir = open(path)?;
    let found = fstat(&dir)?;
    let mut names = Vec::new();
    for entry in dir.iter() {
        let entry = entry?;
        let kind = kind_of(&entry);
        // Only `.` and `..` are no file names.
        names.extend(FileName::from_bytes(entry.file_name().to_bytes()).map(|name| (name, kind)));
    }
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
    for entry in open(path)?.iter() {
        let entry = entry?;
        if wanted(&kind_of(&entry)) {
            names.insert(entry.file_name().to_bytes().into());
        }
    }
    Ok(names)
}

fn open(path: &Path) -> Result<nix::dir::Dir, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    nix::dir::Dir::open(path, flags, Mode::empty())
}

fn kind_of(entry: &nix::dir::Entry) -> Option<FileKind> {
    entry.file_type().map(|kind| match kind {
        Type::File => FileKind::Regular,
        Type::Symlink => FileKind::SymbolicLink,
        Type::Directory => FileKind::Directory,
        Type::Fifo | Type::CharacterDevice | Type::BlockDevice | Type::Socket => FileKind::Other,
    })
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
