//! What holds for our program in every case, whatever theirs does: no line is lost that the
//! configuration keeps, and nothing is touched that is no log and no old version.

use std::collections::BTreeSet;
use std::path::Path;

use super::case::{Block, Case};
use super::difference::unpacked;
use super::files::FOREIGN;
use super::settings::Settings;
use super::world::Seen;
use crate::scene::{Tree, TreeEntry};

/// What a run has lost, in words.
pub fn lost(case: &Case, before: &Tree, seen: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: BTreeSet<Vec<u8>> = seen.tree.0.values().flat_map(lines).collect();
    // `cat -n` numbers them.
    let numbered: Vec<_> = left.iter().filter_map(|line| without_number(line)).collect();
    left.extend(numbered);
    for block in &case.blocks {
        let settings = Settings::of(case, block);
        let mut kept: Vec<Vec<u8>> = Vec::new();
        if keeps_all(&settings) {
            kept.extend(before.0.values().flat_map(lines));
        }
        if settings.rotate != 0 {
            kept.extend(
                logs(block).filter_map(|log| before.0.get(Path::new(&log))).flat_map(lines),
            );
            let wrote = seen.wrote.iter();
            kept.extend(wrote.map(|(_, text)| text.strip_suffix(b"\n").unwrap_or(text).to_vec()));
        }
        kept.retain(|line| block.logs.iter().any(|log| is_of(line, block, log)));
        for line in kept {
            if !left.contains(&line) {
                found.push(format!("lost from {}: {}", block.dir, String::from_utf8_lossy(&line)));
            }
        }
    }
    for (path, entry) in &before.0 {
        let name = path.to_string_lossy();
        let foreign = FOREIGN.iter().any(|end| name.ends_with(&*String::from_utf8_lossy(end)));
        if foreign
            && lines(entry).any(|l| l.starts_with(b"foreign"))
            && seen.tree.0.get(path) != Some(entry)
        {
            found.push(format!("{name} is none of ours, and has changed"));
        }
    }
    found
}

fn without_number(line: &[u8]) -> Option<Vec<u8>> {
    let at = line.iter().position(|&b| b == b'\t')?;
    let is_number = line[..at].iter().all(|b| b.is_ascii_digit() || *b == b' ');
    is_number.then(|| line[at + 1..].to_vec())
}

/// Whether a line was written to this log.
fn is_of(line: &[u8], block: &Block, log: &[u8]) -> bool {
    let name = String::from_utf8_lossy(log).replace('\n', " ");
    let words = format!(" of {}/{name} ", block.dir).into_bytes();
    line.windows(words.len()).any(|part| part == words)
}

/// Whether nothing that was in a log or an old version may ever go.
fn keeps_all(settings: &Settings<'_>) -> bool {
    (settings.rotate == -1 || settings.rotate >= 12) && settings.value("maxage").is_none()
}

fn logs(block: &Block) -> impl Iterator<Item = std::path::PathBuf> + '_ {
    use std::os::unix::ffi::OsStrExt;
    block.logs.iter().map(|log| Path::new(block.dir).join(std::ffi::OsStr::from_bytes(log)))
}

/// The lines of a file; none of anything else.
fn lines(entry: &TreeEntry) -> impl Iterator<Item = Vec<u8>> + use<> {
    let is_file = entry.mode & 0o170_000 == 0o100_000;
    let text = if is_file { unpacked(&entry.content) } else { Vec::new() };
    let lines = text.split(|&b| b == b'\n').filter(|l| !l.is_empty()).map(<[u8]>::to_vec);
    lines.collect::<Vec<_>>().into_iter()
}
