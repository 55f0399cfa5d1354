//! Taking the head of a file away while others write to its end.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use rustix::fs::FallocateFlags;

use super::file::{again, before_effect, empty, errno, facts, io_errno};
use super::gaps::Copying;

/// Where we ask whether a head can be taken away: beyond the end of any log.
const FAR: u64 = 1 << 40;

/// The largest unit in which a file system keeps files (bigalloc, large extents).
const LARGEST_UNIT: u64 = 1 << 30;

/// Reads before a file is emptied although its writer never pauses. Each takes some microseconds.
const READS: u32 = 4096;

/// Bytes read at once before a file is emptied.
const BUFFER: usize = 64 * 1024;

/// The size of the blocks of a file's file system.
///
/// # Errors
/// Whatever the system says.
pub fn block_size(file: &File) -> Result<u64, Errno> {
    rustix::fs::fstatvfs(file).map(|fs| fs.f_frsize.max(1)).map_err(errno)
}

/// The next larger unit worth trying where the file system refused one (16 KiB, 64 KiB, ...).
pub fn larger_unit(unit: u64) -> Option<u64> {
    unit.checked_mul(4).filter(|&unit| unit <= LARGEST_UNIT)
}

/// Whether the head of this file can be taken away. Changes nothing: the question is about a part
/// that the file does not have.
pub fn can_behead(file: &File) -> bool {
    facts(file).is_ok_and(|f| f.size < FAR / 2)
        && again(|| rustix::fs::fallocate(file, FallocateFlags::COLLAPSE_RANGE, FAR, LARGEST_UNIT))
            == Err(Errno::EINVAL)
}

/// Takes the first `length` bytes away; what follows them moves to the start, appends in flight
/// included. The file must be longer than that.
///
/// # Errors
/// `EINVAL` if `length` is no multiple of the file system's unit, or the file is too short; else
/// whatever the system says. The file is then as it was.
pub fn behead(file: &File, length: u64) -> Result<(), Errno> {
    before_effect("behead")?;
    again(|| rustix::fs::fallocate(file, FallocateFlags::COLLAPSE_RANGE, 0, length))
}

/// Shortens a file.
///
/// # Errors
/// Whatever the system says.
pub fn shorten(file: &File, length: u64) -> Result<(), Errno> {
    before_effect("shorten")?;
    again(|| rustix::fs::ftruncate(file, length))
}

/// The last multiple of `unit`, not above `most` and less than `window` below it, that follows the
/// end of a line.
///
/// # Errors
/// Whatever the system says.
pub fn last_line_end(file: &File, unit: u64, most: u64, window: u64) -> Result<Option<u64>, Errno> {
    let mut at = most / unit * unit;
    while at > 0 && most - at < window {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at - 1).map_err(|e| io_errno(&e))?;
        if byte == *b"\n" {
            return Ok(Some(at));
        }
        at -= unit;
    }
    Ok(None)
}

/// What was at risk when a file was emptied under its writer's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk {
    /// From the start of the last read to the truncation. A write in progress then is lost too; later
    /// ones wait while the kernel gives the space back, and stay.
    pub time: Duration,
    /// What the writer writes in that time, at its pace during the reads before.
    pub bytes: u64,
}

/// Copies what a log has gained until a read finds nothing, and empties it at once: nothing is done between
/// that read and the truncation.
///
/// A writer that is as quick as we are is not waited for for ever. What the last read found is then
/// written to the copy before the truncation, since we may be killed after it.
///
/// # Errors
/// Whatever the system says.
pub fn catch_up_and_empty(log: &File, copy: &File, copying: &mut Copying) -> Result<Risk, Errno> {
    // Its pages are there before the first read: not zeroes, which the allocator would leave to the
    // kernel to bring in.
    let mut buffer = vec![1; BUFFER];
    let (first, start) = (now(), copying.read());
    copying.go_on(log, copy)?;
    let mut reads = 0;
    let last = loop {
        let began = now();
        let length = match log.read_at(&mut buffer, copying.read()) {
            Ok(0) => break began,
            Ok(length) => length,
            Err(error) if io_errno(&error) == Errno::EINTR => continue,
            Err(error) => return Err(io_errno(&error)),
        };
        copying.take(&buffer[..length], copy)?;
        reads += 1;
        if reads == READS {
            break began;
        }
    };
    // In all but a few cases this is nothing.
    copying.end(copy)?;
    let (time, whole) = (last.elapsed(), first.elapsed());
    empty(log)?;
    let share = time.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(Risk { time, bytes: portion(copying.read() - start, share) })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of a small number"
)]
fn portion(bytes: u64, share: f64) -> u64 {
    (bytes as f64 * share).ceil() as u64
}

/// A clock for durations alone; nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "measures how long we take")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    #[test]
    fn the_last_line_end_on_a_boundary_is_found_within_the_window() {
        let log = file(b"abc\nabcdabc\nabcdabcdabc");
        for (most, window, expected) in [
            (23, 100, Some(12)),
            (12, 1, Some(12)),
            (11, 100, Some(4)),
            (23, 11, None),
            (3, 100, None),
            (0, 100, None),
        ] {
            assert_eq!(last_line_end(&log, 4, most, window), Ok(expected), "{most} {window}");
        }
    }

    #[test]
    fn the_question_whether_a_head_can_go_changes_nothing_and_is_answered_truly() {
        let text = [vec![b'a'; 8192], b"tail".to_vec()].concat();
        let log = file(&text);
        let unit = block_size(&log).unwrap();
        let can = can_behead(&log);
        assert_eq!(facts(&log).unwrap().size, 8196);
        if unit <= 8192 {
            assert_eq!(behead(&log, unit).is_ok(), can);
        }
        let gone = if can { unit } else { 0 };
        assert_eq!(facts(&log).unwrap().size, 8196 - gone);
    }

    #[test]
    fn what_comes_before_the_last_read_is_copied() {
        let (log, archive) = (file(b"one\ntwo\n"), file(b"one\n"));
        let mut copying = Copying::of_all().up_to_end_of(&log, &archive).unwrap().unwrap();
        catch_up_and_empty(&log, &archive, &mut copying).unwrap();
        assert_eq!((copying.read(), copying.length()), (8, 8));
        assert_eq!(facts(&log).unwrap().size, 0);
        assert_eq!(facts(&archive).unwrap().size, 8);
    }
}
