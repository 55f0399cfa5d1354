//! Debian's own cron daemon runs the program once a minute.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::scene::{program, set_mode};
use crate::story::Newsup;

/// Three ticks are enough: the first sees the log, the second and the third rotate it.
const PATIENCE: Duration = Duration::from_secs(225);

/// A line in `/etc/cron.d`, and a cron daemon that reads it; both go at the end of the test.
struct Cron {
    line: PathBuf,
    daemon: Option<Child>,
}

impl Cron {
    fn start(command: &str) -> Self {
        let line = PathBuf::from(format!("/etc/cron.d/rotation-test-{}", std::process::id()));
        fs::write(&line, format!("* * * * * root {command}\n"))
            .unwrap_or_else(|e| panic!("this test runs as root and needs cron's /etc/cron.d: {e}"));
        set_mode(&line, 0o644);
        let mut cron = Self { line, daemon: None };
        if !is_running() {
            let daemon = Command::new("cron")
                .arg("-f")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|e| panic!("this test needs Debian's cron: {e}"));
            cron.daemon = Some(daemon);
        }
        cron
    }
}

/// Whether a cron daemon runs already: it holds a lock on its pid file.
fn is_running() -> bool {
    let pid = fs::read_to_string("/var/run/crond.pid").unwrap_or_default();
    fs::read_to_string(format!("/proc/{}/comm", pid.trim())).is_ok_and(|c| c.trim() == "cron")
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.line);
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn versions(newsup: &Newsup) -> usize {
    let entries = fs::read_dir(newsup.dir()).expect("directory");
    let names = entries.map(|e| e.expect("entry").file_name());
    names.filter(|n| n.to_str().is_some_and(|n| n.starts_with("user.log."))).count()
}

#[test]
fn cron_rotates_a_log_every_minute_and_every_line_is_in_one_file() {
    let newsup = Newsup::start();
    let dir = newsup.dir().display();
    let example = fs::read_to_string(newsup.dir().join("newsup-every-10m.conf")).expect("example");
    assert!(example.contains("every 10m"));
    let config = newsup.dir().join("minutely.conf");
    fs::write(&config, example.replace("every 10m", "minutely")).expect("write");
    set_mode(&config, 0o644);

    let command = format!(
        "{} -v -s {dir}/state {dir}/minutely.conf >>{dir}/cron.out 2>&1 || echo failed >>{dir}/cron.bad",
        program()
    );
    let said = || fs::read_to_string(newsup.dir().join("cron.out")).unwrap_or_default();
    let cron = Cron::start(&command);
    let start = Instant::now();
    while versions(&newsup) < 2 {
        assert!(
            start.elapsed() < PATIENCE,
            "{} rotations; cron has\n{}",
            versions(&newsup),
            said()
        );
        assert!(!newsup.dir().join("cron.bad").exists(), "a run failed:\n{}", said());
        std::thread::sleep(Duration::from_millis(500));
    }
    drop(cron);
    // A run that has just renamed the log still has to tell the collector and to write its state.
    std::thread::sleep(Duration::from_secs(2));
    assert!(!newsup.dir().join("cron.bad").exists(), "a run failed:\n{}", said());
    assert!(newsup.account() >= 2);
}
