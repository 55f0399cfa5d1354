//! The listed differences, as conditions on what a run finds: never on what comes of it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::{Offset, TimeZone};

use super::case::{Block, Case};
use super::settings::Settings;
use crate::scene::Tree;

/// What can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    Status,
    Files,
    Records,
    Calls,
}

/// What a run finds.
pub struct Moment<'a> {
    pub case: &'a Case,
    /// The number of the run.
    pub run: usize,
    pub before: &'a Tree,
}

/// A row of `docs/differences.md`.
pub struct Listed {
    pub id: &'static str,
    /// What it may change.
    pub aspects: &'static [Aspect],
    /// Whether a block or log of the case is such a one.
    pub applies: fn(&Moment<'_>, &Block, &Settings<'_>) -> bool,
}

const ALL: &[Aspect] = &[Aspect::Status, Aspect::Files, Aspect::Records, Aspect::Calls];

/// The rows that such cases can meet.
pub const LISTED: &[Listed] = &[
    Listed {
        id: "B-04",
        aspects: ALL,
        applies: |m, b, s| {
            versions(m, b, s, |v| left_plain(&v, s)) || dated(m, b, s, |m, n| dated_twin(m, n, s))
        },
    },
    Listed {
        id: "compress-endings",
        aspects: ALL,
        applies: |m, b, s| {
            versions(m, b, s, |v| other_ending(&v, s)) || dated(m, b, s, |_, n| is_other(n, s))
        },
    },
    Listed {
        id: "chain",
        aspects: ALL,
        applies: |m, b, s| versions(m, b, s, |v| above_a_gap(&v, s)),
    },
    Listed {
        id: "rotate-0",
        aspects: ALL,
        applies: |m, b, s| {
            s.rotate == 0 && (versions(m, b, s, |v| !v.is_empty()) || dated(m, b, s, |_, _| true))
        },
    },
    Listed { id: "occupied", aspects: ALL, applies: occupied },
    Listed {
        id: "D-2",
        aspects: ALL,
        applies: |m, b, s| begun_day(m, b, s) || s.dated && s.format().contains("%z"),
    },
    Listed {
        id: "D-4",
        aspects: ALL,
        applies: |m, b, s| {
            s.value("prerotate").is_some()
                && (fails(s)
                    || s.value("preremove").is_some()
                    || s.value("compresscmd") == Some("/bin/false")
                    || b.logs.iter().any(|log| clashes(m, b, s, log)))
        },
    },
    Listed {
        id: "D-5",
        aspects: &[Aspect::Status],
        applies: |_, _, s| s.rotate == 0 && s.copies && s.compress,
    },
    Listed { id: "B-11", aspects: ALL, applies: |m, _, s| s.trigger().0 == "weekly" && spring(m) },
    Listed {
        id: "B-16",
        aspects: ALL,
        applies: |m, b, s| s.shared && (fails(s) || refuses(m, b, s)),
    },
    Listed {
        id: "B-48",
        aspects: ALL,
        applies: |_, _, s| s.delay && s.value("compresscmd") == Some("/bin/false"),
    },
    Listed {
        id: "postponed",
        aspects: ALL,
        applies: |_, _, s| s.value("preremove").is_some_and(|text| text.contains("exit 3")),
    },
    Listed {
        id: "B-32",
        aspects: ALL,
        applies: |m, _, s| s.old_dir == Some("missing") && m.case.blocks.len() > 1,
    },
    Listed {
        id: "B-07",
        aspects: ALL,
        applies: |_, _, s| s.rotate == -1 && s.start == 0 && !s.dated,
    },
    Listed {
        id: "B-12",
        aspects: ALL,
        applies: |m, _, _| {
            m.run == 0
                && m.case.state.iter().flatten().any(|l| {
                    !l.contains(&b'/') || l.starts_with(b"\"/bad") || l.starts_with(b"\"/x")
                })
        },
    },
    Listed {
        id: "B-22",
        aspects: ALL,
        applies: |m, b, _| {
            let adds = |(name, _): &(&str, String)| *name == "addextension";
            m.case.globals.iter().any(adds) && !b.lines.iter().any(adds)
        },
    },
    Listed {
        id: "B-26",
        aspects: ALL,
        applies: |_, b, s| {
            (s.dated || s.rotate == -1)
                && b.logs.iter().any(|log| log.iter().any(|c| b"[]*?".contains(c)))
        },
    },
    Listed {
        id: "B-28",
        aspects: &[Aspect::Files, Aspect::Calls],
        applies: |m, b, s| s.compress && s.delay && b.logs.iter().any(|log| clashes(m, b, s, log)),
    },
    Listed {
        id: "B-43",
        aspects: &[Aspect::Status, Aspect::Calls],
        applies: |m, b, s| {
            s.value("preremove").is_some() && versions(m, b, s, |v| one_too_many(&v, s))
        },
    },
    Listed {
        id: "B-46",
        aspects: &[Aspect::Records],
        applies: |m, b, s| fails(s) || s.shared && refuses(m, b, s),
    },
    Listed {
        id: "B-47",
        aspects: &[Aspect::Records],
        applies: |_, b, _| b.patterns.iter().flatten().any(|c| b"[]*?".contains(c)),
    },
    Listed {
        id: "refused-record",
        aspects: &[Aspect::Records],
        applies: |m, b, _| {
            let dir = &m.before.0[Path::new(b.dir)];
            dir.mode & 0o002 != 0 || dir.mode & 0o020 != 0 && dir.owner.1 != 0
        },
    },
    Listed { id: "ambiguous-hour", aspects: &[Aspect::Records], applies: |m, _, _| ambiguous(m) },
];

/// Whether a script of the block fails.
fn fails(s: &Settings<'_>) -> bool {
    ["firstaction", "prerotate", "postrotate", "preremove"]
        .iter()
        .any(|name| s.value(name).is_some_and(|text| text.contains("exit 3")))
}

/// Whether the name of today's version is that of a file already.
fn clashes(m: &Moment<'_>, block: &Block, s: &Settings<'_>, log: &[u8]) -> bool {
    let (stem, ending) = s.stem(log);
    let date = s.suffix(m.case.local(m.case.runs[m.run].at));
    let name = [stem, date.as_bytes(), ending.as_bytes()].concat();
    let packed = [&name[..], s.compress_ending.as_bytes()].concat();
    let there =
        |name: &[u8]| m.before.0.contains_key(&s.place(block.dir).join(OsStr::from_bytes(name)));
    s.dated && (there(&name) || there(&packed))
}

/// Whether a log of the block cannot be looked after, or a pattern without `missingok` matches none.
fn refuses(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    let in_vain = |p: &Vec<u8>| p.contains(&b'[') || p.ends_with(b"*.nothing");
    !s.missing_ok && block.patterns.iter().any(in_vain)
        || block.logs.iter().any(|log| refused(m, block, s, log))
}

/// Whether a log is missing, or not one that may be rotated.
fn refused(m: &Moment<'_>, block: &Block, s: &Settings<'_>, log: &[u8]) -> bool {
    let path = [block.dir.as_bytes(), b"/", log].concat();
    let linked = [&path[..], b".link"].concat();
    let there = |path: &[u8]| m.before.0.get(Path::new(OsStr::from_bytes(path)));
    match there(&path) {
        None => !s.missing_ok && !m.case.runs[m.run].writes.iter().any(|(made, _)| *made == path),
        Some(entry) => {
            entry.mode & 0o170_000 != 0o100_000
                || !s.on("allowhardlink") && there(&linked).is_some()
        }
    }
}

/// Whether something that is no file has the name of a version.
fn occupied(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    m.before.0.iter().any(|(path, entry)| {
        let name = path.file_name().expect("a name").as_bytes();
        let of_log = |log: &Vec<u8>| name.len() > log.len() && name.starts_with(s.stem(log).0);
        entry.mode & 0o170_000 != 0o100_000 && block.logs.iter().any(of_log)
    })
}

/// Whether a version is a part of a day older than `maxage`.
fn begun_day(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    let Some(days) = s.value("maxage").and_then(|v| v.parse::<i64>().ok()) else { return false };
    m.before.0.iter().any(|(path, entry)| {
        let age = m.case.runs[m.run].at - entry.written.0;
        path.starts_with(block.dir) && age.div_euclid(86_400) == days
    })
}

/// The endings that compressors give.
const USUAL: &[&str] = &[".gz", ".bz2", ".xz", ".zst", ".Z", ".zip", ".lz4"];

/// Numbers of old versions and the endings that each has.
type Slots = BTreeMap<usize, Vec<String>>;

/// Whether this is true for one of the numbered logs of the block.
fn versions(m: &Moment<'_>, block: &Block, s: &Settings<'_>, test: impl Fn(Slots) -> bool) -> bool {
    block.logs.iter().any(|log| test(slots(m, block, s, log)))
}

fn slots(m: &Moment<'_>, block: &Block, s: &Settings<'_>, log: &[u8]) -> Slots {
    let mut slots = Slots::new();
    let (stem, ending) = s.stem(log);
    let place = s.place(block.dir);
    for path in m.before.0.keys() {
        if path.parent() != Some(&place) {
            continue;
        }
        let name = path.file_name().expect("a name").as_bytes();
        let Some(rest) = name.strip_prefix(stem) else { continue };
        let rest = String::from_utf8_lossy(rest);
        let Some(rest) = rest.strip_prefix('.') else { continue };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Ok(number) = rest[..digits].parse() else { continue };
        if let Some(last) = rest[digits..].strip_prefix(ending)
            && (last.is_empty() || last == s.compress_ending || USUAL.contains(&last))
        {
            slots.entry(number).or_default().push(last.to_owned());
        }
    }
    slots
}

fn left_plain(slots: &Slots, s: &Settings<'_>) -> bool {
    let plain = |(slot, endings): (&usize, &Vec<String>)| {
        (!s.delay || *slot != s.start || endings.len() > 1) && endings.iter().any(String::is_empty)
    };
    s.compress && !s.dated && slots.iter().any(plain)
}

fn other_ending(slots: &Slots, s: &Settings<'_>) -> bool {
    !s.dated && slots.values().flatten().any(|ending| is_other(ending, s))
}

/// Whether a name has an ending of a compressor that is not the policy's.
fn is_other(name: &str, s: &Settings<'_>) -> bool {
    let ending = USUAL.iter().find(|ending| name.ends_with(**ending));
    ending.is_some_and(|ending| !s.compress || *ending != s.compress_ending)
}

/// Whether a block with `dateext` has something like an old version of which this is true. The
/// test gets all names in that directory, and the one.
fn dated(
    m: &Moment<'_>,
    block: &Block,
    s: &Settings<'_>,
    test: impl Fn(&[String], &str) -> bool,
) -> bool {
    let names: Vec<String> =
        m.before.0.keys().map(|path| path.to_string_lossy().into_owned()).collect();
    s.dated
        && m.before.0.keys().any(|path| {
            let name = path.file_name().expect("a name").as_bytes();
            let of_log = |log: &Vec<u8>| name != log && name.starts_with(s.stem(log).0);
            path.starts_with(block.dir)
                && block.logs.iter().any(of_log)
                && test(&names, &path.to_string_lossy())
        })
}

/// Whether a version is there both plain and compressed, or was left plain.
fn dated_twin(names: &[String], name: &str, s: &Settings<'_>) -> bool {
    let packed = format!("{name}{}", s.compress_ending);
    s.compress && (names.contains(&packed) || !s.delay && !name.ends_with(&s.compress_ending))
}

fn above_a_gap(slots: &Slots, s: &Settings<'_>) -> bool {
    let count = usize::try_from(s.rotate).unwrap_or(usize::MAX / 2).max(1);
    let gap = |slot: usize| (s.start..slot).any(|below| !slots.contains_key(&below));
    !s.dated && slots.keys().any(|slot| *slot <= s.start + count && gap(*slot))
}

/// Whether the slots of all kept versions are in use, and the one above them.
fn one_too_many(slots: &Slots, s: &Settings<'_>) -> bool {
    let count = usize::try_from(s.rotate).unwrap_or(0).max(1);
    !s.dated && (s.start..=s.start + count).all(|slot| slots.contains_key(&slot))
}

/// Whether the clock went forward in the days before the run.
fn spring(m: &Moment<'_>) -> bool {
    let offset = |at: i64| m.case.local(at).offset().fix().local_minus_utc();
    let now = m.case.runs[m.run].at;
    offset(now) > offset(now - 8 * 86_400)
}

fn ambiguous(m: &Moment<'_>) -> bool {
    let double = |at: i64| {
        let local = m.case.local(at).naive_local();
        m.case.zone.from_local_datetime(&local).latest().map(|t| t.offset().fix())
            != m.case.zone.from_local_datetime(&local).earliest().map(|t| t.offset().fix())
    };
    m.case.runs[..=m.run]
        .iter()
        .any(|run| double(run.at) || double(run.at - run.at.rem_euclid(3600)))
}
