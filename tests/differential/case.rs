//! A case: a configuration, files, a state, and some runs; all of it from one seed.

use std::os::unix::ffi::OsStrExt;

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
    /// Its directory, below the root.
    pub dir: &'static str,
    /// The names of its logs in there.
    pub logs: Vec<Vec<u8>>,
    /// Its words as they stand in the configuration.
    pub patterns: Vec<Vec<u8>>,
    /// Its lines: name, rest.
    pub lines: Vec<(&'static str, String)>,
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
    pub blocks: Vec<Block>,
    pub entries: Vec<Entry>,
    /// Lines of the state file below the first; none: no state file.
    pub state: Option<Vec<Vec<u8>>>,
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
];

/// Files beside the logs that are none of their versions.
const FOREIGN: &[&[u8]] =
    &[b".md5", b".1.md5", b".bak", b".1.gz.tmp", b"-notadate", b".2.offset", b".old", b"2"];

const OWNERS: &[(u32, u32)] = &[(0, 0), (0, 0), (0, 0), (1000, 1000), (33, 33), (0, 4)];
const MODES: &[u32] = &[0o644, 0o644, 0o640, 0o600, 0o664, 0o400];

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
        let mut blocks = Vec::new();
        let dirs: &[&str] = if random.chance(25) { &["logs", "more"] } else { &["logs"] };
        for dir in dirs {
            blocks.push(block(&mut random, dir, &mut globals));
        }
        let mut case = Self {
            seed,
            zone,
            globals,
            blocks,
            entries: Vec::new(),
            state: None,
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

    /// The configuration; `root` is where the case lives.
    pub fn config(&self, root: &str) -> Vec<u8> {
        let mut text = Vec::new();
        let lines = |text: &mut Vec<u8>, lines: &[(&str, String)], indent: &str, dir: &str| {
            for (name, rest) in lines {
                let rest = rest
                    .replace("{dir}", &format!("{root}/{dir}"))
                    .replace("{out}", &format!("{root}/out"));
                text.extend(format!("{indent}{name}{rest}\n").bytes());
            }
        };
        lines(&mut text, &self.globals, "", "logs");
        for block in &self.blocks {
            for pattern in &block.patterns {
                let mut word = format!("{root}/{}/", block.dir).into_bytes();
                for &byte in pattern {
                    if byte == b'"' {
                        word.push(b'\\');
                    }
                    word.push(byte);
                }
                // No blank before the brace: 3.21 would keep it in the pattern (D-1).
                text.extend([b" \"".as_slice(), &word, b"\""].concat());
            }
            text.extend(b"{\n");
            lines(&mut text, &block.lines, "    ", block.dir);
            text.extend(b"}\n");
        }
        text
    }

    /// The state file, if there is one.
    pub fn state(&self, root: &str) -> Option<Vec<u8>> {
        let mut text = b"logrotate state -- version 2\n".to_vec();
        for line in self.state.as_ref()? {
            let at = line.windows(6).position(|w| w == b"{root}");
            match at {
                Some(at) => text.extend([&line[..at], root.as_bytes(), &line[at + 6..]].concat()),
                None => text.extend(line),
            }
            text.push(b'\n');
        }
        Some(text)
    }

    fn add_files(&mut self, random: &mut Random, start: i64) {
        let mut entries = Vec::new();
        for block in &self.blocks {
            let mode = random
                .pick(&[0o755; 30].iter().copied().chain([0o775, 0o777]).collect::<Vec<u32>>());
            let group = if mode == 0o775 && random.chance(50) { 4 } else { 0 };
            let dir = |path: String| Entry {
                path: path.into_bytes(),
                thing: Thing::Dir,
                mode: 0o755,
                owner: (0, 0),
                time: start,
            };
            entries.push(Entry { mode, owner: (0, group), ..dir(block.dir.into()) });
            entries.push(dir(format!("{}/old", block.dir)));
            for log in &block.logs {
                files_of(random, start, self, block, log, &mut entries);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        entries.retain(|entry| seen.insert(entry.path.clone()));
        self.entries = entries;
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
            let at =
                self.zone.timestamp_opt(start - random.pick(AGES), 0).single().expect("a time");
            let mut line = b"\"{root}/".to_vec();
            for byte in log {
                if byte == b'"' {
                    line.push(b'\\');
                }
                line.push(byte);
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
        }
        self.state = Some(lines);
    }

    fn add_runs(&mut self, random: &mut Random, start: i64) {
        let mut at = start;
        for index in 0..2 + random.below(3) {
            let mut writes = Vec::new();
            for log in self.logs() {
                if index > 0 && random.chance(85) {
                    let text =
                        format!("run {index} {}\n", "w".repeat(random.pick(&[0, 10, 150, 1_200])));
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
    globals: &mut Vec<(&'static str, String)>,
) -> Block {
    let mut lines = Vec::new();
    for row in ROWS {
        if random.chance(row.percent) {
            let line = (row.name, (row.argument)(random));
            // Global lines speak for all blocks, so they are fewer.
            if dir == "logs" && random.chance(15) { globals.push(line) } else { lines.push(line) }
        }
    }
    random.shuffle(&mut lines);
    let mut logs = Vec::new();
    for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
        let name = random.pick(NAMES).to_vec();
        if !logs.contains(&name) {
            logs.push(name);
        }
    }
    let mut patterns = Vec::new();
    if random.chance(20) {
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
    Block { dir, logs, patterns, lines }
}

fn files_of(
    random: &mut Random,
    start: i64,
    case: &Case,
    block: &Block,
    log: &[u8],
    entries: &mut Vec<Entry>,
) {
    let settings = super::settings::Settings::of(case, block);
    let dir = block.dir.as_bytes();
    let mut put = |random: &mut Random, path: Vec<u8>, thing: Thing, age: i64| {
        let (mode, owner) = (random.pick(MODES), random.pick(OWNERS));
        entries.push(Entry { path, thing, mode, owner, time: start - age });
    };
    let path = [dir, b"/", log].concat();
    let text = |random: &mut Random, what: &str| {
        let name = String::from_utf8_lossy(log);
        format!("{what} of {name} {}\n", ".".repeat(random.pick(&[0, 20, 120, 1_100]))).into_bytes()
    };
    match random.below(100) {
        0..5 => {}
        5..13 => put(random, path.clone(), Thing::File(Vec::new()), 500),
        13..15 => put(random, path.clone(), Thing::Symlink("elsewhere"), 500),
        15..18 => {
            let content = text(random, "log");
            put(random, path.clone(), Thing::File(content), 500);
            put(random, [&path[..], b".link"].concat(), Thing::HardLink(path.clone()), 500);
        }
        _ => {
            let content = text(random, "log");
            let age = random.pick(&[0, 100, 100, 90_000, 300_000]);
            put(random, path.clone(), Thing::File(content), age);
        }
    }
    let place = settings.place(block.dir);
    let place = place.as_os_str().as_bytes();
    let (stem, ending) = settings.stem(log);
    let usual = |age: usize| {
        if settings.compress && !(settings.delay && age == 0) {
            settings.compress_ending.as_str()
        } else {
            ""
        }
    };
    let count = usize::try_from(random.pick(&[0_u64, 0, 1, 2, 3, 4, 5])).expect("small");
    let gap = if random.chance(7) { usize::try_from(random.below(4)).expect("small") } else { 99 };
    for age in 0..count {
        if age == gap {
            continue;
        }
        let days = 86_400 * (i64::try_from(age).expect("small") + 1);
        let middle = if settings.dated {
            settings.suffix(case.local(start - days))
        } else {
            format!(".{}", age + settings.start)
        };
        let other = if random.chance(2) { random.pick(&["", ".gz", ".xz"]) } else { usual(age) };
        let name =
            [place, b"/", stem, middle.as_bytes(), ending.as_bytes(), other.as_bytes()].concat();
        let thing = match random.below(150) {
            0 => Thing::Dir,
            1 => Thing::Symlink("elsewhere"),
            _ => Thing::File(text(random, &format!("version {age}"))),
        };
        put(random, name.clone(), thing, days + 50);
        if random.chance(1) {
            let twin = [&name[..], b".gz"].concat();
            let content = text(random, "twin");
            put(random, twin, Thing::File(content), days + 50);
        }
    }
    if random.chance(12) {
        let name = [place, b"/", log, random.pick(FOREIGN)].concat();
        let content = text(random, "foreign");
        put(random, name, Thing::File(content), 5_000_000);
    }
}
