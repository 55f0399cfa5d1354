//! Random cases on logrotate and on our program: whatever differs is a listed difference or a bug.
//!
//! `DIFFERENTIAL_CASES` says how many (2,000), `DIFFERENTIAL_SEED` which is the first.

mod case;
mod difference;
mod files;
mod kept;
mod listed;
mod old_versions;
mod random;
mod reproduce;
mod rows;
mod settings;
mod text;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use case::{Block, Case};
use difference::{Aspect, Item, differences};
use listed::{LISTED, Listed, Moment};
use settings::Settings;
use world::{Seen, World};

const THEIRS: &str = "/usr/sbin/logrotate";
const OURS: &str = env!("CARGO_BIN_EXE_logrotate-rs");

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
    let cases = number("DIFFERENTIAL_CASES", 2000);
    let first = number("DIFFERENTIAL_SEED", 1);
    println!("DIFFERENTIAL_CASES={cases} DIFFERENTIAL_SEED={first}");
    // In memory if there is a place for it: a run syncs, and nobody pulls the plug here.
    let memory = Path::new("/dev/shm");
    let memory = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
    let [root, other] = [memory, std::env::temp_dir()].map(|dir| {
        let made = tempfile::Builder::new().prefix("differential-").tempdir_in(dir);
        let made = made.expect("directory");
        crate::scene::set_mode(made.path(), 0o755);
        made
    });
    let began = Instant::now();
    let processes = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let parts: Vec<_> = (0..processes)
        .map(|index| Part {
            first: first + index,
            end: first + cases,
            step: processes,
            // Equal lengths, so that a limit on names is met or not met everywhere.
            place: root.path().join(format!("{index:03}")),
            other: other.path().join(format!("{index:03}")),
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

#[test]
fn every_directive_is_in_some_case_or_left_out_for_a_reason() {
    let used: BTreeSet<_> = (0..500).flat_map(|seed| Case::new(seed).directives()).collect();
    for row in logrotate_rs::config::directive::all() {
        let reason = rows::LEFT_OUT.iter().find(|(name, _)| *name == row.name);
        assert_ne!(used.contains(row.name), reason.is_some(), "{}", row.name);
    }
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
    /// The same on another device, if there is one.
    other: PathBuf,
}

impl Part {
    fn start(&self) -> Child {
        Command::new(std::env::current_exe().expect("the path of this test"))
            .args(["--exact", "differential::random_cases_end_as_theirs_do"])
            .env(
                PART,
                format!(
                    "{} {} {} {} {}",
                    self.first,
                    self.end,
                    self.step,
                    self.place.display(),
                    self.other.display()
                ),
            )
            .stdout(Stdio::null())
            .spawn()
            .expect("another process of this test")
    }

    fn read(text: &str) -> Self {
        let mut words = text.split(' ');
        let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number");
        let (first, end, step) = (number(), number(), number());
        let mut path = || words.next().expect("a path").into();
        Self { first, end, step, place: path(), other: path() }
    }

    /// A line for each case: the ids of its differences, or the seed of a bug.
    fn ends(&self) -> PathBuf {
        self.place.with_extension("ends")
    }

    fn bug(&self, seed: u64) -> PathBuf {
        self.place.with_extension(format!("bug-{seed}"))
    }

    fn work(&self) {
        let world = World::new(self.place.clone(), &self.other);
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

/// Runs a case with both, and compares run by run. After a run that differed as a row says, theirs goes
/// on from what ours has left: so a listed difference hides nothing of later runs.
fn compare(world: &World, case: &Case) -> End {
    let (first, ours) = world.play(case, |_| OURS);
    let (_, mut theirs) = world.play(case, |_| THEIRS);
    let mut before = &first;
    let mut ids = BTreeSet::new();
    for (run, seen) in ours.iter().enumerate() {
        let lost = kept::lost(case, before, seen);
        let moment = Moment { case, run, before };
        let items = differences(case, &theirs[run], seen);
        let (mut listed, mut unlisted, mut goes_on) = (BTreeSet::new(), Vec::new(), true);
        for item in &items {
            match row_for(&moment, item, &theirs[run], seen) {
                Some(row) => {
                    goes_on &= row.goes_on;
                    listed.insert(row.id);
                }
                None => unlisted.push(item),
            }
        }
        if !lost.is_empty() || !unlisted.is_empty() {
            return End::Bug(told(&moment, &lost, &items, &unlisted, &theirs[run], seen));
        }
        ids.extend(listed);
        if !goes_on && run + 1 < ours.len() {
            let ours_until = |number| if number <= run { OURS } else { THEIRS };
            theirs = world.play(case, ours_until).1;
            for run in 0..=run {
                let (once, again) = (&ours[run], &theirs[run]);
                let items = differences(case, once, again);
                if !items.is_empty() {
                    let what = vec!["ours has done it in another way the second time".into()];
                    let moment = Moment { case, run, before };
                    return End::Bug(told(&moment, &what, &items, &[], once, again));
                }
            }
        }
        before = &seen.tree;
    }
    if ids.is_empty() { End::Same } else { End::Listed(ids.into_iter().collect()) }
}

/// The row that explains a difference.
fn row_for(
    moment: &Moment<'_>,
    item: &Item,
    theirs: &Seen,
    ours: &Seen,
) -> Option<&'static Listed> {
    let of_dir = |block: &&Block| item.dir.is_none_or(|dir| block.dir == dir);
    let blocks: Vec<_> = moment
        .case
        .blocks
        .iter()
        .filter(of_dir)
        .map(|block| {
            let settings = Settings::of(moment.case, block);
            (listed::concerned(block, &settings, item), settings)
        })
        .collect();
    LISTED.iter().find(|row| {
        let outcome = theirs.status.zip(ours.status);
        let may = row.aspects.contains(&item.aspect)
            && (item.aspect != Aspect::Status
                || outcome.is_some_and(|o| row.statuses.contains(&o)));
        may && blocks.iter().any(|(block, settings)| (row.applies)(moment, block, settings, item))
    })
}

/// All about a case that no row explains.
fn told(
    moment: &Moment<'_>,
    lost: &[String],
    items: &[Item],
    unlisted: &[&Item],
    theirs: &Seen,
    ours: &Seen,
) -> String {
    let case = moment.case;
    let at = case.local(case.runs[moment.run].at);
    let force = if case.runs[moment.run].force { " -f" } else { "" };
    let mut text = format!("seed {}, run {} at {at}{force}:", case.seed, moment.run + 1);
    for block in &case.blocks {
        let lines = case.globals.iter().chain(&block.lines);
        let words =
            lines.map(|(n, rest)| format!("{n}{}", rest.lines().next().unwrap_or_default()));
        let _ = write!(text, "\n{}: {}", block.dir, words.collect::<Vec<_>>().join("; "));
    }
    let _ = write!(text, "\n{}", lost.join("\n"));
    for item in items {
        let mark =
            if unlisted.iter().any(|other| std::ptr::eq(*other, item)) { "" } else { "(listed) " };
        let _ = write!(text, "\n{mark}{:?}: {}", item.aspect, item.text);
    }
    for (who, seen) in [("theirs", theirs), ("ours", ours)] {
        let _ = write!(text, "\n{who} said:\n{}", String::from_utf8_lossy(&seen.stderr));
    }
    text
}
