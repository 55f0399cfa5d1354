//! What is rotated while it is interrupted: each way to rotate, with each way to name, to pack and
//! to group, the versions being as many as are kept, so that one has to go.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::scene::{Scene, Tree, set_mode, when};

/// How the log is rotated: the name and the directives. `{far}` is on another file system.
pub const METHODS: [(&str, &str); 9] = [
    ("create", "create"),
    ("copytruncate", "copytruncate"),
    ("copy", "copy"),
    ("olddir", "create\nolddir {dir}/old"),
    ("far copytruncate", "copytruncate\nolddir {far}"),
    ("far copy", "copy\nolddir {far}"),
    (IN_USE, "copytruncate"),
    ("renamecopy", "create\nrenamecopy"),
    (WITH_GAP, "copytruncate"),
];

/// A process has the log open, and the log has more than a block.
const IN_USE: &str = "copytruncate in use";

/// The same, and the process does not append: its log has a gap from an earlier cut.
const WITH_GAP: &str = "copytruncate with a gap";

/// How long the gap is: as many bytes as were cut away, and these are always whole blocks.
const GAP: u64 = 16 * 4096;

/// What the program marks such a log with.
const MARK: &str = "user.logrotate-rs.gaps";

const NAMINGS: [&str; 2] = ["numbered", "dated"];
const PACKINGS: [&str; 3] = ["plain", "compress", "delaycompress"];
const SHAPES: [&str; 6] = ["one log", "three logs", "maxage", "preremove", "mail", "shred"];

/// The one that mails. It takes nothing but the version that has to go.
const MAILER: &str = "#!/bin/sh\ngrep -q 'line 3$' || exit 1\necho yes > {dir}/mailed\n";

/// The options of every run.
pub const OPTIONS: [&str; 2] = ["-m", "{out}/mailer"];

/// One combination.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub method: (&'static str, &'static str),
    pub naming: &'static str,
    pub packing: &'static str,
    pub shape: &'static str,
    /// How many versions are kept; two are there.
    pub keep: u8,
}

/// All combinations with one way to rotate.
pub fn all(method: usize) -> Vec<Scenario> {
    let mut all = Vec::new();
    for naming in NAMINGS {
        for packing in PACKINGS {
            for shape in SHAPES {
                all.push(Scenario { method: METHODS[method], naming, packing, shape, keep: 2 });
            }
        }
    }
    all
}

/// A scenario as files.
pub struct Setup {
    /// The scene, before its first run.
    pub scene: Scene,
    /// A directory on another file system.
    pub far: tempfile::TempDir,
    /// Who has the logs open.
    writers: Vec<fs::File>,
}

/// What a scenario leaves.
#[derive(PartialEq, Eq)]
pub struct End {
    /// The logs and their versions without times, unpacked.
    pub logs: Tree,
    /// The same of the other file system.
    pub far: Tree,
    /// How often postrotate ran.
    pub signals: usize,
}

impl Scenario {
    fn logs(&self) -> &'static [&'static str] {
        if self.shape == "three logs" { &["a.log", "b.log", "c.log"] } else { &["a.log"] }
    }

    /// What a run has said that it does not say when all goes well.
    pub fn unexpected<'a>(&self, stderr: &'a str) -> Vec<&'a str> {
        let writer = |line: &str| line.contains("writes without O_APPEND");
        stderr.lines().filter(|line| self.method.0 != WITH_GAP || !writer(line)).collect()
    }

    /// Lays it out.
    pub fn set_up(&self) -> Setup {
        self.lay_out(Scene::new())
    }

    /// The same on a disk of its own; all of it is on that disk when this returns.
    pub fn set_up_on_a_disk(&self) -> Setup {
        let setup = self.lay_out(Scene::on_a_disk(&[]));
        setup.scene.disk().sync();
        setup
    }

    fn lay_out(&self, scene: Scene) -> Setup {
        let far = tempfile::Builder::new().prefix("far-").tempdir_in("/dev/shm").expect("tmpfs");
        let mut block = format!("rotate {}\ndaily\n{}\n", self.keep, self.method.1);
        if self.naming == "dated" {
            block += "dateext\n";
        }
        block += match self.packing {
            "plain" => "",
            "compress" => "compress\n",
            _ => "compress\ndelaycompress\n",
        };
        block += match self.shape {
            "three logs" => "sharedscripts\n",
            "maxage" => "maxage 5\n",
            "mail" => "mail root@x\n",
            "shred" => "shred\nshredcycles 1\n",
            "preremove" => "preremove\necho \"$1\" >> {out}/removed\nendscript\n",
            _ => "",
        };
        block += "postrotate\necho hup >> {out}/signals\nendscript\n";
        let text = format!("{{dir}}/*.log {{\n{block}}}\n");
        let mut scene = scene.dir("old");
        scene = scene.config(&text.replace("{far}", &far.path().display().to_string()));
        let mailer = scene.out_path("mailer");
        fs::write(&mailer, scene.expand(MAILER)).expect("write");
        set_mode(&mailer, 0o755);
        let mut writers = Vec::new();
        for log in self.logs() {
            let in_use = self.method.0 == IN_USE || self.method.0 == WITH_GAP;
            let last = if in_use { 2000 } else { 10 };
            let lines: Vec<String> = (7..last).map(|n| format!("{log} line {n}\n")).collect();
            scene = scene.log(log, &lines.concat());
            if in_use {
                let appends = self.method.0 == IN_USE;
                let mut options = fs::OpenOptions::new();
                let open = options.write(true).append(appends).open(scene.log_path(log));
                let open = open.expect("open");
                if !appends {
                    make_gap(&open, &lines.concat());
                }
                writers.push(open);
            }
            scene = scene.mode(0o640).owner(1, 2).state(log, when::days_ago(2));
            // With `copy` the log stays, and so does what was copied of it; the lines are new.
            for (slot, lines) in [(1, [5, 6]), (2, [3, 4])] {
                let mut content = String::new();
                for line in lines {
                    let _ = writeln!(content, "{log} line {line}");
                }
                scene = self.version(scene, &far, log, slot, &content);
            }
        }
        Setup { scene, far, writers }
    }

    fn version(
        &self,
        scene: Scene,
        far: &tempfile::TempDir,
        log: &str,
        slot: u8,
        content: &str,
    ) -> Scene {
        let packed = match self.packing {
            "plain" => false,
            "compress" => true,
            _ => slot > 1,
        };
        let ending = if packed { ".gz" } else { "" };
        let name = match self.naming {
            "numbered" => format!("{log}.{slot}{ending}"),
            _ => format!("{log}-2020010{}{ending}", 3 - slot),
        };
        let old = self.shape == "maxage" && slot == 2;
        let age = |scene: Scene| scene.days_old(if old { 9 } else { 1 });
        match self.method.0 {
            "olddir" => age(scene.file(&format!("old/{name}"), content)),
            "far copytruncate" | "far copy" => {
                let scene = age(scene.file(&name, content));
                let from = scene.log_path(&name);
                let status = std::process::Command::new("mv").arg(from).arg(far.path()).status();
                assert!(status.expect("mv").success());
                scene
            }
            _ => age(scene.file(&name, content)),
        }
    }
}

/// Moves what a log has after its hundredth line behind a gap.
fn make_gap(log: &fs::File, text: &str) {
    let (head, _) = text.match_indices('\n').nth(100).expect("many lines");
    let head = head + 1;
    log.set_len(head as u64).expect("length");
    log.write_all_at(&text.as_bytes()[head..], head as u64 + GAP).expect("write");
    rustix::fs::fsetxattr(log, MARK, b"1", rustix::fs::XattrFlags::empty()).expect("mark");
}

impl Setup {
    /// Power fails, and comes back: what there is now is in this image.
    pub fn power_up(&mut self, image: &[u8]) {
        self.writers.clear();
        self.scene.disk().power_up(image);
    }

    /// What is there now.
    pub fn end(&self) -> End {
        let signals = fs::read_to_string(self.scene.out_path("signals")).unwrap_or_default();
        End {
            logs: self.scene.logs().timeless(),
            far: Tree::of(self.far.path()).unpacked().timeless(),
            signals: signals.lines().count(),
        }
    }

    /// What the directory of the state holds besides the state and the streams of the runs.
    pub fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(self.scene.root().join("var")).expect("var");
        let names = entries.map(|e| e.expect("entry").file_name().into_string().expect("UTF-8"));
        names.filter(|name| name.starts_with("state") && name != "state").collect()
    }

    /// Does something with the scene.
    #[must_use]
    pub fn with(self, act: impl FnOnce(Scene, &Path) -> Scene) -> Self {
        let scene = act(self.scene, self.far.path());
        Self { scene, ..self }
    }
}

/// Whether a line is a whole one of a log: `a.log line 7`.
fn is_whole(line: &str) -> bool {
    line.get(1..).and_then(|rest| rest.strip_prefix(".log line ")).is_some_and(|n| !n.is_empty())
}

impl End {
    /// How often each line is there.
    pub fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for entry in self.logs.0.values().chain(self.far.0.values()) {
            for line in String::from_utf8_lossy(&entry.content).lines() {
                *lines.entry(line.to_owned()).or_default() += 1;
            }
        }
        lines
    }

    /// The lines of logs that `wanted` has and this has not. A line that was cut where a block of the log
    /// ends is whole again with the beginning of another file; the pieces of such lines are none.
    pub fn lost(&self, wanted: &Self) -> Vec<String> {
        let found = self.lines();
        let healed = |line: &str| {
            let mut cuts = (1..line.len()).map(|at| line.split_at(at));
            cuts.any(|(begin, rest)| found.contains_key(begin) && found.contains_key(rest))
        };
        let missing = |line: &String| is_whole(line) && !found.contains_key(line) && !healed(line);
        wanted.lines().into_keys().filter(missing).collect()
    }

    /// Names that nothing but an unfinished run leaves.
    pub fn temporaries(&self) -> Vec<String> {
        let names = self.logs.files().into_iter().chain(self.far.files());
        let names = names.map(|n| n.to_string_lossy().into_owned());
        names.filter(|n| n.contains("logrotate-rs") || n.contains(".tmp")).collect()
    }
}
