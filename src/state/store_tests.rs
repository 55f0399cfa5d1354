#![expect(clippy::disallowed_methods, reason = "tests arrange files")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::system::lock::LockError;

struct Scene {
    dir: tempfile::TempDir,
    said: Vec<StoreEvent>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir, said: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn open(&mut self, path: &Path, mode: LockMode) -> Result<Store, LockFailure> {
        let said = &mut self.said;
        Store::open(path, mode, &mut |event| said.push(event))
    }

    fn debugs(&self) -> Vec<String> {
        let dir = format!("{}/", self.dir.path().display());
        self.said
            .iter()
            .map(|e| match e {
                StoreEvent::Debug(text) => text.replace(&dir, ""),
                StoreEvent::Warning(text) => format!("warning: {}", text.replace(&dir, "")),
            })
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_missing_state_file_is_made_and_locked() {
    let mut scene = Scene::new();
    let path = scene.path("st");
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    assert_eq!(store.load().unwrap(), b"");
    assert_eq!(mode(&path) & 0o137, 0);
    assert_eq!(scene.debugs(), ["Creating stub state file: st", "acquired lock on state file st"]);
}

#[test]
fn a_held_lock_is_said_in_the_words_that_users_know() {
    let mut scene = Scene::new();
    let path = scene.write("st", "", 0o640);
    let _first = scene.open(&path, LockMode::Normal).unwrap();
    let failure = scene.open(&path, LockMode::Normal).unwrap_err();
    assert!(failure.held);
    assert_eq!(
        failure.fault.message,
        format!(
            "state file {} is already locked\nlogrotate does not support parallel execution on \
             the same set of logfiles.",
            path.display()
        )
    );
    assert!(scene.open(&path, LockMode::Skip).is_ok());
}

#[test]
fn both_locks_last_after_the_file_was_replaced() {
    let mut scene = Scene::new();
    let path = scene.write("st", "old", 0o640);
    let old = fs::File::open(&path).unwrap();
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    store.replace(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(store.load().unwrap(), b"new");
    assert!(scene.open(&path, LockMode::Normal).unwrap_err().held, "the new file is locked");
    assert_eq!(LockedFile::lock(old, false).unwrap_err(), LockError::Held, "so is the old one");
    drop(store);
    assert!(scene.open(&path, LockMode::Normal).is_ok());
}

/// Against compat ST-13 (B-13).
#[test]
fn a_waiter_ends_up_with_the_file_that_stands_at_the_path() {
    let mut scene = Scene::new();
    let path = scene.write("st", "old", 0o640);
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    let (ready, waiting) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut store = Store::open(&path, LockMode::Wait, &mut |event| {
                let _ = ready.send(event);
            })
            .unwrap();
            let text = store.load().unwrap();
            // Nobody else gets it now.
            let third = Store::open(&path, LockMode::Normal, &mut |_| {}).unwrap_err();
            (text, third.held)
        }
    });
    let text = format!("waiting for lock on state file {}", path.display());
    assert_eq!(waiting.recv().unwrap(), StoreEvent::Debug(text));
    store.replace(b"new").unwrap();
    drop(store);
    assert_eq!(waiter.join().unwrap(), (b"new".to_vec(), true));
}

#[test]
fn a_readable_file_is_replaced_before_it_is_locked() {
    let mut scene = Scene::new();
    let path = scene.write("st", "text", 0o644);
    let theirs = LockedFile::lock(fs::File::open(&path).unwrap(), false).unwrap();
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    assert_eq!((mode(&path), store.load().unwrap()), (0o640, b"text".to_vec()));
    assert!(scene.open(&path, LockMode::Normal).unwrap_err().held);
    assert_eq!(scene.names(), ["st"]);
    assert_eq!(
        scene.debugs(),
        [
            "warning: state file st is world-readable and thus can be locked from other \
             unprivileged users. Replacing it by one that is not...",
            "acquired lock on state file st"
        ]
    );
    drop(theirs);
}

#[test]
fn many_runs_at_once_on_a_readable_file_never_hold_it_together() {
    let scene = Scene::new();
    let path = scene.write("st", "text", 0o644);
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..20 {
                    use std::sync::atomic::Ordering::SeqCst;
                    let mut store = Store::open(&path, LockMode::Wait, &mut |_| {}).unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    store.replace(b"text").unwrap();
                    inside.fetch_sub(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(fs::read(&path).unwrap(), b"text");
}

#[test]
fn a_replaced_file_keeps_its_mode_less_reading_by_others() {
    for (before, after) in [(0o640, 0o640), (0o600, 0o600), (0o666, 0o662), (0o644, 0o640)] {
        let mut scene = Scene::new();
        let path = scene.write("st", "", before);
        let mut store = scene.open(&path, LockMode::Skip).unwrap();
        store.replace(b"x").unwrap();
        assert_eq!(mode(&path), after, "{before:o}");
        assert_eq!(scene.names(), ["st"]);
    }
}

#[test]
fn a_left_over_temporary_file_is_replaced_and_a_directory_there_is_an_error() {
    let mut scene = Scene::new();
    let path = scene.write("st", "", 0o640);
    scene.write("st.tmp", "left over", 0o644);
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    store.replace(b"x").unwrap();
    assert_eq!(scene.names(), ["st"]);
    fs::create_dir(scene.path("st.tmp")).unwrap();
    let message = store.replace(b"y").unwrap_err().message;
    assert_eq!(
        message,
        format!(
            "error removing old temporary state file {}: Is a directory",
            scene.path("st.tmp").display()
        )
    );
    assert_eq!(fs::read(&path).unwrap(), b"x");
}

#[test]
fn a_link_is_read_through_and_replaced_but_never_written_through() {
    let mut scene = Scene::new();
    let target = scene.write("target", "old", 0o640);
    let link = scene.path("st");
    symlink("target", &link).unwrap();
    let mut store = scene.open(&link, LockMode::Normal).unwrap();
    assert_eq!(store.load().unwrap(), b"old");
    store.replace(b"new").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(fs::read(&link).unwrap(), b"new");
}

#[test]
fn a_readable_file_behind_a_link_stays_and_the_link_is_replaced() {
    let mut scene = Scene::new();
    let target = scene.write("target", "old", 0o644);
    let link = scene.path("st");
    symlink("target", &link).unwrap();
    let mut store = scene.open(&link, LockMode::Normal).unwrap();
    assert_eq!(store.load().unwrap(), b"old");
    assert_eq!((mode(&target), mode(&link)), (0o644, 0o640));
    assert_eq!(scene.names(), ["st", "target"]);
}

#[test]
fn a_link_that_others_may_change_is_refused() {
    let mut scene = Scene::new();
    scene.write("target", "old", 0o640);
    let link = scene.path("st");
    symlink("target", &link).unwrap();
    fs::set_permissions(scene.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let cause = format!("the symbolic link {} may be changed by others", link.display());
    let failure = scene.open(&link, LockMode::Normal).unwrap_err();
    assert_eq!(
        failure.fault.message,
        format!("error opening state file {}: {cause}", link.display())
    );
    assert!(read_only(&link).unwrap_err().message.ends_with(&cause));
}

#[test]
fn what_cannot_be_opened_or_made_is_said_as_the_reference_does() {
    let mut scene = Scene::new();
    scene.write("file", "", 0o640);
    fs::create_dir(scene.path("dir")).unwrap();
    symlink("nowhere", scene.path("dangling")).unwrap();
    for (path, what, cause) in [
        ("missing/st", "error creating stub state file", "No such file or directory"),
        ("dir", "error opening state file", "Is a directory"),
        ("dir/", "error opening state file", "Is a directory"),
        ("file/st", "error opening state file", "Not a directory"),
        ("dangling", "error creating stub state file", "File exists"),
    ] {
        let path = scene.path(path);
        let failure = scene.open(&path, LockMode::Normal).unwrap_err();
        assert_eq!(failure.fault.message, format!("{what} {}: {cause}", path.display()));
        assert!(!failure.held);
    }
    let empty = scene.open(Path::new(""), LockMode::Normal).unwrap_err().fault.message;
    assert_eq!(empty, "error creating stub state file : No such file or directory");
}

#[test]
fn no_state_is_kept_in_dev_null() {
    let mut scene = Scene::new();
    let mut store = scene.open(Path::new("/dev/null"), LockMode::Normal).unwrap();
    assert_eq!(store.load().unwrap(), b"");
    assert_eq!(store.replace(b"x"), Ok(()));
    assert_eq!(store.touch(), Ok(()));
    assert!(store.journal_place().is_none());
    assert!(scene.said.is_empty());
    assert_eq!(read_only(Path::new("/dev/null")), Ok(Some(Vec::new())));
}

#[test]
fn what_is_no_regular_file_is_empty_and_not_written() {
    let mut scene = Scene::new();
    let socket = scene.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut store = scene.open(&socket, LockMode::Normal).unwrap();
    assert_eq!(store.load().unwrap(), b"");
    let message =
        format!("not writing state to {} because it is not a regular file", socket.display());
    assert_eq!(store.replace(b"x").unwrap_err().message, message);
    assert_eq!(store.touch().unwrap_err().message, message);
    assert!(store.journal_place().is_none());
    assert_eq!(read_only(&socket), Ok(Some(Vec::new())));
}

#[test]
fn touching_sets_the_time_and_keeps_the_file() {
    let mut scene = Scene::new();
    let path = scene.write("st", "x", 0o640);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    store.touch().unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(after.ino(), inode);
    assert!(after.mtime() > 0);
}

#[test]
fn the_journal_belongs_beside_the_state_file() {
    let mut scene = Scene::new();
    let path = scene.path("st");
    let store = scene.open(&path, LockMode::Normal).unwrap();
    let (dir, name) = store.journal_place().unwrap();
    assert_eq!((dir.path(), name.as_bytes()), (scene.dir.path(), &b"st.journal"[..]));
}

#[test]
fn a_dry_run_reads_without_making_or_locking() {
    let mut scene = Scene::new();
    assert_eq!(read_only(&scene.path("st")), Ok(None));
    assert_eq!(read_only(&scene.path("no/st")), Ok(None));
    assert!(scene.names().is_empty());
    let path = scene.write("st", "text", 0o644);
    let _held = scene.open(&path, LockMode::Normal).unwrap();
    assert_eq!(read_only(&path), Ok(Some(b"text".to_vec())));
}

#[test]
fn children_inherit_no_descriptor_of_the_store() {
    let mut scene = Scene::new();
    let path = scene.path("st");
    let mut store = scene.open(&path, LockMode::Normal).unwrap();
    store.replace(b"x").unwrap();
    let output = std::process::Command::new("/bin/ls").args(["-l", "/proc/self/fd"]).output();
    let listing = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(listing.contains("/proc/"), "{listing}");
    assert!(!listing.contains(scene.dir.path().to_str().unwrap()), "{listing}");
}
