//! Directories are held, not named.
//!
//! A directory's path is walked once, component by component, to a handle. From then on every
//! effect is a [`FileName`] below that handle, so that swapping the directory, or one of its
//! ancestors, for a symbolic link in mid-rotation changes nothing.

use std::ffi::OsStr;
use std::fmt;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode as OpenMode;
use rustix::fs::{AtFlags, StatxFlags, makedev, statx};

use crate::facts::{FileFacts, FileKind};
use crate::names::{FileName, Shown};
use crate::system::walk::Walk;
use crate::system::{Words, identity, lookup, process, ways};
use crate::units::{FileId, FileTime, Identity, Mode};

/// Directories that are open at once, and no more than this share of the files that may be; above it the one
/// that was not used for longest is closed, so that thousands of directories fit into a small limit.
const MOST_OPEN: usize = 256;
const SHARE_OF_OPEN: u64 = 4;

/// So many may be open whatever the limit is.
const FEW: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// The file systems (by their magic numbers) of which it is known that a file keeps its number: ext2 to
/// ext4, xfs, btrfs, tmpfs, f2fs.
const KEEP_NUMBERS: [u64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010];

/// A link that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntrustedLink {
    /// Its path.
    pub path: PathBuf,
    /// Who could follow it: the owner of the directory that it leads to, if nobody else can change it.
    pub follower: Option<Identity>,
}

/// Why a directory cannot be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// It does not exist.
    Missing,
    /// A symbolic link on the way can be changed by somebody other than root, us, or the owner of
    /// the directory that it leads to.
    UntrustedLink(UntrustedLink),
    /// Another directory has taken its place since it was first opened in this run.
    Replaced,
    /// The system refused.
    System(Errno),
}

impl OpenError {
    /// The system's error number, if the system said one.
    pub fn number(&self) -> Option<i32> {
        match self {
            Self::Missing => Some(Errno::ENOENT as i32),
            Self::System(errno) => Some(*errno as i32),
            Self::UntrustedLink(_) | Self::Replaced => None,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(&Errno::ENOENT.words()),
            Self::UntrustedLink(link) => {
                let link = Shown::path(&link.path);
                write!(f, "the symbolic link {link} may be changed by others")
            }
            Self::Replaced => f.write_str("another directory has taken its place"),
            Self::System(errno) => f.write_str(&errno.words()),
        }
    }
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT => Self::Missing,
            other => Self::System(other),
        }
    }
}

/// A directory that is held open.
#[derive(Debug)]
pub struct Dir {
    handle: Arc<OwnedFd>,
    path: PathBuf,
    first: OnceLock<FileFacts>,
    keeps_numbers: OnceLock<bool>,
}

impl Dir {
    /// Walks to a directory and holds it.
    ///
    /// A symbolic link on the way is followed only if nobody untrusted can change it: the directory
    /// that holds it belongs to root or to us and nobody else may write it, or the link's owner owns
    /// the directory that is reached in the end. Root's links count only in root's directories:
    /// elsewhere anybody may have brought one there, by a rename or as a hard link.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Walk::to_directory(path)?.into_dir(path)
    }

    /// A directory that a walk has come to.
    pub(super) fn reached(handle: Arc<OwnedFd>, path: &Path, facts: FileFacts) -> Self {
        let (first, keeps_numbers) = (facts.into(), OnceLock::new());
        Self { handle, path: path.into(), first, keeps_numbers }
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The handle.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// What stands under a name; `None` if nothing does. No link is followed.
    ///
    /// # Errors
    /// Whatever the system says other than that the file does not exist.
    pub fn facts(&self, name: &FileName) -> Result<Option<FileFacts>, Errno> {
        match look(self.handle(), name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => Ok(Some(facts)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Facts about the directory itself.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn own_facts(&self) -> Result<FileFacts, Errno> {
        look(self.handle(), OsStr::new(""), AtFlags::EMPTY_PATH)
    }

    /// Facts about the directory itself as they were when this was first asked. Whoever holds it
    /// for a whole run looks once; a script makes the run hold it anew.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn first_facts(&self) -> Result<FileFacts, Errno> {
        if let Some(&facts) = self.first.get() {
            return Ok(facts);
        }
        let facts = self.own_facts()?;
        Ok(*self.first.get_or_init(|| facts))
    }

    /// Whether a file in it keeps its number when it moves: not on an overlay, and who knows where else.
    pub fn keeps_numbers(&self) -> bool {
        *self.keeps_numbers.get_or_init(|| {
            rustix::fs::fstatfs(&self.handle)
                .is_ok_and(|found| KEEP_NUMBERS.contains(&found.f_type.cast_unsigned()))
        })
    }

    /// Whether only root and we ourselves may put names into it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn only_trusted_write(&self) -> Result<bool, Errno> {
        Ok(only_trusted_write(&self.own_facts()?, identity::now().uid))
    }

    /// Whether a file that has more names than the one in here is there by the will of its owner, or of
    /// root: where others may write, any of them may have linked somebody else's file in.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn holds_own(&self, file: &FileFacts) -> Result<bool, Errno> {
        let own = self.own_facts()?;
        let owners = file.uid == own.uid && file.uid != 0 && only_trusted_write(&own, file.uid);
        Ok(owners || only_trusted_write(&own, identity::now().uid))
    }

    /// All names in it, in no order.
    ///
    /// # Errors
    /// Whatever the system says; `EACCES` for a directory that may be searched but not read.
    pub fn names(&self) -> Result<Vec<FileName>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let listing = openat(self.handle(), ".", flags, OpenMode::empty())?;
        let mut names = Vec::new();
        // Only `.` and `..` are no file names.
        lookup::for_each(&listing, |name, _| names.extend(FileName::from_bytes(name)))?;
        Ok(names)
    }
}

/// Takes hold of a name without following a link and without reading it.
pub(super) fn hold(dir: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, OpenMode::empty())
}

/// Whether only root and a user may put names into a directory.
pub(super) fn only_trusted_write(dir: &FileFacts, user: u32) -> bool {
    let owner = dir.uid == 0 || dir.uid == user;
    let group = dir.mode.0 & 0o020 == 0 || dir.gid == 0;
    let other = dir.mode.0 & 0o002 == 0;
    owner && group && other
}

/// Facts about an open file.
///
/// # Errors
/// Whatever the system says.
pub fn facts_of(file: impl AsFd) -> Result<FileFacts, Errno> {
    look(file.as_fd(), OsStr::new(""), AtFlags::EMPTY_PATH)
}

/// Looks at a name below a handle.
pub(super) fn look(dir: BorrowedFd<'_>, name: &OsStr, flags: AtFlags) -> Result<FileFacts, Errno> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = statx(dir, name.as_bytes(), flags, wanted)
        .map_err(|errno| Errno::from_raw(errno.raw_os_error()))?;
    let mode = u32::from(found.stx_mode);
    let kind = match mode & 0o170_000 {
        0o100_000 => FileKind::Regular,
        0o120_000 => FileKind::SymbolicLink,
        0o040_000 => FileKind::Directory,
        _ => FileKind::Other,
    };
    let time = |t: rustix::fs::StatxTimestamp| FileTime { seconds: t.tv_sec, nanos: t.tv_nsec };
    let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(FileFacts {
        kind,
        size: found.stx_size,
        mode: Mode(mode & 0o7777),
        uid: found.stx_uid,
        gid: found.stx_gid,
        links: u64::from(found.stx_nlink),
        modified: time(found.stx_mtime),
        accessed: time(found.stx_atime),
        id: FileId {
            inode: found.stx_ino,
            birth: has_birth.then(|| time(found.stx_btime)),
            device: Some(makedev(found.stx_dev_major, found.stx_dev_minor)),
        },
    })
}

/// The directories in use, some of them open.
#[derive(Debug)]
pub struct Dirs {
    /// By path and by whose ids were in force: what one user may reach, another may not (`su`).
    open: lru::LruCache<(PathBuf, Identity), Arc<Dir>>,
    /// Which directory each path led to when it was first opened.
    known: hashbrown::HashMap<PathBuf, FileId>,
    /// The last one that was asked for, which most often is the next one too.
    last: Option<(Identity, Arc<Dir>)>,
}

impl Default for Dirs {
    fn default() -> Self {
        let known = hashbrown::HashMap::new();
        Self { open: lru::LruCache::new(FEW), known, last: None }
    }
}

impl Dirs {
    /// The handle of a directory. One that was closed to stay within the limit is walked to again
    /// and must still be the same directory.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&mut self, path: &Path) -> Result<Arc<Dir>, OpenError> {
        let identity = identity::now();
        if let Some((whose, dir)) = &self.last
            && *whose == identity
            && dir.path().as_os_str() == path.as_os_str()
        {
            return Ok(Arc::clone(dir));
        }
        let key = (path.to_path_buf(), identity);
        if let Some(dir) = self.open.get(&key) {
            self.last = Some((identity, Arc::clone(dir)));
            return Ok(Arc::clone(dir));
        }
        let dir = Arc::new(Dir::open(path)?);
        let id = dir.first_facts()?.id;
        match self.known.get(path) {
            Some(known) if !known.is(&id) => return Err(OpenError::Replaced),
            Some(_) => {}
            None => {
                self.known.insert(path.into(), id);
            }
        }
        if self.open.len() == FEW.get() {
            self.open.resize(most_open());
        }
        self.open.put(key, Arc::clone(&dir));
        self.last = Some((identity, Arc::clone(&dir)));
        Ok(dir)
    }

    /// Forgets a directory, so that the next use walks to it anew: after a script, which may have
    /// replaced it on purpose.
    pub fn forget(&mut self, path: &Path) {
        self.last = None;
        ways::forget();
        let known: Vec<_> = self.open.iter().map(|(key, _)| key).cloned().collect();
        for key in known.into_iter().filter(|(known, _)| known == path) {
            self.open.pop(&key);
        }
        self.known.remove(path);
    }

    /// Forgets all directories, for the same reason.
    pub fn forget_all(&mut self) {
        self.last = None;
        ways::forget();
        self.open.clear();
        self.known.clear();
    }
}

/// How many directories may be open.
fn most_open() -> NonZeroUsize {
    let share =
        usize::try_from(process::most_open() / SHARE_OF_OPEN).unwrap_or(MOST_OPEN).min(MOST_OPEN);
    NonZeroUsize::new(share).map_or(FEW, |share| share.max(FEW))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use nix::unistd::geteuid;
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    fn temp() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    #[test]
    fn a_swapped_directory_is_still_the_one_that_was_opened() {
        let temp = temp();
        let (logs, evil) = (temp.path().join("logs"), temp.path().join("evil"));
        std::fs::create_dir(&logs).unwrap();
        std::fs::create_dir(&evil).unwrap();
        std::fs::write(logs.join("a"), "log").unwrap();
        let dir = Dir::open(&logs).unwrap();
        std::fs::rename(&logs, temp.path().join("away")).unwrap();
        symlink(&evil, &logs).unwrap();
        let name = FileName::new("a").unwrap();
        assert_eq!(dir.facts(&name).unwrap().map(|f| f.size), Some(3));
        assert_eq!(dir.names().unwrap(), [name]);
    }

    #[test]
    fn a_link_in_a_directory_that_only_we_write_is_followed() {
        let temp = temp();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        symlink("real", temp.path().join("link")).unwrap();
        let dir = Dir::open(&temp.path().join("link/../link")).unwrap();
        let real = Dir::open(&temp.path().join("real")).unwrap();
        assert_eq!(dir.own_facts().unwrap().id, real.own_facts().unwrap().id);
    }

    #[test]
    fn a_link_that_others_may_change_is_refused_by_name() {
        let temp = temp();
        let open = temp.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        symlink("../real", open.join("link")).unwrap();
        if !geteuid().is_root() {
            return;
        }
        lchown(open.join("link"), Some(65534), Some(65534)).unwrap();
        let refused = |follower| {
            let path = open.join("link");
            Err(OpenError::UntrustedLink(UntrustedLink { path, follower }))
        };
        let opened = || Dir::open(&open.join("link")).map(|_| ());
        assert_eq!(opened(), refused(None));
        chown(temp.path().join("real"), Some(65534), None).unwrap();
        assert_eq!(opened(), Ok(()), "its owner owns what it names");
        // Who owns the directory, and nobody else, may change its links: `su` makes that safe.
        lchown(open.join("link"), Some(0), Some(0)).unwrap();
        chown(&open, Some(65534), None).unwrap();
        assert_eq!(opened(), refused(None), "the whole world may change it");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(opened(), refused(Some(Identity { uid: 65534, gid: 0 })));
    }

    #[test]
    fn a_link_of_roots_is_refused_where_others_may_have_put_it() {
        if !geteuid().is_root() {
            return;
        }
        let temp = temp();
        let (theirs, link) = (temp.path().join("theirs"), temp.path().join("theirs/link"));
        std::fs::create_dir(&theirs).unwrap();
        std::fs::create_dir(temp.path().join("roots")).unwrap();
        symlink("../roots", &link).unwrap();
        assert!(Dir::open(&link).is_ok(), "nobody else can write that directory");
        chown(&theirs, Some(65534), None).unwrap();
        let refused = UntrustedLink { path: link.clone(), follower: None };
        assert_eq!(Dir::open(&link).unwrap_err(), OpenError::UntrustedLink(refused));
    }

    #[test]
    fn more_directories_than_the_limit_can_be_used_in_turn() {
        let temp = temp();
        let mut dirs = Dirs::default();
        let paths: Vec<_> = (0..300).map(|i| temp.path().join(i.to_string())).collect();
        for path in &paths {
            std::fs::create_dir(path).unwrap();
            dirs.open(path).unwrap();
        }
        assert!(dirs.open(&paths[0]).is_ok());
        std::fs::rename(&paths[1], temp.path().join("old")).unwrap();
        std::fs::create_dir(&paths[1]).unwrap();
        assert_eq!(dirs.open(&paths[1]).unwrap_err(), OpenError::Replaced);
    }
}
