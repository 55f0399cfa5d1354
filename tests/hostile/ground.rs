//! Where an attack takes place: an area that the attacker owns, and all that is outside of it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::ATTACKER;
use crate::scene::program;

/// What only root may read.
const SECRET: &str = "the secret that only root may read\n";

/// What the attacker's log holds.
const LOG: &str = "harmless\n";

/// No single run takes longer, even where a disk that others keep busy lets a sync wait for a minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// What is known of a file without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    mode: u32,
    owner: (u32, u32),
    size: u64,
    written: (i64, i64),
    /// None of a directory: to list it is to read it.
    read: Option<(i64, i64)>,
}

/// A directory of root's (`outside`), one of the attacker's (`area`), and what a run needs.
pub struct Ground {
    root: tempfile::TempDir,
    before: BTreeMap<PathBuf, Look>,
}

impl Ground {
    /// The logs are in `area/app/logs`; `outside/logs` has the same names in it, as bait.
    pub fn new(directives: &str) -> Self {
        let root = tempfile::Builder::new().prefix("hostile-").tempdir().expect("a directory");
        let ground = Self { root, before: BTreeMap::new() };
        set_mode(ground.root(), 0o755);
        ground.dir("etc", 0);
        ground.dir("var", 0);
        ground.lay_bait();
        let logs = ground.logs();
        let config = format!("{}/a.log {{\n{directives}\n}}\n", logs.display());
        ground.file("etc/config", &config, 0, 0o644);
        let mailer = format!("#!/bin/sh\ncat >> {}\n", ground.root().join("var/mail").display());
        ground.file("etc/mailer", &mailer, 0, 0o755);
        ground
    }

    /// The directory of everything.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The directory of the logs.
    pub fn logs(&self) -> PathBuf {
        self.root().join("area/app/logs")
    }

    fn dir(&self, name: &str, owner: u32) {
        let path = self.root().join(name);
        fs::create_dir(&path).expect("a directory");
        set_mode(&path, 0o755);
        chown(&path, Some(owner), Some(owner)).expect("chown");
    }

    fn file(&self, name: &str, text: &str, owner: u32, mode: u32) {
        let path = self.root().join(name);
        fs::write(&path, text).expect("a file");
        set_mode(&path, mode);
        chown(&path, Some(owner), Some(owner)).expect("chown");
    }

    /// Root's own files, under the names that a rotation looks for.
    fn lay_bait(&self) {
        let _ = fs::remove_dir_all(self.root().join("outside"));
        for name in ["outside", "outside/logs", "outside/logs/old"] {
            self.dir(name, 0);
        }
        for name in ["a.log", "a.log.1", "a.log.2"] {
            self.file(&format!("outside/logs/{name}"), SECRET, 0, 0o600);
        }
    }

    /// Everything in its place again for another run. The logs' directory and what is in it belong to
    /// `owner`, all above it to the attacker.
    pub fn set_up(&mut self, owner: u32, mode: u32) {
        let _ = fs::remove_dir_all(self.root().join("area"));
        for file in ["var/state", "var/state.journal", "var/mail"] {
            let _ = fs::remove_file(self.root().join(file));
        }
        self.dir("area", ATTACKER);
        self.dir("area/app", ATTACKER);
        self.dir("area/app/logs", owner);
        set_mode(&self.logs(), mode);
        for (name, text) in [("a.log", LOG), ("a.log.1", "older, and harmless\n")] {
            self.file(&format!("area/app/logs/{name}"), text, owner, 0o644);
        }
    }

    /// A symbolic link of the attacker's in the area, to something outside.
    pub fn link(&self, name: &str, target: &str) {
        let link = self.root().join("area").join(name);
        symlink(self.root().join(target), &link).expect("a link");
        lchown(&link, Some(ATTACKER), Some(ATTACKER)).expect("chown");
    }

    /// Another name, in the area, of a file outside, as where `protected_hardlinks` is off.
    pub fn hard_link(&self, name: &str, target: &str) {
        fs::hard_link(self.root().join(target), self.root().join("area").join(name)).expect("link");
    }

    /// Looks at what is outside, to compare after the run. What was read before is made to look unread.
    pub fn remember(&mut self) {
        let (read, written) = (86_400 * 3, 86_400 * 2);
        for name in ["a.log", "a.log.1", "a.log.2"] {
            let file = fs::File::open(self.root().join("outside/logs").join(name)).expect("bait");
            let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
            let times = fs::FileTimes::new().set_accessed(ago(read)).set_modified(ago(written));
            file.set_times(times).expect("times");
        }
        self.before = self.look();
    }

    fn look(&self) -> BTreeMap<PathBuf, Look> {
        let mut all = BTreeMap::new();
        look_into(&self.root().join("outside"), &mut all);
        all
    }

    /// A forced rotation by root.
    pub fn rotate(&self) {
        let at = |name: &str| self.root().join(name);
        let error = fs::File::create(at("var/stderr")).expect("a stream");
        let mut child = Command::new(program())
            .args(["-f", "-s"])
            .arg(at("var/state"))
            .arg("-m")
            .arg(at("etc/mailer"))
            .arg(at("etc/config"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(error)
            .spawn()
            .expect("the program runs");
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("wait") {
                break status;
            }
            if start.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("no end after {PATIENCE:?}: {}", self.said());
            }
            std::thread::sleep(Duration::from_micros(300));
        };
        assert!(matches!(status.code(), Some(0 | 1)), "{status}: {}", self.said());
    }

    /// What the last run has said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.root().join("var/stderr")).unwrap_or_default()
    }

    /// What the last run has done outside of the area; afterwards the bait is as it was.
    pub fn damage(&self) -> Vec<String> {
        let after = self.look();
        let mut damage = Vec::new();
        for (path, old) in &self.before {
            match after.get(path) {
                None => damage.push(format!("{} is gone", path.display())),
                Some(new) if new != old => {
                    damage.push(format!("{}: {old:?} is {new:?}", path.display()));
                }
                Some(_) => {}
            }
        }
        for path in after.keys().filter(|path| !self.before.contains_key(*path)) {
            damage.push(format!("{} was made", path.display()));
        }
        for path in self.area().into_iter().chain([self.root().join("var/mail")]) {
            let meta = fs::symlink_metadata(&path);
            // Another name of the bait itself is the test's own doing.
            if meta.is_ok_and(|m| m.is_file() && m.nlink() == 1) && holds_secret(&path) {
                damage.push(format!("{} holds the secret", path.display()));
            }
        }
        if !damage.is_empty() {
            self.lay_bait();
        }
        damage
    }

    /// Everything in the area.
    fn area(&self) -> Vec<PathBuf> {
        let mut all = BTreeMap::new();
        look_into(&self.root().join("area"), &mut all);
        all.into_keys().collect()
    }

    /// Whether the last run has rotated the attacker's log, or mailed a version of it.
    pub fn has_rotated(&self) -> bool {
        let made = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            name.starts_with(b"a.log.2")
                // Where no second version is kept.
                || (name == b"a.log.1" && fs::read(path).is_ok_and(|text| text == LOG.as_bytes()))
                || name.starts_with(b"a.log-")
                || path.parent().is_some_and(|dir| dir.ends_with("old"))
        };
        self.area().iter().any(made)
            || fs::read(self.root().join("var/mail")).is_ok_and(|mail| !mail.is_empty())
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
}

fn look_into(dir: &Path, all: &mut BTreeMap<PathBuf, Look>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let meta = fs::symlink_metadata(&path).expect("facts");
        let look = Look {
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            size: if meta.is_dir() { 0 } else { meta.size() },
            written: (meta.mtime(), meta.mtime_nsec()),
            read: meta.is_file().then(|| (meta.atime(), meta.atime_nsec())),
        };
        all.insert(path.clone(), look);
        if meta.is_dir() {
            look_into(&path, all);
        }
    }
}

fn holds_secret(path: &Path) -> bool {
    let bytes = fs::read(path).expect("contents");
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    let mut unpacked = vec![0; 1 << 16];
    let length = libdeflater::Decompressor::new().gzip_decompress(&bytes, &mut unpacked);
    holds(&bytes) || length.is_ok_and(|length| holds(&unpacked[..length]))
}
