//! Every directory is listed once and kept current, so that the cost of a run grows with the number
//! of files and not with logs times files.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};

use super::plain::PlainNames;
use crate::facts::FileKind;
use crate::names::FileName;
use crate::system::Words;
use crate::system::lookup::{self, ListError};
use crate::system::watch::{Watch, WatchId};
use crate::system::{Dir, Dirs, OpenError};
use crate::units::FileId;

/// So many names of a directory are listed before it is watched: reading them takes about as long as the
/// kernel needs to end a watch, so that few scripts, or few files, cost no more than without one.
const WORTH_WATCHING: usize = 20_000;

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
    /// The directory that was listed.
    id: FileId,
    /// By which scripts' changes of it are told.
    watch: Option<WatchId>,
    /// Names that scripts, or we, may have made or removed: they are looked at when the listing is used.
    doubtful: HashSet<FileName>,
}

impl Entry {
    /// Looks at the doubtful names; gives whether that could be done.
    fn settle(&mut self, held: &Dir) -> bool {
        for name in std::mem::take(&mut self.doubtful) {
            let Listing::Names(names) = &mut self.listing else { return false };
            match held.facts(&name) {
                Ok(Some(_)) => names.0.insert(name.as_bytes().into(), None),
                Ok(None) => names.0.remove(name.as_bytes()),
                Err(_) => return false,
            };
        }
        true
    }
}

/// Reads directories.
#[derive(Debug, Default)]
struct Lister {
    /// How many names were read of each.
    read: HashMap<PathBuf, usize>,
    watch: Option<Watch>,
}

impl Lister {
    /// Lists a directory, which is watched first if it was listed often.
    fn list(&mut self, held: &Dir, id: FileId) -> Entry {
        let read = self.read.entry(held.path().into()).or_default();
        let mut watch = None;
        if *read >= WORTH_WATCHING {
            self.watch = self.watch.take().or_else(Watch::new);
            watch = self.watch.as_ref().and_then(|watch| watch.begin(held));
        }
        let listing = match held.names() {
            Ok(names) => {
                *read += names.len();
                Listing::Names(names.iter().collect())
            }
            Err(errno) => Listing::Unlistable(errno.words()),
        };
        let watch = watch.filter(|_| matches!(listing, Listing::Names(_)));
        Entry { listing, id, watch, doubtful: HashSet::new() }
    }
}

/// The listings by directory. Most questions are about the same one as the question before, whose
/// components then need not be compared again.
#[derive(Debug, Default)]
struct Entries {
    last: Option<(PathBuf, Entry)>,
    others: HashMap<PathBuf, Entry>,
}

impl Entries {
    fn get_mut(&mut self, dir: &Path) -> Option<&mut Entry> {
        if self.last.as_ref().is_none_or(|(last, _)| last.as_os_str() != dir.as_os_str()) {
            self.others.extend(self.last.take());
            self.last = self.others.remove(dir).map(|entry| (dir.to_path_buf(), entry));
        }
        self.last.as_mut().map(|(_, entry)| entry)
    }

    fn insert(&mut self, dir: &Path, entry: Entry) -> &mut Entry {
        self.remove(dir);
        &mut self.last.insert((dir.to_path_buf(), entry)).1
    }

    fn remove(&mut self, dir: &Path) {
        if self.get_mut(dir).is_some() {
            self.last = None;
        }
    }

    fn retain(&mut self, mut keeps: impl FnMut(&mut Entry) -> bool) {
        self.others.extend(self.last.take());
        self.others.retain(|_, entry| keeps(entry));
    }
}

/// The listings of a run.
#[derive(Debug, Default)]
pub struct Index {
    entries: Entries,
    lister: Lister,
    pub(super) plain: PlainNames,
}

impl Index {
    /// The content of the directory that is held for a path. One that was already listed is not listed
    /// again, unless another directory is held by now.
    ///
    /// # Errors
    /// If the directory cannot be held, or looked at.
    pub fn names(&mut self, dir: &Path, dirs: &mut Dirs) -> Result<&Listing, OpenError> {
        let held = dirs.open(dir)?;
        let id = held.first_facts()?.id;
        let known = self.entries.get_mut(dir);
        if !known.is_some_and(|entry| entry.id.is(&id) && entry.settle(&held)) {
            self.entries.remove(dir);
        }
        if self.entries.get_mut(dir).is_none() {
            self.entries.insert(dir, self.lister.list(&held, id));
        }
        self.entries.get_mut(dir).map(|entry| &entry.listing).ok_or(OpenError::Missing)
    }

    /// The names that a pattern finds at a path, symbolic links followed.
    ///
    /// # Errors
    /// If there is no directory, or it cannot be listed.
    pub(super) fn for_pattern(&mut self, dir: &Path) -> Result<&Names, ListError> {
        if self.entries.get_mut(dir).is_none() {
            let ((device, inode), names) = lookup::list(dir)?;
            let id = FileId { inode, birth: None, device: Some(device) };
            let names = names.into_iter().map(|(name, kind)| (name.as_bytes().into(), kind));
            let listing = Listing::Names(Names(names.collect()));
            let entry = Entry { listing, id, watch: None, doubtful: HashSet::new() };
            self.entries.insert(dir, entry);
        }
        match self.entries.get_mut(dir).map(|entry| &entry.listing) {
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

    /// A script has run, which may have changed any directory: each is listed anew when it is next asked
    /// for, unless it is known what has changed.
    pub fn script_ran(&mut self) {
        let changes = self.lister.watch.as_ref().and_then(Watch::changes);
        self.entries.retain(|entry| {
            let names = entry.watch.zip(changes.as_ref()).and_then(|(watch, all)| all.of(watch));
            names.map(|names| entry.doubtful.extend(names.cloned())).is_some()
        });
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
        index.script_ran();
        assert_eq!(seen(&mut index), ["unseen"]);
    }

    /// A directory on a file system that tells what changes; the one for temporary files may be an overlay.
    fn temp() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    /// The names in a directory, or why there are none.
    fn seen(index: &mut Index, dirs: &mut Dirs, dir: &Path) -> Result<Vec<String>, String> {
        match index.names(dir, dirs) {
            Ok(Listing::Names(names)) => Ok(texts(names.starting_with(b""))),
            Ok(Listing::Unlistable(cause)) => Err(cause.clone()),
            Err(cause) => Err(cause.to_string()),
        }
    }

    /// An index that watches a directory, with the files `a` and `b`, from the next listing on.
    fn about_to_watch(dir: &Path) -> Index {
        std::fs::create_dir(dir).unwrap();
        std::fs::write(dir.join("a"), "").unwrap();
        std::fs::write(dir.join("b"), "").unwrap();
        let mut index = Index::default();
        index.lister.read.insert(dir.into(), WORTH_WATCHING);
        index
    }

    /// As a run does after each script.
    fn script_ran(index: &mut Index, dirs: &mut Dirs) {
        index.script_ran();
        dirs.forget_all();
    }

    #[test]
    fn a_directory_that_is_listed_often_is_listed_no_more_and_follows_scripts() {
        let temp = temp();
        let dir = temp.path().join("d");
        let (mut index, mut dirs) = (about_to_watch(&dir), Dirs::default());
        index.for_pattern(&dir).unwrap();
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b"]);
        script_ran(&mut index, &mut dirs);
        assert!(
            index.entries.get_mut(&dir).is_none(),
            "it was not watched when the pattern was matched"
        );
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b"]);
        let read = index.lister.read.clone();
        // Two scripts, and steps of ours between them.
        std::fs::write(dir.join("c"), "").unwrap();
        std::fs::rename(dir.join("a"), dir.join("a.1")).unwrap();
        script_ran(&mut index, &mut dirs);
        std::fs::rename(dir.join("b"), dir.join("b.1")).unwrap();
        index.removed(&dir, &name("b"));
        index.added(&dir, &name("b.1"));
        std::fs::remove_file(dir.join("a.1")).unwrap();
        std::fs::create_dir(dir.join("sub")).unwrap();
        std::fs::rename(dir.join("b.1"), dir.join("b.2")).unwrap();
        script_ran(&mut index, &mut dirs);
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["b.2", "c", "sub"]);
        script_ran(&mut index, &mut dirs);
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["b.2", "c", "sub"]);
        assert_eq!(index.lister.read, read);
    }

    #[test]
    fn a_directory_that_a_script_replaced_is_listed_anew() {
        for way in ["moved", "removed", "linked"] {
            let temp = temp();
            let (dir, away) = (temp.path().join("d"), temp.path().join("away"));
            let (mut index, mut dirs) = (about_to_watch(&dir), Dirs::default());
            assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b"]);
            std::fs::rename(&dir, &away).unwrap();
            if way == "removed" {
                std::fs::remove_dir_all(&away).unwrap();
            }
            let next = if way == "linked" { temp.path().join("next") } else { dir.clone() };
            std::fs::create_dir(&next).unwrap();
            std::fs::write(next.join("new"), "").unwrap();
            if way == "linked" {
                std::os::unix::fs::symlink("next", &dir).unwrap();
            }
            script_ran(&mut index, &mut dirs);
            assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["new"], "{way}");
        }
    }

    #[test]
    fn a_directory_above_that_a_script_replaced_leads_to_another_listing() {
        let temp = temp();
        let (above, dir) = (temp.path().join("above"), temp.path().join("above/d"));
        std::fs::create_dir(&above).unwrap();
        let (mut index, mut dirs) = (about_to_watch(&dir), Dirs::default());
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b"]);
        std::fs::rename(&above, temp.path().join("away")).unwrap();
        std::fs::create_dir_all(&dir).unwrap();
        script_ran(&mut index, &mut dirs);
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), [""; 0]);
    }

    #[test]
    fn a_directory_is_listed_anew_after_a_script_if_what_it_did_is_not_known() {
        let temp = temp();
        let dir = temp.path().join("d");
        let (mut index, mut dirs) = (about_to_watch(&dir), Dirs::default());
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b"]);
        std::fs::write(dir.join("c"), "").unwrap();
        // As if the system had lost the count.
        index.lister.watch = None;
        script_ran(&mut index, &mut dirs);
        assert_eq!(seen(&mut index, &mut dirs, &dir).unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn few_names_are_listed_again_rather_than_watched() {
        let temp = temp();
        let dir = temp.path().join("d");
        let (mut index, mut dirs) = (about_to_watch(&dir), Dirs::default());
        index.lister.read.insert(dir.clone(), WORTH_WATCHING - 3);
        for watched in [false, false, true] {
            seen(&mut index, &mut dirs, &dir).unwrap();
            assert_eq!(index.lister.watch.is_some(), watched);
            script_ran(&mut index, &mut dirs);
        }
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
