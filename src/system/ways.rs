//! Directories that walks have come through, held for the next walk: most of a run begin alike.
//!
//! They are those of the last way from the root on which no link was met, its first few. A directory that is
//! held is the one that was found, whatever has taken its place since; after a script, which may have replaced
//! it on purpose, and for a user whom the way may not be open to, the way is walked anew.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::{identity, process};
use crate::facts::FileFacts;
use crate::units::Identity;

/// So many of a way are held, where not only a few files can be open.
const MOST: usize = 6;
const FEW_FILES: u64 = 64;

/// A directory that a walk has come to.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    pub handle: Arc<OwnedFd>,
    pub facts: FileFacts,
}

#[derive(Debug)]
struct Ways {
    root: Passed,
    /// How many directories of a way are held.
    most: usize,
    /// Who has come this way.
    walker: Identity,
    /// Below the root.
    last: Vec<(OsString, Passed)>,
}

thread_local! {
    /// Walks are the main thread's.
    static WAYS: RefCell<Option<Ways>> = const { RefCell::new(None) };
}

/// Holds the root, and a way from it, from now on.
pub(super) fn hold(root: Passed) {
    let most = if process::most_open() < FEW_FILES { 0 } else { MOST };
    let (walker, last) = (identity::now(), Vec::new());
    WAYS.set(Some(Ways { root, most, walker, last }));
}

/// The root, if it is held.
pub(super) fn root() -> Option<Passed> {
    with(|ways| Some(ways.root.clone()))
}

/// The directory of this name, if it is held: the last walk came through it, `depth` directories below the
/// root, as this one has come through all that are above it.
pub(super) fn known(depth: usize, name: &OsStr) -> Option<Passed> {
    with(|ways| {
        let (known, passed) = ways.last.get(depth)?;
        (known == name).then(|| passed.clone())
    })
}

/// Holds a directory that this walk has come through.
pub(super) fn note(depth: usize, name: &OsStr, passed: &Passed) {
    with(|ways| {
        if depth < ways.most && depth <= ways.last.len() {
            ways.last.truncate(depth);
            ways.last.push((name.to_owned(), passed.clone()));
        }
        Some(())
    });
}

/// Forgets the way, but for the root, in whose place nothing can be put.
pub(super) fn forget() {
    with(|ways| {
        ways.last.clear();
        Some(())
    });
}

fn with<T>(act: impl FnOnce(&mut Ways) -> Option<T>) -> Option<T> {
    WAYS.with_borrow_mut(|ways| {
        let ways = ways.as_mut()?;
        let walker = identity::now();
        if ways.walker != walker {
            ways.walker = walker;
            ways.last.clear();
        }
        act(ways)
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::system::{Dir, walk};
    use std::path::Path;

    /// Which directory a path leads to.
    fn inode(path: &Path) -> u64 {
        Dir::open(path).unwrap().first_facts().unwrap().id.inode
    }

    fn names() -> Vec<OsString> {
        with(|ways| Some(ways.last.iter().map(|(name, _)| name.clone()).collect())).unwrap()
    }

    #[test]
    fn a_directory_on_the_way_is_the_one_that_was_found_until_it_is_forgotten() {
        let temp = tempfile::tempdir_in("/tmp").unwrap();
        let [one, two, away] = ["d/one", "d/two", "away"].map(|name| temp.path().join(name));
        std::fs::create_dir_all(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        walk::hold_ways();
        let (first, second) = (inode(&one), inode(&two));
        std::fs::rename(temp.path().join("d"), &away).unwrap();
        std::fs::create_dir_all(&one).unwrap();
        assert_eq!((inode(&one), inode(&two)), (first, second));
        forget();
        assert!(![first, second].contains(&inode(&one)));
    }

    #[test]
    fn the_last_way_is_held_as_far_as_names_of_directories_lead() {
        let temp = tempfile::tempdir_in("/tmp").unwrap();
        let (deep, other) = (temp.path().join("a/b/c/d/e/f"), temp.path().join("other"));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink("a", temp.path().join("link")).unwrap();
        let name = temp.path().file_name().unwrap();
        walk::hold_ways();
        inode(&deep);
        let four = ["a", "b", "c", "d"].map(OsStr::new);
        assert_eq!(names(), [&[OsStr::new("tmp"), name], &four[..]].concat());
        // By a link, and by `..`.
        let inner = inode(&temp.path().join("a/b"));
        assert_eq!(inode(&temp.path().join("link/b")), inner);
        assert_eq!(inode(&temp.path().join("other/../a/b")), inner);
        assert_eq!(names(), [OsStr::new("tmp"), name, OsStr::new("other")]);
        assert_eq!(inode(&temp.path().join("a/b")), inner);
    }

    #[test]
    fn nobody_goes_a_way_that_another_user_has_found() {
        let temp = tempfile::tempdir_in("/tmp").unwrap();
        walk::hold_ways();
        inode(temp.path());
        assert!(known(0, OsStr::new("tmp")).is_some());
        WAYS.with_borrow_mut(|ways| {
            let walker = &mut ways.as_mut().unwrap().walker;
            walker.uid = walker.uid.wrapping_add(1);
        });
        assert!(known(0, OsStr::new("tmp")).is_none());
    }
}
