//! Every directory is listed once and kept current, so that the cost of a run grows with the number
//! of files and not with logs times files.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::plain::PlainNames;
use crate::facts::FileKind;
use crate::names::FileName;
use crate::system::Words;
use crate::system::lookup::{self, ListError, ListedId};
use crate::system::{Dirs, OpenError};

/// The names in a directory, in byte order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<Box<[u8]>, Option<FileKind>>);

impl Names {
    /// All names that begin with these bytes, in byte order; the others are not looked at.
    pub fn starting_with<'a>(&'a self, start: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.kinds_starting_with(start).map(|(name, _)| name)
    }

    /// The same, with what each name was when the directory was listed, as far as the listing said so.
    pub fn kinds_starting_with<'a>(
        &'a self,
        start: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], Option<FileKind>)> + 'a {
        self.0
            .range::<[u8], _>((Bound::Included(start), Bound::Unbounded))
            .map(|(name, &kind)| (name.as_ref(), kind))
            .take_while(move |(name, _)| name.starts_with(start))
    }

    /// Whether a name is there.
    pub fn has(&self, name: &[u8]) -> bool {
        self.0.contains_key(name)
    }
}

impl<'a> FromIterator<&'a FileName> for Names {
    fn from_iter<I: IntoIterator<Item = &'a FileName>>(names: I) -> Self {
        Self(names.into_iter().map(|name| (name.as_bytes().into(), None)).collect())
    }
}

/// What is known of a directory's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// All its names.
    Names(Names),
    /// It may be searched but not read: ask for each name. The cause is the system's.
    Unlistable(String),
}

#[derive(Debug)]
struct Entry {
    listing: Listing,
    /// Which directory was listed by its path alone; `None` once its held handle has confirmed it.
    listed: Option<ListedId>,
}

/// The listings of a run.
#[derive(Debug, Default)]
pub struct Index {
    entries: HashMap<PathBuf, Entry>,
    pub(super) plain: PlainNames,
}

impl Index {
    /// The content of the directory that is held for a path. One that was already listed for a
    /// pattern is not listed again, unless another directory is held by now.
    ///
    /// # Errors
    /// If the directory cannot be held, or looked at.
    pub fn names(&mut self, dir: &Path, dirs: &mut Dirs) -> Result<&Listing, OpenError> {
        let held = dirs.open(dir)?;
        let known = match self.entries.get(dir).map(|entry| entry.listed) {
            None => false,
            Some(None) => true,
            Some(Some((device, inode))) => {
                let id = held.first_facts()?.id;
                (id.device, id.inode) == (Some(device), inode)
            }
        };
        let entry = if known {
            self.entries.entry(dir.into()).and_modify(|entry| entry.listed = None)
        } else {
            self.entries.remove(dir);
            self.entries.entry(dir.into())
        };
        let entry = entry.or_insert_with(|| Entry {
            listing: match held.names() {
                Ok(names) => Listing::Names(names.iter().collect()),
                Err(errno) => Listing::Unlistable(errno.words()),
            },
            listed: None,
        });
        Ok(&entry.listing)
    }

    /// The names that a pattern finds at a path, symbolic links followed.
    ///
    /// # Errors
    /// If there is no directory, or it cannot be listed.
    pub(super) fn for_pattern(&mut self, dir: &Path) -> Result<&Names, ListError> {
        if !self.entries.contains_key(dir) {
            let (id, names) = lookup::list(dir)?;
            let names = names.into_iter().map(|(name, kind)| (name.as_bytes().into(), kind));
            let listing = Listing::Names(Names(names.collect()));
            self.entries.insert(dir.into(), Entry { listing, listed: Some(id) });
        }
        match self.entries.get(dir).map(|entry| &entry.listing) {
            Some(Listing::Names(names)) => Ok(names),
            Some(Listing::Unlistable(cause)) => Err(ListError::Refused(cause.clone())),
            None => Err(ListError::NoDirectory),
        }
    }

    /// A step of ours has made this name.
    pub fn added(&mut self, dir: &Path, name: &FileName) {
        if let Some(Entry { listing: Listing::Names(names), .. }) = self.entries.get_mut(dir) {
            names.0.insert(name.as_bytes().into(), None);
        }
    }

    /// A step of ours has removed this name, or given the file another one.
    pub fn removed(&mut self, dir: &Path, name: &FileName) {
        if let Some(Entry { listing: Listing::Names(names), .. }) = self.entries.get_mut(dir) {
            names.0.remove(name.as_bytes());
        }
    }

    /// Lists the directory anew when it is next asked for.
    pub fn forget(&mut self, dir: &Path) {
        self.entries.remove(dir);
    }

    /// Lists every directory anew: after a script, which may have changed any.
    pub fn forget_all(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    fn name(text: &str) -> FileName {
        FileName::new(text).unwrap()
    }

    fn texts<'a>(names: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
        names.map(|n| String::from_utf8_lossy(n).into_owned()).collect()
    }

    #[test]
    fn a_range_holds_the_names_with_that_start_and_no_other() {
        let names: Names =
            ["a", "a.1", "a.2.gz", "a.", "b.1", "a-1", "A.1"].map(name).iter().collect();
        assert_eq!(texts(names.starting_with(b"a.")), ["a.", "a.1", "a.2.gz"]);
        assert_eq!(texts(names.starting_with(b"")).len(), 7);
        assert_eq!(texts(names.starting_with(b"c")), [""; 0]);
        assert!(names.has(b"a-1") && !names.has(b"a-"));
    }

    #[test]
    fn a_directory_is_listed_once_and_follows_our_own_steps() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        std::fs::write(dir.join("a"), "").unwrap();
        let (mut index, mut dirs) = (Index::default(), Dirs::default());
        let mut seen = |index: &mut Index| match index.names(dir, &mut dirs).unwrap() {
            Listing::Names(names) => texts(names.starting_with(b"")),
            Listing::Unlistable(cause) => panic!("{cause}"),
        };
        index.for_pattern(dir).unwrap();
        std::fs::write(dir.join("unseen"), "").unwrap();
        assert_eq!(seen(&mut index), ["a"]);
        index.added(dir, &name("a.1"));
        index.removed(dir, &name("a"));
        assert_eq!(seen(&mut index), ["a.1"]);
        index.forget(dir);
        assert_eq!(seen(&mut index), ["a", "unseen"]);
        std::fs::remove_file(dir.join("a")).unwrap();
        index.forget_all();
        assert_eq!(seen(&mut index), ["unseen"]);
    }

    #[test]
    fn a_listing_of_another_directory_is_not_used_for_the_held_one() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("d");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("old"), "").unwrap();
        let (mut index, mut dirs) = (Index::default(), Dirs::default());
        index.for_pattern(&dir).unwrap();
        std::fs::rename(&dir, temp.path().join("away")).unwrap();
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("new"), "").unwrap();
        let expected = Listing::Names([name("new")].iter().collect());
        assert_eq!(index.names(&dir, &mut dirs), Ok(&expected));
    }

    #[test]
    fn what_is_no_directory_has_no_names() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("f"), "").unwrap();
        let mut index = Index::default();
        for path in ["f", "missing", "f/x"] {
            let path = temp.path().join(path);
            assert_eq!(index.for_pattern(&path), Err(ListError::NoDirectory));
        }
        assert_eq!(
            index.names(&temp.path().join("missing"), &mut Dirs::default()),
            Err(OpenError::Missing)
        );
    }
}
