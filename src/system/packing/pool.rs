//! Threads that compress while the program goes on with something else.
//!
//! They read, compress and write, on files that are open already: owners, names and rights are not
//! theirs, nor is it theirs to say what becomes of the result. Nor do they sync it: that would put on disk
//! what others do meanwhile, before the journal that tells of it. They stand back behind everybody else.

use std::fs::File;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::errno::Errno;

use super::super::file::io_errno;
use super::super::priority;
use super::{Format, NotCompressed, compress};

/// What all that is at work at once may take; the rest of the program takes less than 8 MB.
const MEMORY: usize = 40 << 20;

/// So many files may lie ready for the next thread that is free: whoever begins tasks may wait for the disk for
/// as long as some small files take.
const READY: usize = 6;

/// As many threads as are worth their memory.
pub const MOST_JOBS: usize = 8;

/// A file to compress, and how.
#[derive(Debug)]
pub struct Task {
    /// Comes back with the result.
    pub ticket: u64,
    /// What is made.
    pub format: Format,
    /// The source.
    pub input: File,
    /// What is made goes to its end.
    pub output: File,
    /// How many threads work on this file.
    pub threads: usize,
    /// How many may be busy.
    pub jobs: usize,
    /// The disk serves it only when it is idle.
    pub idle: bool,
}

/// A task that ended.
#[derive(Debug)]
pub struct Ended {
    /// Which.
    pub ticket: u64,
    /// The source.
    pub input: File,
    /// What was made: if all went well, it is on disk.
    pub output: File,
    /// How.
    pub result: Result<(), NotCompressed>,
}

/// The threads. They are started when they are needed, and end with this.
#[derive(Debug)]
pub struct Pool {
    tasks: Sender<Task>,
    queue: Arc<Mutex<Receiver<Task>>>,
    results: Receiver<Ended>,
    give: Sender<Ended>,
    started: usize,
    /// What each task at work takes: its ticket, threads and bytes.
    at_work: Vec<(u64, usize, usize)>,
}

impl Default for Pool {
    fn default() -> Self {
        let ((tasks, queue), (give, results)) = (channel(), channel());
        let queue = Arc::new(Mutex::new(queue));
        Self { tasks, queue, results, give, started: 0, at_work: Vec::new() }
    }
}

impl Pool {
    /// Whether nothing is at work.
    pub fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    /// Whether a file of this format may be begun with so many threads, where `jobs` may be busy. One more
    /// may be at work, since one of them usually waits for the disk.
    pub fn has_room(&self, format: Format, threads: usize, jobs: usize) -> bool {
        let busy: usize = self.at_work.iter().map(|(_, threads, _)| threads).sum();
        let taken: usize = self.at_work.iter().map(|(_, _, bytes)| bytes).sum();
        let bytes = format.memory(threads);
        self.is_idle()
            || (busy + threads <= jobs + 1 && taken + bytes <= MEMORY)
            || (threads == 1 && self.may_lie_ready(bytes, jobs))
    }

    /// Whether a file for one thread may wait for it: all others are such files, and not too many.
    fn may_lie_ready(&self, bytes: usize, jobs: usize) -> bool {
        let most = self.at_work.iter().map(|&(_, _, bytes)| bytes).fold(bytes, usize::max);
        self.started <= jobs + 1
            && self.at_work.iter().all(|&(_, threads, _)| threads == 1)
            && self.at_work.len() < jobs + 1 + READY
            && most * (jobs + 1) <= MEMORY
    }

    /// Begins a task. If the system gives no thread for it, it comes back as one that failed.
    pub fn begin(&mut self, task: Task) -> Option<Ended> {
        let failed = |task: Task, errno| {
            let Task { ticket, input, output, .. } = task;
            Some(Ended { ticket, input, output, result: Err(NotCompressed::System(errno)) })
        };
        let Task { ticket, format, threads, jobs, .. } = task;
        if self.started <= self.at_work.len() && self.started <= jobs {
            let (queue, give) = (Arc::clone(&self.queue), self.give.clone());
            match std::thread::Builder::new().spawn(move || work(&queue, &give)) {
                Ok(_) => self.started += 1,
                // Those that are there will come to it.
                Err(_) if self.started > 0 => {}
                Err(error) => return failed(task, io_errno(&error)),
            }
        }
        match self.tasks.send(task) {
            Ok(()) => {
                self.at_work.push((ticket, threads, format.memory(threads)));
                None
            }
            // Never, since we hold the other end too.
            Err(refused) => failed(refused.0, Errno::EPIPE),
        }
    }

    /// A task that has ended, if one has, or does so within this time.
    pub fn ended(&mut self, within: Duration) -> Option<Ended> {
        if self.is_idle() {
            return None;
        }
        match self.results.recv_timeout(within) {
            Ok(ended) => {
                self.at_work.retain(|(ticket, ..)| *ticket != ended.ticket);
                Some(ended)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

/// Does tasks until there are no more.
fn work(queue: &Mutex<Receiver<Task>>, give: &Sender<Ended>) {
    priority::lower();
    let mut was_idle = false;
    loop {
        // A statement of its own, so that others may look for tasks while this one is done.
        let task = queue.lock().map(|queue| queue.recv());
        let Ok(Ok(task)) = task else { return };
        let Task { ticket, format, input, output, threads, idle, .. } = task;
        if idle != was_idle {
            priority::idle_disk(idle);
            was_idle = idle;
        }
        let result = compress(format, &input, &output, threads);
        // If nobody listens, the program is ending.
        let _ = give.send(Ended { ticket, input, output, result });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn task(ticket: u64, output: File) -> Task {
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(&ticket.to_le_bytes().repeat(1000)).unwrap();
        let format = Format::Gzip { level: 6 };
        Task { ticket, format, input, output, threads: 1, jobs: 2, idle: ticket.is_multiple_of(2) }
    }

    #[test]
    fn every_task_comes_back_once() {
        let mut pool = Pool::default();
        for ticket in 0..20 {
            assert!(pool.begin(task(ticket, tempfile::tempfile().unwrap())).is_none());
        }
        let mut tickets: Vec<u64> = (0..20)
            .map(|_| {
                let ended = pool.ended(PATIENCE).expect("one more");
                assert_eq!(ended.result, Ok(()));
                assert!(ended.output.metadata().unwrap().len() > 20);
                ended.ticket
            })
            .collect();
        tickets.sort_unstable();
        assert_eq!(tickets, (0..20).collect::<Vec<_>>());
        assert!(pool.is_idle() && pool.ended(PATIENCE).is_none());
    }

    #[test]
    fn a_failure_comes_back_with_its_cause() {
        let mut pool = Pool::default();
        #[expect(clippy::disallowed_methods, reason = "a test opens files")]
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(pool.begin(task(1, full)).is_none());
        let ended = pool.ended(PATIENCE).expect("it");
        assert_eq!(ended.result, Err(NotCompressed::System(Errno::ENOSPC)));
    }

    #[test]
    fn room_is_kept_to_jobs_and_to_memory() {
        let (small, large) = (Format::Gzip { level: 6 }, Format::Zstd { level: 19 });
        let mut pool = Pool::default();
        assert!(pool.has_room(small, 8, 2), "whatever it takes, if nothing else is at work");
        pool.at_work = vec![(1, 2, small.memory(2))];
        assert!(pool.has_room(small, 1, 2) && !pool.has_room(small, 2, 2));
        pool.at_work = (0..2).map(|ticket| (ticket, 1, large.memory(1))).collect();
        assert!(pool.has_room(small, 1, 8));
        pool.at_work.push((2, 1, small.memory(1)));
        assert!(!pool.has_room(large, 1, 8));
        pool.at_work = (0..8).map(|ticket| (ticket, 1, small.memory(1))).collect();
        assert!(pool.has_room(small, 1, 2), "it lies ready for the next of three threads");
        pool.at_work.push((8, 1, small.memory(1)));
        assert!(!pool.has_room(small, 1, 2));
        for format in [small, Format::GzipMembers { level: 9 }, large] {
            assert!(format.memory(MOST_JOBS) <= MEMORY, "{format:?}");
        }
    }
}
