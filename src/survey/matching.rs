//! From the patterns of all blocks to their logs; duplicates are found here.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::expand::{Expansion, Home, expand};
use super::index::Index;
use crate::config::policy::LogBlock;
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::names::{LogPath, Shown};
use crate::source::{Setting, SourceText};

/// Duplicates that are told one by one; a list of a hundred thousand must not fill a terminal, or take
/// minutes to be shown.
const MOST_DUPLICATES: usize = 1000;

/// Something to say about a block's logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A line for `-v`.
    Debug(String),
    /// A warning or an error.
    Diagnostic(Diagnostic),
}

/// One log of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedLog {
    /// Its path, as matched or written.
    pub path: LogPath,
    /// It is a word with a wildcard that matches nothing: no log, and it gets no entry in the state
    /// (fixes compat B-47).
    pub from_wildcard_without_match: bool,
}

/// The logs of all blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matched {
    /// For each block, in order, its logs in the order of its words.
    pub logs: Vec<Vec<MatchedLog>>,
    /// What was found on the way, in order.
    pub findings: Vec<Finding>,
}

/// Matches the patterns of all blocks (compat CFG-26 to CFG-30).
///
/// A path that an earlier block or word has is dropped, alone: the word's other matches stay (fixes
/// compat B-53). Each word's errors are kept (fixes B-24); a word that could not be matched has no
/// logs, the other words of its block do. Paths are compared as they are written.
pub fn match_blocks(blocks: &[LogBlock], index: &mut Index, home: &Home<'_>) -> Matched {
    // A path a word at least: growing the table piece by piece would hash all of them again and again.
    let words = blocks.iter().map(|block| block.patterns.len()).sum();
    let (known, hasher) = (HashTable::with_capacity(words), DefaultHashBuilder::default());
    let matched = Matched { logs: Vec::with_capacity(blocks.len()), ..Matched::default() };
    let mut matching = Matching { blocks, index, home, known, hasher, matched, duplicates: 0 };
    for (number, block) in blocks.iter().enumerate() {
        matching.matched.logs.push(Vec::with_capacity(block.patterns.len()));
        for (index, word) in block.patterns.iter().enumerate() {
            matching.word(Source { block, number, word, index });
        }
    }
    if let Some(more) = matching.duplicates.checked_sub(MOST_DUPLICATES).filter(|&more| more > 0) {
        matching.matched.findings.push(Finding::Diagnostic(Diagnostic {
            code: "duplicate-log",
            severity: Severity::Error,
            prefix: Prefix::Bare,
            message: format!("{more} more duplicate log entries are not shown"),
            span: None,
            hint: None,
        }));
    }
    matching.matched
}

struct Matching<'a> {
    blocks: &'a [LogBlock],
    index: &'a mut Index,
    home: &'a Home<'a>,
    /// Every path so far, by its bytes (two `Path`s are equal also if `//` differs from `/`). The bytes
    /// themselves are those of [`Matched::logs`].
    known: HashTable<Known>,
    hasher: DefaultHashBuilder,
    matched: Matched,
    /// How many duplicates were errors.
    duplicates: usize,
}

/// A word of a block, and the numbers of both.
#[derive(Clone, Copy)]
struct Source<'a> {
    block: &'a LogBlock,
    number: usize,
    word: &'a Setting<SourceText>,
    index: usize,
}

/// A path that was matched.
#[derive(Clone, Copy)]
struct Known {
    /// Its block.
    block: u32,
    /// The word of the block that gave it.
    word: u32,
    /// Its place among the block's logs.
    log: u32,
}

impl Known {
    fn path(self, logs: &[Vec<MatchedLog>]) -> &[u8] {
        let log = logs.get(self.block as usize).and_then(|logs| logs.get(self.log as usize));
        log.map_or(&[], |log| log.path.as_bytes())
    }
}

impl Matching<'_> {
    fn word(&mut self, source: Source<'_>) {
        let Source { block, word, .. } = source;
        match expand(&word.value, block.base_dir(), self.index, self.home) {
            Ok(Expansion::Matches(paths)) => {
                if let Some(logs) = self.matched.logs.last_mut() {
                    logs.reserve(paths.len());
                }
                for path in paths {
                    self.path(source, path, false);
                }
            }
            Ok(Expansion::Nothing { wildcard }) => {
                // The reference takes slashes at the end off; a lone `/` is a directory anyway.
                let end = word.value.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
                let path = word.value[..end].to_vec();
                self.path(source, path, wildcard);
            }
            Err(cause) => {
                let text = format!("glob failed for {}: {cause}", Shown(&word.value));
                self.trouble(source, "glob-failed", text);
            }
        }
    }

    fn path(&mut self, source: Source<'_>, path: Vec<u8>, from_wildcard_without_match: bool) {
        let path = match LogPath::from_bytes(path) {
            Ok(path) => path,
            Err(path) => {
                let text = format!("{} cannot be the path of a log", Shown(&path));
                self.trouble(source, "not-a-log", text);
                return;
            }
        };
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let logs = &self.matched.logs;
        let next = Known {
            block: small(source.number),
            word: small(source.index),
            log: small(logs.last().map_or(0, Vec::len)),
        };
        let entry = self.known.entry(
            self.hasher.hash_one(path.as_bytes()),
            |known| known.path(logs) == path.as_bytes(),
            |known| self.hasher.hash_one(known.path(logs)),
        );
        match entry {
            Entry::Occupied(first) => {
                let first = *first.get();
                self.duplicate(source, first, &path);
            }
            Entry::Vacant(free) => {
                free.insert(next);
                if let Some(logs) = self.matched.logs.last_mut() {
                    logs.push(MatchedLog { path, from_wildcard_without_match });
                }
            }
        }
    }

    /// Compat CFG-29 and CFG-30.
    fn duplicate(&mut self, source: Source<'_>, first: Known, path: &LogPath) {
        let earlier = self.blocks.get(first.block as usize);
        let ignored = earlier.is_some_and(|earlier| {
            if first.block as usize == source.number {
                earlier.ignore_duplicates_in_list
            } else {
                earlier.policy.selection.ignore_duplicates
            }
        });
        if !ignored {
            self.duplicates += 1;
            if self.duplicates > MOST_DUPLICATES {
                return;
            }
        }
        let place = earlier
            .and_then(|block| block.patterns.get(first.word as usize))
            .and_then(|word| word.place.as_ref());
        self.matched.findings.push(if ignored {
            Finding::Debug(format!("ignore duplicate log entry for {path}"))
        } else {
            Finding::Diagnostic(Diagnostic {
                code: "duplicate-log",
                severity: Severity::Error,
                prefix: Prefix::Line,
                message: format!("duplicate log entry for {path}"),
                span: source.word.place.clone(),
                hint: place.map(|p| format!("it is already listed in {}", p.place())),
            })
        });
    }

    /// An error, or with `missingok` a line for `-v`.
    fn trouble(&mut self, source: Source<'_>, code: &'static str, message: String) {
        self.matched.findings.push(if source.block.policy.selection.missing_ok {
            Finding::Debug(message)
        } else {
            Finding::Diagnostic(Diagnostic {
                code,
                severity: Severity::Error,
                prefix: Prefix::Line,
                message,
                span: source.word.place.clone(),
                hint: None,
            })
        });
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::config::policy::{Policy, Selection};
    use crate::source::{SourceFile, Span};
    use std::path::Path;
    use std::rc::Rc;

    /// Blocks from lines of words, each line one block; the file's lines are the blocks' lines.
    fn blocks(dir: &Path, lines: &[&str], selection: &Selection) -> Vec<LogBlock> {
        let text = lines.join("\n").replace('@', dir.to_str().unwrap());
        let file = SourceFile::new("f", text.clone().into_bytes());
        let mut offset = 0;
        text.split('\n')
            .map(|line| {
                let start = offset;
                offset += line.len() + 1;
                let mut at = start;
                let patterns = line
                    .split(' ')
                    .map(|word| {
                        let span = Span::new(Rc::clone(&file), at..at + word.len());
                        at += word.len() + 1;
                        Setting::at(SourceText::at(&span, word.as_bytes().to_vec()), span)
                    })
                    .collect();
                LogBlock {
                    patterns,
                    pattern_text: line.as_bytes().to_vec().into(),
                    policy: Policy { selection: Rc::new(selection.clone()), ..Policy::default() },
                    ignore_duplicates_in_list: selection.ignore_duplicates,
                    span: Span::new(Rc::clone(&file), start..start + line.len()),
                }
            })
            .collect()
    }

    /// The logs of each block as one text, and the findings.
    fn matched(lines: &[&str], selection: &Selection) -> (Vec<String>, Vec<String>) {
        let temp = tempfile::tempdir().unwrap();
        for file in ["a", "b", "c", "x"] {
            std::fs::write(temp.path().join(file), "").unwrap();
        }
        let blocks = blocks(temp.path(), lines, selection);
        let matched = match_blocks(&blocks, &mut Index::default(), &|_| None);
        let tidy = |text: String| text.replace(temp.path().to_str().unwrap(), "@");
        let logs = matched.logs.iter().map(|logs| {
            let texts = logs.iter().map(|log| {
                let mark = if log.from_wildcard_without_match { "!" } else { "" };
                tidy(format!("{}{mark}", log.path))
            });
            texts.collect::<Vec<_>>().join(" ")
        });
        let findings = matched.findings.into_iter().map(|finding| match finding {
            Finding::Debug(text) => tidy(text),
            Finding::Diagnostic(d) => {
                let hint = d.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
                tidy(format!("{:?} {d}{hint}", d.severity))
            }
        });
        (logs.collect(), findings.collect())
    }

    #[test]
    fn only_the_duplicate_itself_is_dropped() {
        let (logs, findings) = matched(&["@/b", "@/* @/x", "@/[ab] @/y"], &Selection::default());
        assert_eq!(logs, ["@/b", "@/a @/c @/x", "@/y"]);
        assert_eq!(
            findings,
            [
                "Error f:2 duplicate log entry for @/b (it is already listed in f:1)",
                "Error f:2 duplicate log entry for @/x (it is already listed in f:2)",
                "Error f:3 duplicate log entry for @/a (it is already listed in f:2)",
                "Error f:3 duplicate log entry for @/b (it is already listed in f:1)",
            ]
        );
    }

    #[test]
    fn of_very_many_duplicates_the_rest_is_counted() {
        let line = vec!["@/a"; MOST_DUPLICATES + 4].join(" ");
        let (logs, findings) = matched(&[&line], &Selection::default());
        assert_eq!((logs, findings.len()), (vec!["@/a".to_owned()], MOST_DUPLICATES + 1));
        let last = findings.last().unwrap();
        assert_eq!(last, "Error 3 more duplicate log entries are not shown");
    }

    #[test]
    fn duplicates_can_be_ignored() {
        let selection = Selection { ignore_duplicates: true, ..Selection::default() };
        let (logs, findings) = matched(&["@/a @/a", "@/[ab]"], &selection);
        assert_eq!(logs, ["@/a", "@/b"]);
        assert_eq!(findings, ["ignore duplicate log entry for @/a"; 2]);
    }

    #[test]
    fn the_list_and_the_block_have_each_their_own_flag_for_duplicates() {
        let temp = tempfile::tempdir().unwrap();
        let mut blocks = blocks(temp.path(), &["@/a @/a", "@/a"], &Selection::default());
        blocks[0].policy.selection =
            Rc::new(Selection { ignore_duplicates: true, ..Selection::default() });
        let matched = match_blocks(&blocks, &mut Index::default(), &|_| None);
        let kinds: Vec<_> =
            matched.findings.iter().map(|f| matches!(f, Finding::Debug(_))).collect();
        assert_eq!(kinds, [false, true], "an error inside the list, ignored for the next block");
    }

    #[test]
    fn paths_are_compared_as_they_are_written() {
        let (logs, findings) = matched(&["@/a @//a @/./a @/a/"], &Selection::default());
        assert_eq!(logs, ["@/a @//a @/./a"]);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn words_that_match_nothing_stand_for_themselves() {
        let (logs, findings) = matched(&["@/no* @/no @/no/ @/no\\*/"], &Selection::default());
        assert_eq!(logs, ["@/no*! @/no @/no\\*"]);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_word_that_cannot_name_a_log_is_an_error_unless_logs_may_be_missing() {
        let (logs, findings) = matched(&["@/no/.. @/a"], &Selection::default());
        assert_eq!(logs, ["@/a"]);
        assert_eq!(findings, ["Error f:1 @/no/.. cannot be the path of a log"]);
        let lenient = Selection { missing_ok: true, ..Selection::default() };
        let (_, findings) = matched(&["@/no/.."], &lenient);
        assert_eq!(findings, ["@/no/.. cannot be the path of a log"]);
    }

    #[test]
    fn every_word_that_cannot_be_listed_is_reported_and_the_others_go_on() {
        // Root may list anything; a loop of links fails for everybody.
        let temp = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("loop", temp.path().join("loop")).unwrap();
        std::fs::write(temp.path().join("a"), "").unwrap();
        let lines = ["@/loop/* @/a @/loop/x*"];
        let index = &mut Index::default();
        let strict = blocks(temp.path(), &lines, &Selection::default());
        let found = match_blocks(&strict, index, &|_| None);
        assert_eq!(found.logs[0].len(), 1);
        let texts: Vec<_> = found
            .findings
            .iter()
            .map(|finding| match finding {
                Finding::Diagnostic(d) => d.to_string(),
                Finding::Debug(text) => panic!("{text}"),
            })
            .collect();
        let cause = "Too many levels of symbolic links";
        let at = temp.path().display();
        assert_eq!(
            texts,
            [
                format!("f:1 glob failed for {at}/loop/*: {cause}"),
                format!("f:1 glob failed for {at}/loop/x*: {cause}"),
            ]
        );
        let missing_ok = Selection { missing_ok: true, ..Selection::default() };
        let lenient = blocks(temp.path(), &lines, &missing_ok);
        let found = match_blocks(&lenient, index, &|_| None);
        assert!(found.findings.iter().all(|f| matches!(f, Finding::Debug(_))));
        assert_eq!(found.findings.len(), 2);
    }
}
