//! Names without a wildcard: which of them may be directories.
//!
//! Each such name is looked at, since a directory is no log (compat CFG-28). Where a configuration names
//! thousands of logs of one directory, one after the other, the directory is listed once instead, and only
//! what may be a directory itself is looked at.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

use crate::facts::FileKind;
use crate::system::lookup;

/// So many names of one directory are looked at, one by one, before it is listed.
const FEW: usize = 64;

/// The directory of the last name, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct PlainNames {
    base: Option<PathBuf>,
    dir: Vec<u8>,
    /// How many names of it there were.
    asked: usize,
    /// What in it may be a directory; `None` if it was not or cannot be listed.
    others: Option<HashSet<Box<[u8]>>>,
}

impl PlainNames {
    /// Whether a path may be that of a directory. If not, it may be anything else, or nothing.
    pub(super) fn may_be_directory(&mut self, path: &[u8], base: Option<&Path>) -> bool {
        let (dir, name) = path.split_at(path.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1));
        if matches!(name, b"" | b"." | b"..") {
            return true;
        }
        if self.dir != dir || self.base.as_deref() != base {
            self.dir.clear();
            self.dir.extend_from_slice(dir);
            self.base = base.map(Path::to_path_buf);
            (self.asked, self.others) = (0, None);
        }
        self.asked += 1;
        if self.asked == FEW + 1 {
            self.others = self.list();
        }
        self.others.as_ref().is_none_or(|others| others.contains(name))
    }

    fn list(&self) -> Option<HashSet<Box<[u8]>>> {
        let dir: &[u8] = if self.dir.is_empty() { b"." } else { &self.dir };
        let dir = Path::new(OsStr::from_bytes(dir));
        let path = self.base.as_ref().map_or_else(|| dir.to_path_buf(), |base| base.join(dir));
        let is_other = |kind: &Option<FileKind>| matches!(kind, None | Some(FileKind::Directory));
        lookup::names_of(&path, is_other).ok()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    #[test]
    fn after_a_few_names_of_a_directory_only_what_may_be_one_is_looked_at() {
        let temp = tempfile::tempdir().unwrap();
        let (one, other) = (temp.path().join("one"), temp.path().join("other"));
        for dir in [&one, &other] {
            std::fs::create_dir_all(dir.join("sub")).unwrap();
            std::fs::write(dir.join("a"), "").unwrap();
        }
        let mut plain = PlainNames::default();
        let mut ask = |path: &Path| plain.may_be_directory(path.as_os_str().as_bytes(), None);
        for _ in 0..FEW {
            assert!(ask(&one.join("a")));
        }
        assert!(!ask(&one.join("a")) && !ask(&one.join("missing")));
        assert!(ask(&one.join("sub")) && ask(&one.join("..")) && ask(&one.join("a/")));
        assert!(ask(&other.join("a")), "another directory was not listed");
        let mut relative = || plain.may_be_directory(b"a", Some(&one));
        assert!((0..FEW).all(|_| relative()) && !relative());
    }

    #[test]
    fn in_a_directory_that_cannot_be_listed_every_name_is_looked_at() {
        let mut plain = PlainNames::default();
        assert!((0..=FEW).all(|_| plain.may_be_directory(b"/no such directory/a", None)));
    }
}
