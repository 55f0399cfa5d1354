//! Finds its way through the blocks of a deflate stream (RFC 1951), so that streams that were made
//! apart can be joined to one.
//!
//! A stream says in its last block that it is the last. Where that bit stands only a walk through
//! all symbols tells. The same walk compares each of them with the text that the stream was made from:
//! a byte with the text's next byte, a repetition with what the text has that far back. If all agree up
//! to the end of both, whoever unpacks the stream gets that text. Nothing has to be unpacked for it.

use std::ops::Range;

use super::codes::{Code, Codes, Kind, Symbol};

/// The order in which a block lists the lengths of its code-length code.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The empty stored block behind the padding of an open end: its length and the complement.
const EMPTY_STORED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Opens the end of a stream: its last block is no longer marked as the last, and an empty stored
/// block fills its last byte, so that another stream can follow.
pub fn open_end(stream: &mut Vec<u8>, last: &Range<usize>) -> Option<()> {
    *stream.get_mut(last.start / 8)? &= !(1 << (last.start % 8));
    stream.truncate(last.end.div_ceil(8));
    // The stored block's own three bits are zero, like the padding.
    if !(1..=5).contains(&(last.end % 8)) {
        stream.push(0);
    }
    stream.extend(EMPTY_STORED);
    Some(())
}

/// The bits of the last block of a stream, if it is one, and unpacks to just this text.
pub fn last_block(stream: &[u8], plain: &[u8]) -> Option<Range<usize>> {
    let mut bits = Bits { bytes: stream, next: 0, held: 0, count: 0 };
    let mut text = Text { plain, at: 0 };
    loop {
        let start = bits.at();
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => bits.stored(&mut text)?,
            1 => bits.coded(&Codes::fixed()?, &mut text)?,
            2 => {
                let codes = bits.codes()?;
                bits.coded(&codes, &mut text)?;
            }
            _ => return None,
        }
        if last {
            return (text.at == plain.len()).then_some(start..bits.at());
        }
    }
}

/// The text that a stream is to unpack to, and how far the stream agrees with it.
#[derive(Clone, Copy)]
struct Text<'a> {
    plain: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// The stream has this byte.
    fn byte(&mut self, byte: u8) -> Option<()> {
        (*self.plain.get(self.at)? == byte).then_some(())?;
        self.at += 1;
        Some(())
    }

    /// The stream repeats `length` bytes from so far back: byte by byte, so that they may be among those
    /// that it repeats.
    fn repeated(&mut self, length: usize, distance: usize) -> Option<()> {
        let (from, end) = (self.at.checked_sub(distance)?, self.at + length);
        // Most are short.
        let next = |at: usize| self.plain.get(at..)?.first_chunk().map(|b| u128::from_le_bytes(*b));
        let same = match (next(from), next(self.at)) {
            (Some(old), Some(new)) if length <= 16 => (old ^ new) << (128 - 8 * length) == 0,
            _ => self.plain.get(from..from + length)? == self.plain.get(self.at..end)?,
        };
        self.at = end;
        same.then_some(())
    }
}

/// The bits of a stream, from the lowest of each byte on.
#[derive(Clone, Copy)]
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

    fn stored(&mut self, text: &mut Text<'_>) -> Option<()> {
        let start = self.at().div_ceil(8);
        let (length, rest) = self.bytes.get(start..)?.split_first_chunk()?;
        let (complement, rest) = rest.split_first_chunk()?;
        let length = u16::from_le_bytes(*length);
        (length == !u16::from_le_bytes(*complement)).then_some(())?;
        let length = usize::from(length);
        let end = text.at + length;
        (rest.get(..length)? == text.plain.get(text.at..end)?).then_some(())?;
        text.at = end;
        let next = start + EMPTY_STORED.len() + length;
        *self = Self { bytes: self.bytes, next, held: 0, count: 0 };
        Some(())
    }

    fn coded(&mut self, codes: &Codes, text: &mut Text<'_>) -> Option<()> {
        // Copies that nobody else sees stay in registers.
        let (mut bits, mut seen) = (*self, *text);
        loop {
            bits.fill();
            let mut symbol = bits.symbol(&codes.literals)?;
            if symbol.kind == Kind::Plain {
                seen.byte(symbol.base.to_le_bytes()[0])?;
                symbol = bits.symbol(&codes.literals)?;
            }
            match symbol.kind {
                Kind::Plain => seen.byte(symbol.base.to_le_bytes()[0])?,
                Kind::End => break,
                Kind::Length => {
                    // What follows takes at most 33 bits.
                    bits.fill();
                    let length = bits.with_number(symbol)?;
                    let symbol = bits.symbol(&codes.distances)?;
                    let distance = bits.with_number(symbol)?;
                    seen.repeated(length, distance)?;
                }
                Kind::Nothing => return None,
            }
        }
        (*self, *text) = (bits, seen);
        Some(())
    }

    fn symbol(&mut self, code: &Code) -> Option<Symbol> {
        let symbol = code.symbol(self.held)?;
        self.drop(symbol.code())?;
        Some(symbol)
    }

    /// What a symbol stands for, with the number behind it.
    fn with_number(&mut self, symbol: Symbol) -> Option<usize> {
        let number = self.held & ((1 << symbol.number()) - 1);
        self.drop(symbol.number())?;
        Some(usize::from(symbol.base) + usize::try_from(number).ok()?)
    }

    /// The codes that a block lists.
    fn codes(&mut self) -> Option<Codes> {
        let (literals, distances) = (self.take(5)? + 257, self.take(5)? + 1);
        let listed = self.take(4)? + 4;
        (literals <= 286 && distances <= 30).then_some(())?;
        let mut lengths = [0; 19];
        for &place in ORDER.iter().take(listed) {
            lengths[place] = u8::try_from(self.take(3)?).ok()?;
        }
        let code = Code::new(&lengths, |number| (Kind::Plain, 0, number))?;
        let mut all: Vec<u8> = Vec::with_capacity(literals + distances);
        while all.len() < literals + distances {
            self.fill();
            let (length, times) = match self.symbol(&code)?.base {
                16 => (*all.last()?, 3 + self.take(2)?),
                17 => (0, 3 + self.take(3)?),
                18 => (0, 11 + self.take(7)?),
                length => (u8::try_from(length).ok()?, 1),
            };
            all.extend(std::iter::repeat_n(length, times));
        }
        (all.len() == literals + distances).then_some(())?;
        let (literals, distances) = all.split_at_checked(literals)?;
        Codes::new(literals, distances)
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
            let last = last_block(&stream, part).expect("a stream");
            open_end(&mut stream, &last).expect("its end");
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
        let text = b"some text, some text, and some more text";
        let whole = deflate(text, 6);
        assert_eq!(last_block(&whole, text).map(|last| last.start), Some(0));
        for length in 0..whole.len() {
            assert_eq!(last_block(&whole[..length], text), None, "cut at {length}");
        }
        assert_eq!(last_block(&[7; 20], text), None);
    }

    #[test]
    fn the_stream_of_another_text_is_refused() {
        let noise: Vec<u8> =
            (0..20_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
        let text: Vec<u8> =
            (0..2_000).flat_map(|i| format!("line {i} of {}\n", i % 7).into_bytes()).collect();
        for text in [noise, text, vec![0; 1000]] {
            for level in [0, 1, 6, 12] {
                let stream = deflate(&text, level);
                assert!(last_block(&stream, &text).is_some(), "level {level}");
                for at in (0..text.len()).step_by(text.len() / 50) {
                    let mut other = text.clone();
                    other[at] ^= 1;
                    assert_eq!(last_block(&stream, &other), None, "level {level}, byte {at}");
                }
                assert_eq!(last_block(&stream, &text[1..]), None);
                assert_eq!(last_block(&stream, &text[..text.len() - 1]), None);
                assert_eq!(last_block(&stream, &[&text[..], &text[..1]].concat()), None);
            }
        }
    }

    /// What the walk accepts is just what libdeflate unpacks to the text.
    #[test]
    fn a_stream_with_any_bit_turned_is_judged_as_by_one_who_unpacks_it() {
        let text: Vec<u8> =
            (0..40).flat_map(|i| format!("line {i} of {}\n", i % 7).into_bytes()).collect();
        let mut found = vec![0; text.len()];
        for level in [0, 1, 6, 12] {
            let stream = deflate(&text, level);
            for bit in 0..stream.len() * 8 {
                let mut other = stream.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                let unpacked = Decompressor::new().deflate_decompress(&other, &mut found);
                let same = unpacked == Ok(text.len()) && found == text;
                assert_eq!(last_block(&other, &text).is_some(), same, "level {level}, bit {bit}");
            }
        }
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
        fn any_garbage_ends_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = last_block(&bytes, b"0000");
        }
    }
}
