//! The codes of a deflate stream (RFC 1951): which bits are which symbol, and what it stands for.

/// What a symbol means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No symbol has this code.
    Nothing,
    /// A byte, or a distance.
    Plain,
    /// A length; a distance follows.
    Length,
    /// The block ends.
    End,
}

/// A symbol: what it means, and the least that it stands for; a number that follows is added to that.
#[derive(Debug, Clone, Copy)]
pub struct Symbol {
    /// How many bits its code takes, and from the fifth bit on, how many the number behind it.
    widths: u8,
    pub kind: Kind,
    pub base: u16,
}

/// No symbol, or one with a long code.
const NOTHING: Symbol = Symbol { widths: 0, kind: Kind::Nothing, base: 0 };

impl Symbol {
    /// How many bits its code takes.
    pub fn code(self) -> u32 {
        u32::from(self.widths & 15)
    }

    /// How many bits the number behind it takes.
    pub fn number(self) -> u32 {
        u32::from(self.widths >> 4)
    }
}

/// Codes of so many bits are found in a table that stays in the nearest cache.
const SHORT: u8 = 10;

/// All codes of a block, each found by the bits that come next.
pub struct Code {
    short: [Symbol; 1 << SHORT],
    /// The longer ones; empty if there are none.
    long: Vec<Symbol>,
    mask: u64,
}

/// The two codes of a block.
pub struct Codes {
    /// Of bytes, lengths and the end.
    pub literals: Code,
    /// Of distances.
    pub distances: Code,
}

impl Code {
    /// The code with these lengths; `symbol` gives what a number means: its kind, the bits behind its
    /// code, and what it stands for.
    ///
    /// As strict as those who will read it: every row of bits is a symbol's, unless there is one symbol.
    pub fn new(lengths: &[u8], symbol: impl Fn(u16) -> (Kind, u8, u16)) -> Option<Self> {
        let longest = lengths.iter().copied().max().filter(|&most| most > 0).unwrap_or(1);
        let mut counts = [0_u32; 16];
        for &length in lengths.iter().filter(|&&length| length > 0) {
            *counts.get_mut(usize::from(length))? += 1;
        }
        let mut next = [0_u32; 17];
        for length in 1..16 {
            next[length + 1] = (next[length] + counts[length]) << 1;
        }
        let is_full = next[16] == 1 << 16;
        (is_full || longest == 1).then_some(())?;
        let mut code = Self { short: [NOTHING; 1 << SHORT], long: Vec::new(), mask: 0 };
        if longest > SHORT {
            code.long = vec![NOTHING; 1 << longest];
            code.mask = (1 << longest) - 1;
        }
        for (number, &length) in (0..).zip(lengths).filter(|(_, length)| **length > 0) {
            let bits = next[usize::from(length)];
            next[usize::from(length)] += 1;
            if bits >= 1 << length {
                return None;
            }
            let (kind, behind, base) = symbol(number);
            let entry = Symbol { widths: length | behind << 4, kind, base };
            // Codes are written from their highest bit on, everything else from the lowest.
            let first = (bits.reverse_bits() >> (32 - u32::from(length))) as usize;
            let table = if length > SHORT { &mut code.long[..] } else { &mut code.short[..] };
            for slot in table.iter_mut().skip(first).step_by(1 << length) {
                *slot = entry;
            }
        }
        Some(code)
    }

    /// The symbol that comes next, if `held` begins with one; in bits that are not there it finds zeroes.
    #[inline]
    pub fn symbol(&self, held: u64) -> Option<Symbol> {
        let index = usize::try_from(held & ((1 << SHORT) - 1)).ok()?;
        let symbol = *self.short.get(index)?;
        if symbol.kind != Kind::Nothing {
            return Some(symbol);
        }
        let symbol = *self.long.get(usize::try_from(held & self.mask).ok()?)?;
        (symbol.kind != Kind::Nothing).then_some(symbol)
    }

    fn literals(lengths: &[u8]) -> Option<Self> {
        Self::new(lengths, |number| match number {
            0..=255 => (Kind::Plain, 0, number),
            256 => (Kind::End, 0, 0),
            257..=264 => (Kind::Length, 0, number - 254),
            265..=284 => {
                let (bits, quarter) = ((number - 261) / 4, (number - 261) % 4);
                (Kind::Length, bits.to_le_bytes()[0], ((4 + quarter) << bits) + 3)
            }
            285 => (Kind::Length, 0, 258),
            _ => (Kind::Nothing, 0, 0),
        })
    }

    fn distances(lengths: &[u8]) -> Option<Self> {
        Self::new(lengths, |number| match number {
            0..=3 => (Kind::Plain, 0, number + 1),
            4..=29 => {
                let bits = number / 2 - 1;
                (Kind::Plain, bits.to_le_bytes()[0], ((2 + number % 2) << bits) + 1)
            }
            _ => (Kind::Nothing, 0, 0),
        })
    }
}

impl Codes {
    /// The codes with these lengths.
    pub fn new(literals: &[u8], distances: &[u8]) -> Option<Self> {
        let (literals, distances) = (Code::literals(literals)?, Code::distances(distances)?);
        Some(Self { literals, distances })
    }

    /// Those that a block may use without listing them.
    pub fn fixed() -> Option<Self> {
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Self::new(&lengths, &[5; 32])
    }
}
