//! Quantities with their units: sizes, counts, modes, file identities.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

/// A number of whole days, as in `minage` and `maxage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Days(pub u32);

impl Days {
    /// The same length in seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * 86_400
    }
}

/// How many old versions are kept (`rotate N`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeepCount {
    /// `rotate -1`: all of them.
    All,
    /// `rotate N`: the newest N; 0 keeps none.
    Last(u32),
}

/// Permission bits of a file (`0o7777`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mode(pub u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0{:o}", self.0)
    }
}

/// A user and a group by number: whose ids are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A signal by its name, such as `SIGHUP`. Whoever makes one has asked the system whether there is
/// such a signal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignalName(pub String);

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A point of the file system's time.
///
/// Written as `[SECONDS, NANOS]`: a journal holds many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(i64, u32)", into = "(i64, u32)")]
pub struct FileTime {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// The rest, below one second.
    pub nanos: u32,
}

/// Which file it is, whatever its name: inode, birth time and device.
///
/// An inode number is reused at once, so the birth time belongs to it. Device numbers may change at
/// a reboot; [`FileId::is`] leaves them out where one side does not have one.
///
/// Written as `[INODE, BIRTH, DEVICE]`: a journal holds many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    from = "(u64, Option<FileTime>, Option<u64>)",
    into = "(u64, Option<FileTime>, Option<u64>)"
)]
pub struct FileId {
    /// The inode number.
    pub inode: u64,
    /// When the inode was made, where the file system tells.
    pub birth: Option<FileTime>,
    /// The device number; `None` once a reboot has made it meaningless.
    pub device: Option<u64>,
}

impl From<(i64, u32)> for FileTime {
    fn from((seconds, nanos): (i64, u32)) -> Self {
        Self { seconds, nanos }
    }
}

impl From<FileTime> for (i64, u32) {
    fn from(time: FileTime) -> Self {
        (time.seconds, time.nanos)
    }
}

impl From<(u64, Option<FileTime>, Option<u64>)> for FileId {
    fn from((inode, birth, device): (u64, Option<FileTime>, Option<u64>)) -> Self {
        Self { inode, birth, device }
    }
}

impl From<FileId> for (u64, Option<FileTime>, Option<u64>) {
    fn from(id: FileId) -> Self {
        (id.inode, id.birth, id.device)
    }
}

impl FileId {
    /// Whether both name the same file. A birth time or a device that one side lacks is not compared.
    pub fn is(&self, other: &Self) -> bool {
        fn agree<T: PartialEq + Copy>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        self.inode == other.inode
            && agree(self.birth, other.birth)
            && agree(self.device, other.device)
    }

    /// The same identity for use after a reboot.
    #[must_use]
    pub fn without_device(self) -> Self {
        Self { device: None, ..self }
    }
}
