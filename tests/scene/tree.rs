//! Everything that a directory holds, for comparing before and after.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Seconds and nanoseconds of the last change of the contents.
    pub written: (i64, i64),
    /// Contents, or the target of a link.
    pub content: Vec<u8>,
}

/// The files below a directory, by their paths relative to it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tree(pub BTreeMap<PathBuf, Entry>);

impl Tree {
    /// Reads all of it.
    pub fn of(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.read(root, Path::new(""));
        tree
    }

    fn read(&mut self, root: &Path, below: &Path) {
        let dir = root.join(below);
        let entries = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        for entry in entries {
            let name = below.join(entry.expect("entry").file_name());
            let path = root.join(&name);
            let meta = fs::symlink_metadata(&path).expect("metadata");
            let content = if meta.is_symlink() {
                fs::read_link(&path).expect("link").as_os_str().as_bytes().to_vec()
            } else if meta.is_file() {
                fs::read(&path).expect("contents")
            } else {
                Vec::new()
            };
            let entry = Entry {
                mode: meta.mode(),
                owner: (meta.uid(), meta.gid()),
                written: (meta.mtime(), meta.mtime_nsec()),
                content,
            };
            self.0.insert(name.clone(), entry);
            if meta.is_dir() {
                self.read(root, &name);
            }
        }
    }

    /// The names of all that are not directories.
    pub fn files(&self) -> Vec<&Path> {
        let files = self.0.iter().filter(|(_, e)| e.mode & 0o170_000 != 0o040_000);
        files.map(|(name, _)| name.as_path()).collect()
    }

    /// The same without the times: for trees that were made at different moments.
    pub fn timeless(mut self) -> Self {
        for entry in self.0.values_mut() {
            entry.written = (0, 0);
        }
        self
    }

    /// The same with compressed files unpacked: their bytes hold times.
    pub fn unpacked(mut self) -> Self {
        for (name, entry) in &mut self.0 {
            if is_gzip(name) && entry.mode & 0o170_000 == 0o100_000 {
                entry.content = unpack(&entry.content, name);
            }
        }
        self
    }
}

/// Whether the name says that a file is compressed.
pub fn is_gzip(name: &Path) -> bool {
    name.extension().is_some_and(|e| e == "gz")
}

/// What a gzip file holds.
pub fn unpack(packed: &[u8], name: &Path) -> Vec<u8> {
    use std::io::{Seek, Write};
    let mut input = tempfile::tempfile().expect("temporary file");
    input.write_all(packed).and_then(|()| input.rewind()).expect("write");
    let out = std::process::Command::new("gzip").arg("-dc").stdin(input).output().expect("gzip");
    assert!(out.status.success(), "{} is no whole gzip file", name.display());
    out.stdout
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, entry) in &self.0 {
            let text = String::from_utf8_lossy(&entry.content);
            let short: String = text.chars().take(200).collect();
            writeln!(
                f,
                "    {:07o} {}:{} {}.{:09} {:?} {:?}{}",
                entry.mode,
                entry.owner.0,
                entry.owner.1,
                entry.written.0,
                entry.written.1,
                name,
                short,
                if short.len() < text.len() { "..." } else { "" }
            )?;
        }
        Ok(())
    }
}
