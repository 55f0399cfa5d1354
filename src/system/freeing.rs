//! Removing a file without waiting until its room is free.
//!
//! When the last name of a file goes, the system gives its blocks back before the call returns: for a large
//! file, or where the disk is told of each free block (`discard`), that takes longer than all the rest of a
//! rotation. A file that somebody holds keeps its blocks; so it is held while its name goes, and let go by a
//! thread of its own. To everybody who looks, it is gone at once.
//!
//! That its room comes back a moment later must make no difference. It is therefore done only where nobody can
//! run short meanwhile.

use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use nix::errno::Errno;
use rustix::process::{Resource, getrlimit};

use super::dir::{Dir, hold};
use super::{file, file_system, identity};
use crate::facts::{FileFacts, Room};
use crate::names::FileName;

/// So many may be held at once, and of the files that may be open this share; with more than that, whoever
/// removes them lets them go.
const MOST_HELD: usize = 128;
const SHARE_OF_OPEN: u64 = 8;

/// How long a file may be held while others come.
const PAUSE: Duration = Duration::from_millis(1);

/// A file is small if at least so many of its kind would fit into what is left.
const SHARE: u64 = 1024;

/// So many inodes are left where one does not matter.
const MANY_FILES: u64 = 1024;

/// Removes a name that is not a directory's; `facts` are those of the file.
///
/// # Errors
/// Whatever the system says.
pub fn unlink(dir: &Dir, name: &FileName, facts: &FileFacts) -> Result<(), Errno> {
    let held =
        if is_worth_it(dir, facts) { hold(dir.handle(), name.as_os_str()).ok() } else { None };
    file::unlink(dir, name)?;
    if let Some(held) = held {
        let_go(held);
    }
    Ok(())
}

/// Whether the file's room may come back a moment later. Not on a file system that would keep the file
/// under another name meanwhile (NFS), and not for a user who may have a quota.
fn is_worth_it(dir: &Dir, facts: &FileFacts) -> bool {
    let has_blocks = facts.size > 0 && facts.links == 1;
    has_blocks
        && dir.keeps_numbers()
        && identity::now().uid == 0
        && file_system::free(dir).is_ok_and(|room| is_plenty(room, facts.size))
}

fn is_plenty(room: Room, size: u64) -> bool {
    room.files >= MANY_FILES && room.bytes / SHARE >= size
}

/// Closes it elsewhere; here, if that is not possible or has fallen behind.
fn let_go(held: OwnedFd) {
    static THREAD: OnceLock<Option<SyncSender<OwnedFd>>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| {
        let (give, take) = sync_channel(most_held());
        let started = std::thread::Builder::new().spawn(move || close_all(&take));
        started.ok().map(|_| give)
    });
    if let Some(give) = thread
        && let Err(TrySendError::Full(held) | TrySendError::Disconnected(held)) =
            give.try_send(held)
    {
        drop(held);
    }
}

fn most_held() -> usize {
    let most_open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(most_open / SHARE_OF_OPEN).map_or(MOST_HELD, |most| most.min(MOST_HELD))
}

/// Until the process ends; what is left then, the system closes. After each pause for as long as files come:
/// to wake a thread for each of many costs more than the pauses.
fn close_all(held: &Receiver<OwnedFd>) {
    while let Ok(first) = held.recv() {
        drop(first);
        loop {
            std::thread::sleep(PAUSE);
            if held.try_iter().map(drop).count() == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::facts::FileKind;

    #[test]
    fn a_removed_file_is_gone_at_once_and_its_room_soon() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for number in 0..100 {
            let name = FileName::new(format!("{number}")).unwrap();
            std::fs::write(temp.path().join(&name), "line\n").unwrap();
            let facts = dir.facts(&name).unwrap().unwrap();
            assert_eq!(facts.kind, FileKind::Regular);
            unlink(&dir, &name, &facts).unwrap();
            assert_eq!(dir.facts(&name), Ok(None));
            assert_eq!(unlink(&dir, &name, &facts), Err(Errno::ENOENT));
        }
        let is_held = || {
            let open = std::fs::read_dir("/proc/self/fd").unwrap();
            open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
                .any(|file| file.starts_with(temp.path()) && file != temp.path())
        };
        while is_held() {
            std::thread::yield_now();
        }
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
