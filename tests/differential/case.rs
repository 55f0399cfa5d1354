//! A case: a configuration, files, a state, and some runs; all of it from one seed.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, TimeZone};
use chrono_tz::Tz;

use super::random::Random;
use super::rows::ROWS;

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Thing {
    File(Vec<u8>),
    Dir,
    Symlink(&'static str),
    /// Another name of the file at this path.
    HardLink(Vec<u8>),
}

/// A file or directory, by its path below the root of the case.
#[derive(Clone, Debug)]
pub struct Entry {
    pub path: Vec<u8>,
    pub thing: Thing,
    pub mode: u32,
    pub owner: (u32, u32),
    /// Seconds of the epoch.
    pub time: i64,
}

/// A block of the configuration.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its file in `etc/conf.d`; none: the configuration itself.
    pub file: Option<&'static str>,
    /// Its directory, below the root.
    pub dir: &'static str,
    /// The names of its logs in there.
    pub logs: Vec<Vec<u8>>,
    /// Its words as they stand in the configuration.
    pub patterns: Vec<Vec<u8>>,
    /// Its lines: name, rest.
    pub lines: Vec<(&'static str, String)>,
    /// How many of them, from the first, stand in a file that the block includes.
    pub included: usize,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The time of the run: seconds of the epoch.
    pub at: i64,
    pub force: bool,
    /// What daemons write before: path, text. A missing file is made.
    pub writes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub zone: Tz,
    pub globals: Vec<(&'static str, String)>,
    /// Which names in `etc/conf.d` are left out: a line, and the names of files that it leaves out.
    pub taboo: Option<(&'static str, &'static str, &'static [&'static str])>,
    /// In the order of the configuration: those of `etc/conf.d` come first.
    pub blocks: Vec<Block>,
    pub entries: Vec<Entry>,
    /// Lines of the state file below the first; none: no state file.
    pub state: Option<Vec<Vec<u8>>>,
    /// Which of these lines is none.
    pub bad_line: Option<usize>,
    /// What these lines say: which line and time is whose.
    pub recorded: BTreeMap<Vec<u8>, (usize, i64)>,
    pub runs: Vec<Run>,
}

const NAMES: &[&[u8]] = &[
    b"app.log",
    b"app.log",
    b"app.log",
    b"b.log",
    b"b.log",
    b"error.log",
    b"messages",
    b"x",
    b"a.log.x",
    b"we ird.log",
    b"\xc3\xa9t\xc3\xa9.log",
    b"\xff\xfe.log",
    b"q\"uote.log",
    b".hidden.log",
    b"a-b_c.log",
    b"app.log.1x",
    b"br[a]cket.log",
    b"semi;colon.log",
    b"new\nline.log",
    b"apo'strophe.log",
    b"back\\slash.log",
    b"$HOME.log",
    b" lead.log",
];

/// Lines that choose the files of `etc/conf.d`, and names that are not read.
const TABOO: &[(&str, &str, &[&str])] = &[
    ("tabooext", " + .skip", &["a.skip", "b.conf.bak"]),
    ("tabooext", " + .skip, .no", &["a.no", "b.conf~"]),
    ("tabooext", " .skip", &["a.skip"]),
    ("taboopat", " + z*.conf", &["zz.conf", "a.rpmsave"]),
    ("taboopat", " + [0-9]*", &["1a", "a.swp"]),
];

impl Case {
    /// The case of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let zone = random.pick(&[
            Tz::UTC,
            Tz::Europe__Berlin,
            Tz::Europe__Berlin,
            Tz::America__New_York,
            Tz::Asia__Kolkata,
            Tz::Australia__Lord_Howe,
        ]);
        let start = start_time(&mut random, zone);
        let mut globals = Vec::new();
        let mut blocks: Vec<Block> = Vec::new();
        let dirs = random.pick::<&[&str]>(&[
            &["logs"],
            &["logs"],
            &["logs"],
            &["logs", "more"],
            &["logs", "logs"],
            &["logs", "more", "third"],
        ]);
        for dir in dirs {
            let is_wild = |b: &Block| b.dir == *dir && b.patterns.iter().any(|p| p[0] == b'*');
            let dir = if blocks.iter().any(is_wild) { &"more" } else { dir };
            let others = blocks.iter().filter(|b| b.dir == *dir);
            let others: Vec<_> = others.flat_map(|b| b.logs.clone()).collect();
            blocks.push(block(&mut random, dir, &others, &mut globals));
        }
        let taboo = random.chance(50).then(|| random.pick(TABOO));
        blocks.sort_by_key(|block| (block.file.is_none(), block.file));
        let mut case = Self {
            seed,
            zone,
            globals,
            taboo,
            blocks,
            entries: Vec::new(),
            state: None,
            bad_line: None,
            recorded: BTreeMap::new(),
            runs: Vec::new(),
        };
        case.add_files(&mut random, start);
        case.add_state(&mut random, start);
        case.add_runs(&mut random, start);
        case
    }

    /// All logs, by their paths below the root.
    pub fn logs(&self) -> Vec<Vec<u8>> {
        let join = |block: &Block, log: &Vec<u8>| [block.dir.as_bytes(), b"/", log].concat();
        self.blocks.iter().flat_map(|b| b.logs.iter().map(move |l| join(b, l))).collect()
    }

    /// The directives that it uses.
    pub fn directives(&self) -> Vec<&'static str> {
        let lines = self.blocks.iter().flat_map(|block| &block.lines).chain(&self.globals);
        let mut names: Vec<_> = lines.map(|(name, _)| *name).collect();
        if self.blocks.iter().any(|block| block.file.is_some()) {
            names.push("include");
            names.extend(self.taboo.map(|(name, ..)| name));
        }
        names
    }

    fn add_state(&mut self, random: &mut Random, start: i64) {
        const AGES: &[i64] = &[
            30, 2_400, 10_800, 50_000, 86_400, 90_000, 90_000, 172_800, 172_800, 600_000, 604_800,
            700_000, 2_700_000, 40_000_000, -1_800, -200_000,
        ];
        if random.chance(12) {
            return;
        }
        let mut lines = Vec::new();
        for log in self.logs() {
            if random.chance(12) {
                continue;
            }
            let seconds = start - random.pick(AGES);
            self.recorded.insert(log.clone(), (lines.len(), seconds));
            let at = self.local(seconds);
            let mut line = b"\"{root}/".to_vec();
            for byte in log {
                match byte {
                    b'"' | b'\\' => line.extend([b'\\', byte]),
                    b'\n' => line.extend(b"\\n"),
                    _ => line.push(byte),
                }
            }
            line.extend(at.format("\" %Y-%-m-%-d-%-H:%-M:%-S").to_string().bytes());
            lines.push(line);
        }
        if random.chance(10) {
            lines.push(b"\"/gone/away.log\" 2023-12-24-18:0:0".to_vec());
        }
        if random.chance(2) {
            let at = usize::try_from(random.below(lines.len() as u64 + 1)).expect("an index");
            let bad =
                random.pick(&[b"\"/bad\" 2024-13-1-0:0:0".as_slice(), b"rubbish", b"\"/x\" never"]);
            lines.insert(at, bad.to_vec());
            self.bad_line = Some(at);
            for (line, _) in self.recorded.values_mut() {
                *line += usize::from(*line >= at);
            }
        }
        self.state = Some(lines);
    }

    fn add_runs(&mut self, random: &mut Random, start: i64) {
        let mut at = start;
        for index in 0..2 + random.below(3) {
            let mut writes = Vec::new();
            for log in self.logs() {
                if index > 0 && random.chance(85) {
                    let name = String::from_utf8_lossy(&log).replace('\n', " ");
                    let more = "w".repeat(random.pick(&[0, 10, 150, 1_200]));
                    let text = format!("run {index} of {name} {more}\n");
                    writes.push((log, text.into_bytes()));
                }
            }
            self.runs.push(Run { at, force: random.chance(25), writes });
            at += random.pick(&[
                20, 600, 3_600, 3_600, 7_200, 86_400, 86_400, 86_400, 86_400, 604_800, 2_678_400,
            ]);
            at += random.pick(&[0, 0, 0, 1_800]);
        }
    }

    /// What the seconds are in the zone of the case.
    pub fn local(&self, at: i64) -> DateTime<Tz> {
        self.zone.timestamp_opt(at, 0).single().expect("a time")
    }
}

/// Some time in 2024 or 2025; often one at which the calendar is interesting.
fn start_time(random: &mut Random, zone: Tz) -> i64 {
    const DAYS: &[(i32, u32, u32)] = &[
        (2024, 3, 30),
        (2024, 3, 31),
        (2024, 10, 26),
        (2024, 10, 27),
        (2024, 3, 9),
        (2024, 11, 2),
        (2024, 4, 6),
        (2024, 10, 5),
        (2024, 2, 28),
        (2024, 2, 29),
        (2024, 12, 30),
        (2024, 12, 31),
        (2025, 3, 29),
    ];
    let start = if random.chance(30) {
        let (year, month, day) = random.pick(DAYS);
        let noon = zone.with_ymd_and_hms(year, month, day, 12, 0, 0).single().expect("noon");
        noon - Duration::hours(12)
    } else {
        zone.timestamp_opt(1_706_000_000, 0).single().expect("a time")
            + Duration::days(random.below(600).cast_signed())
    };
    start.timestamp() + random.below(86_400).cast_signed()
}

fn block(
    random: &mut Random,
    dir: &'static str,
    others: &[Vec<u8>],
    globals: &mut Vec<(&'static str, String)>,
) -> Block {
    let mut lines = Vec::new();
    // Few directives show what each does; many, how they get on with each other.
    let share = random.pick(&[100, 100, 50, 30]);
    for row in ROWS {
        let percent = if row.percent > 90 { row.percent } else { row.percent * share / 100 };
        if random.chance(percent.max(1)) {
            let line = (row.name, (row.argument)(random));
            // Global lines speak for all blocks, so they are fewer.
            let is_for_all = !line.1.contains("{dir}") && !line.1.contains("{other}");
            let is_global = dir == "logs" && random.chance(15) && is_for_all;
            if is_global { globals.push(line) } else { lines.push(line) }
        }
    }
    random.shuffle(&mut lines);
    let mut logs = Vec::new();
    for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
        let name = random.pick(NAMES).to_vec();
        if !logs.contains(&name) && !others.contains(&name) {
            logs.push(name);
        }
    }
    if logs.is_empty() {
        logs.push(b"another.log".to_vec());
    }
    let mut patterns = Vec::new();
    if others.is_empty() && random.chance(20) {
        patterns.push(b"*.log".to_vec());
        logs.retain(|log| log.ends_with(b".log") && !log.starts_with(b"."));
        if logs.is_empty() {
            logs.push(b"app.log".to_vec());
        }
    } else {
        patterns.extend(logs.iter().cloned());
    }
    if random.chance(3) {
        patterns.push(b"*.nothing".to_vec());
    }
    if random.chance(2) {
        patterns.push(patterns[0].clone());
    }
    let file = random.chance(20).then(|| random.pick(&["app", "b.conf", ".hidden"]));
    let included =
        if random.chance(8) { usize::try_from(random.below(4)).expect("small") } else { 0 };
    Block { file, dir, logs, patterns, included: included.min(lines.len()), lines }
}
