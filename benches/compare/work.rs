//! The work that is compared: files and configurations, made anew for every run that changes them.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

/// A day's worth of logs and what is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// How many logs.
    pub logs: usize,
    /// The length of each in bytes; 0 for a line.
    pub bytes: u64,
    /// How many old versions each has.
    pub old: usize,
    /// Whether they are due.
    pub due: bool,
    /// How the configuration names them.
    pub named: Named,
    /// The directives.
    pub directives: &'static str,
    /// The same for the other program, where they differ.
    pub theirs: Option<&'static str>,
}

/// How a configuration names many logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// One block with a wildcard.
    Glob,
    /// A block for each in one file.
    Blocks,
    /// A file for each in a directory.
    Files,
}

/// Which of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This one.
    Ours,
    /// The reference.
    Theirs,
    /// The bare prototype.
    Bare,
}

/// A place of its own for one work and one program.
pub struct Site<'a> {
    root: &'a Path,
    work: Work,
    side: Side,
}

type Done = std::io::Result<()>;

impl<'a> Site<'a> {
    /// A place below a directory.
    pub fn new(root: &'a Path, work: Work, side: Side) -> Self {
        Self { root, work, side }
    }

    /// Whose it is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The directory that all of it is in.
    pub fn dir(&self) -> PathBuf {
        self.root.join(format!("{:?}", self.side))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The arguments of a run.
    pub fn args(&self) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        vec!["-s".into(), text(self.at("state")), text(self.at("config"))]
    }

    /// Makes everything; what an earlier run has left goes.
    pub fn arrange(&self) -> Done {
        self.clear()?;
        let logs = self.at("logs");
        fs::create_dir_all(&logs)?;
        let now: DateTime<Utc> = SystemTime::now().into();
        let last = if self.work.due { now - TimeDelta::days(2) } else { now };
        let mut state = String::from("logrotate state -- version 2\n");
        for number in 0..self.work.logs {
            let log = logs.join(format!("app-{number:06}.log"));
            self.write_log(&log)?;
            for old in 1..=self.work.old {
                let dated = self.work.directives.contains("dateext");
                let suffix = if dated { format!("-2026010{old}") } else { format!(".{old}") };
                fs::write(format!("{}{suffix}", log.display()), "old\n")?;
            }
            let _ = writeln!(state, "\"{}\" {}", log.display(), last.format("%Y-%-m-%-d-%-H:0:0"));
        }
        fs::write(self.at("state"), state)?;
        fs::set_permissions(self.at("state"), fs::Permissions::from_mode(0o640))?;
        self.configure(&logs)?;
        // What was written here is not to be written while the run is measured.
        nix::unistd::sync();
        Ok(())
    }

    fn write_log(&self, log: &Path) -> Done {
        if self.work.bytes == 0 {
            return fs::write(log, "line\n");
        }
        let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(log)?);
        let (mut length, mut random) = (0, 1_u64);
        while length < self.work.bytes {
            let mut next = |most: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) % most
            };
            let line = format!(
                "10.{}.{}.{} - - [22/Nov/2026:{:02}:{:02}:{:02} +0000] \"GET /shop/item/{}?page={} \
                 HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) Firefox/{}.0\"\n",
                next(4),
                next(256),
                next(256),
                next(24),
                next(60),
                next(60),
                next(40_000),
                next(9),
                [200, 200, 200, 304, 404][usize::try_from(next(5)).unwrap_or(0)],
                next(60_000),
                100 + next(40),
            );
            file.write_all(line.as_bytes())?;
            length += line.len() as u64;
        }
        file.flush()
    }

    fn configure(&self, logs: &Path) -> Done {
        let directives = match self.side {
            Side::Ours | Side::Bare => self.work.directives,
            Side::Theirs => self.work.theirs.unwrap_or(self.work.directives),
        };
        let block = |pattern: String| format!("{pattern} {{\n{directives}\n}}\n");
        let name = |number: usize| format!("{}/app-{number:06}.log", logs.display());
        let config = match self.work.named {
            Named::Glob => block(format!("{}/*.log", logs.display())),
            Named::Blocks => (0..self.work.logs).map(|number| block(name(number))).collect(),
            Named::Files => {
                let dir = self.at("include");
                fs::create_dir(&dir)?;
                for number in 0..self.work.logs {
                    fs::write(dir.join(format!("app-{number:06}")), block(name(number)))?;
                }
                format!("include {}\n", dir.display())
            }
        };
        fs::write(self.at("config"), config)
    }

    /// How many bytes lie in files whose name ends so.
    pub fn size_of(&self, ending: &str) -> std::io::Result<u64> {
        let mut sum = 0;
        for entry in fs::read_dir(self.at("logs"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(ending) {
                sum += entry.metadata()?.len();
            }
        }
        Ok(sum)
    }

    /// Removes everything.
    pub fn clear(&self) -> Done {
        let dir = self.dir();
        if dir.exists() { fs::remove_dir_all(dir) } else { Ok(()) }
    }
}
