//! Finds its way through the blocks of a deflate stream (RFC 1951), so that streams that were made
//! apart can be joined to one.
//!
//! A stream says in its last block that it is the last. Where that bit stands only a walk through
//! all symbols tells. Nothing is unpacked here, and nothing is trusted: whoever joins streams unpacks
//! them again and compares.

use std::ops::Range;

/// The order in which a block lists the lengths of its code-length code.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The empty stored block behind the padding of an open end: its length and the complement.
const EMPTY_STORED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Opens the end of a stream: its last block is no longer marked as the last, and an empty stored
/// block fills its last byte, so that another stream can follow.
///
/// `None` if it is no deflate stream; then it may be changed.
pub fn open_end(stream: &mut Vec<u8>) -> Option<()> {
    let last = last_block(stream)?;
    *stream.get_mut(last.start / 8)? &= !(1 << (last.start % 8));
    stream.truncate(last.end.div_ceil(8));
    // The stored block's own three bits are zero, like the padding.
    if !(1..=5).contains(&(last.end % 8)) {
        stream.push(0);
    }
    stream.extend(EMPTY_STORED);
    Some(())
}

/// The bits of the last block of a stream.
fn last_block(stream: &[u8]) -> Option<Range<usize>> {
    let mut bits = Bits { bytes: stream, next: 0, held: 0, count: 0 };
    loop {
        let start = bits.at();
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => bits.skip_stored()?,
            1 => bits.skip_coded(&fixed()?)?,
            2 => {
                let codes = bits.codes()?;
                bits.skip_coded(&codes)?;
            }
            _ => return None,
        }
        if last {
            return Some(start..bits.at());
        }
    }
}

/// What a symbol means for whoever only walks past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No symbol has this code.
    Nothing,
    /// A byte, or a distance.
    Plain,
    /// A length; a distance follows.
    Length,
    /// The block ends.
    End,
}

/// A symbol: how many bits it takes, those behind its code included.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    bits: u8,
    kind: Kind,
    number: u16,
}

/// All codes of a block, each found by the bits that come next.
struct Code {
    mask: u64,
    table: Vec<Symbol>,
}

/// The two codes of a block.
struct Codes {
    literals: Code,
    distances: Code,
}

impl Code {
    /// The code with these lengths; `symbol` gives the kind of a number, and the bits behind its code.
    fn new(lengths: &[u8], symbol: impl Fn(usize) -> (Kind, u8)) -> Option<Self> {
        let longest = lengths.iter().copied().max().filter(|&most| most > 0).unwrap_or(1);
        let mut counts = [0_u32; 16];
        for &length in lengths.iter().filter(|&&length| length > 0) {
            *counts.get_mut(usize::from(length))? += 1;
        }
        let mut next = [0_u32; 17];
        for length in 1..16 {
            next[length + 1] = (next[length] + counts[length]) << 1;
        }
        let nothing = Symbol { bits: 1, kind: Kind::Nothing, number: 0 };
        let mut table = vec![nothing; 1 << longest];
        for (number, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let code = next[usize::from(length)];
            next[usize::from(length)] += 1;
            if code >= 1 << length {
                return None;
            }
            let (kind, extra) = symbol(number);
            let number = u16::try_from(number).ok()?;
            let entry = Symbol { bits: length + extra, kind, number };
            // Codes are written from their highest bit on, everything else from the lowest.
            let first = (code.reverse_bits() >> (32 - u32::from(length))) as usize;
            for slot in table.iter_mut().skip(first).step_by(1 << length) {
                *slot = entry;
            }
        }
        Some(Self { mask: (1 << longest) - 1, table })
    }

    fn literals(lengths: &[u8]) -> Option<Self> {
        Self::new(lengths, |number| match number {
            0..=255 => (Kind::Plain, 0),
            256 => (Kind::End, 0),
            257..=264 | 285 => (Kind::Length, 0),
            265..=284 => (Kind::Length, u8::try_from((number - 261) / 4).unwrap_or(0)),
            _ => (Kind::Nothing, 0),
        })
    }

    fn distances(lengths: &[u8]) -> Option<Self> {
        Self::new(lengths, |number| match number {
            0..=3 => (Kind::Plain, 0),
            4..=29 => (Kind::Plain, u8::try_from(number / 2 - 1).unwrap_or(0)),
            _ => (Kind::Nothing, 0),
        })
    }
}

/// The codes that a block may use without listing them.
fn fixed() -> Option<Codes> {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Some(Codes { literals: Code::literals(&lengths)?, distances: Code::distances(&[5; 30])? })
}

/// The bits of a stream, from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    next: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// How many bits have been taken.
    fn at(&self) -> usize {
        self.next * 8 - self.count as usize
    }

    /// Holds at least 56 bits, or all that are left.
    fn fill(&mut self) {
        if let Some(&eight) = self.bytes.get(self.next..).and_then(<[u8]>::first_chunk::<8>) {
            self.held |= u64::from_le_bytes(eight) << self.count;
            self.next += (63 - self.count as usize) / 8;
            self.count |= 0x38;
            return;
        }
        while self.count <= 56
            && let Some(&byte) = self.bytes.get(self.next)
        {
            self.held |= u64::from(byte) << self.count;
            self.next += 1;
            self.count += 8;
        }
    }

    fn drop(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        self.held >>= count;
        Some(())
    }

    fn take(&mut self, count: u32) -> Option<usize> {
        self.fill();
        let value = self.held & ((1 << count) - 1);
        self.drop(count)?;
        usize::try_from(value).ok()
    }

    fn skip_stored(&mut self) -> Option<()> {
        let start = self.at().div_ceil(8);
        let length = u16::from_le_bytes(*self.bytes.get(start..)?.first_chunk()?);
        let next = start + EMPTY_STORED.len() + usize::from(length);
        (next <= self.bytes.len()).then_some(())?;
        *self = Self { bytes: self.bytes, next, held: 0, count: 0 };
        Some(())
    }

    fn skip_coded(&mut self, codes: &Codes) -> Option<()> {
        loop {
            // A length and a distance take at most 48 bits.
            self.fill();
            let symbol = self.symbol(&codes.literals)?;
            match symbol.kind {
                Kind::Plain => {}
                Kind::End => return Some(()),
                Kind::Length => {
                    self.symbol(&codes.distances)?;
                }
                Kind::Nothing => return None,
            }
        }
    }

    fn symbol(&mut self, code: &Code) -> Option<Symbol> {
        let index = usize::try_from(self.held & code.mask).ok()?;
        let symbol = *code.table.get(index)?;
        if symbol.kind == Kind::Nothing {
            return None;
        }
        self.drop(u32::from(symbol.bits))?;
        Some(symbol)
    }

    /// The codes that a block lists.
    fn codes(&mut self) -> Option<Codes> {
        let (literals, distances) = (self.take(5)? + 257, self.take(5)? + 1);
        let listed = self.take(4)? + 4;
        let mut lengths = [0; 19];
        for &place in ORDER.iter().take(listed) {
            lengths[place] = u8::try_from(self.take(3)?).ok()?;
        }
        let code = Code::new(&lengths, |_| (Kind::Plain, 0))?;
        let mut all: Vec<u8> = Vec::with_capacity(literals + distances);
        while all.len() < literals + distances {
            self.fill();
            let (length, times) = match self.symbol(&code)?.number {
                16 => (*all.last()?, 3 + self.take(2)?),
                17 => (0, 3 + self.take(3)?),
                18 => (0, 11 + self.take(7)?),
                length => (u8::try_from(length).ok()?, 1),
            };
            all.extend(std::iter::repeat_n(length, times));
        }
        let (literals, distances) = all.split_at_checked(literals)?;
        Some(Codes { literals: Code::literals(literals)?, distances: Code::distances(distances)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libdeflater::{CompressionLvl, Compressor, Decompressor};
    use proptest::prelude::*;

    fn deflate(bytes: &[u8], level: i32) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
        let mut stream = vec![0; compressor.deflate_compress_bound(bytes.len())];
        let length = compressor.deflate_compress(bytes, &mut stream).unwrap();
        stream.truncate(length);
        stream
    }

    fn joined(parts: &[&[u8]], level: i32) -> Vec<u8> {
        let mut whole = Vec::new();
        for part in parts {
            let mut stream = deflate(part, level);
            open_end(&mut stream).expect("a stream");
            whole.extend(stream);
        }
        whole.extend([3, 0]);
        let mut found = vec![0; parts.iter().map(|p| p.len()).sum()];
        let length = Decompressor::new().deflate_decompress(&whole, &mut found).expect("whole");
        assert_eq!(length, found.len());
        found
    }

    #[test]
    fn streams_of_every_kind_of_block_can_be_joined() {
        let noise: Vec<u8> =
            (0..200_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
        let text: Vec<u8> =
            (0..60_000).flat_map(|i| format!("line {i} of {}\n", i % 7).into_bytes()).collect();
        let parts: [&[u8]; 6] = [&text, b"", &noise, b"x", &vec![0; 100_000], &text[7..5000]];
        for level in 0..=12 {
            assert_eq!(joined(&parts, level), parts.concat(), "level {level}");
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let whole = deflate(b"some text, some text, and some more text", 6);
        for length in 0..whole.len() {
            assert_eq!(open_end(&mut whole[..length].to_vec()), None, "cut at {length}");
        }
        assert_eq!(open_end(&mut vec![7; 20]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_joined(
            parts in prop::collection::vec(prop::collection::vec(0_u8..8, 0..3000), 1..5),
            level in 0..=12,
        ) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(joined(&slices, level), parts.concat());
        }

        #[test]
        fn any_garbage_ends_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = open_end(&mut bytes);
        }
    }
}
