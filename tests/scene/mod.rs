//! A scene: logs, a configuration and a state in a directory of their own, and runs of the program
//! on them. Every test is one expression over it.
//!
//! In configurations, arguments and expected texts `{dir}` is the directory of the logs, `{etc}`
//! that of the configuration, `{out}` one that scripts may write to, `{config}` the configuration
//! file and `{state}` the state file.
//!
//! The clock is the real one, in UTC. Age comes from the dates in the state and from file times.

mod check;
mod differs;
mod disk;
mod mounted;
#[cfg(target_arch = "x86_64")]
pub mod trace;
mod tree;
pub mod when;

pub use differs::differs;
pub use disk::{Breaker, Disk};
pub use mounted::Mounted;
pub use tree::{Entry as TreeEntry, Tree};

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use chrono::NaiveDateTime;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// No single run takes longer than this, even where a disk that others keep busy lets a sync wait for a minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// Whether the reference is tested instead of our own program.
pub fn theirs() -> bool {
    match std::env::var("LOGROTATE_UNDER_TEST").as_deref() {
        Ok("theirs") => true,
        Ok("ours") | Err(_) => false,
        Ok(other) => panic!("LOGROTATE_UNDER_TEST is `ours` or `theirs`, not `{other}`"),
    }
}

/// The program under test.
pub fn program() -> &'static str {
    if theirs() { "/usr/sbin/logrotate" } else { env!("CARGO_BIN_EXE_logrotate-rs") }
}

/// The end of a run.
pub struct Ran {
    command: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// How it ended.
    pub fn status(&self) -> ExitStatus {
        self.status
    }
}

/// A run that goes on.
pub struct Running {
    command: String,
    child: Child,
    files: [PathBuf; 2],
}

impl Running {
    /// Whether it has not ended yet.
    pub fn goes_on(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a number"));
        nix::sys::signal::kill(pid, signal).expect("it has not been waited for");
    }

    /// Ends it by force.
    pub fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Waits for its end. The streams go to files, so that what a script leaves in the background
    /// does not keep this waiting.
    pub fn end(mut self) -> Ran {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                break status;
            }
            if start.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("no end after {PATIENCE:?}: {}", self.command);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let [stdout, stderr] = self.texts();
        Ran { command: self.command, status, stdout, stderr }
    }

    /// What it has written to its streams.
    fn texts(&self) -> [String; 2] {
        let text = |file: &PathBuf| fs::read(file).expect("stream");
        self.files.each_ref().map(|file| String::from_utf8_lossy(&text(file)).into_owned())
    }
}

/// Files that were made immutable; they are let go in the end.
#[derive(Default)]
struct Pinned(Vec<PathBuf>);

impl Drop for Pinned {
    fn drop(&mut self) {
        for path in &self.0 {
            chattr("-i", path);
        }
    }
}

fn chattr(flag: &str, path: &Path) {
    let status = Command::new("chattr").arg(flag).arg(path).status();
    let done = status.is_ok_and(|s| s.success());
    assert!(done || std::thread::panicking(), "chattr {flag} {} (root, on ext4?)", path.display());
}

/// See the head of this file.
pub struct Scene {
    /// Before the root, which can only be removed when nothing in it is pinned.
    pinned: Pinned,
    /// Likewise: a file system of its own in place of the root.
    disk: Option<Disk>,
    root: tempfile::TempDir,
    /// Where the streams of the runs go: elsewhere, so that they do not need the scene's space.
    streams_dir: tempfile::TempDir,
    /// The file that `mode`, `owner` and `age` speak of.
    last: PathBuf,
    zone: String,
    runs: Vec<Ran>,
    streams: usize,
}

impl Scene {
    /// An empty directory.
    pub fn new() -> Self {
        Self::made(|_| None)
    }

    /// The same on a file system of its own, made with these options of `mkfs.ext4`.
    pub fn on_a_disk(options: &[&str]) -> Self {
        Self::made(|root| Some(Disk::mounted_on(root, options)))
    }

    fn made(disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let temp = |prefix: &str| {
            tempfile::Builder::new().prefix(prefix).tempdir().expect("temporary directory")
        };
        let (root, streams_dir) = (temp("scene-"), temp("streams-"));
        let disk = disk(root.path());
        set_mode(root.path(), 0o755);
        for name in ["logs", "etc", "var", "out", "home"] {
            let dir = root.path().join(name);
            fs::create_dir(&dir).expect("directory");
            set_mode(&dir, 0o755);
        }
        let last = root.path().join("logs");
        Self {
            pinned: Pinned::default(),
            disk,
            root,
            streams_dir,
            last,
            zone: "UTC".into(),
            runs: Vec::new(),
            streams: 0,
        }
    }

    /// The directory of everything.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The file system of [`Self::on_a_disk`].
    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("the scene has a disk of its own")
    }

    /// A path in the directory of the logs.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.root().join("logs").join(name)
    }

    /// A path among what scripts have written.
    pub fn out_path(&self, name: &str) -> PathBuf {
        self.root().join("out").join(name)
    }

    /// The state file.
    pub fn state_path(&self) -> PathBuf {
        self.root().join("var/state")
    }

    /// The text with the names of this scene in place of `{dir}` and the like.
    pub fn expand(&self, text: &str) -> String {
        let root = self.root().display().to_string();
        text.replace("{dir}", &format!("{root}/logs"))
            .replace("{etc}", &format!("{root}/etc"))
            .replace("{out}", &format!("{root}/out"))
            .replace("{config}", &format!("{root}/etc/logrotate.conf"))
            .replace("{state}", &format!("{root}/var/state"))
    }

    /// The configuration file.
    pub fn config(self, text: &str) -> Self {
        self.config_file("logrotate.conf", text)
    }

    /// A file beside the configuration file (or that file itself).
    pub fn config_file(self, name: &str, text: &str) -> Self {
        let text = self.expand(text);
        let path = self.root().join("etc").join(name);
        self.put(path, text.as_bytes())
    }

    /// A directory beside the configuration file.
    pub fn config_dir(self, name: &str) -> Self {
        let path = self.root().join("etc").join(name);
        fs::create_dir(&path).expect("directory");
        set_mode(&path, 0o755);
        self
    }

    /// A log.
    pub fn log(self, name: &str, content: &str) -> Self {
        let path = self.log_path(name);
        self.put(path, content.as_bytes())
    }

    /// Any other file in the directory of the logs; its name and its bytes may be anything.
    pub fn bytes(self, name: impl AsRef<Path>, content: &[u8]) -> Self {
        let path = self.root().join("logs").join(name);
        self.put(path, content)
    }

    /// An old version, or any other file in the directory of the logs. One that ends in `.gz` is
    /// compressed.
    pub fn file(self, name: &str, content: &str) -> Self {
        let path = self.log_path(name);
        if !tree::is_gzip(Path::new(name)) {
            return self.put(path, content.as_bytes());
        }
        let plain = self.root().join("var/to-compress");
        fs::write(&plain, content).expect("write");
        let packed = Command::new("gzip").arg("-nc").arg(&plain).output().expect("gzip").stdout;
        fs::remove_file(plain).expect("remove");
        self.put(path, &packed)
    }

    /// A directory below that of the logs.
    pub fn dir(mut self, name: &str) -> Self {
        self.last = self.log_path(name);
        fs::create_dir(&self.last).expect("directory");
        set_mode(&self.last, 0o755);
        self
    }

    /// A symbolic link.
    pub fn symlink(self, name: &str, target: &str) -> Self {
        symlink(target, self.log_path(name)).expect("symlink");
        self
    }

    /// Makes a file immutable, so that not even root can move or change it.
    pub fn pinned(mut self, name: &str) -> Self {
        let path = self.log_path(name);
        chattr("+i", &path);
        self.pinned.0.push(path);
        self
    }

    /// Another name for a file.
    pub fn hard_link(self, name: &str, file: &str) -> Self {
        fs::hard_link(self.log_path(file), self.log_path(name)).expect("link");
        self
    }

    fn put(mut self, path: PathBuf, content: &[u8]) -> Self {
        fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        set_mode(&path, 0o644);
        self.last = path;
        self
    }

    /// The mode of the file just made.
    pub fn mode(self, mode: u32) -> Self {
        set_mode(&self.last, mode);
        self
    }

    /// The owner and group of the file just made.
    pub fn owner(self, uid: u32, gid: u32) -> Self {
        chown(&self.last, Some(uid), Some(gid)).expect("tests of owners run as root");
        self
    }

    /// How long ago the file just made was written.
    pub fn age(self, age: Duration) -> Self {
        let file = fs::File::open(&self.last).expect("open");
        let then = SystemTime::now() - age;
        file.set_times(fs::FileTimes::new().set_modified(then).set_accessed(then)).expect("times");
        self
    }

    /// [`Self::age`] in days and an hour, so that whole days are clear.
    pub fn days_old(self, days: u64) -> Self {
        self.age(Duration::from_secs(days * 86_400 + 3_600))
    }

    /// A record in the state: when the log was last rotated.
    pub fn state(self, log: &str, at: NaiveDateTime) -> Self {
        let line = format!("\"{}\" {}\n", self.log_path(log).display(), when::in_state(at));
        let old = fs::read_to_string(self.state_path())
            .unwrap_or_else(|_| "logrotate state -- version 2\n".into());
        self.state_text(&(old + &line))
    }

    /// The whole state file.
    pub fn state_text(self, text: &str) -> Self {
        let text = self.expand(text);
        let path = self.state_path();
        self.put(path, text.as_bytes()).mode(0o640)
    }

    /// A file in the home directory of the runs.
    pub fn home_file(self, name: &str, text: &str) -> Self {
        fs::write(self.root().join("home").join(name), text).expect("file");
        self
    }

    /// The time zone of the runs (`UTC` if not set).
    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = zone.into();
        self
    }

    /// Does something else to the scene.
    pub fn then(self, act: impl FnOnce(&Self)) -> Self {
        act(&self);
        self
    }

    /// Runs the program with these options on the scene's configuration and state.
    pub fn run<const N: usize>(self, options: [&str; N]) -> Self {
        let mut args = vec!["-s", "{state}"];
        args.extend(options);
        args.push("{config}");
        self.run_with(&args)
    }

    /// Runs the program with exactly these arguments.
    pub fn run_with(mut self, args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(|a| self.expand(a)).collect();
        let run = self.start(program(), args).end();
        self.runs.push(run);
        self
    }

    /// Starts a program in the scene's root with the scene's environment.
    pub fn start(
        &mut self,
        program: &str,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Running {
        self.streams += 1;
        let files = ["stdout", "stderr"]
            .map(|name| self.streams_dir.path().join(format!("{name}.{}", self.streams)));
        let [stdout, stderr] = files.each_ref().map(|f| fs::File::create(f).expect("stream"));
        let mut command = Command::new(program);
        command
            .args(args.into_iter().map(Into::into))
            .current_dir(self.root())
            .env("TZ", &self.zone)
            .env("HOME", self.root().join("home"))
            .env("LC_ALL", "C")
            .env_remove("POSIXLY_CORRECT")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        let child = command.spawn().unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
        Running { command: format!("{command:?}"), child, files }
    }

    /// Keeps the end of a run that was started by hand, so that it can be looked at.
    pub fn ended(mut self, run: Ran) -> Self {
        self.runs.push(run);
        self
    }
}

/// Closes a file, and waits until it is closed: children of other tests have our descriptors until they
/// begin their own program.
pub fn close(file: fs::File) {
    drop(file);
    std::thread::sleep(Duration::from_millis(200));
}

/// Sets a file's mode.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|e| panic!("mode of {}: {e}", path.display()));
}
