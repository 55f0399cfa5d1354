//! Copying a log without the gaps that earlier cuts have left in it.
//!
//! A writer without `O_APPEND` goes on where it was when its log is cut: between what has stayed and its
//! next byte the log then has as many NUL bytes as were taken away, most of them a hole. They are nobody's
//! data. Such a log carries a mark, so that the holes of any other are kept.
//!
//! In a marked log these NUL bytes are left out:
//!
//! - all that it begins with: it was emptied, or a cut fell into a gap;
//! - elsewhere, of each row of them, as many as whole blocks hold, for only whole blocks are cut away. What
//!   is more belongs to the lines beside the gap; and a row shorter than a block is no gap.
//!
//! What it ends with stays: a gap ends where the writer has gone on.
//!
//! The rules need no numbers from the time of the cut, which may be followed by others, or by a crash.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use rustix::fs::XattrFlags;

use super::attributes::own_attribute;
use super::copy::{BUFFER, GO_ON_ANYHOW, GoOn, Part, begins_with, go_on_or_stop, in_parts, part};
use super::cut::{block_size, shorten};
use super::file::{again, before_effect, facts, io_errno};

/// The extended attribute of a log that was cut under a writer without `O_APPEND`.
const MARK: &str = "user.logrotate-rs.gaps";

/// Whether a log may have gaps.
pub fn is_marked(log: &File) -> bool {
    own_attribute(log, MARK).is_ok_and(|mark| mark.is_some())
}

/// Marks a log that may get a gap; gives whether that was possible.
pub fn mark(log: &File) -> bool {
    before_effect("mark").is_ok()
        && again(|| rustix::fs::fsetxattr(log, MARK, b"1", XattrFlags::empty())).is_ok()
}

/// Takes the mark from a log that has no gap. One that cannot be taken does no harm.
pub fn unmark(log: &File) {
    if before_effect("mark").is_ok() {
        let _ = again(|| rustix::fs::fremovexattr(log, MARK));
    }
}

/// How far the copy of a log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copying {
    /// The block that gaps are made of; `None`: nothing is left out.
    block: Option<u64>,
    /// Up to where the log was read.
    from: u64,
    /// The length of the copy.
    to: u64,
    /// How many NUL bytes before `from` no other byte has followed yet: they are not in the copy.
    nuls: u64,
    /// What was left out.
    gaps: Vec<Gap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    at: u64,
    length: u64,
}

/// What is done with the next bytes of a copy; gives whether more are wanted.
type Sink<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<bool, Errno>;

impl Copying {
    /// The beginning of a copy that has the same bytes at the same places.
    pub fn of_all() -> Self {
        Self { block: None, from: 0, to: 0, nuls: 0, gaps: Vec::new() }
    }

    /// The beginning of a copy without gaps, if the log is marked.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn without_gaps(log: &File) -> Result<Self, Errno> {
        let block = if is_marked(log) { Some(block_size(log)?) } else { None };
        Ok(Self { block, ..Self::of_all() })
    }

    /// Whether gaps are left out.
    pub fn leaves_out(&self) -> bool {
        self.block.is_some()
    }

    /// Goes on to where this copy of the log ends; `None` if the log is too short for it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn up_to_end_of(mut self, log: &File, copy: &File) -> Result<Option<Self>, Errno> {
        let length = facts(copy)?.size;
        if self.block.is_none() {
            (self.from, self.to) = (length, length);
            return Ok((facts(log)?.size >= length).then_some(self));
        }
        self.read_on(log, length, GO_ON_ANYHOW, &mut |_, _| Ok(true))?;
        Ok((self.to == length).then_some(self))
    }

    /// The same, if the copy has the same bytes.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn if_begins_with(mut self, log: &File, copy: &File) -> Result<Option<Self>, Errno> {
        if self.block.is_none() {
            let same = begins_with(log, copy)?;
            return if same { self.up_to_end_of(log, copy) } else { Ok(None) };
        }
        let length = facts(copy)?.size;
        let (mut same, mut buffer) = (true, Vec::new());
        self.read_on(log, length, GO_ON_ANYHOW, &mut |to, bytes| {
            buffer.resize(bytes.len(), 0);
            copy.read_exact_at(&mut buffer, to).map_err(|e| io_errno(&e))?;
            same = buffer == bytes;
            Ok(same)
        })?;
        Ok((same && self.to == length).then_some(self))
    }

    /// Copies what the log has gained, as far as it is seen.
    ///
    /// # Errors
    /// Whatever the system says; the copy then holds a part.
    pub fn go_on(&mut self, log: &File, copy: &File) -> Result<(), Errno> {
        self.go_on_while(log, copy, GO_ON_ANYHOW)
    }

    /// The same, unless we are asked to end.
    ///
    /// # Errors
    /// The same; `EINTR` if we are to end.
    pub fn go_on_or_stop(&mut self, log: &File, copy: &File) -> Result<(), Errno> {
        self.go_on_while(log, copy, go_on_or_stop)
    }

    fn go_on_while(&mut self, log: &File, copy: &File, go_on: GoOn) -> Result<(), Errno> {
        if self.block.is_some() {
            return self.read_on(log, u64::MAX, go_on, &mut |to, bytes| write(copy, to, bytes));
        }
        self.from = in_parts(log, copy, self.from, go_on)?;
        self.to = self.from;
        Ok(())
    }

    /// Adds bytes that were read where the copy has come to.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn take(&mut self, bytes: &[u8], copy: &File) -> Result<(), Errno> {
        if self.block.is_some() {
            return self.feed(bytes, u64::MAX, &mut |to, bytes| write(copy, to, bytes)).map(drop);
        }
        write(copy, self.to, bytes)?;
        self.from += bytes.len() as u64;
        self.to = self.from;
        Ok(())
    }

    /// The log ends here: what it ends with is no gap.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn end(&mut self, copy: &File) -> Result<(), Errno> {
        if self.nuls > 0 {
            self.to += self.nuls;
            self.nuls = 0;
            shorten(copy, self.to)?;
        }
        Ok(())
    }

    /// Up to where the log was read.
    pub fn read(&self) -> u64 {
        self.from
    }

    /// Up to where the log is in the copy.
    pub fn copied(&self) -> u64 {
        self.from - self.nuls
    }

    /// The length of the copy.
    pub fn length(&self) -> u64 {
        self.to
    }

    /// The length of the copy of so much of the log.
    pub fn length_of(&self, head: u64) -> u64 {
        let left_out = |gap: &Gap| head.saturating_sub(gap.at).min(gap.length);
        head - self.gaps.iter().map(left_out).sum::<u64>()
    }

    /// Shortens the copy to that of so much of the log.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn shorten(&mut self, copy: &File, head: u64) -> Result<(), Errno> {
        let length = self.length_of(head);
        shorten(copy, length)?;
        // A gap is gone through again from its beginning, or its end would look like the lines' own.
        let inside = |gap: &&Gap| gap.at < head && head < gap.at + gap.length;
        self.from = self.gaps.iter().find(inside).map_or(head, |gap| gap.at);
        self.gaps.retain(|gap| gap.at < self.from);
        (self.to, self.nuls) = (length, 0);
        Ok(())
    }

    /// Reads the log on, to its end or until the copy has the length `limit`.
    fn read_on(
        &mut self,
        log: &File,
        limit: u64,
        go_on: GoOn,
        sink: Sink<'_>,
    ) -> Result<(), Errno> {
        let mut buffer = vec![0; BUFFER];
        while self.to < limit {
            go_on()?;
            // In this order, as for any copy.
            let size = facts(log)?.size;
            if self.from >= size {
                return Ok(());
            }
            let (begin, end) = match part(log, self.from, size)? {
                Part::Data { from, to } => (from, to),
                Part::HoleTo(end) => (end, end),
            };
            self.nuls += begin - self.from;
            self.from = begin;
            while self.from < end && self.to < limit {
                go_on()?;
                let room = usize::try_from(end - self.from).unwrap_or(BUFFER).min(BUFFER);
                match log.read_at(&mut buffer[..room], self.from) {
                    // It was truncated meanwhile.
                    Ok(0) => return Ok(()),
                    Ok(length) => {
                        if !self.feed(&buffer[..length], limit, sink)? {
                            return Ok(());
                        }
                    }
                    Err(error) if io_errno(&error) == Errno::EINTR => {}
                    Err(error) => return Err(io_errno(&error)),
                }
            }
        }
        Ok(())
    }

    /// Passes the bytes on that are at `from` in the log, without gaps. Gives whether more are wanted.
    fn feed(&mut self, mut bytes: &[u8], limit: u64, sink: Sink<'_>) -> Result<bool, Errno> {
        while !bytes.is_empty() && self.to < limit {
            let nuls = bytes.iter().take_while(|&&byte| byte == 0).count();
            self.nuls += nuls as u64;
            self.from += nuls as u64;
            bytes = &bytes[nuls..];
            if bytes.is_empty() {
                break;
            }
            if !self.end_row(limit, sink)? {
                return Ok(false);
            }
            let room = usize::try_from(limit - self.to).unwrap_or(usize::MAX);
            let length = self.before_row(bytes).min(room);
            let (kept, rest) = bytes.split_at(length);
            let more = sink(self.to, kept)?;
            self.from += length as u64;
            self.to += length as u64;
            if !more {
                return Ok(false);
            }
            bytes = rest;
        }
        Ok(true)
    }

    /// How many bytes there are before a row of NUL bytes that may be a gap, or that goes on.
    fn before_row(&self, bytes: &[u8]) -> usize {
        let block = usize::try_from(self.block.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut at = 0;
        // The standard library is quick in saying that there is none.
        while bytes[at..].contains(&0) {
            let begin = at + bytes[at..].iter().take_while(|&&byte| byte != 0).count();
            let nuls = bytes[begin..].iter().take_while(|&&byte| byte == 0).count();
            at = begin + nuls;
            if nuls >= block || at == bytes.len() {
                return begin;
            }
        }
        bytes.len()
    }

    /// A row of NUL bytes has ended: leaves out what is a gap. Gives whether more is wanted.
    fn end_row(&mut self, limit: u64, sink: Sink<'_>) -> Result<bool, Errno> {
        let (begin, nuls) = (self.from - self.nuls, std::mem::take(&mut self.nuls));
        let own = if begin == 0 { 0 } else { nuls % self.block.unwrap_or(u64::MAX) };
        let kept = own.min(limit - self.to);
        if kept > 0 {
            let zeroes = vec![0; usize::try_from(kept).unwrap_or_default()];
            let more = sink(self.to, &zeroes)?;
            self.to += kept;
            if !more || self.to == limit {
                self.from = begin + kept;
                return Ok(false);
            }
        }
        if nuls > own {
            self.gaps.push(Gap { at: begin + own, length: nuls - own });
        }
        Ok(true)
    }
}

fn write(copy: &File, to: u64, bytes: &[u8]) -> Result<bool, Errno> {
    before_effect("copy")?;
    copy.write_all_at(bytes, to).map_err(|e| io_errno(&e))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = 8;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn read(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(facts(file).unwrap().size).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    fn marked() -> Copying {
        Copying { block: Some(BLOCK), ..Copying::of_all() }
    }

    /// A log, and what is to be in its copy.
    fn logs() -> Vec<(Vec<u8>, Vec<u8>)> {
        let nuls = |count| vec![0; count];
        let [one, two] = [b"one\n".to_vec(), b"two\n".to_vec()];
        vec![
            (Vec::new(), Vec::new()),
            // Nothing is left out of a log without a gap, not even NUL bytes that are few.
            ([&one[..], &two].concat(), [&one[..], &two].concat()),
            ([&one[..], &nuls(7), &two].concat(), [&one[..], &nuls(7), &two].concat()),
            // It was emptied.
            ([&nuls(3)[..], &one, &two].concat(), [&one[..], &two].concat()),
            ([&nuls(17)[..], &one, &two].concat(), [&one[..], &two].concat()),
            // It was cut, once and twice.
            ([&one[..], &nuls(16), &two].concat(), [&one[..], &two].concat()),
            (
                [&nuls(5)[..], &one, &nuls(8), &two, &nuls(24), &one].concat(),
                [&one[..], &two, &one].concat(),
            ),
            // Lines end with a NUL byte.
            (
                [&one[..], &nuls(1), &nuls(16), &two, &nuls(1), &one].concat(),
                [&one[..], &nuls(1), &two, &nuls(1), &one].concat(),
            ),
            // A gap ends where the writer has gone on.
            ([&one[..], &nuls(20)].concat(), [&one[..], &nuls(20)].concat()),
        ]
    }

    fn copied_on(mut copying: Copying, log: &File, copy: &File) -> Vec<u8> {
        copying.go_on(log, copy).unwrap();
        copying.end(copy).unwrap();
        assert_eq!(copying.length(), facts(copy).unwrap().size);
        read(copy)
    }

    #[test]
    fn a_copy_has_everything_but_the_gaps_however_the_log_has_grown() {
        for (text, expected) in logs() {
            let (log, copy) = (file(&text), file(b""));
            assert_eq!(copied_on(marked(), &log, &copy), expected, "{text:?}");
            let (log, copy, mut copying) = (file(b""), file(b""), marked());
            for (at, byte) in text.iter().enumerate() {
                log.write_all_at(&[*byte], at as u64).unwrap();
                copying.go_on(&log, &copy).unwrap();
                assert!(expected.starts_with(&read(&copy)), "{text:?} {at}");
            }
            assert_eq!(copied_on(copying, &log, &copy), expected, "{text:?}");
            let (copy, mut copying) = (file(b""), marked());
            for bytes in text.chunks(3) {
                copying.take(bytes, &copy).unwrap();
            }
            assert_eq!(copied_on(copying, &log, &copy), expected, "{text:?}");
        }
    }

    #[test]
    fn a_copy_that_was_begun_is_gone_on_with() {
        for (text, expected) in logs() {
            let log = file(&text);
            let end = expected.len() - expected.iter().rev().take_while(|b| **b == 0).count();
            for length in 0..=end {
                for way in [Copying::up_to_end_of, Copying::if_begins_with] {
                    let copy = file(&expected[..length]);
                    let begun = way(marked(), &log, &copy).unwrap().expect("it is the beginning");
                    assert_eq!(copied_on(begun, &log, &copy), expected, "{text:?} {length}");
                }
            }
        }
    }

    #[test]
    fn another_file_and_a_longer_one_are_no_copy_of_the_beginning() {
        for (text, expected) in logs() {
            let longer = file(&[&expected[..], b"x"].concat());
            let log = file(&text);
            assert_eq!(marked().up_to_end_of(&log, &longer), Ok(None), "{text:?}");
            assert_eq!(marked().if_begins_with(&log, &longer), Ok(None), "{text:?}");
            if expected.len() > 3 {
                let mut other = expected.clone();
                other[3] = b'x';
                assert_eq!(marked().if_begins_with(&log, &file(&other)), Ok(None), "{text:?}");
            }
        }
    }

    #[test]
    fn a_copy_is_shortened_to_that_of_any_head_of_the_log() {
        for (text, expected) in logs() {
            for head in 0..=text.len() as u64 {
                let (log, copy, mut copying) = (file(&text), file(b""), marked());
                copying.go_on(&log, &copy).unwrap();
                if head > copying.copied() {
                    continue;
                }
                copying.shorten(&copy, head).unwrap();
                let short = read(&copy);
                assert!(expected.starts_with(&short), "{text:?} {head}");
                assert_eq!(copied_on(copying, &log, &copy), expected, "{text:?} {head}");
                // What is cut away, and what stays without what it begins with then, is all.
                let rest = file(&text[usize::try_from(head).unwrap()..]);
                let rest = copied_on(marked(), &rest, &file(b""));
                let all = [short, rest].concat();
                let text_of =
                    |all: &[u8]| all.iter().copied().filter(|b| *b != 0).collect::<Vec<_>>();
                assert_eq!(text_of(&all), text_of(&expected), "{text:?} {head}");
            }
        }
    }

    #[test]
    fn a_hole_is_left_out_whatever_its_length_and_whole_blocks_around_it_too() {
        let log = file(b"");
        log.write_all_at(b"end\n", (64 << 20) + 1000).unwrap();
        let block = block_size(&log).unwrap();
        log.write_all_at(b"begin\n", 0).unwrap();
        // The last of it is no whole block.
        let own = ((64 << 20) + 1000 - 6) % block;
        let copying = Copying { block: Some(block), ..Copying::of_all() };
        let copied = copied_on(copying, &log, &file(b""));
        let nuls = vec![0; usize::try_from(own).unwrap()];
        assert_eq!(copied, [&b"begin\n"[..], &nuls, b"end\n"].concat());
    }

    #[test]
    fn only_a_log_with_the_mark_has_gaps() {
        let text = [&b"one\n"[..], &vec![0; 100_000], b"two\n"].concat();
        let log = file(&text);
        assert!(!Copying::without_gaps(&log).unwrap().leaves_out());
        if mark(&log) {
            assert!(is_marked(&log));
            assert!(Copying::without_gaps(&log).unwrap().leaves_out());
            unmark(&log);
        }
        assert_eq!(copied_on(Copying::without_gaps(&log).unwrap(), &log, &file(b"")), text);
    }
}
