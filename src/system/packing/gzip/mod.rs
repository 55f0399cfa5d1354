//! The built-in gzip: one file to another, on several cores, as one gzip member or as several.
//!
//! The file is cut into pieces; each is compressed on its own, and what was made of it is read symbol by
//! symbol and compared with it. For one member their streams are joined.

mod blocks;
mod codes;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use libdeflater::{CompressionLvl, Compressor, Crc};
use nix::errno::Errno;

use super::super::file::{before_effect, io_errno};
use super::{NotCompressed, Source};

/// Bytes that are compressed at once. A piece does not see the text before it, which makes the result
/// larger by a few bytes in a thousand.
const PIECE: usize = 1 << 20;

/// The beginning of a gzip member: deflate, no name, no time, made on Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// A last block without content.
const LAST: [u8; 2] = [3, 0];

/// What becomes of the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One member: their streams are joined.
    One,
    /// A member each.
    Members,
}

/// Compresses everything that `input` holds to the end of `output`; `level` is from 1 (fast) to 9.
pub(super) fn compress(
    input: &File,
    output: &File,
    level: u8,
    shape: Shape,
    threads: usize,
) -> Result<(), NotCompressed> {
    let mut source = Source { file: input, at: 0, piece: PIECE };
    let first = source.next(Vec::new())?;
    // Of nothing there is one member too.
    let shape = if first.is_empty() { Shape::One } else { shape };
    let mut output = Output { file: output, shape, end: End::default() };
    output.begin()?;
    if threads == 1 || first.len() < PIECE {
        let mut maker = Maker::new(level, shape);
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
                scope.spawn(move || work(level, shape, queue));
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
fn work(level: u8, shape: Shape, queue: &Mutex<Receiver<Job>>) {
    let mut maker = Maker::new(level, shape);
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

/// A piece, and what became of it: a stream with an open end, or a member.
struct Packed {
    plain: Vec<u8>,
    packed: Vec<u8>,
}

/// Compresses pieces and checks what it made.
struct Maker {
    compressor: Compressor,
    shape: Shape,
    /// Room for what is made, used again for each piece.
    room: Vec<u8>,
}

impl Maker {
    fn new(level: u8, shape: Shape) -> Self {
        let level = CompressionLvl::new(level.into()).unwrap_or_default();
        Self { compressor: Compressor::new(level), shape, room: Vec::new() }
    }

    fn pack(&mut self, plain: Vec<u8>) -> Result<Packed, NotCompressed> {
        let most = self.compressor.deflate_compress_bound(plain.len());
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let made = self.compressor.deflate_compress(&plain, &mut self.room);
        let stream = made.ok().and_then(|length| self.room.get(..length));
        let stream = stream.ok_or(NotCompressed::Unlike)?;
        // What is added to it below is the same whatever it holds.
        let last = blocks::last_block(stream, &plain).ok_or(NotCompressed::Unlike)?;
        let packed = match self.shape {
            Shape::One => {
                let mut stream = stream.to_vec();
                blocks::open_end(&mut stream, &last).ok_or(NotCompressed::Unlike)?;
                stream
            }
            Shape::Members => {
                let mut end = End::default();
                end.add(&plain);
                [&HEADER[..], stream, &end.bytes()].concat()
            }
        };
        Ok(Packed { plain, packed })
    }
}

/// What the end of a member says of its text.
#[derive(Default)]
struct End {
    crc: Crc,
    length: u32,
}

impl End {
    fn add(&mut self, plain: &[u8]) {
        self.crc.update(plain);
        // A member keeps its length modulo 2^32; a piece is shorter.
        self.length = self.length.wrapping_add(u32::try_from(plain.len()).unwrap_or(0));
    }

    fn bytes(&self) -> [u8; 8] {
        let (crc, length) = (u64::from(self.crc.sum()), u64::from(self.length));
        (crc | length << 32).to_le_bytes()
    }
}

/// What is written, and what its end has to say about it.
struct Output<'a> {
    file: &'a File,
    shape: Shape,
    end: End,
}

impl Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        before_effect("compress")?;
        self.file.write_all(bytes).map_err(|e| io_errno(&e))
    }

    fn begin(&mut self) -> Result<(), Errno> {
        if self.shape == Shape::One { self.write(&HEADER) } else { Ok(()) }
    }

    fn add(&mut self, packed: &Packed) -> Result<(), Errno> {
        if self.shape == Shape::One {
            self.end.add(&packed.plain);
        }
        self.write(&packed.packed)
    }

    fn end(mut self) -> Result<(), NotCompressed> {
        if self.shape == Shape::One {
            let end = self.end.bytes();
            self.write(&[&LAST[..], &end].concat())?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
