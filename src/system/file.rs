//! Single effects on files below held directories: open, make, rename, remove, sync, truncate.
//!
//! Nothing here follows a symbolic link or overwrites a file.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use rustix::fs::{AtFlags, Mode as OpenMode, OFlags, RenameFlags};

use super::dir::{Dir, hold, look};
use crate::facts::{FileFacts, FileKind};
use crate::names::FileName;
use crate::system::Words;
use crate::units::FileId;

/// A file that is open. Other modules hold it; what is done to it is done here.
pub type OpenFile = File;

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not there.
    Missing,
    /// It is a link, a directory, a FIFO, a device.
    NotRegular,
    /// It has this many names, and more than one is not allowed.
    HardLinks(u64),
    /// Another file stands under the name.
    Another,
    /// The system refused.
    System(Errno),
}

impl Refused {
    /// The system's error number, if it said one.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Self::Missing => Some(Errno::ENOENT),
            Self::System(errno) => Some(errno),
            Self::NotRegular | Self::HardLinks(_) | Self::Another => None,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(&Errno::ENOENT.words()),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::HardLinks(n) => write!(f, "it has {n} hard links"),
            Self::Another => f.write_str("another file has taken its place"),
            Self::System(errno) => f.write_str(&errno.words()),
        }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT => Self::Missing,
            other => Self::System(other),
        }
    }
}

/// What a file must be to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// This file; `None`: whichever stands there.
    pub id: Option<FileId>,
    /// More than one name is fine (`allowhardlink`), where only who owns the file, or we ourselves,
    /// can have given it these names: see [`Dir::holds_own`].
    pub hard_links: bool,
}

impl Wanted {
    /// Whether a file with these facts is the wanted one.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, facts: &FileFacts) -> Result<(), Refused> {
        if self.id.is_some_and(|id| !id.is(&facts.id)) {
            return Err(Refused::Another);
        }
        if facts.kind != FileKind::Regular {
            return Err(Refused::NotRegular);
        }
        // A file that was unlinked after it was opened has no name left, and loses nobody's data.
        if facts.links > 1 && !self.hard_links {
            return Err(Refused::HardLinks(facts.links));
        }
        Ok(())
    }
}

/// A file that is held without being open for reading: it may be unreadable, a FIFO, leased. It is
/// still the same file when its name has changed.
#[derive(Debug)]
pub struct Held(OwnedFd);

impl Held {
    /// Takes hold of what stands under a name; a link itself, not what it names.
    ///
    /// # Errors
    /// [`Refused::Missing`] or what the system says.
    pub fn take(dir: &Dir, name: &FileName) -> Result<Self, Refused> {
        Ok(Self(hold(dir.handle(), name.as_os_str())?))
    }

    /// Its facts now.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn facts(&self) -> Result<FileFacts, Errno> {
        look(self.0.as_fd(), OsStr::new(""), AtFlags::EMPTY_PATH)
    }
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// Opens a regular file that is there.
///
/// It is looked at before it is opened (opening a FIFO would wake its writer) and again on the
/// descriptor, so that a swap in between is refused.
///
/// # Errors
/// See [`Refused`].
pub fn open(
    dir: &Dir,
    name: &FileName,
    access: Access,
    wanted: &Wanted,
) -> Result<(File, FileFacts), Refused> {
    let before = dir.facts(name)?.ok_or(Refused::Missing)?;
    wanted.check(&before)?;
    let access = match access {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened =
        again(|| rustix::fs::openat(dir.handle(), name.as_bytes(), flags, OpenMode::empty()));
    let file = File::from(opened?);
    let facts = facts(&file)?;
    Wanted { id: Some(before.id), ..*wanted }.check(&facts)?;
    if facts.links > 1 && !dir.holds_own(&facts)? {
        return Err(Refused::HardLinks(facts.links));
    }
    Ok((file, facts))
}

/// Makes a file that must not exist, readable by its owner alone, open for reading and writing.
///
/// # Errors
/// `EEXIST` if anything stands there, even a dangling link; else what the system says.
pub fn create_new(dir: &Dir, name: &FileName) -> Result<File, Errno> {
    before_effect("create")?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = OpenMode::RUSR | OpenMode::WUSR;
    again(|| rustix::fs::openat(dir.handle(), name.as_bytes(), flags, mode)).map(File::from)
}

/// Facts about an open file.
///
/// # Errors
/// Whatever the system says.
pub fn facts(file: &File) -> Result<FileFacts, Errno> {
    look(file.as_fd(), OsStr::new(""), AtFlags::EMPTY_PATH)
}

/// Gives a file another name, in one step where the file system can. Never overwrites.
///
/// # Errors
/// `EEXIST` if anything stands under the new name; else what the system says.
pub fn rename_new(
    from_dir: &Dir,
    from: &FileName,
    to_dir: &Dir,
    to: &FileName,
) -> Result<(), Errno> {
    before_effect("rename")?;
    let (old, new) = (from_dir.handle(), to_dir.handle());
    let flags = RenameFlags::NOREPLACE;
    match again(|| rustix::fs::renameat_with(old, from.as_bytes(), new, to.as_bytes(), flags)) {
        // The file system (or an old kernel) does not know the flag.
        Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
            link_then_unlink(from_dir, from, to_dir, to)
        }
        other => other,
    }
}

/// What a rename did: what stands under the new name by then, or why it failed.
pub type Renamed = Result<Result<Option<FileFacts>, Errno>, Errno>;

/// Gives a file another name in its directory, and looks at what stands under that then.
///
/// # Errors
/// As [`rename_new`]; and, if that went well, whatever the system says about the new name.
pub fn rename_and_look(dir: &Dir, from: &FileName, to: &FileName) -> Renamed {
    rename_new(dir, from, dir, to).map(|()| dir.facts(to))
}

/// A rename that cannot overwrite, made of two steps: between them the file has both names.
///
/// # Errors
/// `EEXIST` if anything stands under the new name; else what the system says.
pub fn link_then_unlink(
    from_dir: &Dir,
    from: &FileName,
    to_dir: &Dir,
    to: &FileName,
) -> Result<(), Errno> {
    before_effect("link")?;
    let (old, new) = (from_dir.handle(), to_dir.handle());
    let none = AtFlags::empty();
    match again(|| rustix::fs::linkat(old, from.as_bytes(), new, to.as_bytes(), none)) {
        Ok(()) => unlink(from_dir, from),
        // No hard links here (vfat), or none to files of others (`protected_hardlinks`).
        Err(Errno::EPERM | Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EMLINK | Errno::EACCES) => {
            check_then_rename(from_dir, from, to_dir, to)
        }
        Err(errno) => Err(errno),
    }
}

/// The last resort: somebody could take the new name between the look and the rename.
fn check_then_rename(
    from_dir: &Dir,
    from: &FileName,
    to_dir: &Dir,
    to: &FileName,
) -> Result<(), Errno> {
    if to_dir.facts(to)?.is_some() {
        return Err(Errno::EEXIST);
    }
    before_effect("rename")?;
    let (old, new) = (from_dir.handle(), to_dir.handle());
    again(|| rustix::fs::renameat(old, from.as_bytes(), new, to.as_bytes()))
}

/// Removes a name that is not a directory's.
///
/// # Errors
/// Whatever the system says.
pub fn unlink(dir: &Dir, name: &FileName) -> Result<(), Errno> {
    before_effect("unlink")?;
    again(|| rustix::fs::unlinkat(dir.handle(), name.as_bytes(), AtFlags::empty()))
}

/// Waits until a file's content is on disk.
///
/// # Errors
/// Whatever the system says: then nothing that relies on the content may be destroyed.
pub fn sync(file: &File) -> Result<(), Errno> {
    before_effect("sync")?;
    file.sync_all().map_err(|e| io_errno(&e))
}

/// Waits until a file's content, and the name that it has in its directory, are on disk.
///
/// # Errors
/// Whatever the system says.
pub fn sync_with_name(file: &File, dir: &Dir) -> Result<(), Errno> {
    sync(file)?;
    sync_name(file, dir)
}

/// Waits until the name that a file has in its directory is on disk, and all others there.
///
/// # Errors
/// Whatever the system says.
pub fn sync_name(file: &File, dir: &Dir) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match again(|| rustix::fs::openat(dir.handle(), ".", flags, OpenMode::empty())) {
        Ok(listing) => match again(|| rustix::fs::fsync(&listing)) {
            // Some file systems have nothing to sync in a directory and say so.
            Ok(()) | Err(Errno::EINVAL) => Ok(()),
            Err(errno) => Err(errno),
        },
        // A directory that may be entered but not read: sync the whole file system.
        Err(Errno::EACCES) => again(|| rustix::fs::syncfs(file)),
        Err(errno) => Err(errno),
    }
}

/// Empties a file in place.
///
/// # Errors
/// Whatever the system says.
pub fn empty(file: &File) -> Result<(), Errno> {
    before_effect("truncate")?;
    again(|| rustix::fs::ftruncate(file, 0))
}

/// Makes a call, and again for as long as a signal interrupts it.
pub(super) fn again<T>(call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, Errno> {
    rustix::io::retry_on_intr(call).map_err(errno)
}

/// The same through `nix`.
pub(super) fn again_nix<T>(mut call: impl FnMut() -> nix::Result<T>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// The system's error of a call through `rustix`.
pub(super) fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

/// The system's error of a call through `std`.
pub(super) fn io_errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Where a test may let something happen before an effect; otherwise nothing.
#[inline]
#[cfg_attr(not(test), expect(clippy::unnecessary_wraps, reason = "tests let effects fail"))]
pub(super) fn before_effect(effect: &'static str) -> Result<(), Errno> {
    #[cfg(test)]
    super::crash::point(effect)?;
    let _ = effect;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    type Rename = fn(&Dir, &FileName, &Dir, &FileName) -> Result<(), Errno>;

    const WAYS: [(&str, Rename); 3] = [
        ("rename_new", rename_new),
        ("link_then_unlink", link_then_unlink),
        ("check_then_rename", check_then_rename),
    ];

    fn scene() -> (tempfile::TempDir, Dir, FileName, FileName) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        (temp, dir, FileName::new("a").unwrap(), FileName::new("b").unwrap())
    }

    #[test]
    fn a_rename_moves_the_file_in_every_way() {
        for (way, rename) in WAYS {
            let (temp, dir, a, b) = scene();
            std::fs::write(temp.path().join("a"), "text").unwrap();
            let id = dir.facts(&a).unwrap().unwrap().id;
            rename(&dir, &a, &dir, &b).unwrap();
            assert_eq!(dir.facts(&a).unwrap(), None, "{way}");
            assert_eq!(dir.facts(&b).unwrap().map(|f| (f.id, f.links)), Some((id, 1)), "{way}");
        }
    }

    #[test]
    fn a_rename_never_overwrites_not_even_a_dangling_link() {
        for (way, rename) in WAYS {
            let (temp, dir, a, b) = scene();
            std::fs::write(temp.path().join("a"), "mine").unwrap();
            symlink("nowhere", temp.path().join("b")).unwrap();
            assert_eq!(rename(&dir, &a, &dir, &b), Err(Errno::EEXIST), "{way}");
            std::fs::remove_file(temp.path().join("b")).unwrap();
            std::fs::write(temp.path().join("b"), "theirs").unwrap();
            assert_eq!(rename(&dir, &a, &dir, &b), Err(Errno::EEXIST), "{way}");
            assert_eq!(std::fs::read(temp.path().join("a")).unwrap(), b"mine", "{way}");
            assert_eq!(std::fs::read(temp.path().join("b")).unwrap(), b"theirs", "{way}");
        }
    }

    #[test]
    fn a_new_file_is_private_and_takes_nothing_over() {
        let (temp, dir, a, b) = scene();
        let made = create_new(&dir, &a).unwrap();
        assert_eq!(facts(&made).unwrap().mode.0 & 0o077, 0);
        symlink("target", temp.path().join("b")).unwrap();
        for name in [&a, &b] {
            assert_eq!(create_new(&dir, name).map(|_| ()), Err(Errno::EEXIST));
        }
        assert!(!temp.path().join("target").exists());
    }

    #[test]
    fn only_the_wanted_regular_file_is_opened() {
        let (temp, dir, a, b) = scene();
        let any = Wanted { id: None, hard_links: false };
        let refused = |name: &FileName, wanted: &Wanted| {
            open(&dir, name, Access::Read, wanted).map(|_| ()).unwrap_err()
        };
        assert_eq!(refused(&a, &any), Refused::Missing);
        symlink("/etc/passwd", temp.path().join("a")).unwrap();
        assert_eq!(refused(&a, &any), Refused::NotRegular);
        std::fs::remove_file(temp.path().join("a")).unwrap();
        nix::unistd::mkfifo(&temp.path().join("a"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(refused(&a, &any), Refused::NotRegular);
        std::fs::remove_file(temp.path().join("a")).unwrap();
        std::fs::write(temp.path().join("b"), "x").unwrap();
        let id = dir.facts(&b).unwrap().map(|f| f.id);
        std::fs::write(temp.path().join("a"), "x").unwrap();
        assert_eq!(refused(&a, &Wanted { id, ..any }), Refused::Another);
        std::fs::hard_link(temp.path().join("b"), temp.path().join("c")).unwrap();
        assert_eq!(refused(&b, &any), Refused::HardLinks(2));
        assert!(open(&dir, &b, Access::Read, &Wanted { id, hard_links: true }).is_ok());
    }

    #[test]
    fn a_file_and_its_name_can_be_synced() {
        let (_temp, dir, a, _) = scene();
        let file = create_new(&dir, &a).unwrap();
        assert_eq!(sync_with_name(&file, &dir), Ok(()));
    }
}
