//! A log of numbered lines: who writes it without a pause, and who counts what has come of them.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a line begins, and how it goes on after its number.
const BEGIN: &[u8] = b"line ";
const GO_ON: &[u8] = b" of a log that is never closed";

/// How many digits a number has.
const DIGITS: usize = 10;

/// Lines that are written at once.
const AT_ONCE: usize = 200;

/// Makes numbered lines, one after another, quickly. Their lengths differ: of lines of one even length,
/// none might ever end where a block does, and a log can only be cut there.
#[derive(Clone)]
pub struct Lines {
    digits: [u8; DIGITS],
    number: u64,
}

impl Lines {
    /// All lines from this one on.
    fn from(number: u64) -> Self {
        let text = format!("{number:0DIGITS$}");
        Self { digits: text.as_bytes().try_into().expect("as many digits"), number }
    }

    /// Appends the next one.
    fn add_to(&mut self, bytes: &mut Vec<u8>) {
        const MARKS: &[u8] = b"......\n";
        bytes.extend_from_slice(BEGIN);
        bytes.extend_from_slice(&self.digits);
        bytes.extend_from_slice(GO_ON);
        bytes.extend_from_slice(&MARKS[usize::try_from(self.number % 7).expect("small")..]);
        self.number += 1;
        for digit in self.digits.iter_mut().rev() {
            if *digit != b'9' {
                *digit += 1;
                break;
            }
            *digit = b'0';
        }
    }
}

/// The number of a whole line.
fn number_of(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(BEGIN)?.get(..DIGITS)?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let mut whole = Vec::new();
    Lines::from(number).add_to(&mut whole);
    (whole == line).then_some(number)
}

/// Writes as fast as it can, in a thread.
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<(u64, Duration)>,
    start: Instant,
}

impl Writer {
    /// Of a log that is there. Only while it takes more than `most` bytes, since nobody comes to rotate it, it
    /// waits: else it would fill the disk.
    pub fn start(log: &Path, appends: bool, most: u64) -> Self {
        let mut log = OpenOptions::new().write(true).append(appends).open(log).expect("open");
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut next, mut bytes) = (Lines::from(0), Vec::new());
            let mut longest = Duration::ZERO;
            while !told.load(Ordering::Relaxed) {
                bytes.clear();
                for _ in 0..AT_ONCE {
                    next.add_to(&mut bytes);
                }
                let begin = Instant::now();
                log.write_all(&bytes).expect("write");
                longest = longest.max(begin.elapsed());
                while taken(&log.metadata().expect("facts")) > most && !told.load(Ordering::Relaxed)
                {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            (next.number, longest)
        });
        Self { stop, thread, start: Instant::now() }
    }

    /// Ends it; gives how many lines it has written, how many a second, and how long the longest write took.
    pub fn end(self) -> (u64, f64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let (lines, longest) = self.thread.join().expect("writer");
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = lines as f64 / self.start.elapsed().as_secs_f64();
        (lines, rate, longest)
    }
}

/// The bytes that a file takes: of a log with a hole, its length tells nothing.
pub fn taken(facts: &Metadata) -> u64 {
    (facts.blocks() * 512).min(facts.len())
}

/// What has become of the lines in files that are read one after another, from the oldest on.
pub struct Count {
    expected: Lines,
    /// What the last file ended with, if that was no whole line.
    piece: Vec<u8>,
    /// Lines that are nowhere.
    pub missing: u64,
    /// Lines that have come before.
    pub doubled: u64,
    /// Lines of which one file has the beginning and the next one the rest.
    pub split: u64,
    /// What is no line and no part of one.
    pub pieces: u64,
    /// NUL bytes.
    pub nuls: u64,
}

impl Count {
    pub fn new() -> Self {
        let (missing, doubled, split, pieces, nuls) = (0, 0, 0, 0, 0);
        Self { expected: Lines::from(0), piece: Vec::new(), missing, doubled, split, pieces, nuls }
    }

    /// Reads a file.
    pub fn read(&mut self, path: &Path) {
        let mut file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (mut bytes, mut whole) = (Vec::new(), Vec::new());
        let (mut buffer, zeroes) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let mut first = true;
        loop {
            let length = file.read(&mut buffer).expect("read");
            if length == 0 {
                break;
            }
            let read = &buffer[..length];
            // Quick where there is nothing else, and where there are none.
            if read == &zeroes[..length] {
                self.nuls += length as u64;
                continue;
            }
            if read.contains(&0) {
                let before = bytes.len();
                bytes.extend(read.iter().filter(|&&byte| byte != 0));
                self.nuls += (length - (bytes.len() - before)) as u64;
            } else {
                bytes.extend_from_slice(read);
            }
            let mut rest = &bytes[..];
            loop {
                // Most lines are the next one.
                let mut after = self.expected.clone();
                whole.clear();
                after.add_to(&mut whole);
                if rest.starts_with(&whole) && (!first || self.piece.is_empty()) {
                    self.expected = after;
                    rest = &rest[whole.len()..];
                } else if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                    self.other_line(&rest[..=end], first);
                    rest = &rest[end + 1..];
                } else {
                    break;
                }
                first = false;
            }
            bytes.drain(..bytes.len() - rest.len());
        }
        self.piece.extend(bytes);
    }

    /// A line that is not simply the next one; perhaps the first of a file.
    fn other_line(&mut self, line: &[u8], first: bool) {
        if first && !self.piece.is_empty() {
            let piece = std::mem::take(&mut self.piece);
            let joined = [&piece[..], line].concat();
            if let Some(number) = number_of(&joined) {
                self.split += 1;
                return self.found(number);
            }
            self.pieces += 1;
        }
        match number_of(line) {
            Some(number) => self.found(number),
            None => self.pieces += 1,
        }
    }

    fn found(&mut self, number: u64) {
        match number.checked_sub(self.expected.number) {
            Some(missing) => {
                self.missing += missing;
                self.expected = Lines::from(number + 1);
            }
            None => self.doubled += 1,
        }
    }

    /// All files have been read; so many lines were written.
    pub fn end(&mut self, written: u64) {
        self.pieces += u64::from(!std::mem::take(&mut self.piece).is_empty());
        self.missing += written.saturating_sub(self.expected.number);
    }
}

#[test]
fn what_has_become_of_lines_is_counted() {
    let mut text = Vec::new();
    let mut lines = Lines::from(0);
    let ends: Vec<usize> = (0..30)
        .map(|_| {
            lines.add_to(&mut text);
            text.len()
        })
        .collect();
    let dir = tempfile::tempdir().expect("directory");
    let count = |files: &[&[u8]]| {
        let mut count = Count::new();
        for (index, bytes) in files.iter().enumerate() {
            let path = dir.path().join(index.to_string());
            std::fs::write(&path, bytes).expect("write");
            count.read(&path);
        }
        count.end(30);
        let Count { missing, doubled, split, pieces, nuls, .. } = count;
        [missing, doubled, split, pieces, nuls]
    };
    let cut = ends[9];
    assert_eq!(count(&[&text]), [0, 0, 0, 0, 0]);
    assert_eq!(count(&[&text[..cut], &text[cut..]]), [0, 0, 0, 0, 0]);
    assert_eq!(count(&[&text[..cut + 5], &text[cut + 5..]]), [0, 0, 1, 0, 0]);
    assert_eq!(count(&[&text[..cut], &text[ends[12]..]]), [3, 0, 0, 0, 0]);
    assert_eq!(count(&[&text[..cut], &text[ends[5]..]]), [0, 4, 0, 0, 0]);
    assert_eq!(count(&[&text[..cut + 5], &text[cut + 6..]]), [1, 0, 0, 2, 0]);
    assert_eq!(count(&[&text[..ends[28]]]), [1, 0, 0, 0, 0]);
    assert_eq!(count(&[&text[..cut], b"\0\0", &text[cut..]]), [0, 0, 0, 0, 2]);
}
