//! Being told which names of a directory change, by inotify.
//!
//! What is told is where to look, never what is there: whoever hears of a name looks at it. So it does no
//! harm to hear of what one has done oneself.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use hashbrown::{HashMap, HashSet};
use nix::errno::Errno;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};

use super::Dir;
use crate::names::FileName;

/// What is read at once: a hundred events or more.
const BUFFER: usize = 8192;

/// A directory that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WatchId(i32);

/// What has changed since this was last asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    names: HashMap<WatchId, HashSet<FileName>>,
    gone: HashSet<WatchId>,
}

impl Changes {
    /// The names of a directory that something has happened to; `None` if it is not where it was, or is
    /// not watched any more.
    pub fn of(&self, watch: WatchId) -> Option<impl Iterator<Item = &FileName>> {
        let stays = !self.gone.contains(&watch);
        stays.then(|| self.names.get(&watch).into_iter().flatten())
    }
}

/// Watches directories. The kernel takes some 20 ms to end it.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Begins to watch, nothing yet; `None` where the system has no way to, or no room for it.
    pub fn new() -> Option<Self> {
        init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok().map(Self)
    }

    /// Watches a directory from now on; `None` if that cannot be done, or would not tell all: a file
    /// system that others change too (NFS, FUSE) says nothing about them.
    pub fn begin(&self, dir: &Dir) -> Option<WatchId> {
        if !dir.keeps_numbers() {
            return None;
        }
        // There is no call that takes a handle.
        let path = format!("/proc/self/fd/{}", dir.handle().as_raw_fd());
        let what = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
        let itself = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
        add_watch(&self.0, path, what | itself).ok().map(WatchId)
    }

    /// What has changed; `None` if that is not known, because too much has.
    pub fn changes(&self) -> Option<Changes> {
        let mut changes = Changes::default();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut events = Reader::new(&self.0, &mut buffer);
        let mut all_told = true;
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(errno) if errno.raw_os_error() == Errno::EAGAIN as i32 => break,
                Err(_) => return None,
            };
            let watch = WatchId(event.wd());
            match event.file_name().map(|name| FileName::from_bytes(name.to_bytes())) {
                Some(name) => changes.names.entry(watch).or_default().extend(name),
                // What has come after it is read too: it is not to be told of again.
                None if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => all_told = false,
                None => {
                    changes.gone.insert(watch);
                }
            }
        }
        all_told.then_some(changes)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use std::path::Path;

    /// A directory that is watched, and its path.
    fn watched(temp: &Path) -> (Watch, WatchId, std::path::PathBuf) {
        let path = temp.join("d");
        std::fs::create_dir(&path).unwrap();
        let watch = Watch::new().unwrap();
        let id = watch.begin(&Dir::open(&path).unwrap()).unwrap();
        (watch, id, path)
    }

    /// A directory on a file system that tells all; the one for temporary files may be an overlay.
    fn temp() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    fn names(changes: &Changes, id: WatchId) -> Option<Vec<String>> {
        let mut names: Vec<_> = changes.of(id)?.map(ToString::to_string).collect();
        names.sort();
        Some(names)
    }

    #[test]
    fn a_name_is_told_once_whatever_happened_to_it() {
        let temp = temp();
        let (watch, id, path) = watched(temp.path());
        assert_eq!(names(&watch.changes().unwrap(), id), Some(vec![]));
        std::fs::write(path.join("made"), "").unwrap();
        std::fs::rename(path.join("made"), path.join("moved")).unwrap();
        std::fs::hard_link(path.join("moved"), path.join("linked")).unwrap();
        std::fs::remove_file(path.join("moved")).unwrap();
        std::fs::rename(path.join("linked"), temp.path().join("away")).unwrap();
        std::fs::create_dir(path.join("dir")).unwrap();
        let told = ["dir", "linked", "made", "moved"].map(str::to_owned).to_vec();
        assert_eq!(names(&watch.changes().unwrap(), id), Some(told));
        assert_eq!(watch.changes(), Some(Changes::default()));
    }

    #[test]
    fn a_directory_that_went_away_is_told() {
        for removed in [false, true] {
            let temp = temp();
            let (watch, id, path) = watched(temp.path());
            if removed {
                std::fs::remove_dir(&path).unwrap();
            } else {
                std::fs::rename(&path, temp.path().join("away")).unwrap();
            }
            assert_eq!(names(&watch.changes().unwrap(), id), None, "{removed}");
        }
    }

    #[test]
    fn too_much_at_once_is_not_known_and_what_comes_later_is() {
        let temp = temp();
        let (watch, id, path) = watched(temp.path());
        let most = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let most: usize = most.trim().parse().unwrap();
        for number in 0..=most / 2 {
            // Each is another event than the one before it.
            let (name, next) = (path.join(number.to_string()), path.join("next"));
            std::fs::write(&name, "").unwrap();
            std::fs::rename(name, next).unwrap();
        }
        assert_eq!(watch.changes(), None);
        std::fs::write(path.join("later"), "").unwrap();
        assert_eq!(names(&watch.changes().unwrap(), id), Some(vec!["later".into()]));
    }

    #[test]
    fn what_others_may_change_unseen_is_not_watched() {
        let watch = Watch::new().unwrap();
        assert_eq!(watch.begin(&Dir::open(Path::new("/proc")).unwrap()), None);
    }
}
