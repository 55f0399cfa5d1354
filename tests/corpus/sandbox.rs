//! A root directory of its own in which programs run: configurations that name `/var/log` or
//! `/home` can be carried out as they are, and nothing of this machine is changed.
//!
//! Mounts, processes, network and hosts are private (`unshare`), programs and libraries are there
//! read-only, and everything else is an ordinary directory that a test fills and reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::scene::{Tree, set_mode, when};

/// What the shell inside does: mounts, then one command for each line, answered with its status.
const SHELL: &str = r#"
set -e
for dir in usr/bin usr/sbin usr/lib usr/lib64; do
    if [ -d "/$dir" ]; then
        mount --bind "/$dir" "$1/root/$dir"
        mount -o remount,ro,bind "$1/root/$dir"
    fi
done
mount --bind "$1/program" "$1/root/program"
mount --bind /dev/null "$1/root/dev/null"
mount -t proc proc "$1/root/proc"
set +e
echo ready
while IFS= read -r line; do
    eval "$line"
    echo "$?"
done
"#;

/// What a fresh sandbox has and `clear` leaves alone, because something is mounted there.
const KEPT: [&str; 9] =
    ["bin", "sbin", "lib", "lib64", "dev", "proc", "program", "usr", "lost+found"];
const KEPT_IN_USR: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// Debian's package `faketime` has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// The program that a sandbox runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Ours,
    Theirs,
}

/// How a run ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub status: i32,
    pub stderr: String,
}

/// See the head of this file.
pub struct Sandbox {
    base: tempfile::TempDir,
    shell: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    accounts: String,
    groups: String,
    today: chrono::NaiveDate,
}

impl Sandbox {
    /// An empty one in which these names are users and groups.
    pub fn new(names: &BTreeSet<String>) -> Self {
        let base = tempfile::Builder::new().prefix("corpus-").tempdir().expect("directory");
        set_mode(base.path(), 0o755);
        let root = base.path().join("root");
        for dir in ["program", "root/dev", "root/proc", "root/program"] {
            fs::create_dir_all(base.path().join(dir)).expect("directory");
        }
        fs::write(root.join("dev/null"), "").expect("mount point");
        for dir in KEPT_IN_USR {
            fs::create_dir_all(root.join("usr").join(dir)).expect("directory");
            std::os::unix::fs::symlink(format!("usr/{dir}"), root.join(dir)).expect("link");
        }
        fs::copy(env!("CARGO_BIN_EXE_logrotate-rs"), base.path().join("program/ours"))
            .expect("our program");
        let mut shell = Command::new("unshare")
            .args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"])
            .args(["sh", "-c", SHELL, "sh"])
            .arg(base.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (root?)");
        let commands = shell.stdin.take();
        let mut answers = BufReader::new(shell.stdout.take().expect("piped"));
        let mut ready = String::new();
        answers.read_line(&mut ready).expect("answer");
        assert_eq!(ready, "ready\n", "the sandbox could not be mounted");

        let mut accounts = "root:x:0:0::/root:/bin/sh\n".to_owned();
        let mut groups = "root:x:0:\n".to_owned();
        for (id, name) in (2000..).zip(names) {
            writeln!(accounts, "{name}:x:{id}:{id}::/home:/bin/sh").expect("text");
            writeln!(groups, "{name}:x:{id}:").expect("text");
        }
        let today = when::now().date();
        let sandbox = Self { base, shell, commands, answers, accounts, groups, today };
        sandbox.clear();
        sandbox
    }

    /// The number of a user and group.
    pub fn id(&self, name: &str) -> Option<u32> {
        let line = self.groups.lines().find(|l| l.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    }

    /// Where a path of the sandbox stands outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.base.path().join("root").join(inside.trim_start_matches('/'))
    }

    /// Removes all that was written, and makes the few files that programs expect.
    pub fn clear(&self) {
        remove_all_but(&self.path("/"), &KEPT);
        remove_all_but(&self.path("/usr"), &KEPT_IN_USR);
        for dir in ["etc/logrotate.d", "var/log", "var/lib", "root", "home", "tmp", "state"] {
            fs::create_dir_all(self.path(dir)).expect("directory");
        }
        fs::write(self.path("etc/passwd"), &self.accounts).expect("accounts");
        fs::write(self.path("etc/group"), &self.groups).expect("groups");
    }

    /// Runs a program with these options on one configuration, with the sandbox's state, at noon
    /// so many days from today.
    pub fn run(&mut self, program: Program, options: &str, config: &str, days: i64) -> Run {
        let day = self.today + chrono::TimeDelta::days(days);
        let base = self.base.path().display();
        let program = match program {
            Program::Ours => "/program/ours",
            Program::Theirs => "/usr/sbin/logrotate",
        };
        let line = format!(
            "chroot {base}/root /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C TZ=UTC \
             LD_PRELOAD={FAKETIME} FAKETIME='{day} 12:00:00' FAKETIME_DONT_FAKE_MONOTONIC=1 \
             NO_FAKE_STAT=1 timeout 60 {program} -s /state/state -m /bin/true {options} {config} \
             </dev/null >{base}/stdout 2>{base}/stderr\n"
        );
        let commands = self.commands.as_mut().expect("it lives as long as the sandbox");
        commands.write_all(line.as_bytes()).expect("command");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("answer");
        let stderr = fs::read(self.base.path().join("stderr")).expect("stderr");
        Run {
            status: answer.trim().parse().expect("a status"),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// All that was written, without the state, and without the times.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::of(&self.path("/")).timeless();
        tree.0.retain(|name, _| !name.starts_with("state") && !name.starts_with("etc"));
        for entry in tree.0.values_mut() {
            // The same text may be packed in other ways, and the header has the source's time.
            if entry.content.starts_with(&[0x1f, 0x8b]) {
                let size = entry.content.last_chunk::<4>().expect("a whole gzip file");
                let mut text = vec![0; u32::from_le_bytes(*size) as usize];
                libdeflater::Decompressor::new()
                    .gzip_decompress(&entry.content, &mut text)
                    .expect("a whole gzip file");
                entry.content = text;
            }
        }
        tree
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The shell ends with its input, and its mounts with it.
        drop(self.commands.take());
        let _ = self.shell.wait();
    }
}

fn remove_all_but(dir: &Path, kept: &[&str]) {
    for entry in fs::read_dir(dir).expect("directory") {
        let entry = entry.expect("entry");
        if kept.iter().any(|k| entry.file_name() == *k) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().expect("type").is_dir() {
            fs::remove_dir_all(path).expect("remove");
        } else {
            fs::remove_file(path).expect("remove");
        }
    }
}
