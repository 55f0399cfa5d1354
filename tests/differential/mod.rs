//! Random cases on logrotate and on our program: whatever differs is a listed difference or a bug.
//!
//! `DIFFERENTIAL_CASES` says how many (300), `DIFFERENTIAL_SEED` which is the first.

mod case;
mod listed;
mod random;
mod reproduce;
mod rows;
mod settings;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::scene::Tree;
use case::Case;
use listed::{Aspect, LISTED, Moment};
use settings::Settings;
use world::{Seen, World};

const THEIRS: &str = "/usr/sbin/logrotate";

/// How a case ended.
enum End {
    /// All runs did the same.
    Same,
    /// A run differed, as these rows say.
    Listed(Vec<&'static str>),
    /// A run differed, and no row says why.
    Bug(String),
}

#[test]
fn random_cases_end_as_theirs_do() {
    if let Some(part) = std::env::var_os(PART) {
        return Part::read(&part.to_string_lossy()).work();
    }
    let cases = number("DIFFERENTIAL_CASES", 300);
    let first = number("DIFFERENTIAL_SEED", 1);
    println!("DIFFERENTIAL_CASES={cases} DIFFERENTIAL_SEED={first}");
    let root = tempfile::Builder::new().prefix("differential-").tempdir().expect("directory");
    crate::scene::set_mode(root.path(), 0o755);
    let began = Instant::now();
    let processes = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let parts: Vec<_> = (0..processes)
        .map(|index| Part {
            first: first + index,
            end: first + cases,
            step: processes,
            // Equal lengths, so that a limit on names is met or not met everywhere.
            place: root.path().join(format!("{index:03}")),
        })
        .collect();
    let running: Vec<_> = parts.iter().map(Part::start).collect();
    for mut process in running {
        assert!(
            process.wait().expect("wait").success(),
            "a part of the cases has not come to its end"
        );
    }
    let took = began.elapsed().as_secs_f64();
    let mut ends = BTreeMap::<String, u64>::new();
    let mut bugs = BTreeMap::<u64, String>::new();
    for part in &parts {
        let text = fs::read_to_string(part.ends()).expect("the ends of cases");
        for line in text.lines() {
            if let Some(seed) = line.strip_prefix("bug ") {
                let seed = seed.parse().expect("a seed");
                bugs.insert(seed, fs::read_to_string(part.bug(seed)).expect("what a bug is"));
            } else {
                *ends.entry(line.to_owned()).or_default() += 1;
            }
        }
    }
    println!("{cases} cases in {took:.1} s, {} without a difference", ends.remove("").unwrap_or(0));
    for (ids, count) in ends {
        println!("{count:8} {ids}");
    }
    let seeds: Vec<_> = bugs.keys().collect();
    let scripts = bugs.keys().take(3).map(|seed| reproduce::script(&Case::new(*seed)));
    let report: String = bugs.values().cloned().chain(scripts).collect::<Vec<_>>().join("\n");
    assert!(
        bugs.is_empty(),
        "{} cases differ for no listed reason, seeds {seeds:?}\n{report}",
        bugs.len()
    );
}

/// Names the part of the cases that a process of this test is for.
const PART: &str = "DIFFERENTIAL_PART";

/// The cases of one process. Processes and not threads: a thread's child has the open files of all
/// threads until it executes its program, and a log that is open somewhere is "still written".
struct Part {
    first: u64,
    end: u64,
    step: u64,
    place: PathBuf,
}

impl Part {
    fn start(&self) -> Child {
        Command::new(std::env::current_exe().expect("the path of this test"))
            .args(["--exact", "differential::random_cases_end_as_theirs_do"])
            .env(
                PART,
                format!("{} {} {} {}", self.first, self.end, self.step, self.place.display()),
            )
            .stdout(Stdio::null())
            .spawn()
            .expect("another process of this test")
    }

    fn read(text: &str) -> Self {
        let mut words = text.splitn(4, ' ');
        let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number");
        let (first, end, step) = (number(), number(), number());
        Self { first, end, step, place: words.next().expect("a path").into() }
    }

    /// A line for each case: the ids of its differences, or the seed of a bug.
    fn ends(&self) -> PathBuf {
        self.place.with_extension("ends")
    }

    fn bug(&self, seed: u64) -> PathBuf {
        self.place.with_extension(format!("bug-{seed}"))
    }

    fn work(&self) {
        let world = World::new(self.place.clone());
        let mut ends = String::new();
        let mut seed = self.first;
        while seed < self.end {
            match compare(&world, &Case::new(seed)) {
                End::Same => ends.push('\n'),
                End::Listed(ids) => {
                    let _ = writeln!(ends, "{}", ids.join(" + "));
                }
                End::Bug(what) => {
                    fs::write(self.bug(seed), what).expect("what a bug is");
                    let _ = writeln!(ends, "bug {seed}");
                }
            }
            seed += self.step;
        }
        fs::write(self.ends(), ends).expect("the ends of cases");
    }
}

fn number(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Runs a case with both, and judges the first run that differs.
fn compare(world: &World, case: &Case) -> End {
    let first = world.before(case);
    let theirs = world.play(case, THEIRS);
    let ours = world.play(case, env!("CARGO_BIN_EXE_logrotate-rs"));
    let mut before = &first;
    for (run, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
        let differs = differences(theirs, ours);
        if !differs.is_empty() {
            return judge(&Moment { case, run, before }, differs, theirs, ours);
        }
        before = &ours.tree;
    }
    End::Same
}

fn judge(
    moment: &Moment<'_>,
    differs: BTreeMap<Aspect, String>,
    theirs: &Seen,
    ours: &Seen,
) -> End {
    let case = moment.case;
    let mut left: BTreeSet<Aspect> = differs.keys().copied().collect();
    let mut ids = Vec::new();
    for row in LISTED {
        let explains = left.iter().any(|aspect| row.aspects.contains(aspect));
        let applies = |b| (row.applies)(moment, b, &Settings::of(case, b));
        if explains && case.blocks.iter().any(applies) {
            left.retain(|aspect| !row.aspects.contains(aspect));
            ids.push(row.id);
        }
    }
    if left.is_empty() {
        return End::Listed(ids);
    }
    let at = case.local(case.runs[moment.run].at);
    let mut text = format!("seed {}, run {} at {at}:", case.seed, moment.run + 1);
    for block in &case.blocks {
        let lines = case.globals.iter().chain(&block.lines);
        let words =
            lines.map(|(n, rest)| format!("{n}{}", rest.lines().next().unwrap_or_default()));
        let _ = write!(text, "\n{}: {}", block.dir, words.collect::<Vec<_>>().join("; "));
    }
    for (aspect, what) in differs {
        let _ = write!(text, "\n{aspect:?}:\n{what}");
    }
    for (who, seen) in [("theirs", theirs), ("ours", ours)] {
        let _ = write!(text, "{who} said:\n{}", String::from_utf8_lossy(&seen.stderr));
    }
    End::Bug(text)
}

/// What differs, in words.
fn differences(theirs: &Seen, ours: &Seen) -> BTreeMap<Aspect, String> {
    let mut found = BTreeMap::new();
    if theirs.status != ours.status {
        found.insert(
            Aspect::Status,
            format!("theirs {:?}, ours {:?}\n", theirs.status, ours.status),
        );
    }
    let files = tree_difference(&theirs.tree, &ours.tree);
    if !files.is_empty() {
        found.insert(Aspect::Files, files);
    }
    let mut records = String::new();
    let names: BTreeSet<_> = theirs.records.keys().chain(ours.records.keys()).collect();
    for name in names {
        let [a, b] = [theirs, ours]
            .map(|s| s.records.get(name).map(|r| String::from_utf8_lossy(r).into_owned()));
        if a != b {
            let _ =
                writeln!(records, "{}: theirs {a:?}, ours {b:?}", String::from_utf8_lossy(name));
        }
    }
    if theirs.beside_state != ours.beside_state {
        let _ = writeln!(records, "theirs {:?}, ours {:?}", theirs.beside_state, ours.beside_state);
    }
    if !records.is_empty() {
        found.insert(Aspect::Records, records);
    }
    if theirs.calls != ours.calls {
        let [a, b] = [theirs, ours].map(|s| String::from_utf8_lossy(&s.calls).into_owned());
        found.insert(Aspect::Calls, format!("theirs:\n{a}ours:\n{b}"));
    }
    found
}

fn tree_difference(theirs: &Tree, ours: &Tree) -> String {
    let mut text = String::new();
    let names: BTreeSet<_> = theirs.0.keys().chain(ours.0.keys()).collect();
    for name in names {
        let [a, b] = [theirs, ours].map(|tree| tree.0.get(name));
        let equal = match (a, b) {
            (Some(a), Some(b)) => {
                (a.mode, a.owner, a.written) == (b.mode, b.owner, b.written)
                    && (a.content == b.content || unpacked(&a.content) == unpacked(&b.content))
            }
            _ => false,
        };
        if !equal {
            let _ = writeln!(text, "{name:?}\n  theirs {}\n  ours   {}", words(a), words(b));
        }
    }
    text
}

fn words(entry: Option<&crate::scene::TreeEntry>) -> String {
    entry.map_or("-".into(), |e| {
        let content = String::from_utf8_lossy(&unpacked(&e.content)).into_owned();
        let content: String = content.chars().take(50).collect();
        format!("{:o} {:?} {} {content:?}", e.mode, e.owner, e.written.0)
    })
}

/// The content of a compressed file; any other as it is.
fn unpacked(content: &[u8]) -> Vec<u8> {
    if !content.starts_with(b"\x1f\x8b") {
        return content.to_vec();
    }
    let mut file = tempfile::tempfile().expect("temporary file");
    std::io::Write::write_all(&mut file, content).expect("write");
    std::io::Seek::rewind(&mut file).expect("rewind");
    Command::new("gzip").arg("-dc").stdin(file).output().expect("gzip").stdout
}
