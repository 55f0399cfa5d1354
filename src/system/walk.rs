//! From a path to what it names, component by component.
//!
//! On the way it is noted who else could have led the path elsewhere: by a symbolic link, or by putting
//! something else in the place of a component.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, readlinkat};
use rustix::fs::{PROC_SUPER_MAGIC, fstatfs};

use super::dir::{Dir, OpenError, UntrustedLink, facts_of, hold, only_trusted_write};
use super::identity;
use super::ways::{self, Passed};
use crate::facts::{FileFacts, FileKind};
use crate::units::Identity;

/// As many links as the kernel itself follows in one path.
const MOST_LINKS: usize = 40;

/// The bit of a directory in which a name can be given away by its owner alone.
const STICKY: u32 = 0o1000;

/// How far a walk has come.
#[derive(Debug)]
pub struct Walk {
    here: Passed,
    /// How far below the root it is, if nothing but names of directories has led here from there.
    depth: Option<usize>,
    /// The path of `here`, for messages.
    at: PathBuf,
    links: usize,
    /// The links in directories that others may write.
    doubtful: Vec<Doubtful>,
    /// The first directory in which others could have put something else in the way's place.
    exposed: Option<PathBuf>,
    /// The last component, if it is no directory.
    end: Option<End>,
}

/// Holds the root from now on, so that not every walk has to, and the beginning of the last way from there
/// (see `ways`). Not before what scripts inherit is open, which gets the lowest descriptor (compat CLI-30).
pub fn hold_ways() {
    // Without it each walk says what is wrong.
    if let Ok(root) = found(AT_FDCWD, OsStr::new("/")) {
        ways::hold(root);
    }
}

/// Takes hold of what stands under a name, and looks at it.
fn found(dir: impl AsFd, name: &OsStr) -> Result<Passed, Errno> {
    let handle = hold(dir, name)?;
    let facts = facts_of(&handle)?;
    Ok(Passed { handle: Arc::new(handle), facts })
}

/// The root.
fn root() -> Result<Passed, Errno> {
    ways::root().map_or_else(|| found(AT_FDCWD, OsStr::new("/")), Ok)
}

/// The end of a path, in the directory that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
}

/// A link that somebody else may have put where it is.
#[derive(Debug)]
struct Doubtful {
    path: PathBuf,
    link: FileFacts,
    /// The directory that holds it.
    holder: FileFacts,
}

impl Doubtful {
    /// Whether it leads where its owner could have gone anyway.
    fn is_followed_to(&self, end: &FileFacts) -> bool {
        self.link.uid == end.uid && self.link.uid != 0 && self.link.links == 1
    }

    /// Whether the owner of what it leads to would follow it.
    fn is_followed_by_owner(&self, end: &FileFacts) -> bool {
        self.is_followed_to(end) || (end.uid != 0 && only_trusted_write(&self.holder, end.uid))
    }
}

impl Walk {
    /// Walks to a directory, from the root or the current directory.
    ///
    /// # Errors
    /// Whatever the system says; `ENOTDIR` for what is no directory.
    pub fn to_directory(path: &Path) -> Result<Self, Errno> {
        let walk = Self::to(None, path)?;
        if walk.end.is_some() { Err(Errno::ENOTDIR) } else { Ok(walk) }
    }

    /// Walks to whatever a path names; a relative one inside `dir`, or in the current directory. What is
    /// no directory is left closed.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn to(dir: Option<&Dir>, path: &Path) -> Result<Self, Errno> {
        let (here, at) = if path.is_absolute() {
            (root()?, "/".into())
        } else if let Some(dir) = dir {
            (found(dir.handle(), OsStr::new("."))?, dir.path().to_owned())
        } else {
            (found(AT_FDCWD, OsStr::new("."))?, ".".into())
        };
        let depth = path.is_absolute().then_some(0);
        let (doubtful, links) = (Vec::new(), 0);
        let mut walk = Self { here, depth, at, links, doubtful, exposed: None, end: None };
        let mut left: VecDeque<OsString> = parts(path);
        while let Some(part) = left.pop_front() {
            walk.enter(part, &mut left)?;
        }
        Ok(walk)
    }

    /// Goes down by one component; a link puts its target's components in front of what is left.
    fn enter(&mut self, part: OsString, left: &mut VecDeque<OsString>) -> Result<(), Errno> {
        let known = self.depth.and_then(|depth| ways::known(depth, &part));
        let is_known = known.is_some();
        let next = known.map_or_else(|| found(&self.here.handle, &part), Ok)?;
        let facts = next.facts;
        if part != ".." && self.exposed.is_none() && may_replace(&self.here.facts, facts.uid) {
            self.exposed = Some(self.at.clone());
        }
        match facts.kind {
            FileKind::Directory => {
                self.depth = self.depth.filter(|_| part != "..");
                if let Some(depth) = &mut self.depth {
                    if !is_known {
                        ways::note(*depth, &part, &next);
                    }
                    *depth += 1;
                }
                self.here = next;
                self.at.push(part);
            }
            FileKind::SymbolicLink if left.is_empty() && self.is_magic() => {
                self.end = Some(End { name: part, kind: facts.kind });
            }
            FileKind::SymbolicLink => {
                self.links += 1;
                if self.links > MOST_LINKS {
                    return Err(Errno::ELOOP);
                }
                if !only_trusted_write(&self.here.facts, identity::now().uid) {
                    let (path, holder) = (self.at.join(&part), self.here.facts);
                    self.doubtful.push(Doubtful { path, link: facts, holder });
                }
                let target = PathBuf::from(readlinkat(next.handle.as_fd(), "")?);
                self.depth = None;
                if target.is_absolute() {
                    (self.here, self.depth) = (root()?, Some(0));
                    self.at = "/".into();
                }
                for part in parts(&target).into_iter().rev() {
                    left.push_front(part);
                }
            }
            FileKind::Regular | FileKind::Other if left.is_empty() => {
                self.end = Some(End { name: part, kind: facts.kind });
            }
            FileKind::Regular | FileKind::Other => return Err(Errno::ENOTDIR),
        }
        Ok(())
    }

    /// Whether links here stand for open files (`/proc/self/fd/1`), and not for paths.
    fn is_magic(&self) -> bool {
        fstatfs(&self.here.handle).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
    }

    /// The end of the path, if it is no directory.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The directory that was reached.
    pub fn here(&self) -> &OwnedFd {
        &self.here.handle
    }

    /// The first link on the way that others may have put there.
    pub fn doubtful_link(&self) -> Option<&Path> {
        self.doubtful.first().map(|link| link.path.as_path())
    }

    /// The first directory on the way in which others can replace what the path leads through.
    pub fn exposed(&self) -> Option<&Path> {
        self.exposed.as_deref()
    }

    /// [`Self::exposed`], or the directory that was reached, if others can replace an entry of this owner there.
    pub fn exposed_to_replace(&self, owner: u32) -> Option<&Path> {
        self.exposed().or_else(|| may_replace(&self.here.facts, owner).then_some(self.at.as_path()))
    }

    /// The directory that was reached, if every link on the way is to be trusted: see [`Dir::open`].
    ///
    /// # Errors
    /// [`OpenError::UntrustedLink`].
    pub fn into_dir(self, path: &Path) -> Result<Dir, OpenError> {
        let end = &self.here.facts;
        if let Some(link) = self.doubtful.iter().find(|link| !link.is_followed_to(end)) {
            let owner = self.doubtful.iter().all(|link| link.is_followed_by_owner(end));
            let follower = owner.then_some(Identity { uid: end.uid, gid: end.gid });
            let path = link.path.clone();
            return Err(OpenError::UntrustedLink(UntrustedLink { path, follower }));
        }
        Ok(Dir::reached(self.here.handle, path, self.here.facts))
    }
}

/// Whether others can put something else in the place of an entry of a directory; `owner` is the entry's.
pub(super) fn may_replace(dir: &FileFacts, owner: u32) -> bool {
    let us = identity::now().uid;
    let ours = |uid: u32| uid == 0 || uid == us;
    let kept = dir.mode.0 & STICKY != 0 && ours(dir.uid) && ours(owner);
    !only_trusted_write(dir, us) && !kept
}

/// The components that are walked: names and `..`.
fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|c| match c {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}
