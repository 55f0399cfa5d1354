//! The story that the program is made for: a collector that never reopens its log, rotated every
//! ten minutes. See `examples/newsup.sh`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::scene::{Scene, Tree, program, set_mode};

/// The example in a directory of its own, with its collector running until the end of the test.
pub struct Newsup {
    scene: Option<Scene>,
    dir: PathBuf,
    /// Goes after the collector, even if a run of the scene fails.
    _root: tempfile::TempDir,
}

impl Newsup {
    /// Starts the collector and waits for its first lines.
    pub fn start() -> Self {
        let scene = Scene::new();
        let root = tempfile::Builder::new().prefix("newsup-").tempdir().expect("directory");
        set_mode(root.path(), 0o755);
        let dir = root.path().join("newsup");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/newsup.sh");
        let made = Command::new("sh").arg(script).arg(&dir).status().expect("sh");
        let newsup = Self { scene: Some(scene), dir, _root: root };
        assert!(made.success(), "newsup.sh: {made}");
        newsup.wait_for_lines();
        newsup
    }

    /// The directory of the example.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits until the log has lines.
    pub fn wait_for_lines(&self) {
        let start = Instant::now();
        while fs::metadata(self.dir.join("user.log")).map_or(0, |m| m.len()) < 500 {
            assert!(start.elapsed() < Duration::from_secs(20), "the collector does not write");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs the program on one of the two examples.
    pub fn run(&mut self, options: &[&str], config: &str) {
        let config = self.dir.join(config).display().to_string();
        let mut args = vec!["-s", "{state}"];
        args.extend(options);
        args.push(&config);
        let scene = self.scene.take().expect("scene").run_with(&args);
        self.scene = Some(scene);
    }

    /// The scene, to say what the run must have done.
    pub fn scene(&mut self, check: impl FnOnce(Scene) -> Scene) {
        self.scene = self.scene.take().map(check);
    }

    /// The process id of the collector.
    fn pid(&self) -> u32 {
        let text = fs::read_to_string(self.dir.join("newsup.pid")).expect("newsup.pid");
        text.trim().parse().expect("process id")
    }

    fn stop(&self) -> bool {
        let controller = self.dir.join("controller.py");
        Command::new("python3").arg(controller).arg("stop").status().is_ok_and(|s| s.success())
    }

    /// Stops the collector; every line that it wrote must be in exactly one file. Returns the
    /// number of old versions.
    pub fn account(&self) -> usize {
        assert!(self.stop(), "the collector does not stop");
        let next: usize = fs::read_to_string(self.dir.join("next"))
            .expect("next")
            .trim()
            .parse()
            .expect("number");
        let mut found: BTreeMap<usize, Vec<PathBuf>> = BTreeMap::new();
        let mut versions = 0;
        for entry in fs::read_dir(&self.dir).expect("directory") {
            let path = entry.expect("entry").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if !name.starts_with("user.log") {
                continue;
            }
            versions += usize::from(name != "user.log");
            for line in fs::read_to_string(&path).expect("log").lines() {
                let number = line.strip_suffix(" somebody read an article");
                let number = number.and_then(|n| n.parse().ok());
                let number: usize = number.unwrap_or_else(|| panic!("{name} has {line:?}"));
                found.entry(number).or_default().push(path.clone());
            }
        }
        assert!(next > 1, "the collector has written");
        for number in 1..next {
            let files = found.remove(&number).unwrap_or_default();
            assert_eq!(files.len(), 1, "line {number} of {} is in {files:?}", next - 1);
        }
        assert!(found.is_empty(), "lines that nobody wrote: {found:?}");
        versions
    }
}

impl Drop for Newsup {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a process has open besides its first three descriptors.
fn descriptors(pid: u32) -> Vec<PathBuf> {
    let dir = format!("/proc/{pid}/fd");
    let entries = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{dir}: {e}"));
    let entries = entries.map(|e| e.expect("entry"));
    let above = entries.filter(|e| {
        e.file_name().to_str().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n > 2)
    });
    above.filter_map(|e| fs::read_link(e.path()).ok()).collect()
}

#[test]
fn a_forced_rotation_loses_no_line_and_leaves_the_collector_running() {
    let mut newsup = Newsup::start();
    for round in 1..=3 {
        let before = newsup.pid();
        let start = Instant::now();
        newsup.run(&["-f", "-l", "{out}/messages"], "newsup.conf");
        newsup.scene(Scene::quiet);
        assert!(start.elapsed() < Duration::from_secs(15), "round {round} waited for the daemon");
        assert_ne!(before, newsup.pid(), "the collector was started again");
        newsup.wait_for_lines();

        // The daemon holds its log and, as documented, the file of -l; nothing else of ours. (What
        // this test itself was started with is not ours.)
        let log = newsup.dir().join("user.log");
        let messages = newsup.scene.as_ref().map(|s| s.out_path("messages"));
        let own = descriptors(std::process::id());
        for file in descriptors(newsup.pid()) {
            let known = file == log || Some(&file) == messages.as_ref() || own.contains(&file);
            assert!(known, "the daemon holds {}", file.display());
        }

        // So nobody holds the lock for it.
        let state = newsup.scene.as_ref().expect("scene").state_path();
        let free = Command::new("flock").arg("-n").arg(state).arg("true").status();
        assert!(free.expect("flock").success(), "the lock is still held");
    }
    assert_eq!(newsup.account(), 3);
}

#[test]
fn scripts_inherit_the_three_streams_and_nothing_that_the_caller_left_open() {
    let mut scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\npostrotate\nls -l /proc/$$/fd > {out}/open\nendscript\n}")
        .log("a.log", "x\n");
    let careless = format!("exec 7>{}; exec \"$@\"", scene.expand("{out}/left-open"));
    let args = ["-c", &careless, "sh", program(), "-f", "-s", "{state}", "{config}"];
    let args = args.map(|a| scene.expand(a));
    let run = scene.start("sh", args).end();
    let scene = scene.ended(run).quiet();
    let open = fs::read_to_string(scene.out_path("open")).expect("open");
    for ours in ["left-open", "state", "journal", "a.log"] {
        assert!(!open.contains(ours), "a script has {ours} open:\n{open}");
    }
}

#[test]
fn a_collector_that_reopens_its_log_loses_no_line() {
    let mut newsup = Newsup::start();
    for _ in 0..3 {
        newsup.run(&["-f"], "newsup-every-10m.conf");
        newsup.scene(Scene::quiet);
        newsup.wait_for_lines();
    }
    assert_eq!(newsup.account(), 3);
}

#[test]
fn under_every_10m_a_log_seen_for_the_first_time_stays() {
    let mut newsup = Newsup::start();
    newsup.run(&[], "newsup-every-10m.conf");
    newsup.scene(Scene::quiet);
    assert_eq!(newsup.account(), 0);
}

#[test]
fn a_missing_log_is_fine() {
    let mut newsup = Newsup::start();
    assert!(newsup.stop());
    fs::remove_file(newsup.dir().join("user.log")).expect("remove");
    fs::remove_file(newsup.dir().join("next")).expect("remove");
    for config in ["newsup.conf", "newsup-every-10m.conf"] {
        newsup.run(&["-f"], config);
        newsup.scene(Scene::quiet);
    }
    assert!(!newsup.dir().join("newsup.pid").exists(), "no script ran");
}

#[test]
fn a_run_by_hand_while_another_goes_on_is_refused() {
    let mut scene = Scene::new()
        .config(
            "{dir}/a.log {\nrotate 9\ncreate\nprerotate\necho > {out}/held; sleep 2\nendscript\n}",
        )
        .log("a.log", "x\n");
    let args = ["-f", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
    let cron = scene.start(program(), args.clone());
    while !scene.out_path("held").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let scene = scene.run(["-f"]).status(3).expect_stderr(
        "error: state file {state} is already locked\n\
         logrotate does not support parallel execution on the same set of logfiles.\n\
         \x20 = help: with --wait-for-state-lock a run waits until the other one has ended\n",
    );
    let cron = cron.end();
    scene.ended(cron).quiet().expect_files([("a.log", ""), ("a.log.1", "x\n")]);
}

#[test]
fn a_run_that_waits_for_the_lock_takes_the_time_after_it() {
    // The run that waits finds what the other one has recorded, and so nothing that is due.
    let mut scene = Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 9\ncreate\nprerotate\necho > {out}/held; sleep 2\nendscript\n}")
        .log("a.log", "x\n")
        .state("a.log", crate::scene::when::days_ago(2));
    let args = ["--wait-for-state-lock", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
    let first = scene.start(program(), args.clone());
    while !scene.out_path("held").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = scene.start(program(), args);
    let (first, second) = (first.end(), second.end());
    scene
        .ended(first)
        .quiet()
        .ended(second)
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", "x\n")]);
}

#[test]
fn a_dry_run_on_the_examples_changes_no_byte() {
    let mut newsup = Newsup::start();
    assert!(newsup.stop(), "the collector writes no more");
    for config in ["newsup.conf", "newsup-every-10m.conf"] {
        for options in [&["-d"][..], &["-d", "-f"]] {
            let before = Tree::of(newsup.dir());
            newsup.run(options, config);
            newsup.scene(|s| s.status(0).stderr_has("considering log ").stderr_lacks("error:"));
            let after = Tree::of(newsup.dir());
            assert!(before == after, "{config} {options:?}:\n{before:?}\n{after:?}");
            let state = newsup.scene.as_ref().expect("scene").state_path();
            assert!(!state.exists(), "{config} {options:?} made a state file");
        }
    }
}
