//! The old versions of a log: which files of a directory are one, and of which generation.
//!
//! A generation is a slot or a date, not a file name: its file may be plain or have any of the
//! endings that compressors give. Whatever else stands beside a log (`.1.md5`, `.01`, `.1.bak`) is
//! foreign and never touched. Names are taken apart, never globbed for, so that a log may be called
//! `a[1].log` (fixes compat B-26).

use super::index::{Listing, Names};
use crate::facts::{FileFacts, FileKind};
use crate::names::{FileName, Slot};
use crate::system::Dir;
use crate::system::Words;

/// Endings that belong to a version whatever the policy's own is, so that a change of compressor
/// orphans nothing (compat ROT-47).
const ENDINGS: [&[u8]; 7] = [b".gz", b".bz2", b".xz", b".zst", b".Z", b".zip", b".lz4"];

/// Says how many of the bytes behind the base name are a date suffix; `None` if they do not begin
/// with one.
pub type DateMatcher<'a> = dyn Fn(&[u8]) -> Option<usize> + 'a;

/// How the names of old versions are made (compat ROT-1 to ROT-3).
#[derive(Clone, Copy)]
pub struct VersionNames<'a> {
    /// The log's name, less the extension that is moved behind the number or date.
    pub base: &'a [u8],
    /// The extension behind the number or date (*fext*); may be empty.
    pub extension: &'a [u8],
    /// What the policy's compressor puts behind it all, with its dot; also without `compress`.
    pub ending: &'a [u8],
    /// Numbers or dates.
    pub naming: VersionNaming<'a>,
}

/// What stands between base and extension.
#[derive(Clone, Copy)]
pub enum VersionNaming<'a> {
    /// `.N`.
    Numbered {
        /// The lowest slot; used only where a directory cannot be listed.
        start: Slot,
    },
    /// A date suffix.
    Dated(&'a DateMatcher<'a>),
}

/// Which version it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// The version with this number.
    Numbered(Slot),
    /// The version with this date suffix, separator included.
    Dated(Vec<u8>),
}

/// One file of an old version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedFile {
    /// Its name.
    pub name: FileName,
    /// Its generation. Two files with different endings may be of one.
    pub place: Generation,
    /// The compressor's ending; empty for a plain file.
    pub ending: Vec<u8>,
    /// The file.
    pub facts: FileFacts,
}

/// A name of a generation under which there is no regular file: nothing may be moved there, and
/// it is not touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupied {
    /// The name.
    pub name: FileName,
    /// The generation.
    pub place: Generation,
    /// The compressor's ending; empty for a plain name.
    pub ending: Vec<u8>,
    /// What is there.
    pub facts: FileFacts,
}

/// What there is of a log's old versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OldVersions {
    /// The files, by number or by bytes of the date, then by ending.
    pub files: Vec<RotatedFile>,
    /// Names that something else occupies.
    pub occupied: Vec<Occupied>,
    /// The directory could not be listed: only the numbers from the lowest slot up to the first free
    /// one are known, and of dated versions none.
    pub incomplete: bool,
}

/// Finds the old versions of a log in the directory where they belong.
///
/// # Errors
/// The cause, if a name cannot be looked at.
pub fn old_versions(
    dir: &Dir,
    listing: &Listing,
    names: &VersionNames<'_>,
) -> Result<OldVersions, String> {
    let mut found = OldVersions::default();
    match listing {
        Listing::Names(all) => {
            for parts in names.among(all) {
                look(dir, parts, &mut found)?;
            }
        }
        Listing::Unlistable(_) => {
            found.incomplete = true;
            if let VersionNaming::Numbered { start } = names.naming {
                probe(dir, names, start, &mut found)?;
            }
        }
    }
    let key = |place: &Generation, ending: &[u8]| (place.clone(), ending.to_vec());
    found.files.sort_by_cached_key(|file| key(&file.place, &file.ending));
    found.occupied.sort_by_cached_key(|other| key(&other.place, &other.ending));
    Ok(found)
}

/// A name that was taken apart.
struct Parts {
    name: FileName,
    place: Generation,
    ending: Vec<u8>,
}

/// Looks at a name and files it; `false` if nothing is there (any more).
fn look(dir: &Dir, parts: Parts, found: &mut OldVersions) -> Result<bool, String> {
    let Parts { name, place, ending } = parts;
    let facts = dir.facts(&name).map_err(Words::words)?;
    let Some(facts) = facts else { return Ok(false) };
    if facts.kind == FileKind::Regular {
        found.files.push(RotatedFile { name, place, ending, facts });
    } else {
        found.occupied.push(Occupied { name, place, ending, facts });
    }
    Ok(true)
}

/// Asks for each name from the lowest slot on, until a slot is free.
fn probe(
    dir: &Dir,
    names: &VersionNames<'_>,
    start: Slot,
    found: &mut OldVersions,
) -> Result<(), String> {
    let mut next = Some(start);
    while let Some(slot) = next {
        let mut any = false;
        for ending in names.endings() {
            let number = slot.0.to_string();
            let name = [names.base, b".", number.as_bytes(), names.extension, ending].concat();
            let Some(name) = FileName::from_bytes(&name) else { continue };
            let place = Generation::Numbered(slot);
            any |= look(dir, Parts { name, place, ending: ending.to_vec() }, found)?;
        }
        next = if any { slot.next() } else { None };
    }
    Ok(())
}

impl VersionNames<'_> {
    /// All endings that a version may have: none, the policy's own, and the usual ones.
    fn endings(&self) -> impl Iterator<Item = &[u8]> {
        let own =
            (!self.ending.is_empty() && !ENDINGS.contains(&self.ending)).then_some(self.ending);
        std::iter::once(&b""[..]).chain(own).chain(ENDINGS)
    }

    /// The names that are versions, taken apart.
    fn among(&self, all: &Names) -> Vec<Parts> {
        let start = match self.naming {
            VersionNaming::Numbered { .. } => [self.base, b"."].concat(),
            VersionNaming::Dated(_) => self.base.to_vec(),
        };
        let parts = |name: &[u8]| {
            let (place, ending) = self.take_apart(name.get(start.len()..)?)?;
            Some(Parts { name: FileName::from_bytes(name)?, place, ending: ending.to_vec() })
        };
        all.starting_with(&start).filter_map(parts).collect()
    }

    /// Takes apart what follows the base name (and the dot of a number).
    fn take_apart<'n>(&self, rest: &'n [u8]) -> Option<(Generation, &'n [u8])> {
        match self.naming {
            VersionNaming::Dated(matcher) => {
                let length = matcher(rest).filter(|&length| length > 0)?;
                let (date, after) = rest.split_at_checked(length)?;
                let ending = self.known_ending(after.strip_prefix(self.extension)?)?;
                Some((Generation::Dated(date.to_vec()), ending))
            }
            // The extension may begin with a digit: every way to end the number is tried. Only one
            // can fit, since the extension is the same for all and no ending begins with a digit.
            VersionNaming::Numbered { .. } => {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                (1..=digits).rev().find_map(|length| {
                    let (number, after) = rest.split_at_checked(length)?;
                    let ending = self.known_ending(after.strip_prefix(self.extension)?)?;
                    Some((Generation::Numbered(slot(number)?), ending))
                })
            }
        }
    }

    fn known_ending<'n>(&self, ending: &'n [u8]) -> Option<&'n [u8]> {
        self.endings().any(|known| known == ending).then_some(ending)
    }
}

/// A slot's number as this program writes it: decimal, no sign, no leading zero, 32 bits.
fn slot(digits: &[u8]) -> Option<Slot> {
    if digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Slot)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::survey::Index;
    use crate::system::Dirs;

    const NUMBERED: VersionNaming<'_> = VersionNaming::Numbered { start: Slot(1) };

    fn names(naming: VersionNaming<'_>) -> VersionNames<'_> {
        VersionNames { base: b"a.log", extension: b"", ending: b".gz", naming }
    }

    /// Dates of the form `-DDDDDDDD`.
    fn date(rest: &[u8]) -> Option<usize> {
        let suffix = rest.get(..9)?;
        (suffix[0] == b'-' && suffix[1..].iter().all(u8::is_ascii_digit)).then_some(9)
    }

    fn shown(found: &OldVersions) -> Vec<String> {
        let text = |place: &Generation, ending: &[u8]| {
            let ending = String::from_utf8_lossy(ending);
            match place {
                Generation::Numbered(slot) => format!("{}{ending}", slot.0),
                Generation::Dated(date) => format!("{}{ending}", String::from_utf8_lossy(date)),
            }
        };
        let files = found.files.iter().map(|f| text(&f.place, &f.ending));
        files.chain(found.occupied.iter().map(|o| text(&o.place, &o.ending) + "?")).collect()
    }

    fn found(files: &[&str], names: &VersionNames<'_>, unlistable: bool) -> OldVersions {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            match file.strip_suffix('/') {
                Some(dir) => std::fs::create_dir(temp.path().join(dir)).unwrap(),
                None => std::fs::write(temp.path().join(file), file).unwrap(),
            }
        }
        let (mut index, mut dirs) = (Index::default(), Dirs::default());
        let dir = dirs.open(temp.path()).unwrap();
        let unknown = Listing::Unlistable("Permission denied".into());
        let listing =
            if unlistable { &unknown } else { index.names(temp.path(), &mut dirs).unwrap() };
        let found = old_versions(&dir, listing, names).unwrap();
        for file in &found.files {
            assert_eq!(file.facts.size, file.name.as_bytes().len() as u64, "facts are the file's");
        }
        found
    }

    #[test]
    fn numbers_with_known_endings_are_versions_and_the_rest_is_foreign() {
        let files = [
            "a.log",
            "a.log.1",
            "a.log.2.gz",
            "a.log.2",
            "a.log.10.zst",
            "a.log.0",
            "a.log.3.lz4",
            "a.log.01",
            "a.log.+1",
            "a.log.1.md5",
            "a.log.1.bak",
            "a.log.",
            "a.log.x",
            "a.log.4 ",
            "a.log.4294967295",
            "a.log.4294967296",
            "a.log.99999999999999999999",
            "b.log.1",
            "a.log-1",
            "a.log.1.gz.gz",
            "a.log.7.gz.tmp",
            "a.log.5.Z",
            "a.log.20240101",
        ];
        let found = found(&files, &names(NUMBERED), false);
        assert_eq!(
            shown(&found),
            ["0", "1", "2", "2.gz", "3.lz4", "5.Z", "10.zst", "20240101", "4294967295"]
        );
        assert!(!found.incomplete);
    }

    #[test]
    fn the_extension_stands_behind_the_number() {
        let with = VersionNames { base: b"a", extension: b".log", ..names(NUMBERED) };
        let files = ["a.1.log", "a.2.log.gz", "a.3", "a.log", "a.log.1", "a.4.gz.log", "a..log"];
        assert_eq!(shown(&found(&files, &with, false)), ["1", "2.gz"]);
        let digits = VersionNames { extension: b"5", ..names(NUMBERED) };
        assert_eq!(shown(&found(&["a.log.15", "a.log.55", "a.log.5"], &digits, false)), ["1", "5"]);
        let like_an_ending = VersionNames { base: b"a", extension: b".gz", ..names(NUMBERED) };
        assert_eq!(shown(&found(&["a.1.gz", "a.2.gz.gz"], &like_an_ending, false)), ["1", "2.gz"]);
    }

    #[test]
    fn the_policys_own_ending_is_known() {
        let own = VersionNames { ending: b".mine", ..names(NUMBERED) };
        let files = ["a.log.1.mine", "a.log.2.gz", "a.log.3.other"];
        assert_eq!(shown(&found(&files, &own, false)), ["1.mine", "2.gz"]);
        assert_eq!(shown(&found(&files, &names(NUMBERED), false)), ["2.gz"]);
    }

    #[test]
    fn dates_are_recognised_by_the_matcher_and_all_of_the_name_counts() {
        let dated = names(VersionNaming::Dated(&date));
        let files = [
            "a.log",
            "a.log-20240102",
            "a.log-20240101.gz",
            "a.log-20240103x",
            "a.log-2024",
            "a.log-20240104.backup",
            "a.log.1",
            "a.log-20240105/",
        ];
        let found = found(&files, &dated, false);
        assert_eq!(shown(&found), ["-20240101.gz", "-20240102", "-20240105?"]);
        let nothing = |_: &[u8]| Some(0);
        assert!(
            self::found(&files, &names(VersionNaming::Dated(&nothing)), false).files.is_empty()
        );
        let too_much = |_: &[u8]| Some(99);
        assert!(
            self::found(&files, &names(VersionNaming::Dated(&too_much)), false).files.is_empty()
        );
    }

    #[test]
    fn a_log_with_wildcards_in_its_name_has_versions_like_any_other() {
        let odd = VersionNames { base: b"a[1]*?.log", ..names(NUMBERED) };
        assert_eq!(shown(&found(&["a[1]*?.log.1", "a1x.log.2"], &odd, false)), ["1"]);
    }

    #[test]
    fn what_is_no_regular_file_occupies_its_slot() {
        let found = found(&["a.log.1/", "a.log.2"], &names(NUMBERED), false);
        assert_eq!(shown(&found), ["2", "1?"]);
        assert_eq!(found.occupied[0].facts.kind, FileKind::Directory);
    }

    #[test]
    fn a_directory_that_cannot_be_listed_is_asked_slot_by_slot() {
        let files = ["a.log.1", "a.log.2.xz", "a.log.3/", "a.log.5"];
        let numbered = found(&files, &names(NUMBERED), true);
        assert_eq!(shown(&numbered), ["1", "2.xz", "3?"]);
        assert!(numbered.incomplete);
        let from_two = names(VersionNaming::Numbered { start: Slot(2) });
        assert_eq!(shown(&found(&files, &from_two, true)), ["2.xz", "3?"]);
        let dated = found(&["a.log-20240102"], &names(VersionNaming::Dated(&date)), true);
        assert_eq!((dated.files.len(), dated.incomplete), (0, true));
    }
}
