//! The built-in zstd: one frame, with a checksum, on one thread.

use std::fs::File;
use std::io::{self, Write};

use libdeflater::Crc;
use zstd::bulk::{Compressor, Decompressor};
use zstd::stream::raw::CParameter;
use zstd::stream::write::{Decoder, Encoder};

use super::super::file::{before_effect, io_errno};
use super::{NotCompressed, Source};

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Room for a frame of nothing.
const SHORTEST: usize = 64;

/// From this level on the tables would grow to tens of megabytes.
const FIRST_LARGE_LEVEL: u8 = 6;

/// The logarithm of the window and of the tables' lengths, from that level on. Logs repeat themselves
/// soon; what a larger window would find is hardly worth a percent.
const LARGEST: u32 = 20;

/// A file that is not longer is compressed as a whole, and need not be copied to where zstd can look back: that
/// takes two thirds of the time.
const WHOLE: usize = 6 << 20;

/// How many bytes it takes to make a file and to check it.
pub(super) fn memory(level: u8) -> usize {
    // A whole file and half of it for what is made; or the windows on both sides; and the tables.
    if level < FIRST_LARGE_LEVEL { WHOLE + WHOLE / 2 + (2 << 20) } else { 13 << 20 }
}

/// Compresses everything that `input` holds to the end of `output`.
pub(super) fn compress(input: &File, output: &File, level: u8) -> Result<(), NotCompressed> {
    let is_short = input.metadata()?.len() <= WHOLE as u64;
    if is_short && level < FIRST_LARGE_LEVEL && compress_whole(input, output, level)? {
        return Ok(());
    }
    compress_piecewise(input, output, level)
}

/// The same for a short file, at once; nothing is done, and the answer is no, if it has grown meanwhile, or does
/// not become half as long.
fn compress_whole(input: &File, mut output: &File, level: u8) -> Result<bool, NotCompressed> {
    let length = usize::try_from(input.metadata()?.len()).unwrap_or(WHOLE);
    // A byte more, to see whether it has grown.
    let mut source = Source { file: input, at: 0, piece: length.min(WHOLE) + 1 };
    let mut plain = source.next(Vec::new())?;
    if plain.len() >= source.piece {
        return Ok(false);
    }
    let mut packed = Vec::with_capacity(plain.len() / 2 + SHORTEST);
    let mut compressor = Compressor::new(level.into())?;
    compressor.include_checksum(true)?;
    if compressor.compress_to_buffer(&plain, &mut packed).is_err() {
        return Ok(false);
    }
    before_effect("compress").map_err(io::Error::from)?;
    output.write_all(&packed)?;
    // What was there is known by its check sum, and makes room for what comes out.
    let mut was = Sum::default();
    was.add(&plain);
    plain.clear();
    let unpacked = Decompressor::new()?.decompress_to_buffer(&packed, &mut plain);
    unpacked.map_err(|_| NotCompressed::Unlike)?;
    let mut is = Sum::default();
    is.add(&plain);
    if is.equals(&was) { Ok(true) } else { Err(NotCompressed::Unlike) }
}

fn compress_piecewise(input: &File, output: &File, level: u8) -> Result<(), NotCompressed> {
    let output = Checked { file: output, unpacked: Decoder::new(Sum::default())? };
    let mut encoder = Encoder::new(output, level.into())?;
    encoder.include_checksum(true)?;
    if level >= FIRST_LARGE_LEVEL {
        for limit in [CParameter::WindowLog, CParameter::HashLog, CParameter::ChainLog] {
            encoder.set_parameter(limit(LARGEST))?;
        }
    }
    let mut source = Source { file: input, at: 0, piece: PIECE };
    let mut plain = Sum::default();
    let mut piece = source.next(Vec::new())?;
    while !piece.is_empty() {
        plain.add(&piece);
        encoder.write_all(&piece)?;
        piece = source.next(piece)?;
    }
    let mut output = encoder.finish()?;
    output.unpacked.flush()?;
    let unpacked = output.unpacked.into_inner();
    if unpacked.equals(&plain) { Ok(()) } else { Err(NotCompressed::Unlike) }
}

impl From<io::Error> for NotCompressed {
    /// An error of the system has a number; anything else is zstd's complaint about what it made itself.
    fn from(error: io::Error) -> Self {
        error.raw_os_error().map_or(Self::Unlike, |_| Self::System(io_errno(&error)))
    }
}

/// Unpacks what it writes.
struct Checked<'a> {
    file: &'a File,
    unpacked: Decoder<'static, Sum>,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        before_effect("compress").map_err(io::Error::from)?;
        let written = self.file.write(bytes)?;
        self.unpacked.write_all(&bytes[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Length and check sum.
#[derive(Default)]
struct Sum {
    crc: Crc,
    length: u64,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.length += bytes.len() as u64;
    }

    fn equals(&self, other: &Self) -> bool {
        (self.length, self.crc.sum()) == (other.length, other.crc.sum())
    }
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use std::io::{Read, Seek};

    fn text(length: usize) -> Vec<u8> {
        let line = |i: u32| {
            format!("Nov 22 16:{:02} host app[{}]: request {}\n", i % 60, i % 997, i.rotate_left(7))
        };
        (0..).flat_map(|i| line(i).into_bytes()).take(length).collect()
    }

    #[test]
    fn files_of_all_sizes_are_unpacked_again() {
        for level in [1, FIRST_LARGE_LEVEL, 19] {
            for length in [0, 1, PIECE, PIECE + 17, WHOLE, WHOLE + 1] {
                let (mut from, mut to) =
                    (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
                let text = text(length);
                from.write_all(&text).unwrap();
                compress(&from, &to, level).unwrap();
                to.rewind().unwrap();
                let mut found = Vec::new();
                zstd::stream::read::Decoder::new(&to)
                    .unwrap()
                    .single_frame()
                    .read_to_end(&mut found)
                    .unwrap();
                assert!(found == text, "level {level}, {length} bytes");
            }
        }
    }

    #[test]
    fn a_file_that_does_not_become_shorter_is_one_frame_too() {
        let mut random = 1_u64;
        let noise: Vec<u8> = (0..PIECE + 3)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                random.to_be_bytes()[0]
            })
            .collect();
        let (mut from, mut to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.write_all(&noise).unwrap();
        assert_eq!(compress_whole(&from, &to, 3), Ok(false));
        compress(&from, &to, 3).unwrap();
        assert!(to.metadata().unwrap().len() > noise.len() as u64);
        to.rewind().unwrap();
        let mut found = Vec::new();
        let unpacked =
            zstd::stream::read::Decoder::new(&to).unwrap().single_frame().read_to_end(&mut found);
        assert_eq!(unpacked.unwrap(), noise.len());
        assert!(found == noise);
    }

    #[test]
    fn an_output_that_refuses_is_an_error() {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&text(PIECE)).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test opens files")]
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(compress(&from, &full, 3), Err(NotCompressed::System(Errno::ENOSPC)));
    }
}
