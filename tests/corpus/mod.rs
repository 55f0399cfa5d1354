//! Configurations that people wrote, and those of Debian's packages, by both programs.
//!
//! They are not part of this project: they are read from `../shared/corpus`, and from the directory
//! that `LOGROTATE_RS_PACKAGES` names, and left out with a line if that is not there.
//!
//! `LOGROTATE_RS_CORPUS=full` rotates by every configuration; otherwise a sample does, which
//! `LOGROTATE_RS_CORPUS=SEED` varies.

mod errors;
mod sandbox;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::scene::{Tree, set_mode};
use errors::Ids;
use sandbox::{Program, Run, Sandbox};
use text::Text;

const CONFIG: &str = "/etc/logrotate.conf";

/// The files of a directory, by name; none if there is no such directory.
fn files(dir: &Path) -> Vec<(String, Text)> {
    let Ok(entries) = fs::read_dir(dir) else {
        println!("left out: there is no {}", dir.display());
        return Vec::new();
    };
    let paths: BTreeSet<PathBuf> = entries.map(|e| e.expect("entry").path()).collect();
    let name = |p: &PathBuf| p.file_name().expect("name").to_string_lossy().into_owned();
    let files = paths.iter().filter(|p| p.is_file());
    files
        .map(|p| (name(p), Text(String::from_utf8_lossy(&fs::read(p).expect("read")).into_owned())))
        .collect()
}

fn sandbox(configs: &[(String, Text)]) -> Sandbox {
    Sandbox::new(&configs.iter().flat_map(|(_, text)| text.names()).collect())
}

fn put_config(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.path(CONFIG), text).expect("configuration");
    set_mode(&sandbox.path(CONFIG), 0o644);
}

/// How often each configuration rotates.
const TURNS: i64 = 4;

fn line(log: &str, turn: i64) -> String {
    format!("{log} in turn {turn}")
}

/// Adds a line to every log, as its daemon would.
fn write_logs(sandbox: &Sandbox, text: &Text, turn: i64) {
    use std::io::Write;
    use std::os::unix::fs::chown;
    // A log belongs to whom its block changes to, with its directory.
    let owner = text.su().and_then(|(u, g)| Some((sandbox.id(&u)?, sandbox.id(&g)?)));
    let give = |path: &Path| {
        if let Some((user, group)) = owner {
            chown(path, Some(user), Some(group)).expect("owner");
        }
    };
    for log in text.logs() {
        let path = sandbox.path(&log);
        let Some(dir) = path.parent() else { continue };
        if fs::create_dir_all(dir).is_ok() {
            give(dir);
        }
        for old in text.old_dirs() {
            let old = if old.starts_with('/') { sandbox.path(&old) } else { dir.join(old) };
            if fs::create_dir_all(&old).is_ok() {
                give(&old);
            }
        }
        // What cannot be made is missing, for both.
        if let Ok(mut file) = fs::OpenOptions::new().append(true).create(true).open(&path) {
            writeln!(file, "{}", line(&log, turn)).expect("write");
            give(&path);
        }
    }
}

/// Four forced rotations: how each ended, and what there is in the end.
fn rotate(sandbox: &mut Sandbox, program: Program, text: &Text) -> Rotated {
    sandbox.clear();
    put_config(sandbox, &text.harmless());
    let runs = (0..TURNS).map(|turn| {
        write_logs(sandbox, text, turn);
        sandbox.run(program, "-f", CONFIG, turn)
    });
    let runs = runs.collect();
    Rotated { runs, tree: sandbox.tree() }
}

/// What was found, by the id that explains it.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, found: Result<Ids, String>) {
        match found {
            Ok(ids) if ids.is_empty() => *self.counts.entry("equal").or_default() += 1,
            Ok(ids) => ids.into_iter().for_each(|id| *self.counts.entry(id).or_default() += 1),
            Err(text) => self.unexplained.push(format!("{name}: {text}")),
        }
    }

    fn check(&self, what: &str) {
        println!("{what}: {:?}, unexplained {}", self.counts, self.unexplained.len());
        assert!(self.unexplained.is_empty(), "{what}:\n{}", self.unexplained.join("\n"));
    }
}

fn corpus() -> Vec<(String, Text)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"))
}

fn compare_reading(what: &str, configs: &[(String, Text)]) {
    let mut sandbox = sandbox(configs);
    let mut tally = Tally::default();
    for (name, text) in configs {
        sandbox.clear();
        put_config(&sandbox, &text.0);
        let [ours, theirs] =
            [Program::Ours, Program::Theirs].map(|program| sandbox.run(program, "-d", CONFIG, 0));
        tally.add(name, errors::explain(&ours, &theirs, text));
    }
    tally.check(what);
}

#[test]
fn real_configurations_are_read_as_by_logrotate() {
    compare_reading("errors under -d", &corpus());
}

/// Of so many configurations one rotates in a sample.
const ONE_OF: usize = 14;

/// Which of the configurations rotate.
fn sample(configs: Vec<(String, Text)>) -> Vec<(String, Text)> {
    let seed = match std::env::var("LOGROTATE_RS_CORPUS").as_deref() {
        Ok("full") => return configs,
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => 0_usize,
    };
    println!("LOGROTATE_RS_CORPUS={seed}, one of {ONE_OF}");
    configs.into_iter().skip(seed % ONE_OF).step_by(ONE_OF).collect()
}

/// What four forced rotations did by each program.
#[derive(PartialEq)]
struct Rotated {
    runs: Vec<Run>,
    tree: Tree,
}

impl Rotated {
    /// All lines that there are in the end.
    fn lines(&self) -> BTreeSet<String> {
        let files = self.tree.0.values().filter(|entry| entry.mode & 0o170_000 == 0o100_000);
        let texts = files.map(|entry| String::from_utf8_lossy(&entry.content));
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

/// All lines that were written to the logs.
fn written(text: &Text) -> BTreeSet<String> {
    text.logs().iter().flat_map(|log| (0..TURNS).map(move |turn| line(log, turn))).collect()
}

fn explain_rotations(ours: &Rotated, theirs: &Rotated, text: &Text) -> Result<Ids, String> {
    let mut ids = Ids::new();
    if ours != theirs && text.matches_old_versions() {
        // It is no failure for us, and no line is lost.
        let whole = ours.runs.iter().all(|run| run.status == 0) && ours.lines() == written(text);
        return if whole { Ok(["own-versions"].into()) } else { Err(format!("{:?}", ours.tree)) };
    }
    for (ours, theirs) in ours.runs.iter().zip(&theirs.runs) {
        ids.extend(errors::explain(ours, theirs, text)?);
    }
    if ids.contains("unsupported") || ours.tree == theirs.tree {
        return Ok(ids);
    }
    let only = |a: &Tree, b: &Tree| {
        let mut rest = a.clone();
        rest.0.retain(|name, entry| b.0.get(name) != Some(entry));
        rest
    };
    let (ours_only, theirs_only) = (only(&ours.tree, &theirs.tree), only(&theirs.tree, &ours.tree));
    // They have logs that were not rotated, and that is all they have more than we.
    let logs = text.logs();
    let untouched = theirs_only.0.iter().all(|(name, entry)| {
        let lines = String::from_utf8_lossy(&entry.content).lines().count();
        logs.contains(&format!("/{}", name.display())) && lines == theirs.runs.len()
    });
    match theirs.runs.first().and_then(errors::left_alone) {
        Some(id) if untouched => {
            ids.insert(id);
            Ok(ids)
        }
        _ => Err(format!("only ours has:\n{ours_only:?}  only theirs has:\n{theirs_only:?}")),
    }
}

fn compare_rotations(what: &str, configs: &[(String, Text)]) {
    let mut sandbox = sandbox(configs);
    let mut tally = Tally::default();
    for (name, text) in configs {
        let [ours, theirs] =
            [Program::Ours, Program::Theirs].map(|program| rotate(&mut sandbox, program, text));
        tally.add(name, explain_rotations(&ours, &theirs, text));
    }
    tally.check(what);
}

#[test]
fn real_configurations_rotate_as_by_logrotate() {
    compare_rotations("four forced rotations", &sample(corpus()));
}

fn packages() -> Vec<(String, Text)> {
    if let Some(dir) = std::env::var_os("LOGROTATE_RS_PACKAGES") {
        return files(Path::new(&dir));
    }
    println!("left out: LOGROTATE_RS_PACKAGES names no directory");
    Vec::new()
}

#[test]
fn debians_packages_are_read_and_rotate_as_by_logrotate() {
    let configs = packages();
    compare_reading("errors under -d, of packages", &configs);
    compare_rotations("four forced rotations, of packages", &configs);
}
