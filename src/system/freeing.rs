//! Removing a file without waiting until its room is free.
//!
//! When the last name of a file goes, the system gives its blocks back before the call returns: for a large
//! file, or where the disk is told of each free block (`discard`), that takes longer than all the rest of a
//! rotation. A file that somebody holds keeps its blocks; so it is held while its name goes, and let go by a
//! thread of its own. To everybody who looks, it is gone at once.
//!
//! That its room comes back a moment later must make no difference. It is therefore done only where nobody can
//! run short meanwhile, of room or of open files, and whatever we start waits for it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use super::dir::{Dir, hold};
use super::{file, file_system, identity, process, queue};
use crate::facts::Room;
use crate::names::FileName;

/// So many may be held at once; with more than that, whoever removes them lets them go.
const MOST_HELD: usize = 128;

/// How long a file may be held while others come.
const PAUSE: Duration = Duration::from_millis(1);

/// A file is small if at least so many of its kind would fit into what is left.
const SHARE: u64 = 1024;

/// So many inodes are left where one does not matter.
const MANY_FILES: u64 = 1024;

/// How many files are held.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Who closes them.
static CLOSER: Mutex<Option<Closer>> = Mutex::new(None);

struct Closer {
    give: Sender<OwnedFd>,
    /// Only files with lower numbers are held: the others are for those who need them.
    numbers: u64,
}

fn closer() -> MutexGuard<'static, Option<Closer>> {
    CLOSER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a name that is not a directory's.
///
/// # Errors
/// Whatever the system says.
pub fn unlink(dir: &Dir, name: &FileName) -> Result<(), Errno> {
    let held = held_if_worth_it(dir, name);
    file::unlink(dir, name)?;
    if let Some(held) = held {
        let_go(held);
    }
    Ok(())
}

/// The file, if its room may come back a moment later. Not on a file system that would keep it under another
/// name meanwhile (NFS), and only for root, whom no quota stops.
fn held_if_worth_it(dir: &Dir, name: &FileName) -> Option<OwnedFd> {
    if HELD.load(Ordering::SeqCst) >= MOST_HELD || identity::now().uid != 0 || !dir.keeps_numbers()
    {
        return None;
    }
    let held = hold(dir.handle(), name.as_os_str()).ok()?;
    let found = rustix::fs::fstat(&held).ok()?;
    let bytes = u64::try_from(found.st_blocks).ok()?.saturating_mul(512);
    let goes = bytes > 0 && found.st_nlink == 1;
    (goes && is_plenty(file_system::free(dir).ok()?, bytes)).then_some(held)
}

fn is_plenty(room: Room, bytes: u64) -> bool {
    room.files >= MANY_FILES && room.bytes / SHARE >= bytes
}

/// Closes it elsewhere; here, if that is not possible.
fn let_go(held: OwnedFd) {
    let mut closer = closer();
    if closer.is_none() {
        *closer = start();
    }
    if let Some(closer) = &*closer
        && u64::try_from(held.as_raw_fd()).is_ok_and(|number| number < closer.numbers)
    {
        HELD.fetch_add(1, Ordering::SeqCst);
        if closer.give.send(held).is_err() {
            HELD.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn start() -> Option<Closer> {
    let (give, take) = channel();
    std::thread::Builder::new().spawn(move || close_all(&take)).ok()?;
    Some(Closer { give, numbers: process::most_open() / 2 })
}

/// Until the process ends; what is left then, the system closes.
fn close_all(held: &Receiver<OwnedFd>) {
    queue::work_off(held, PAUSE, |file| {
        drop(file);
        HELD.fetch_sub(1, Ordering::SeqCst);
    });
}

/// Waits until nothing is held any more: whoever is started now finds all room that there is, and a file
/// system on which no removed file is open.
pub fn settle() {
    while HELD.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(PAUSE / 4);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    #[test]
    fn a_removed_file_is_gone_at_once_and_its_room_soon() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for number in 0..100 {
            let name = FileName::new(format!("{number}")).unwrap();
            std::fs::write(temp.path().join(&name), "line\n").unwrap();
            unlink(&dir, &name).unwrap();
            assert_eq!(dir.facts(&name), Ok(None));
            assert_eq!(unlink(&dir, &name), Err(Errno::ENOENT));
        }
        settle();
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        let mut files = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        let held = files.find(|file| file.starts_with(temp.path()) && file != temp.path());
        assert_eq!(held, None);
    }

    #[test]
    fn room_that_is_short_comes_back_at_once() {
        let room = |bytes, files| Room { bytes, files };
        assert!(is_plenty(room(1 << 30, 10_000), 1 << 20));
        assert!(!is_plenty(room(1 << 30, 10_000), 2 << 20));
        assert!(!is_plenty(room(1 << 30, 10), 1));
        assert!(!is_plenty(room(0, u64::MAX), 1));
    }
}
