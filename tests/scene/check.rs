//! What a test expects of the last run. A failure prints the command, both streams and the tree.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::NaiveDateTime;

use super::tree::{Tree, is_gzip, unpack};
use super::{Ran, Scene, when};

impl Scene {
    fn ran(&self) -> &Ran {
        self.runs.last().expect("the scene has run")
    }

    /// Fails with everything there is to know.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        let mut text = format!("{what}\n");
        for ran in &self.runs {
            let streams = format!("--- stdout\n{}\n--- stderr\n{}\n", ran.stdout, ran.stderr);
            text = format!("{text}--- {}\n{}\n{streams}", ran.command, ran.status);
        }
        panic!("{text}--- tree of {}\n{:?}", self.root().display(), Tree::of(self.root()));
    }

    /// The exit status of the last run.
    #[track_caller]
    pub fn status(self, status: i32) -> Self {
        if self.ran().status.code() != Some(status) {
            self.fail(&format!("exit status is not {status}"));
        }
        self
    }

    /// The last run succeeded and said nothing (compat CLI-23).
    #[track_caller]
    pub fn quiet(self) -> Self {
        self.status(0).expect_stderr("").expect_stdout("")
    }

    /// The whole of standard error.
    #[track_caller]
    pub fn expect_stderr(self, text: &str) -> Self {
        let text = self.expand(text);
        if self.ran().stderr != text {
            self.fail(&format!("stderr is not {text:?}"));
        }
        self
    }

    /// The whole of standard output.
    #[track_caller]
    pub fn expect_stdout(self, text: &str) -> Self {
        let text = self.expand(text);
        if self.ran().stdout != text {
            self.fail(&format!("stdout is not {text:?}"));
        }
        self
    }

    /// A text on standard error.
    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Self {
        let text = self.expand(text);
        if !self.ran().stderr.contains(&text) {
            self.fail(&format!("stderr lacks {text:?}"));
        }
        self
    }

    /// A whole line on standard error.
    #[track_caller]
    pub fn stderr_line(self, line: &str) -> Self {
        let line = self.expand(line);
        if !self.ran().stderr.lines().any(|l| l == line) {
            self.fail(&format!("stderr lacks the line {line:?}"));
        }
        self
    }

    /// A text that is not on standard error.
    #[track_caller]
    pub fn stderr_lacks(self, text: &str) -> Self {
        let text = self.expand(text);
        if self.ran().stderr.contains(&text) {
            self.fail(&format!("stderr has {text:?}"));
        }
        self
    }

    /// A text on standard output.
    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Self {
        let text = self.expand(text);
        if !self.ran().stdout.contains(&text) {
            self.fail(&format!("stdout lacks {text:?}"));
        }
        self
    }

    /// The exit status of the last run, if it was not killed.
    pub fn last_status(&self) -> Option<i32> {
        self.ran().status.code()
    }

    /// Standard error of the last run.
    pub fn stderr(&self) -> &str {
        &self.ran().stderr
    }

    /// All files in the directory of the logs and below, with their contents (those of `.gz` files
    /// unpacked): these and no others.
    #[track_caller]
    pub fn expect_files<const N: usize>(self, files: [(&str, &str); N]) -> Self {
        let tree = self.logs();
        let found: BTreeMap<String, String> = (tree.files().into_iter())
            .map(|name| {
                let content = String::from_utf8_lossy(&tree.0[name].content).into_owned();
                (name.to_string_lossy().into_owned(), content)
            })
            .collect();
        let wanted: BTreeMap<String, String> =
            files.iter().map(|(n, c)| ((*n).to_owned(), (*c).to_owned())).collect();
        if found != wanted {
            self.fail(&format!("the logs are\n  {found:?}\nand not\n  {wanted:?}"));
        }
        self
    }

    /// The contents of one file in the directory of the logs.
    #[track_caller]
    pub fn expect_file(self, name: &str, content: &str) -> Self {
        let found = fs::read(self.log_path(name));
        let found = match found {
            Ok(bytes) if is_gzip(Path::new(name)) => unpack(&bytes, Path::new(name)),
            Ok(bytes) => bytes,
            Err(e) => self.fail(&format!("{name}: {e}")),
        };
        if found != content.as_bytes() {
            let found = String::from_utf8_lossy(&found);
            self.fail(&format!("{name} holds {found:?} and not {content:?}"));
        }
        self
    }

    /// No such file in the directory of the logs.
    #[track_caller]
    pub fn expect_no_file(self, name: &str) -> Self {
        if fs::symlink_metadata(self.log_path(name)).is_ok() {
            self.fail(&format!("{name} exists"));
        }
        self
    }

    /// Permission bits of a file in the directory of the logs.
    #[track_caller]
    pub fn expect_mode(self, name: &str, mode: u32) -> Self {
        let found = self.metadata(name).mode() & 0o7777;
        if found != mode {
            self.fail(&format!("the mode of {name} is {found:04o} and not {mode:04o}"));
        }
        self
    }

    /// Owner and group of a file in the directory of the logs.
    #[track_caller]
    pub fn expect_owner(self, name: &str, uid: u32, gid: u32) -> Self {
        let found = (self.metadata(name).uid(), self.metadata(name).gid());
        if found != (uid, gid) {
            self.fail(&format!("{name} belongs to {found:?} and not to {:?}", (uid, gid)));
        }
        self
    }

    #[track_caller]
    fn metadata(&self, name: &str) -> fs::Metadata {
        match fs::symlink_metadata(self.log_path(name)) {
            Ok(metadata) => metadata,
            Err(e) => self.fail(&format!("{name}: {e}")),
        }
    }

    /// What a script has written to a file in `{out}`.
    #[track_caller]
    pub fn expect_out(self, name: &str, content: &str) -> Self {
        let content = self.expand(content);
        match fs::read_to_string(self.out_path(name)) {
            Ok(found) if found == content => self,
            Ok(found) => self.fail(&format!("{name} holds {found:?} and not {content:?}")),
            Err(e) => self.fail(&format!("{name}: {e}")),
        }
    }

    /// No script has written this file in `{out}`.
    #[track_caller]
    pub fn expect_no_out(self, name: &str) -> Self {
        if self.out_path(name).exists() {
            self.fail(&format!("a script has written {name}"));
        }
        self
    }

    /// The record of a log in the state, as text.
    pub fn record(&self, log: &str) -> Option<String> {
        let text = fs::read_to_string(self.state_path()).ok()?;
        let start = format!("\"{}\" ", self.log_path(log).display());
        text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
    }

    /// The record of a log in the state.
    #[track_caller]
    pub fn expect_record(self, log: &str, at: NaiveDateTime) -> Self {
        let wanted = Some(when::in_state(at));
        let found = self.record(log);
        if found != wanted {
            self.fail(&format!("the record of {log} is {found:?} and not {wanted:?}"));
        }
        self
    }

    /// The log was recorded within the last half minute.
    #[track_caller]
    pub fn expect_recorded_now(self, log: &str) -> Self {
        let found = self.record(log).unwrap_or_default();
        let time = NaiveDateTime::parse_from_str(&found, "%Y-%m-%d-%H:%M:%S");
        let age = time.map(|t| (when::now() - t).num_seconds());
        if !age.as_ref().is_ok_and(|age| (0..30).contains(age)) {
            self.fail(&format!("the record of {log} is {found:?} and not now"));
        }
        self
    }

    /// The directory of the logs as it is, with compressed files unpacked.
    pub fn logs(&self) -> Tree {
        Tree::of(&self.root().join("logs")).unpacked()
    }
}
