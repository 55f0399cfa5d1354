//! The table of directives: one row each. Everything that the program knows about a directive's
//! spelling, argument and scope is in its row; what its value does is in [`super::resolve`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::policy::{Effort, Packer, RotateAs, ScriptKind, SignalTo, Trigger, Writers};
use super::value::{Bad, Reading};
use crate::units::{ByteSize, Days, KeepCount, Mode};

mod change;
mod files;
mod keep;
mod signal;
mod when;

/// A directive with its value: what one line of a configuration sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Any of the intervals, or `size`.
    Trigger(Trigger),
    /// `minsize`; 0 switches it off.
    MinSize(ByteSize),
    /// `maxsize`; 0 switches it off.
    MaxSize(ByteSize),
    /// `minage`; 0 switches it off.
    MinAge(Days),
    /// `maxage`; 0 switches it off.
    MaxAge(Days),
    /// `rotate`.
    Rotate(KeepCount),
    /// `start`.
    Start(u32),
    /// A switch, turned on or off.
    Switch(Switch, bool),
    /// `create`; what is not given keeps its value (compat CFG-91).
    Create {
        /// The mode.
        mode: Option<Mode>,
        /// User and group.
        owner: Option<(u32, u32)>,
    },
    /// `createolddir`; what is not given keeps its value (compat CFG-91).
    CreateOldDir {
        /// The mode.
        mode: Option<Mode>,
        /// User and group.
        owner: Option<(u32, u32)>,
    },
    /// `su`, complete.
    RotateAs(RotateAs),
    /// `olddir`, or `noolddir`.
    OldDir(Option<PathBuf>),
    /// `dateformat`.
    DateFormat(Vec<u8>),
    /// `extension`.
    Extension(Vec<u8>),
    /// `addextension`.
    AddExtension(Vec<u8>),
    /// `compresscmd`, and the ending that belongs to a well-known program (compat 2.8).
    CompressCommand {
        /// The program.
        program: OsString,
        /// Its ending.
        extension: Option<&'static str>,
    },
    /// `compressor`: one that is built in, or none.
    Compressor(Packer),
    /// `compressjobs`.
    CompressJobs(Effort),
    /// `uncompresscmd`.
    UncompressCommand(OsString),
    /// `mail`, or `nomail`.
    Mail(Option<OsString>),
    /// `compressoptions`.
    CompressOptions(Vec<OsString>),
    /// `compressext`.
    CompressExtension(Vec<u8>),
    /// One of the five scripts.
    Script(ScriptKind, Vec<u8>),
    /// `signal`, or `nosignal`.
    Signal(Option<SignalTo>),
    /// `timeout`, or `timeout none`.
    Timeout(Option<Duration>),
    /// `writers`.
    Writers(Writers),
    /// `shredcycles`; 0 leaves it to `shred`.
    ShredCycles(u32),
}

/// What is either on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// `missingok`.
    MissingOk,
    /// `notifempty` (on) and `ifempty` (off).
    SkipEmpty,
    /// `ignoreduplicates`.
    IgnoreDuplicates,
    /// `allowhardlink`.
    AllowHardLinks,
    /// `nocreate` (off); `create` is [`Directive::Create`].
    Create,
    /// `nocreateolddir` (off); `createolddir` is [`Directive::CreateOldDir`].
    CreateOldDir,
    /// `copy`.
    Copy,
    /// `copytruncate`.
    CopyTruncate,
    /// `renamecopy`.
    RenameCopy,
    /// `dateext`.
    Dated,
    /// `dateyesterday`.
    Yesterday,
    /// `datehourago`.
    HourAgo,
    /// `compress`.
    Compress,
    /// `delaycompress`.
    DelayCompress,
    /// `mailfirst` (on) and `maillast` (off).
    MailFirst,
    /// `sharedscripts`.
    SharedScripts,
    /// `shred`.
    Shred,
}

/// How a directive's argument is read.
#[derive(Debug, Clone, Copy)]
pub enum Argument {
    /// There is none; the parser goes on in the same line (compat CFG-12).
    None(fn() -> Directive),
    /// The rest of the line behind an optional `=`, trimmed (compat CFG-13).
    Value(Missing, fn(&[u8], &mut Reading<'_>) -> Result<Directive, Bad>),
    /// The rest of the line as it is, with leading blanks (compat CFG-14).
    Raw(fn(&[u8], &mut Reading<'_>) -> Result<Directive, Bad>),
    /// Lines up to `endscript` (compat CFG-100).
    Script(ScriptKind),
    /// A file or directory that is read in place (compat CFG-60).
    Include(Missing),
    /// A list of names that are left out of directories; only outside of blocks (compat CFG-64).
    Taboo(Missing, Taboo),
    /// Does nothing any more, and warns.
    Obsolete,
}

/// What is said if the argument is missing (compat CFG-15).
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    /// The words after `argument expected after`.
    pub after: &'static str,
    /// The directive is ignored and the exit status stays; else it is an error of the block or file.
    pub harmless: bool,
}

/// What the items of a taboo list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taboo {
    /// Endings of names.
    Endings,
    /// Patterns.
    Patterns,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The spelling, all letters; case counts.
    pub name: &'static str,
    /// How its argument is read.
    pub argument: Argument,
    /// What it does, in one line.
    pub doc: &'static str,
}

impl Row {
    /// Whether it may stand inside a block (compat CFG-40).
    pub fn allowed_in_block(&self) -> bool {
        !matches!(self.argument, Argument::Taboo(..))
    }
}

/// All rows, in the order of the manual.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [when::ROWS, keep::ROWS, change::ROWS, files::ROWS].into_iter().flatten()
}

/// The row of a directive.
pub fn find(name: &[u8]) -> Option<&'static Row> {
    all().find(|row| row.name.as_bytes() == name)
}

/// The directive that was probably meant, if one is spelled much like the unknown word.
pub fn near(word: &[u8]) -> Option<&'static str> {
    // No directive is nearly as long; the comparison's cost grows with the word.
    let word = std::str::from_utf8(word).ok().filter(|word| word.len() <= 32)?.to_lowercase();
    let (distance, name) = all()
        .map(|row| (strsim::damerau_levenshtein(row.name, &word), row.name))
        .min_by_key(|&(distance, _)| distance)?;
    (distance <= 1.max(word.len() / 4)).then_some(name)
}

const fn row(name: &'static str, argument: Argument, doc: &'static str) -> Row {
    Row { name, argument, doc }
}

/// A missing argument that is an error.
const fn needs(after: &'static str) -> Missing {
    Missing { after, harmless: false }
}

/// A missing argument that leaves the directive without effect.
const fn wants(after: &'static str) -> Missing {
    Missing { after, harmless: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_directive_has_one_row_of_letters_only() {
        let names: Vec<_> = all().map(|row| row.name).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        for row in all() {
            assert!(row.name.bytes().all(|b| b.is_ascii_lowercase()), "{}", row.name);
            assert!(row.doc.ends_with('.') && !row.doc.contains('\n'), "{}", row.name);
            assert!(std::ptr::eq(find(row.name.as_bytes()).expect(row.name), row));
        }
    }

    #[test]
    fn the_table_holds_every_directive_of_the_reference() {
        let reference = "addextension allowhardlink compress compresscmd compressext \
            compressoptions copy copytruncate create createolddir daily dateext dateformat \
            datehourago dateyesterday delaycompress errors extension firstaction hourly ifempty \
            ignoreduplicates include lastaction mail mailfirst maillast maxage maxsize minage \
            minsize minutes missingok monthly noallowhardlink nocompress nocopy nocopytruncate \
            nocreate nocreateolddir nodateext nodatehourago nodateyesterday nodelaycompress nomail \
            nomissingok noolddir norenamecopy nosharedscripts noshred notifempty olddir postrotate \
            preremove prerotate renamecopy rotate sharedscripts shred shredcycles size start su \
            tabooext taboopat uncompresscmd weekly yearly";
        let ours = [
            "compressjobs",
            "compressor",
            "every",
            "minutely",
            "nosignal",
            "signal",
            "timeout",
            "writers",
        ];
        let expected: BTreeSet<_> = reference.split_whitespace().chain(ours).collect();
        assert_eq!(all().map(|row| row.name).collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn a_near_miss_finds_the_directive_that_was_meant() {
        for (word, meant) in [
            ("dayly", Some("daily")),
            ("Daily", Some("daily")),
            ("rotat", Some("rotate")),
            ("postroate", Some("postrotate")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(near(word.as_bytes()), meant, "{word}");
        }
        assert_eq!(near(&b"a".repeat(1 << 20)), None);
    }
}
