//! The built-in gzip: one file to another, on several cores, as one gzip member.
//!
//! One member, because many readers (Ruby, Perl, PHP, Python's `decompressobj`) silently stop after
//! the first. The file is cut into pieces; each is compressed on its own, unpacked again and compared,
//! and their streams are joined. Memory does not grow with the file.

mod blocks;

use crate::system::Words;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use libdeflater::{CompressionLvl, Compressor, Crc, Decompressor};
use nix::errno::Errno;

use super::file::{before_effect, io_errno};

/// Bytes that are compressed at once. A piece does not see the text before it, which makes the result
/// larger by a few bytes in a thousand.
const PIECE: usize = 1 << 20;

/// More threads would need more memory than 48 MB.
const MOST_THREADS: usize = 8;

/// The beginning of a gzip member: deflate, no name, no time, made on Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// A last block without content.
const LAST: [u8; 2] = [3, 0];

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

/// Compresses everything that `input` holds to the end of `output`; `level` is from 1 (fast) to 9.
///
/// # Errors
/// See [`NotCompressed`]; `output` then holds a part.
pub fn compress(input: &File, output: &File, level: u8) -> Result<(), NotCompressed> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    with_threads(input, output, level, threads.min(MOST_THREADS))
}

fn with_threads(
    input: &File,
    output: &File,
    level: u8,
    threads: usize,
) -> Result<(), NotCompressed> {
    let mut output = Output { file: output, crc: Crc::new(), length: 0 };
    output.write(&HEADER)?;
    let mut source = Source { file: input, at: 0 };
    let first = source.next(Vec::new())?;
    if threads == 1 || first.len() < PIECE {
        let mut maker = Maker::new(level);
        let mut piece = first;
        while !piece.is_empty() {
            let packed = maker.pack(piece)?;
            output.add(&packed)?;
            piece = source.next(packed.plain)?;
        }
    } else {
        let (jobs, queue) = channel();
        let queue = &Mutex::new(queue);
        let (source, written) = (&mut source, &mut output);
        std::thread::scope(move |scope| {
            for _ in 0..threads {
                scope.spawn(move || work(level, queue));
            }
            // The threads end when the jobs do, whatever happens.
            in_pieces(source, written, first, &jobs, threads + 2)
        })?;
    }
    output.end()
}

/// A piece for a thread, and where to send it.
struct Job {
    plain: Vec<u8>,
    done: Sender<Result<Packed, NotCompressed>>,
}

/// Compresses pieces until there are no more.
fn work(level: u8, queue: &Mutex<Receiver<Job>>) {
    let mut maker = Maker::new(level);
    loop {
        // A statement of its own, so that others may look for jobs while this one is done.
        let job = queue.lock().map(|queue| queue.recv());
        let Ok(Ok(Job { plain, done })) = job else { return };
        // If nobody listens, the others have failed.
        let _ = done.send(maker.pack(plain));
    }
}

/// Reads pieces, hands them out and writes them in order; at most so many are in work at once.
fn in_pieces(
    source: &mut Source<'_>,
    output: &mut Output<'_>,
    first: Vec<u8>,
    jobs: &Sender<Job>,
    most: usize,
) -> Result<(), NotCompressed> {
    let mut waiting = VecDeque::with_capacity(most);
    let mut next = Some(first);
    while next.is_some() || !waiting.is_empty() {
        let mut spare = Vec::new();
        if waiting.len() >= most || next.is_none() {
            let oldest: Option<Receiver<Result<Packed, NotCompressed>>> = waiting.pop_front();
            // No answer means that a thread died.
            let packed = oldest.and_then(|oldest| oldest.recv().ok());
            let packed = packed.ok_or(NotCompressed::System(Errno::EIO))??;
            output.add(&packed)?;
            spare = packed.plain;
        }
        if let Some(plain) = next.take() {
            let (done, answer) = channel();
            jobs.send(Job { plain, done }).map_err(|_| NotCompressed::System(Errno::EIO))?;
            waiting.push_back(answer);
            next = Some(source.next(spare)?).filter(|piece| !piece.is_empty());
        }
    }
    Ok(())
}

/// What is read, piece by piece.
struct Source<'a> {
    file: &'a File,
    at: u64,
}

impl Source<'_> {
    /// The next piece, in a buffer that is used again; empty at the end.
    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Vec<u8>, Errno> {
        buffer.resize(PIECE, 0);
        let mut filled = 0;
        while filled < PIECE {
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

/// A piece and its stream, which has an open end.
struct Packed {
    plain: Vec<u8>,
    stream: Vec<u8>,
}

/// Compresses pieces and checks what it made.
struct Maker {
    compressor: Compressor,
    decompressor: Decompressor,
    check: Vec<u8>,
}

impl Maker {
    fn new(level: u8) -> Self {
        let level = CompressionLvl::new(level.into()).unwrap_or_default();
        Self {
            compressor: Compressor::new(level),
            decompressor: Decompressor::new(),
            check: Vec::new(),
        }
    }

    fn pack(&mut self, plain: Vec<u8>) -> Result<Packed, NotCompressed> {
        let mut stream = vec![0; self.compressor.deflate_compress_bound(plain.len())];
        let made = self.compressor.deflate_compress(&plain, &mut stream);
        stream.truncate(made.map_err(|_| NotCompressed::Unlike)?);
        blocks::open_end(&mut stream).ok_or(NotCompressed::Unlike)?;
        let length = stream.len();
        stream.extend(LAST);
        self.check.resize(plain.len(), 0);
        let unpacked = self.decompressor.deflate_decompress(&stream, &mut self.check);
        if unpacked != Ok(plain.len()) || self.check != plain {
            return Err(NotCompressed::Unlike);
        }
        stream.truncate(length);
        Ok(Packed { plain, stream })
    }
}

/// What is written, and what its end has to say about it.
struct Output<'a> {
    file: &'a File,
    crc: Crc,
    length: u32,
}

impl Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        before_effect("compress")?;
        self.file.write_all(bytes).map_err(|e| io_errno(&e))
    }

    fn add(&mut self, packed: &Packed) -> Result<(), Errno> {
        self.crc.update(&packed.plain);
        // A member keeps its length modulo 2^32; a piece is shorter.
        self.length = self.length.wrapping_add(u32::try_from(packed.plain.len()).unwrap_or(0));
        self.write(&packed.stream)
    }

    fn end(mut self) -> Result<(), NotCompressed> {
        let (crc, length) = (self.crc.sum().to_le_bytes(), self.length.to_le_bytes());
        Ok(self.write(&[&LAST[..], &crc, &length].concat())?)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
