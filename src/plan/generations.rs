//! The old versions of one name, as the steps of a plan leave them.

use std::collections::BTreeMap;

use crate::config::policy::Compression;
use crate::facts::{FileFacts, FileKind};
use crate::names::{FileName, Slot};
use crate::survey::rotated::{Generation, Occupied, RotatedFile};

use super::step::Expect;

/// One file of a generation.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) name: FileName,
    pub(super) ending: Vec<u8>,
    /// What the survey saw; `None` for a file that this plan makes.
    pub(super) facts: Option<FileFacts>,
    /// What a step that takes the file must find.
    pub(super) expect: Expect,
    /// The log whose new version it is, by index.
    pub(super) newest_of: Option<u32>,
}

impl Held {
    /// The same, if earlier steps have left it there.
    pub fn if_left(self) -> Self {
        Self { expect: self.expect.if_left(), ..self }
    }

    /// Something that is no file but has a version's name.
    pub(super) fn from_occupied(other: &Occupied) -> Self {
        Self {
            name: other.name.clone(),
            ending: other.ending.clone(),
            facts: Some(other.facts),
            expect: Expect::Present(other.facts.id),
            newest_of: None,
        }
    }

    /// Whether it can be compressed: a regular file without an ending.
    pub(super) fn is_plain(&self) -> bool {
        self.ending.is_empty() && self.facts.is_none_or(|f| f.kind == FileKind::Regular)
    }
}

/// All versions of one name in one directory, by slot or date.
#[derive(Debug, Default)]
pub(super) struct Generations {
    pub(super) numbered: BTreeMap<Slot, Vec<Held>>,
    pub(super) dated: BTreeMap<Vec<u8>, Vec<Held>>,
    /// The slot to dispose of when everything else is done.
    pub(super) leaving: Option<Slot>,
    /// The date to dispose of when everything else is done.
    pub(super) leaving_date: Option<Vec<u8>>,
    /// Whether a log of this plan has used it already.
    pub(super) used: bool,
}

impl Generations {
    pub(super) fn from_survey(versions: &[RotatedFile]) -> Self {
        let mut all = Self::default();
        for file in versions {
            let held = Held {
                name: file.name.clone(),
                ending: file.ending.clone(),
                facts: Some(file.facts),
                expect: Expect::Present(file.facts.id),
                newest_of: None,
            };
            match &file.place {
                Generation::Numbered(slot) => all.numbered.entry(*slot).or_default().push(held),
                Generation::Dated(date) => all.dated.entry(date.clone()).or_default().push(held),
            }
        }
        all
    }
}

/// Splits the files of one slot into the one that is the version and those in its way: the version
/// is the file that the policy would make now, else the first (design.md, after *Types*).
pub(super) fn version_and_strays(files: Vec<Held>, wanted: &[u8]) -> (Option<Held>, Vec<Held>) {
    let mut files = files;
    if files.is_empty() {
        return (None, files);
    }
    let index = files.iter().position(|f| f.ending == wanted).unwrap_or(0);
    let version = files.remove(index);
    (Some(version), files)
}

/// The ending that the policy gives to the version in a slot.
pub(super) fn wanted_ending(compression: &Compression, slot: Slot, start: u32) -> &[u8] {
    let still_delayed = compression.delayed && slot.0 == start;
    if compression.is_on() && !still_delayed { &compression.extension } else { b"" }
}
