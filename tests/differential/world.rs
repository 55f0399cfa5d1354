//! Where a case comes true: its files on a disk, a program that runs on them, and what is there then.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::case::{Case, Entry, Run, Thing};
use super::text::Site;
use crate::scene::{Tree, set_mode};

pub const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// What a run left, and how it ended.
#[derive(Clone)]
pub struct Seen {
    /// The exit status; none: killed.
    pub status: Option<i32>,
    /// What daemons wrote before: to which log, and what.
    pub wrote: Vec<(Vec<u8>, Vec<u8>)>,
    /// All files but the configuration and the state.
    pub tree: Tree,
    /// The records of the state, by name.
    pub records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// How scripts were called.
    pub calls: Vec<u8>,
    /// The names of the files beside the state file.
    pub beside_state: Vec<PathBuf>,
    /// What was said; shown, not compared.
    pub stderr: Vec<u8>,
}

/// What notes each mail, with its text; some addresses fail.
pub fn mailer(root: &str) -> String {
    format!(
        "#!/bin/sh\n{{ printf 'mail'; printf ' <%s>' \"$@\"; echo\n\
         while IFS= read -r line; do printf ' | %s\\n' \"$line\"; done; }} >> {root}/out/calls\n\
         case \"$3\" in fail*) exit 3;; esac\n"
    )
}

/// What notes each call of `shred`, and then does it; some numbers of cycles fail.
pub fn shredder(root: &str) -> String {
    format!(
        "#!/bin/sh\nprintf 'shred %s <%s>\\n' \"$*\" \"$(readlink /proc/$$/fd/1 | tr '\\n' _)\" >> {root}/out/calls\n\
         case \"$*\" in *9*) exit 3;; esac\nexec /usr/bin/shred \"$@\"\n"
    )
}

/// What faketime shares between processes. Each would make its own, and a shell leaves it behind in
/// `/dev/shm`: it ends without telling its libraries.
struct Shared(String);

impl Shared {
    fn new() -> Self {
        let shared = Self(format!("differential-{}", std::process::id()));
        let [semaphore, memory] = shared.paths();
        // glibc's semaphore of value 1, shared by processes: one that is not wakes nobody elsewhere.
        let mut free = [0; 32];
        (free[0], free[8]) = (1, 128);
        for (path, content) in [(semaphore, &free[..]), (memory, &[0; 4096])] {
            fs::write(&path, content).expect("/dev/shm");
            // Whoever `su` changes to needs it.
            set_mode(&path, 0o666);
        }
        shared
    }

    fn paths(&self) -> [PathBuf; 2] {
        let memory = Path::new("/dev/shm");
        [memory.join(format!("sem.{}", self.0)), memory.join(&self.0)]
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for path in self.paths() {
            let _ = fs::remove_file(path);
        }
    }
}

/// A directory for one case at a time. Ours and theirs run at the same path, one after the other,
/// so nothing needs to be translated.
pub struct World {
    site: Site,
    root: PathBuf,
    other: PathBuf,
    /// With the mailer and what stands in for `shred`.
    bin: PathBuf,
    shared: Shared,
    /// Files that the kernel has dated later than this were dated by a run.
    began: i64,
}

impl World {
    /// One at this path, which uses another one for what is on another device, and for a program:
    /// the first may be on a file system that executes none.
    pub fn new(root: PathBuf, other: &Path) -> Self {
        let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let texts = [&root, other].map(|path| path.display().to_string());
        let [text, other_text] = texts;
        fs::create_dir_all(other).expect("directory");
        set_mode(other, 0o755);
        let bin = other.join("bin");
        fs::create_dir_all(&bin).expect("directory");
        set_mode(&bin, 0o755);
        for (name, script) in [("mailer", mailer(&text)), ("shred", shredder(&text))] {
            fs::write(bin.join(name), script).expect("a program");
            set_mode(&bin.join(name), 0o755);
        }
        let other = other.join("old");
        Self {
            site: Site { root: text, other: format!("{other_text}/old") },
            root,
            other,
            bin,
            shared: Shared::new(),
            began: began.as_secs().cast_signed() - 60,
        }
    }

    fn path(&self, below: &[u8]) -> PathBuf {
        let path = Path::new(OsStr::from_bytes(below));
        match path.strip_prefix("other") {
            Ok(path) => self.other.join(path),
            Err(_) => self.root.join(path),
        }
    }

    /// Makes all runs of a case, each with the program for its number; gives also the files as the
    /// first run finds them.
    pub fn play<'p>(&self, case: &Case, program: impl Fn(usize) -> &'p str) -> (Tree, Vec<Seen>) {
        self.prepare(case);
        let first = self.tree();
        let run = |(number, run)| {
            if number > 0 && program(number) != program(number - 1) {
                // What one has put off is not for the other.
                let _ = fs::remove_file(self.root.join("var/state.journal"));
            }
            self.run(case, run, program(number))
        };
        (first, case.runs.iter().enumerate().map(run).collect())
    }

    fn prepare(&self, case: &Case) {
        for dir in [&self.root, &self.other] {
            if dir.exists() {
                fs::remove_dir_all(dir).expect("remove");
            }
        }
        for dir in ["", "etc", "etc/conf.d", "var", "out", "other"] {
            fs::create_dir_all(self.path(dir.as_bytes())).expect("directory");
            set_mode(&self.path(dir.as_bytes()), 0o755);
        }
        // The user of `su` writes there too.
        fs::write(self.root.join("out/calls"), "").expect("calls");
        set_mode(&self.root.join("out/calls"), 0o666);
        for (name, content) in case.config(&self.site) {
            let path = self.root.join("etc").join(name);
            fs::write(&path, content).expect("configuration");
            set_mode(&path, 0o644);
        }
        if let Some(state) = case.state(&self.site.root) {
            let path = self.root.join("var/state");
            fs::write(&path, state).expect("state");
            set_mode(&path, 0o640);
        }
        for entry in &case.entries {
            self.make(entry);
        }
    }

    fn make(&self, entry: &Entry) {
        let path = self.path(&entry.path);
        match &entry.thing {
            Thing::File(content) => fs::write(&path, content).expect("file"),
            Thing::Dir => fs::create_dir(&path).expect("directory"),
            Thing::Symlink(target) => return symlink(target, &path).expect("link"),
            Thing::HardLink(file) => return fs::hard_link(self.path(file), &path).expect("link"),
        }
        chown(&path, Some(entry.owner.0), Some(entry.owner.1)).expect("these tests run as root");
        set_mode(&path, entry.mode);
        if matches!(entry.thing, Thing::File(_)) {
            date(&path, entry.time);
        }
    }

    fn run(&self, case: &Case, run: &Run, program: &str) -> Seen {
        let mut wrote = Vec::new();
        for (below, text) in &run.writes {
            let path = self.path(below);
            let is_file = fs::symlink_metadata(&path).map(|m| m.is_file());
            if matches!(is_file, Ok(false)) {
                continue;
            }
            let mut content = fs::read(&path).unwrap_or_default();
            content.extend(text);
            wrote.push((below.clone(), text.clone()));
            fs::write(&path, content).expect("a daemon's write");
            date(&path, run.at - 7);
        }
        let mut command = Command::new(program);
        command.arg("-s").arg(self.root.join("var/state")).arg("-m").arg(self.bin.join("mailer"));
        if run.force {
            command.arg("-f");
        }
        let output = command
            .arg(self.root.join("etc/logrotate.conf"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()))
            .env("LC_ALL", "C")
            .env("TZ", case.zone.name())
            .env("LD_PRELOAD", FAKETIME)
            .env("NO_FAKE_STAT", "1")
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME", run.at.to_string())
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_SHARED", format!("/{0} /{0}", self.shared.0))
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
        self.date_anew(&self.root, run.at);
        self.date_anew(&self.other, run.at);
        let mut tree = self.tree();
        let calls = tree.0.remove(Path::new("out/calls")).map(|entry| entry.content);
        Seen {
            status: output.status.code(),
            wrote,
            tree,
            records: records(&fs::read(self.root.join("var/state")).unwrap_or_default()),
            calls: calls.unwrap_or_default(),
            beside_state: Tree::of(&self.root.join("var")).0.into_keys().collect(),
            stderr: [output.stderr, output.stdout].concat(),
        }
    }

    /// What the kernel dated has the date of the run instead.
    fn date_anew(&self, dir: &Path, at: i64) {
        for entry in fs::read_dir(dir).expect("directory") {
            let path = entry.expect("entry").path();
            let meta = fs::symlink_metadata(&path).expect("metadata");
            if meta.is_dir() {
                self.date_anew(&path, at);
            } else if meta.is_file() && std::os::unix::fs::MetadataExt::mtime(&meta) > self.began {
                date(&path, at);
            }
        }
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::of(&self.root);
        let other = Tree::of(&self.other).0;
        tree.0
            .extend(other.into_iter().map(|(path, entry)| (Path::new("other").join(path), entry)));
        tree.0.retain(|path, _| !path.starts_with("etc") && !path.starts_with("var"));
        for entry in tree.0.values_mut() {
            // Times of directories and links say nothing; the clock has no fractions here.
            let file = entry.mode & 0o170_000 == 0o100_000;
            entry.written = if file { (entry.written.0, 0) } else { (0, 0) };
        }
        tree
    }
}

fn date(path: &Path, at: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(at.cast_unsigned());
    let times = fs::FileTimes::new().set_modified(time).set_accessed(time);
    fs::File::open(path).and_then(|file| file.set_times(times)).expect("times");
}

fn records(state: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let lines = state.split(|&b| b == b'\n').skip(1);
    lines
        .filter_map(|line| {
            let at = line.iter().rposition(|&b| b == b' ')?;
            Some((line[..at].to_vec(), line[at + 1..].to_vec()))
        })
        .collect()
}
