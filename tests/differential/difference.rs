//! What differs between two runs, item by item.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::case::Case;
use super::world::Seen;
use crate::scene::TreeEntry;

/// What can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    Status,
    /// A file is there, or not, or holds something else.
    Files,
    /// A file holds the same, with another mode, owner or time.
    Attributes,
    Records,
    Calls,
}

/// A file, a record, the calls for a directory, or the exit status, which is not the same.
#[derive(Clone, Debug)]
pub struct Item {
    pub aspect: Aspect,
    /// The file below the root, or the name of the record.
    pub path: PathBuf,
    /// The directory of the blocks that it belongs to; none: it may be any.
    pub dir: Option<&'static str>,
    /// What theirs is and what ours is.
    pub text: String,
}

/// All of them.
pub fn differences(case: &Case, theirs: &Seen, ours: &Seen) -> Vec<Item> {
    let mut items = Vec::new();
    let mut add = |aspect, path: &Path, dir, text| {
        items.push(Item { aspect, path: path.into(), dir, text });
    };
    if theirs.status != ours.status {
        let text = format!("theirs {:?}, ours {:?}", theirs.status, ours.status);
        add(Aspect::Status, Path::new(""), None, text);
    }
    let names: BTreeSet<_> = theirs.tree.0.keys().chain(ours.tree.0.keys()).collect();
    for name in names {
        let [a, b] = [theirs, ours].map(|seen| seen.tree.0.get(name));
        if !a.zip(b).is_some_and(|(a, b)| equal(a, b)) {
            let text = format!("{name:?}\n  theirs {}\n  ours   {}", words(a), words(b));
            let below = name.strip_prefix("other").unwrap_or(name);
            let dir = case.blocks.iter().map(|b| b.dir).find(|dir| below.starts_with(dir));
            let same = |(a, b): (&TreeEntry, &TreeEntry)| {
                !a.content.is_empty()
                    && a.mode & 0o170_000 == b.mode & 0o170_000
                    && unpacked(&a.content) == unpacked(&b.content)
            };
            let alike = a.zip(b).is_some_and(same) && !moved(theirs, ours, name);
            add(if alike { Aspect::Attributes } else { Aspect::Files }, name, dir, text);
        }
    }
    let names: BTreeSet<_> = theirs.records.keys().chain(ours.records.keys()).collect();
    for name in names {
        let [a, b] = [theirs, ours]
            .map(|s| s.records.get(name).map(|r| String::from_utf8_lossy(r).into_owned()));
        if a != b {
            let text = format!("{}: theirs {a:?}, ours {b:?}", String::from_utf8_lossy(name));
            let path = Path::new(OsStr::from_bytes(name));
            add(Aspect::Records, path, dir_in(case, name), text);
        }
    }
    if theirs.beside_state != ours.beside_state {
        let text = format!("theirs {:?}, ours {:?}", theirs.beside_state, ours.beside_state);
        add(Aspect::Records, Path::new("var"), None, text);
    }
    let [a, b] = [theirs, ours].map(|seen| calls(case, &seen.calls));
    let dirs: BTreeSet<_> = case.blocks.iter().map(|b| b.dir).collect();
    for dir in dirs {
        let [a, b] = [&a, &b].map(|calls| of_dir(calls, dir));
        if a != b {
            add(Aspect::Calls, Path::new(""), Some(dir), format!("theirs:\n{a}ours:\n{b}"));
        }
    }
    items
}

/// Whether what one has under a name is what the other has under another one: it was moved in one of
/// the runs only. That the next version holds the same, as with `copy`, is chance.
fn moved(theirs: &Seen, ours: &Seen, name: &Path) -> bool {
    let elsewhere = |there: &Seen, here: &Seen| {
        there.tree.0.get(name).is_some_and(|entry| {
            here.tree.0.iter().any(|(other, found)| {
                other != name
                    && other.parent() == name.parent()
                    && equal(entry, found)
                    && !there.tree.0.get(other).is_some_and(|at_other| equal(entry, at_other))
            })
        })
    };
    elsewhere(theirs, ours) || elsewhere(ours, theirs)
}

fn equal(a: &TreeEntry, b: &TreeEntry) -> bool {
    (a.mode, a.owner, a.written) == (b.mode, b.owner, b.written)
        && (a.content == b.content || unpacked(&a.content) == unpacked(&b.content))
}

fn words(entry: Option<&TreeEntry>) -> String {
    entry.map_or("-".into(), |e| {
        let content = String::from_utf8_lossy(&unpacked(&e.content)).into_owned();
        let content: String = content.chars().take(50).collect();
        format!("{:o} {:?} {} {content:?}", e.mode, e.owner, e.written.0)
    })
}

/// The directory of a block that a text names.
fn dir_in(case: &Case, text: &[u8]) -> Option<&'static str> {
    let named = |dir: &&str| {
        let part = format!("/{dir}/").into_bytes();
        text.windows(part.len()).any(|window| window == part)
    };
    case.blocks.iter().map(|b| b.dir).find(named)
}

/// The lines that scripts and the mailer noted, each with the directory that it is about.
fn calls(case: &Case, noted: &[u8]) -> Vec<(Option<&'static str>, String)> {
    let mut dir = None;
    let lines = noted.split_inclusive(|&b| b == b'\n');
    lines
        .map(|line| {
            // A name may have a line break in it.
            dir = dir_in(case, line).or(dir);
            (dir, String::from_utf8_lossy(line).into_owned())
        })
        .collect()
}

/// In their order, but for `shred`: nobody can tell when that ran.
fn of_dir(calls: &[(Option<&'static str>, String)], dir: &str) -> String {
    let mut lines: Vec<_> =
        calls.iter().filter(|(of, _)| *of == Some(dir)).map(|(_, line)| line.as_str()).collect();
    // A stable order.
    lines.sort_by_key(|line| line.strip_prefix("shred "));
    lines.concat()
}

/// The content of a compressed file; any other as it is.
pub fn unpacked(content: &[u8]) -> Vec<u8> {
    let Some(size) = content.last_chunk::<4>().filter(|_| content.starts_with(b"\x1f\x8b")) else {
        return content.to_vec();
    };
    let mut text = vec![0; u32::from_le_bytes(*size) as usize];
    match libdeflater::Decompressor::new().gzip_decompress(content, &mut text) {
        Ok(_) => text,
        Err(_) => content.to_vec(),
    }
}
