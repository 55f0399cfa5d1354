//! The listed differences, as conditions on what a run finds: never on what comes of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::{Offset, TimeZone};

use super::case::{Block, Case};
use super::difference::{Aspect, Item};
use super::old_versions::{
    above_a_gap, dated, dated_twin, is_other, left_plain, one_too_many, other_ending, versions,
};
use super::settings::Settings;
use crate::scene::{Tree, TreeEntry};

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
    /// The exit statuses, theirs and ours, that it explains.
    pub statuses: &'static [(i32, i32)],
    /// Whether the later runs of the case can be compared all the same.
    pub goes_on: bool,
    /// Whether the logs of a block that the item concerns are such ones.
    pub applies: fn(&Moment<'_>, &Block, &Settings<'_>, &Item) -> bool,
}

const ALL: &[Aspect] = &[Aspect::Status, Aspect::Files, Aspect::Records, Aspect::Calls];

/// They fail, or get stuck, where we go on.
const WE_GO_ON: &[(i32, i32)] = &[(1, 0)];
/// Or we fail in a later run: at what we have kept, or because of another name.
const EITHER: &[(i32, i32)] = &[(1, 0), (0, 1)];
/// We are refused what they are allowed.
const WE_FAIL: &[(i32, i32)] = &[(0, 1)];

const fn row(
    id: &'static str,
    statuses: &'static [(i32, i32)],
    applies: fn(&Moment<'_>, &Block, &Settings<'_>, &Item) -> bool,
) -> Listed {
    Listed { id, aspects: ALL, statuses, goes_on: false, applies }
}

/// A row that is about records alone.
const fn record(
    id: &'static str,
    goes_on: bool,
    applies: fn(&Moment<'_>, &Block, &Settings<'_>, &Item) -> bool,
) -> Listed {
    Listed { id, aspects: &[Aspect::Records], statuses: &[], goes_on, applies }
}

/// The rows that such cases can meet.
pub const LISTED: &[Listed] = &[
    record("B-47", false, |_, _, _, item| {
        item.path.as_os_str().as_bytes().iter().any(|c| b"[]*?".contains(c))
    }),
    record("refused-record", true, |m, b, s, _| {
        let dir = &m.before.0[Path::new(b.dir)];
        let refused = dir.mode & 0o002 != 0 || dir.mode & 0o020 != 0 && dir.owner.1 != 0;
        s.su.is_none() && refused && recorded(m, b).any(|(_, at)| m.now() - at > YEAR)
    }),
    // In a case with such an hour this row is found before those of other records: no going on.
    record("ambiguous-hour", false, |m, _, _, _| ambiguous(m)),
    row("B-04", WE_GO_ON, |m, b, s, _| {
        versions(m, b, s, |v| left_plain(&v, s)) || dated(m, b, s, |m, n| dated_twin(m, n, s))
    }),
    row("compress-endings", WE_GO_ON, |m, b, s, _| {
        versions(m, b, s, |v| other_ending(&v, s)) || dated(m, b, s, |_, n| is_other(n, s))
    }),
    row("chain", WE_GO_ON, |m, b, s, _| {
        // Without shared scripts, versions that are logs as well leave gaps.
        versions(m, b, s, |v| above_a_gap(&v, s))
            || matches_old_versions(b, s) && !s.shared && versions(m, b, s, |v| !v.is_empty())
    }),
    row("own-versions", WE_GO_ON, |m, b, s, _| {
        let any = versions(m, b, s, |v| !v.is_empty()) || dated(m, b, s, |_, _| true);
        matches_old_versions(b, s) && s.shared && any
    }),
    row("rotate-0", WE_GO_ON, |m, b, s, _| {
        let is_dated = s.copies && dated(m, b, s, |_, _| true);
        s.rotate == 0 && (is_dated || versions(m, b, s, |v| !v.is_empty()) && !s.dated)
    }),
    row("occupied", WE_GO_ON, |m, b, s, _| occupied(m, b, s)),
    row("D-2", EITHER, |m, b, s, item| {
        s.dated && s.format().contains("%z") && fails_if_that_is_its(m, b, s, item)
    }),
    row("D-2", WE_GO_ON, |m, b, s, item| {
        begun_day(m, b, s)
            || s.rotate == 0 && s.copies && s.mail.is_some()
            || item.aspect == Aspect::Files && default_mode(b, s, item)
    }),
    Listed {
        id: "B-56",
        aspects: &[Aspect::Files],
        statuses: &[],
        goes_on: true,
        applies: |_, b, s, item| made_early(b, s, item),
    },
    row("D-4", WE_GO_ON, |m, b, s, _| {
        s.value("prerotate").is_some()
            && (fails(s)
                || s.value("preremove").is_some()
                || s.mail.is_some()
                || compressor_fails(s)
                || is_denied(m, b, s)
                || b.logs.iter().any(|log| clashes(m, b, s, log)))
    }),
    Listed {
        aspects: &[Aspect::Status],
        ..row("D-5", WE_GO_ON, |_, _, s, _| s.rotate == 0 && s.copies && s.compress)
    },
    // A directory that cannot be made is noticed when the log is rotated, after `firstaction`.
    row("B-56", EITHER, |m, b, s, _| {
        s.is_place_missing() && s.create_old_dir && is_denied(m, b, s)
    }),
    // They look for it while they read the block, and do not know yet that a later one makes it.
    row("B-56", WE_GO_ON, |m, b, s, _| {
        s.is_place_missing()
            && !s.create_old_dir
            && makers(m.case, b, s).any(|maker| maker > index(m.case, b))
    }),
    row("B-50", WE_GO_ON, |_, _, s, _| {
        s.is_place_missing()
            && s.create_old_dir
            && s.su.is_some_and(|ids| ids.0 != 0)
            && s.values("createolddir").any(|value| value.contains(char::is_alphabetic))
    }),
    row("planted-link", EITHER, |m, b, s, _| {
        s.on("allowhardlink") && m.before.0[Path::new(b.dir)].mode & 0o022 != 0
    }),
    row("B-11", WE_FAIL, |m, b, s, item| {
        let sooner =
            s.trigger().0 == "weekly" && spring(m) || s.trigger().0 == "hourly" && ambiguous(m);
        sooner && fails_if_that_is_its(m, b, s, item)
    }),
    row("B-05", WE_GO_ON, |m, b, s, _| s.shared && is_denied(m, b, s)),
    row("B-16", WE_GO_ON, |m, b, s, _| s.shared && (fails(s) || refuses(m, b, s))),
    row("B-48", WE_GO_ON, |m, b, s, _| {
        s.delay && (compressor_fails(s) || s.compress && is_denied(m, b, s))
    }),
    row("B-20", WE_GO_ON, |_, _, s, _| s.copy && s.rename_copy),
    row("B-06", WE_GO_ON, |m, b, s, _| {
        s.rename_copy && (script_fails(s, "postrotate") || is_denied(m, b, s))
    }),
    // What could not be copied is tried again.
    row("B-06", WE_FAIL, |m, b, s, _| m.run > 0 && s.rename_copy && is_denied(m, b, s)),
    row("mail-plain", WE_GO_ON, |m, b, s, _| {
        let is_plain = |name: &str| !name.ends_with(&s.compress_ending);
        s.mail.is_some()
            && s.compress
            && (s.delay
                || versions(m, b, s, |v| left_plain(&v, s))
                || dated(m, b, s, |_, n| is_plain(n)))
    }),
    // A line break in a name is in the subject of the mail.
    Listed {
        aspects: &[Aspect::Calls],
        ..row("subject", &[], |_, b, s, _| {
            s.mail.is_some() && b.logs.iter().any(|log| log.contains(&b'\n'))
        })
    },
    // A later run tries again, and may fail again.
    row("B-42", WE_FAIL, |m, b, s, item| {
        mail_fails(m, b, s)
            && (s.mail_first || removes(m, b, s))
            && (item.aspect != Aspect::Status || m.run > 0)
    }),
    row("postponed", WE_FAIL, |m, b, s, item| {
        (script_fails(s, "preremove") || s.on("shred") && is_denied(m, b, s))
            && removes(m, b, s)
            && (item.aspect != Aspect::Status || m.run > 0)
    }),
    row("B-32", &[], |m, b, _, _| is_behind_a_bad_block(m, b)),
    row("B-07", WE_GO_ON, |_, _, s, _| s.rotate == -1 && s.start == 0 && !s.dated),
    row("B-12", WE_GO_ON, |m, b, _, item| {
        let Some(bad) = m.case.bad_line.filter(|_| m.run == 0) else { return false };
        let lost = |record: &[u8]| {
            m.case.state.iter().flatten().skip(bad + 1).any(|line| line.starts_with(record))
        };
        match item.aspect {
            Aspect::Records if item.dir.is_none() => lost(item.path.as_os_str().as_bytes()),
            _ => recorded(m, b).any(|(line, _)| line > bad),
        }
    }),
    row("B-22", EITHER, |m, b, s, item| {
        let adds = |(name, _): &(&str, String)| *name == "addextension";
        m.case.globals.iter().any(adds)
            && !b.lines.iter().any(adds)
            && fails_if_that_is_its(m, b, s, item)
    }),
    // What they do not find they need not mail or compress.
    row("B-26", WE_FAIL, |m, b, s, item| {
        (s.dated || s.rotate == -1)
            && b.logs.iter().any(|log| log.iter().any(|c| b"[]*?\\".contains(c)))
            && fails_if_that_is_its(m, b, s, item)
    }),
    Listed {
        aspects: &[Aspect::Files, Aspect::Calls],
        ..row("B-28", &[], |m, b, s, _| b.logs.iter().any(|log| clashes(m, b, s, log)))
    },
    Listed {
        aspects: &[Aspect::Status, Aspect::Calls],
        ..row("B-43", WE_GO_ON, |m, b, s, _| {
            (s.value("preremove").is_some() || s.mail.is_some() || s.on("shred"))
                && versions(m, b, s, |v| one_too_many(&v, s))
        })
    },
    // What they do not do for it cannot fail.
    Listed {
        aspects: &[Aspect::Status],
        ..row("B-43", WE_FAIL, |m, b, s, _| {
            let shred_fails = s.on("shred") && is_denied(m, b, s);
            (script_fails(s, "preremove") || mail_fails(m, b, s) || shred_fails)
                && versions(m, b, s, |v| one_too_many(&v, s))
        })
    },
    // If what is below it has expired, they do not run into it; then a failure later spares it.
    Listed {
        aspects: &[Aspect::Files],
        ..row("B-43", &[], |m, b, s, _| {
            s.value("maxage").is_some()
                && (compressor_fails(s) || fails(s) || mail_fails(m, b, s))
                && versions(m, b, s, |v| one_too_many(&v, s))
        })
    },
    row("B-14", WE_FAIL, |m, b, s, _| {
        s.su.is_some_and(|ids| {
            of_block(m, b, s).any(|entry| rights(entry, ids, true) != rights(entry, ids, false))
        })
    }),
    record("B-46", false, |m, b, s, _| {
        fails(s)
            || s.shared && (refuses(m, b, s) || b.logs.iter().any(|log| clashes(m, b, s, log)))
            || is_denied(m, b, s)
    }),
];

/// The mean year after which a record is dropped whose log was not seen, in seconds.
const YEAR: i64 = 31_556_926;

impl Moment<'_> {
    fn now(&self) -> i64 {
        self.case.runs[self.run].at
    }
}

/// The block with only those logs that an item is about: all of them if scripts are shared.
pub fn concerned(block: &Block, s: &Settings<'_>, item: &Item) -> Block {
    let name = item.path.file_name().unwrap_or_default().as_bytes();
    let is_of = |log: &Vec<u8>| match item.aspect {
        Aspect::Files | Aspect::Attributes => name.starts_with(s.stem(log).0),
        Aspect::Records => name == [&log[..], b"\""].concat(),
        Aspect::Status | Aspect::Calls => true,
    };
    let mut logs: Vec<_> = block.logs.iter().filter(|log| is_of(log)).cloned().collect();
    if s.shared || logs.is_empty() {
        logs.clone_from(&block.logs);
    }
    Block { logs, ..block.clone() }
}

/// The directories of a block, its logs, and what has names like them.
fn of_block<'a>(
    m: &'a Moment<'_>,
    block: &'a Block,
    s: &'a Settings<'_>,
) -> impl Iterator<Item = &'a TreeEntry> {
    let place = s.place(block.dir);
    let is_of = move |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let dir = path.parent().unwrap_or(path);
        path == Path::new(block.dir)
            || path == place
            || (dir == Path::new(block.dir) || dir == place)
                && block.logs.iter().any(|log| name.starts_with(s.stem(log).0))
    };
    m.before.0.iter().filter(move |(path, _)| is_of(path)).map(|(_, entry)| entry)
}

/// Whether the user of `su` may not do all with all of this, and with what the run finds beside it.
fn is_denied(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    let is_new = |log: &Vec<u8>| {
        let path = [block.dir.as_bytes(), b"/", log].concat();
        !m.before.0.contains_key(Path::new(OsStr::from_bytes(&path)))
            && m.case.runs[m.run].writes.iter().any(|(made, _)| *made == path)
    };
    s.su.is_some_and(|ids| {
        of_block(m, block, s).any(|entry| rights(entry, ids, false) != 7)
            // Its daemon has made it as root.
            || ids.0 != 0 && block.logs.iter().any(is_new)
    })
}

/// Whether a wildcard of the block matches the old versions of its logs.
fn matches_old_versions(block: &Block, s: &Settings<'_>) -> bool {
    let ends_alike = |log: &Vec<u8>| s.stem(log).1 == ".log" && s.old_dir.is_none();
    block.patterns.iter().any(|p| p == b"*.log") && block.logs.iter().any(ends_alike)
}

/// What a user may do with a directory, or with a file, where executing counts as allowed. With the
/// group of root beside the user's own, or without.
fn rights(entry: &TreeEntry, (user, group): (u32, u32), and_root: bool) -> u32 {
    let (owner, of) = entry.owner;
    let bits = match user {
        0 => 7,
        _ if owner == user => entry.mode >> 6,
        _ if of == group || of == 0 && and_root => entry.mode >> 3,
        _ => entry.mode,
    };
    let is_dir = entry.mode & 0o170_000 == 0o040_000;
    if is_dir { bits & 7 } else { bits & 7 | 1 }
}

/// The lines of the state for the logs of the block, and their times.
fn recorded<'a>(m: &'a Moment<'_>, block: &'a Block) -> impl Iterator<Item = (usize, i64)> + 'a {
    let path = |log: &Vec<u8>| [block.dir.as_bytes(), b"/", log].concat();
    block.logs.iter().filter_map(move |log| m.case.recorded.get(&path(log)).copied())
}

/// Whether something may be removed: an old version, or the plain file once it is compressed.
fn removes(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    m.run > 0
        || s.rotate == 0
        || s.compress
        || versions(m, block, s, |v| !v.is_empty())
        || dated(m, block, s, |_, _| true)
}

/// Whether the directory of old versions, or one on the way to it, is what differs.
fn is_place(block: &Block, s: &Settings<'_>, item: &Item) -> bool {
    s.is_place_missing() && s.create_old_dir && s.place(block.dir).starts_with(&item.path)
}

/// Whether 3.21 may have made it while it read the configuration.
fn made_early(block: &Block, s: &Settings<'_>, item: &Item) -> bool {
    is_place(block, s, item)
}

/// Whether it is made without a mode being named.
fn default_mode(block: &Block, s: &Settings<'_>, item: &Item) -> bool {
    is_place(block, s, item)
        && s.values("createolddir").all(|value| !value.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether an earlier block of the same file cannot have the directory for old versions that it names.
fn is_behind_a_bad_block(m: &Moment<'_>, block: &Block) -> bool {
    let case = m.case;
    let is_bad = |other: &&Block| {
        let s = Settings::of(case, other);
        let elsewhere = s.old_dir == Some("{other}") && !s.copies && !s.rename_copy;
        // They make it while they read.
        let owner = s.values("createolddir").any(|value| value.contains(char::is_alphabetic));
        let is_lowered = owner && s.su.is_some_and(|ids| ids.0 != 0);
        let unmade = if s.create_old_dir {
            is_denied(m, other, &s) || is_lowered
        } else {
            !makers(case, other, &s).any(|maker| maker < index(case, other))
        };
        s.is_place_missing() && unmade || elsewhere
    };
    let before = case.blocks.iter().take(index(case, block));
    before.filter(|other| other.file == block.file).any(|other| is_bad(&other))
}

/// The place of a block in the configuration.
fn index(case: &Case, block: &Block) -> usize {
    let same = |b: &Block| b.dir == block.dir && b.patterns == block.patterns;
    case.blocks.iter().position(same).unwrap_or(0)
}

/// The blocks that make the directory for old versions of this one.
fn makers<'a>(
    case: &'a Case,
    block: &Block,
    s: &Settings<'_>,
) -> impl Iterator<Item = usize> + use<'a> {
    let place = s.place(block.dir);
    (0..).zip(&case.blocks).filter_map(move |(at, other)| {
        let of = Settings::of(case, other);
        (of.create_old_dir && of.place(other.dir).starts_with(&place)).then_some(at)
    })
}

/// Whether this script of the block fails.
fn script_fails(s: &Settings<'_>, name: &str) -> bool {
    s.value(name).is_some_and(|text| text.contains("exit 3"))
}

/// Whether mail fails: to such an address, or because what was not packed by gzip cannot be unpacked.
fn mail_fails(m: &Moment<'_>, block: &Block, s: &Settings<'_>) -> bool {
    let fails =
        |to: &str| to.starts_with("fail") || s.compress && !s.packs() || is_denied(m, block, s);
    s.mail.is_some_and(fails)
}

/// Whether an item that is the exit status can come of another time or name of the new version: only if
/// something fails then, or does not.
fn fails_if_that_is_its(m: &Moment<'_>, block: &Block, s: &Settings<'_>, item: &Item) -> bool {
    item.aspect != Aspect::Status
        || fails(s)
        || script_fails(s, "lastaction")
        || compressor_fails(s)
        || mail_fails(m, block, s)
        || is_denied(m, block, s)
        || occupied(m, block, s)
        // The name may be that of a file.
        || dated(m, block, s, |_, _| true)
}

/// Whether the command that compresses fails; `cat` does if it is told a level.
fn compressor_fails(s: &Settings<'_>) -> bool {
    let level = s.value("compressoptions").is_some_and(|words| words.contains(['1', '9']));
    match s.value("compresscmd") {
        Some("/bin/false") => true,
        Some("/bin/cat") => level,
        _ => false,
    }
}

/// Whether a script of the block fails.
fn fails(s: &Settings<'_>) -> bool {
    ["firstaction", "prerotate", "postrotate", "preremove"].iter().any(|name| script_fails(s, name))
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
        let name = path.file_name().expect("a name").as_bytes();
        let of_log = |log: &Vec<u8>| name.starts_with(s.stem(log).0);
        path.starts_with(s.place(block.dir))
            && block.logs.iter().any(of_log)
            && age.div_euclid(86_400) == days
    })
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
