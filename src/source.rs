//! Where in which file a setting stands.

use std::cell::OnceCell;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::names::Shown;

/// One configuration file as it was read: its name as messages show it, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    name: Box<Path>,
    /// The include directory that it was found in.
    dir: Option<Rc<Path>>,
    bytes: Box<[u8]>,
    /// Offsets of the first byte of each line. Only messages ask for it.
    lines: OnceCell<Box<[u32]>>,
}

impl SourceFile {
    /// Keeps a file's text for spans to point into.
    pub fn new(name: impl Into<PathBuf>, bytes: Vec<u8>) -> Rc<Self> {
        Self::found_in(None, name, bytes)
    }

    /// The same for a file of an include directory.
    pub fn found_in(dir: Option<Rc<Path>>, name: impl Into<PathBuf>, bytes: Vec<u8>) -> Rc<Self> {
        // No larger than they must be: there may be a hundred thousand files.
        let name = name.into().into_boxed_path();
        Rc::new(Self { name, dir, bytes: bytes.into(), lines: OnceCell::new() })
    }

    /// The name as given to the program; inside an include directory the bare name (compat CFG-61).
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The include directory that it was found in.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Where it is, from the start directory.
    pub fn path(&self) -> PathBuf {
        self.dir.as_ref().map_or_else(|| self.name.to_path_buf(), |dir| dir.join(&self.name))
    }

    /// The name, escaped for messages.
    pub fn shown(&self) -> String {
        Shown::path(&self.name).to_string()
    }

    /// The whole text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The 1-based number of the line that holds the byte at `offset`; true numbers always (fixes
    /// compat B-33).
    pub fn line(&self, offset: usize) -> usize {
        self.lines().partition_point(|&start| start as usize <= offset)
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let after = memchr::memchr_iter(b'\n', &self.bytes).map(|at| offset(at + 1));
            std::iter::once(0).chain(after).collect()
        })
    }

    /// The bytes of a line (1-based), without its newline.
    pub fn line_bytes(&self, line: usize) -> &[u8] {
        let start = self.line_start(line);
        let end = self.lines().get(line).map_or(self.bytes.len(), |&next| next as usize - 1);
        &self.bytes[start..end.max(start)]
    }

    /// The offset of the first byte of a line (1-based).
    pub fn line_start(&self, line: usize) -> usize {
        line.checked_sub(1)
            .and_then(|index| self.lines().get(index))
            .map_or(self.bytes.len(), |&start| start as usize)
    }
}

/// A stretch of a source file. Thousands of settings have one: it is kept small (a configuration file
/// has less than 16 MiB, compat CFG-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Rc<SourceFile>,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A stretch from one byte up to another. What lies above 4 GiB is cut off.
    pub fn new(file: Rc<SourceFile>, range: Range<usize>) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { file, start: offset(range.start), end: offset(range.end) }
    }

    /// The offsets of its bytes.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The 1-based line on which the span begins.
    pub fn line(&self) -> usize {
        self.file.line(self.start as usize)
    }

    /// `FILE:LINE`, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.shown(), self.line())
    }

    /// The text of the span.
    pub fn bytes(&self) -> &[u8] {
        self.file.bytes().get(self.range()).unwrap_or_default()
    }
}

/// Bytes of a configuration as they count: most often just as they stand in their file, where there are
/// thousands of them already.
#[derive(Debug, Clone)]
pub enum SourceText {
    /// As they stand there.
    InFile(Span),
    /// Otherwise: without quotes, or without comment lines.
    Own(Box<[u8]>),
}

impl SourceText {
    /// The bytes, kept in the file if it holds the same at this place.
    pub fn at(place: &Span, bytes: Vec<u8>) -> Self {
        if place.bytes() == bytes { Self::InFile(place.clone()) } else { bytes.into() }
    }
}

impl Deref for SourceText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InFile(span) => span.bytes(),
            Self::Own(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for SourceText {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes.into())
    }
}

impl PartialEq for SourceText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SourceText {}

/// A setting that few blocks have: what they all would have to keep for it is small.
pub type Rare<T> = Option<Box<Setting<T>>>;

/// A value and where it was set. Defaults have no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was set, or `None` for the built-in default.
    pub place: Option<Span>,
}

impl<T> Setting<T> {
    /// A built-in default.
    pub fn default(value: T) -> Self {
        Self { value, place: None }
    }

    /// A value that a file sets.
    pub fn at(value: T, place: Span) -> Self {
        Self { value, place: Some(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one_and_hold_their_text() {
        let file = SourceFile::new("f", b"a\nbc\n\nd".to_vec());
        assert_eq!([0, 1, 2, 4, 5, 6].map(|at| file.line(at)), [1, 1, 2, 2, 3, 4]);
        assert_eq!(
            [1, 2, 3, 4].map(|n| String::from_utf8_lossy(file.line_bytes(n)).into_owned()),
            ["a", "bc", "", "d"]
        );
    }
}
