//! Copying the content of one open file to another: in the kernel where it can, holes kept.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use rustix::fs::{Advice, FallocateFlags, SeekFrom};

use super::file::{again, before_effect, errno, facts, io_errno};
use super::stop;

/// Bytes that pass through our memory at once where the kernel cannot copy by itself.
pub(super) const BUFFER: usize = 256 * 1024;

/// Bytes that the kernel is asked to copy at once; small enough that a signal is not kept waiting, and
/// that the disk gets its first bytes soon.
const AT_ONCE: usize = 16 * 1024 * 1024;

/// Asks for the space of a whole copy before its first byte, so that one that does not fit fails at
/// once; gives how much. A file with holes needs less than its length, so nothing is asked for it, nor
/// where the file system cannot answer. What is not used stays taken until `to` is shortened.
///
/// # Errors
/// `ENOSPC`, `EDQUOT` or `EFBIG` if it does not fit; else whatever the system says.
pub fn reserve(from: &File, to: &File) -> Result<u64, Errno> {
    let source = rustix::fs::fstat(from).map_err(errno)?;
    let has_holes = source.st_blocks.saturating_mul(512) < source.st_size;
    let length = u64::try_from(source.st_size).unwrap_or_default();
    if has_holes || length == 0 {
        return Ok(0);
    }
    before_effect("reserve")?;
    match again(|| rustix::fs::fallocate(to, FallocateFlags::KEEP_SIZE, 0, length)) {
        Ok(()) => Ok(length),
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EINVAL | Errno::EPERM) => Ok(0),
        Err(errno) => Err(errno),
    }
}

/// Copies everything from `start` to the end of `from` to the same place in `to`, the end being
/// where a read finds nothing more. Returns the end.
///
/// Holes stay holes. What is appended to `from` meanwhile is copied too, as far as it is seen. `go_on` is
/// asked now and then.
///
/// # Errors
/// Whatever the system says, or `go_on`; `to` then holds a part.
pub(super) fn in_parts(from: &File, to: &File, start: u64, go_on: GoOn) -> Result<u64, Errno> {
    let mut at = start;
    loop {
        // The size is asked for before the data is looked for: what is appended in between is
        // then data of the next turn, never taken for a hole.
        let size = facts(from)?.size;
        if at >= size {
            return Ok(at);
        }
        match part(from, at, size)? {
            Part::Data { from: begin, to: end } => {
                let reached = data(from, to, begin, end, go_on)?;
                if reached < end {
                    // It was truncated meanwhile.
                    return Ok(reached);
                }
                at = end;
            }
            Part::HoleTo(end) => {
                before_effect("copy")?;
                again(|| rustix::fs::ftruncate(to, end))?;
                at = end;
            }
        }
    }
}

/// Whether a copy goes on.
pub(super) type GoOn = fn() -> Result<(), Errno>;

/// It does.
pub(super) const GO_ON_ANYHOW: GoOn = || Ok(());

/// It does, unless we are asked to end.
pub(super) fn go_on_or_stop() -> Result<(), Errno> {
    stop::requested().map_or(Ok(()), |_| Err(Errno::EINTR))
}

/// What comes next in a file.
pub(super) enum Part {
    /// Bytes, after a hole perhaps.
    Data { from: u64, to: u64 },
    /// A hole up to the end.
    HoleTo(u64),
}

/// Looks for the next bytes from `at` on, in a file of `size` bytes.
pub(super) fn part(file: &File, at: u64, size: u64) -> Result<Part, Errno> {
    let begin = match rustix::fs::seek(file, SeekFrom::Data(at)).map_err(errno) {
        Ok(begin) => begin,
        Err(Errno::ENXIO) => return Ok(Part::HoleTo(size)),
        // The file system cannot tell holes from data.
        Err(Errno::EINVAL | Errno::EOPNOTSUPP) => return Ok(Part::Data { from: at, to: size }),
        Err(errno) => return Err(errno),
    };
    let end = match rustix::fs::seek(file, SeekFrom::Hole(begin)).map_err(errno) {
        Ok(end) => end.max(begin),
        // It was truncated meanwhile.
        Err(Errno::ENXIO) => begin,
        Err(errno) => return Err(errno),
    };
    if end == begin { Ok(Part::HoleTo(size)) } else { Ok(Part::Data { from: begin, to: end }) }
}

/// Copies the bytes from `at` up to `end`, and says how far it came.
fn data(from: &File, to: &File, at: u64, end: u64, go_on: GoOn) -> Result<u64, Errno> {
    let (mut read, mut write) = (at, at);
    while read < end {
        go_on()?;
        let length = usize::try_from(end - read).unwrap_or(AT_ONCE).min(AT_ONCE);
        before_effect("copy")?;
        let (source, target) = (Some(&mut read), Some(&mut write));
        match rustix::fs::copy_file_range(from, source, to, target, length).map_err(errno) {
            // No more, or a file system that cannot: reading tells.
            Ok(0)
            | Err(
                Errno::EXDEV | Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPERM,
            ) => {
                return by_hand(from, to, read, end, go_on);
            }
            Ok(length) => write_back(to, write, length),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(read)
}

/// Has the disk begin with the `length` bytes before `end`, so that it is at work during the copying and
/// not only from the sync on. A piece that is smaller than a whole one is left to the sync.
///
/// The advice says that they are not needed again. That drops only what is on disk already: these bytes
/// have yet to go there, and stay in memory for whoever compresses them. A refusal changes nothing.
fn write_back(file: &File, end: u64, length: usize) {
    if length >= AT_ONCE
        && let Some(length) = NonZeroU64::new(length as u64)
    {
        let start = end.saturating_sub(length.get());
        let _ = rustix::fs::fadvise(file, start, Some(length), Advice::DontNeed);
    }
}

/// The same with our own reads and writes.
fn by_hand(from: &File, to: &File, mut at: u64, end: u64, go_on: GoOn) -> Result<u64, Errno> {
    let mut buffer = vec![0; BUFFER];
    while at < end {
        go_on()?;
        let room = usize::try_from(end - at).unwrap_or(BUFFER).min(BUFFER);
        match from.read_at(&mut buffer[..room], at) {
            Ok(0) => break,
            Ok(length) => {
                before_effect("copy")?;
                to.write_all_at(&buffer[..length], at).map_err(|e| io_errno(&e))?;
                at += length as u64;
            }
            Err(error) if io_errno(&error) == Errno::EINTR => {}
            Err(error) => return Err(io_errno(&error)),
        }
    }
    Ok(at)
}

/// Whether `long` begins with the whole content of `short`.
///
/// # Errors
/// Whatever the system says.
pub fn begins_with(long: &File, short: &File) -> Result<bool, Errno> {
    let length = facts(short)?.size;
    if facts(long)?.size < length {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; BUFFER], vec![0; BUFFER]);
    let mut at = 0;
    while at < length {
        let room = usize::try_from(length - at).unwrap_or(BUFFER).min(BUFFER);
        let (left, right) = (&mut left[..room], &mut right[..room]);
        for (file, buffer) in [(long, &mut *left), (short, &mut *right)] {
            match file.read_exact_at(buffer, at) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(error) => return Err(io_errno(&error)),
            }
        }
        if left != right {
            return Ok(false);
        }
        at += room as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

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

    #[test]
    fn a_copy_has_the_same_bytes() {
        let long: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        for bytes in [&b""[..], b"x", &long] {
            let (from, to) = (file(bytes), file(b""));
            assert_eq!(in_parts(&from, &to, 0, GO_ON_ANYHOW), Ok(bytes.len() as u64));
            assert_eq!(read(&to), bytes);
            let by_hand_to = file(b"");
            assert_eq!(
                by_hand(&from, &by_hand_to, 0, bytes.len() as u64, GO_ON_ANYHOW),
                Ok(bytes.len() as u64)
            );
            assert_eq!(read(&by_hand_to), bytes);
        }
    }

    #[test]
    fn space_is_asked_for_before_a_copy_but_not_for_holes() {
        let (from, to) = (file(&vec![b'x'; 100_000]), file(b""));
        // Where the file system cannot answer, nothing is taken.
        let reserved = reserve(&from, &to).unwrap();
        assert_eq!(to.metadata().unwrap().len(), 0);
        assert!(reserved == 0 || to.metadata().unwrap().blocks() * 512 >= 100_000);
        let holes = file(b"");
        holes.set_len(1 << 20).unwrap();
        let to = file(b"");
        assert_eq!((reserve(&holes, &to), to.metadata().unwrap().blocks()), (Ok(0), 0));
    }

    #[test]
    fn what_a_file_has_gained_is_appended() {
        let (from, to) = (file(b"one\ntwo\n"), file(b"one\n"));
        assert_eq!(in_parts(&from, &to, 4, GO_ON_ANYHOW), Ok(8));
        assert_eq!(read(&to), b"one\ntwo\n");
    }

    #[test]
    fn holes_stay_holes_at_the_start_in_the_middle_and_at_the_end() {
        let from = file(b"");
        from.write_all_at(b"middle", 8 << 20).unwrap();
        from.set_len(16 << 20).unwrap();
        let to = file(b"");
        assert_eq!(in_parts(&from, &to, 0, GO_ON_ANYHOW), Ok(16 << 20));
        assert_eq!(read(&from), read(&to));
        let blocks = |file: &File| file.metadata().unwrap().blocks();
        assert!(blocks(&to) <= blocks(&from) + 8, "{} > {}", blocks(&to), blocks(&from));
    }

    #[test]
    fn a_file_begins_with_its_own_head_only() {
        let log = file(b"one\ntwo\n");
        for (head, expected) in [("", true), ("one\n", true), ("one\ntwo\n", true)] {
            assert_eq!(begins_with(&log, &file(head.as_bytes())), Ok(expected), "{head:?}");
        }
        for other in ["two\n", "one\ntwo\nthree\n", "one\0"] {
            assert_eq!(begins_with(&log, &file(other.as_bytes())), Ok(false), "{other:?}");
        }
    }
}
