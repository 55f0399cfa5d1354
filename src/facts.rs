//! Facts about one file, as plain data.

use crate::units::{FileId, FileTime, Mode};

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A symbolic link; it is never followed.
    SymbolicLink,
    /// A directory.
    Directory,
    /// A FIFO, socket or device.
    Other,
}

/// One file as it was when it was looked at (no link followed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// How many names it has.
    pub links: u64,
    /// When its content last changed.
    pub modified: FileTime,
    /// When it was last read.
    pub accessed: FileTime,
    /// Which file it is.
    pub id: FileId,
}

/// What is left of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes.
    pub bytes: u64,
    /// Files. `u64::MAX` where the file system does not count them.
    pub files: u64,
}
