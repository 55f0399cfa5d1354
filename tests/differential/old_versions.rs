//! What old versions a run finds.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use super::case::Block;
use super::listed::Moment;
use super::settings::Settings;

/// The endings that compressors give.
const USUAL: &[&str] = &[".gz", ".bz2", ".xz", ".zst", ".Z", ".zip", ".lz4"];

/// Numbers of old versions and the endings that each has.
pub type Slots = BTreeMap<usize, Vec<String>>;

/// Whether this is true for one of the numbered logs of the block.
pub fn versions(
    m: &Moment<'_>,
    block: &Block,
    s: &Settings<'_>,
    test: impl Fn(Slots) -> bool,
) -> bool {
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

pub fn left_plain(slots: &Slots, s: &Settings<'_>) -> bool {
    let plain = |(slot, endings): (&usize, &Vec<String>)| {
        (!s.delay || *slot != s.start || endings.len() > 1) && endings.iter().any(String::is_empty)
    };
    s.compress && !s.dated && slots.iter().any(plain)
}

pub fn other_ending(slots: &Slots, s: &Settings<'_>) -> bool {
    !s.dated && slots.values().flatten().any(|ending| is_other(ending, s))
}

/// Whether a name has an ending of a compressor that is not the policy's.
pub fn is_other(name: &str, s: &Settings<'_>) -> bool {
    let ending = USUAL.iter().find(|ending| name.ends_with(**ending));
    ending.is_some_and(|ending| !s.compress || *ending != s.compress_ending)
}

/// Whether a block with `dateext` has something like an old version of which this is true. The
/// test gets all names in that directory, and the one.
pub fn dated(
    m: &Moment<'_>,
    block: &Block,
    s: &Settings<'_>,
    test: impl Fn(&[String], &str) -> bool,
) -> bool {
    let place = s.place(block.dir);
    let names: Vec<String> =
        m.before.0.keys().map(|path| path.to_string_lossy().into_owned()).collect();
    s.dated
        && m.before.0.keys().any(|path| {
            let name = path.file_name().expect("a name").as_bytes();
            let of_log = |log: &Vec<u8>| name != log && name.starts_with(s.stem(log).0);
            path.parent() == Some(&place)
                && block.logs.iter().any(of_log)
                && test(&names, &path.to_string_lossy())
        })
}

/// Whether a version is there both plain and compressed, or was left plain.
pub fn dated_twin(names: &[String], name: &str, s: &Settings<'_>) -> bool {
    let packed = format!("{name}{}", s.compress_ending);
    s.compress && (names.contains(&packed) || !s.delay && !name.ends_with(&s.compress_ending))
}

pub fn above_a_gap(slots: &Slots, s: &Settings<'_>) -> bool {
    let count = usize::try_from(s.rotate).unwrap_or(usize::MAX / 2).max(1);
    let gap = |slot: usize| (s.start..slot).any(|below| !slots.contains_key(&below));
    !s.dated && slots.keys().any(|slot| *slot <= s.start + count && gap(*slot))
}

/// Whether the slots of all kept versions are in use, and the one above them.
pub fn one_too_many(slots: &Slots, s: &Settings<'_>) -> bool {
    let count = usize::try_from(s.rotate).unwrap_or(0).max(1);
    !s.dated && (s.start..=s.start + count).all(|slot| slots.contains_key(&slot))
}
