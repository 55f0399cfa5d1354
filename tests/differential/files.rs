//! The files of a case: logs, old versions, and what else lies beside them.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

use super::case::{Block, Case, Entry, Thing};
use super::random::Random;
use super::settings::Settings;

/// Files beside the logs that are none of their versions.
pub const FOREIGN: &[&[u8]] =
    &[b".md5", b".1.md5", b".bak", b".1.gz.tmp", b"-notadate", b".2.offset", b".old", b"2"];

const OWNERS: &[(u32, u32)] = &[(0, 0), (0, 0), (0, 0), (1000, 1000), (33, 33), (0, 4)];
const MODES: &[u32] = &[0o644, 0o644, 0o640, 0o600, 0o664, 0o400];

impl Case {
    /// Makes up its files.
    pub(super) fn add_files(&mut self, random: &mut Random, start: i64) {
        let mut entries = Vec::new();
        for block in &self.blocks {
            let su = Settings::of(self, block).su;
            let mode = match su {
                Some(_) => random.pick(&[0o755, 0o755, 0o775, 0o777, 0o700]),
                None => random
                    .pick(&[0o755; 30].iter().copied().chain([0o775, 0o777]).collect::<Vec<u32>>()),
            };
            let group = if mode == 0o775 && random.chance(50) { 4 } else { 0 };
            let owner = match su {
                Some(ids) if random.chance(85) => ids,
                _ => (0, group),
            };
            let dir = |path: String| Entry {
                path: path.into_bytes(),
                thing: Thing::Dir,
                mode: 0o755,
                owner,
                time: start,
            };
            entries.push(Entry { mode, ..dir(block.dir.into()) });
            entries.push(dir(format!("{}/old", block.dir)));
            entries.push(dir(format!("other/{}", block.dir)));
            for log in &block.logs {
                files_of(random, start, self, block, log, &mut entries);
            }
        }
        let mut seen = BTreeSet::new();
        entries.retain(|entry| seen.insert(entry.path.clone()));
        self.entries = entries;
    }
}

fn files_of(
    random: &mut Random,
    start: i64,
    case: &Case,
    block: &Block,
    log: &[u8],
    entries: &mut Vec<Entry>,
) {
    let settings = Settings::of(case, block);
    let dir = block.dir.as_bytes();
    let mut put = |random: &mut Random, path: Vec<u8>, thing: Thing, age: i64| {
        let mode = random.pick(MODES);
        let owner = settings.su.filter(|_| random.chance(80)).unwrap_or(random.pick(OWNERS));
        entries.push(Entry { path, thing, mode, owner, time: start - age });
    };
    let path = [dir, b"/", log].concat();
    let text = |random: &mut Random, what: &str| {
        let name = String::from_utf8_lossy(log).replace('\n', " ");
        format!(
            "{what} of {}/{name} {}\n",
            block.dir,
            ".".repeat(random.pick(&[0, 20, 120, 1_100]))
        )
        .into_bytes()
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
    // What is made later has nothing in it yet.
    let counts: &[u64] = if settings.is_place_missing() { &[0] } else { &[0, 0, 1, 2, 3, 4, 5] };
    let count = usize::try_from(random.pick(counts)).expect("small");
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
        let content = text(random, &format!("version {age}"));
        let thing = match random.below(150) {
            0 => Thing::Dir,
            1 => Thing::Symlink("elsewhere"),
            _ if !other.is_empty() && settings.packs() => Thing::File(packed(&content)),
            _ => Thing::File(content),
        };
        put(random, name.clone(), thing, days + 50);
        if random.chance(1) {
            let twin = [&name[..], b".gz"].concat();
            let content = text(random, "twin");
            put(random, twin, Thing::File(packed(&content)), days + 50);
        }
    }
    if random.chance(12) && !settings.is_place_missing() {
        let name = [place, b"/", log, random.pick(FOREIGN)].concat();
        let content = text(random, "foreign");
        put(random, name, Thing::File(content), 5_000_000);
    }
}

fn packed(text: &[u8]) -> Vec<u8> {
    // Stored as it is: that costs nothing, and every reader takes it.
    let level = libdeflater::CompressionLvl::new(0).expect("a level");
    let mut gzip = libdeflater::Compressor::new(level);
    let mut packed = vec![0; gzip.gzip_compress_bound(text.len())];
    let size = gzip.gzip_compress(text, &mut packed).expect("room enough");
    packed.truncate(size);
    packed
}
