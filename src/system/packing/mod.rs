//! The built-in compressors: one open file to another.
//!
//! Whatever is made is read again and compared, on its way to the disk: nobody removes a source for
//! something that only looks like it. Memory does not grow with the file.

mod gzip;
pub mod pool;
mod zstd;

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use nix::errno::Errno;

use super::file::io_errno;
use super::stop;
use crate::system::Words;

/// From this size on a file keeps several threads busy.
const LARGE: u64 = 16 << 20;

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One gzip member, whatever the size: many readers (Ruby, Perl, PHP, Python's `decompressobj`)
    /// silently stop after the first.
    Gzip {
        /// From 1 (fast) to 9 (small).
        level: u8,
    },
    /// A gzip member for each piece of the file.
    GzipMembers {
        /// From 1 (fast) to 9 (small).
        level: u8,
    },
    /// One zstd frame.
    Zstd {
        /// From 1 (fast) to 19 (small).
        level: u8,
    },
}

impl Format {
    /// How many bytes it takes, whatever the file's size, on so many threads.
    fn memory(self, threads: usize) -> usize {
        match self {
            // A piece, what is made of it and the tables; with several threads, two pieces more
            // are on their way.
            Self::Gzip { .. } | Self::GzipMembers { .. } if threads == 1 => 4 << 20,
            Self::Gzip { .. } | Self::GzipMembers { .. } => (threads * 9 + 5) << 19,
            Self::Zstd { level } => zstd::memory(level),
        }
    }

    /// With how many threads a file of this size is begun, where there may be so many: a large one with
    /// all that can work on it, for it may be the only one; small ones are done side by side.
    pub fn threads(self, size: u64, jobs: usize) -> usize {
        match self {
            Self::Zstd { .. } => 1,
            _ if size < LARGE => 1,
            _ => jobs,
        }
    }
}

/// How many may work if nobody says: as many as there are cores, but for their memory. The system is
/// asked once: the answer takes several files.
pub fn usual_jobs() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    (*CORES.get_or_init(cores)).min(pool::MOST_JOBS)
}

/// Why a file was not compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCompressed {
    /// The system refused.
    System(Errno),
    /// What was made does not unpack to what was there.
    Unlike,
}

impl fmt::Display for NotCompressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(errno) => f.write_str(&errno.words()),
            Self::Unlike => f.write_str("the compressed data does not unpack to the original"),
        }
    }
}

impl From<Errno> for NotCompressed {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Compresses everything that `input` holds to the end of `output`.
fn compress(
    format: Format,
    input: &File,
    output: &File,
    threads: usize,
) -> Result<(), NotCompressed> {
    match format {
        Format::Gzip { level } => gzip::compress(input, output, level, gzip::Shape::One, threads),
        Format::GzipMembers { level } => {
            gzip::compress(input, output, level, gzip::Shape::Members, threads)
        }
        Format::Zstd { level } => zstd::compress(input, output, level),
    }
}

/// What is read, piece by piece.
struct Source<'a> {
    file: &'a File,
    at: u64,
    /// The length of a piece.
    piece: usize,
}

impl Source<'_> {
    /// The next piece, in a buffer that is used again; shorter at the end, and then empty.
    ///
    /// # Errors
    /// Whatever the system says; `EINTR` if we are to end.
    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Vec<u8>, Errno> {
        if stop::requested().is_some() {
            return Err(Errno::EINTR);
        }
        buffer.resize(self.piece, 0);
        let mut filled = 0;
        while filled < self.piece {
            match self.file.read_at(&mut buffer[filled..], self.at) {
                Ok(0) => break,
                Ok(length) => {
                    filled += length;
                    self.at += length as u64;
                }
                Err(error) if io_errno(&error) == Errno::EINTR => {}
                Err(error) => return Err(io_errno(&error)),
            }
        }
        buffer.truncate(filled);
        Ok(buffer)
    }
}
