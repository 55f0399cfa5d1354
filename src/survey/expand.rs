//! One word of a pattern list, matched against the disk: glob(3) with `GLOB_TILDE` (compat CFG-26).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::glob::Component;
use super::index::Index;
use crate::facts::FileKind;
use crate::system::lookup::{self, ListError};

/// Finds a home directory: of a user, or one's own.
pub type Home<'a> = dyn Fn(Option<&[u8]>) -> Option<PathBuf> + 'a;

/// What a word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expansion {
    /// It matches. The paths are in byte order, directories left out (compat CFG-28), so that there
    /// may be none.
    Matches(Vec<Vec<u8>>),
    /// Nothing matches; the word itself is to be taken, unchanged: tilde and backslashes stay, as
    /// in glob(3).
    Nothing {
        /// Whether the word has a wildcard.
        wildcard: bool,
    },
}

/// Matches a word.
///
/// Names below `base` are looked up there and given back relative to it (compat CFG-24). Components
/// without a wildcard are looked up, not listed. Directories are passed as glob(3) passes them,
/// through symbolic links.
///
/// # Errors
/// The cause, if a directory that had to be listed cannot be (compat CFG-27); then none of the
/// word's matches count.
pub fn expand(
    word: &[u8],
    base: Option<&Path>,
    index: &mut Index,
    home: &Home<'_>,
) -> Result<Expansion, String> {
    if word.is_empty() {
        return Ok(Expansion::Nothing { wildcard: false });
    }
    if is_plain(word) {
        if !index.plain.may_be_directory(word, base) {
            return Ok(Expansion::Matches(vec![word.to_vec()]));
        }
        let path = Path::new(OsStr::from_bytes(word));
        let kind = match base {
            Some(base) => lookup::kind(&base.join(path)),
            None => lookup::kind(path),
        };
        return Ok(match kind {
            Ok(FileKind::Directory) => Expansion::Matches(Vec::new()),
            Ok(_) => Expansion::Matches(vec![word.to_vec()]),
            Err(_) => Expansion::Nothing { wildcard: false },
        });
    }
    let (start, pattern) = with_home(word, home);
    let parts = parts(pattern);
    let wildcard = parts.iter().any(|(_, part)| part.literal().is_none());
    let on_disk = |path: &[u8]| {
        let path = Path::new(OsStr::from_bytes(if path.is_empty() { b"." } else { path }));
        base.map_or_else(|| path.to_path_buf(), |base| base.join(path))
    };
    let mut found = vec![(start, None)];
    // Whether all that was found is known to be there.
    let mut listed = false;
    for (slashes, part) in parts {
        let mut next = Vec::new();
        for (mut path, _) in found {
            path.extend_from_slice(slashes);
            if let Some(name) = part.literal() {
                path.extend_from_slice(&name);
                next.push((path, None));
                continue;
            }
            let names = match index.for_pattern(&on_disk(&path)) {
                Ok(names) => names,
                Err(ListError::NoDirectory) => continue,
                Err(ListError::Refused(cause)) => return Err(cause),
            };
            let begin = part.fixed_start();
            let names = names.kinds_starting_with(&begin);
            let matching = names.filter(|(name, _)| part.matches(name));
            next.extend(matching.map(|(name, kind)| ([&path, name].concat(), kind)));
        }
        listed = part.literal().is_none();
        found = next;
    }
    let mut any = false;
    found.retain(|(path, kind)| {
        // What was listed a moment ago and cannot be seen now is reported when it is considered.
        let kind = kind.map_or_else(|| lookup::kind(&on_disk(path)), Ok);
        let there = kind.is_ok() || listed;
        any |= there;
        there && kind != Ok(FileKind::Directory)
    });
    if !any {
        return Ok(Expansion::Nothing { wildcard });
    }
    let mut found: Vec<_> = found.into_iter().map(|(path, _)| path).collect();
    found.sort_unstable();
    Ok(Expansion::Matches(found))
}

/// Whether a word names a path, whatever is on the disk. (A tilde is not looked up.)
pub fn names(word: &[u8], path: &[u8]) -> bool {
    if is_plain(word) {
        return word == path;
    }
    let mut path = path;
    let all = parts(word).into_iter().all(|(slashes, part)| {
        let Some(rest) = path.strip_prefix(slashes) else { return false };
        let end = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        path = after;
        part.matches(name)
    });
    all && path.is_empty()
}

/// Whether a word stands for itself alone: a tilde, and what is special in a component.
fn is_plain(word: &[u8]) -> bool {
    !word.starts_with(b"~") && !word.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// Replaces a leading `~` or `~user`; a home that is unknown stays as it is written.
fn with_home<'w>(word: &'w [u8], home: &Home<'_>) -> (Vec<u8>, &'w [u8]) {
    let Some(after) = word.strip_prefix(b"~") else { return (Vec::new(), word) };
    let end = after.iter().position(|&b| b == b'/').unwrap_or(after.len());
    let (user, rest) = after.split_at(end);
    match home((!user.is_empty()).then_some(user)) {
        Some(dir) => (dir.into_os_string().as_bytes().to_vec(), rest),
        None => (Vec::new(), word),
    }
}

/// Splits a pattern into components, each with the slashes in front of it. Slashes at the end have
/// an empty component behind them.
fn parts(pattern: &[u8]) -> Vec<(&[u8], Component)> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let name = rest.iter().position(|&b| b != b'/').unwrap_or(rest.len());
        let (slashes, after) = rest.split_at(name);
        let end = after.iter().position(|&b| b == b'/').unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        parts.push((slashes, Component::new(name)));
        rest = after;
    }
    parts
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A directory with the names that the reference was asked about.
    fn arranged() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for dir in ["sub", "br[x", "home"] {
            std::fs::create_dir(at(dir)).unwrap();
        }
        for file in [
            "a",
            "b",
            ".hid",
            "a\\b",
            "x*",
            "q]",
            "sub/l1",
            "sub/.h",
            "br[x/l",
            "home/file",
            "back\\",
        ] {
            std::fs::write(at(file), "").unwrap();
        }
        symlink("sub", at("lnk")).unwrap();
        symlink("nowhere", at("dang")).unwrap();
        temp
    }

    fn expanded(temp: &Path, word: &str, base: Option<&Path>) -> Result<Option<Vec<String>>, bool> {
        let home = |user: Option<&[u8]>| match user {
            None | Some(b"me") => Some(temp.join("home")),
            Some(_) => None,
        };
        let word = word.replace('@', temp.to_str().unwrap());
        match expand(word.as_bytes(), base, &mut Index::default(), &home) {
            Err(cause) => panic!("{cause}"),
            Ok(Expansion::Nothing { wildcard }) => Err(wildcard),
            Ok(Expansion::Matches(paths)) => Ok(Some(
                paths
                    .into_iter()
                    .map(|p| String::from_utf8(p).unwrap().replace(temp.to_str().unwrap(), "@"))
                    .collect(),
            )),
        }
    }

    #[test]
    fn words_stand_for_what_the_reference_finds() {
        let temp = arranged();
        let rows: &[(&str, &[&str])] = &[
            ("@/*", &["@/a", "@/a\\b", "@/b", "@/back\\", "@/dang", "@/lnk", "@/q]", "@/x*"]),
            ("@/.*", &["@/.hid"]),
            ("@/[ab]", &["@/a", "@/b"]),
            ("@/x\\*", &["@/x*"]),
            ("@/x*", &["@/x*"]),
            ("@/a\\\\b", &["@/a\\b"]),
            ("@/\\a", &["@/a"]),
            ("@/back\\", &["@/back\\"]),
            ("@/br[x/l", &["@/br[x/l"]),
            ("@/br[x/*", &["@/br[x/l"]),
            ("@/*/l*", &["@/br[x/l", "@/lnk/l1", "@/sub/l1"]),
            ("@/**/l1", &["@/lnk/l1", "@/sub/l1"]),
            ("@/lnk/*", &["@/lnk/l1"]),
            ("@//sub//l1", &["@//sub//l1"]),
            ("@/sub//l*", &["@/sub//l1"]),
            ("@/s*//l1", &["@/sub//l1"]),
            ("@/./s*/./l1", &["@/./sub/./l1"]),
            ("@/s*/../a", &["@/sub/../a"]),
            ("@/dan*", &["@/dang"]),
            ("@/dang", &["@/dang"]),
            ("@/sub", &[]),
            ("@/sub/", &[]),
            ("@/lnk/", &[]),
            ("@/*/", &[]),
            ("~/file", &["@/home/file"]),
            ("~me/f*", &["@/home/file"]),
            ("~", &[]),
        ];
        for (word, paths) in rows {
            let expected = paths.iter().map(ToString::to_string).collect();
            assert_eq!(expanded(temp.path(), word, None), Ok(Some(expected)), "{word}");
        }
    }

    #[test]
    fn words_that_match_nothing_say_whether_they_have_a_wildcard() {
        let temp = arranged();
        for (word, wildcard) in [
            ("@/nope", false),
            ("@/nope*", true),
            ("@/no\\*pe", false),
            ("@/no\\\\*pe", true),
            ("@/[.]hid", true),
            ("@/[b-a]", true),
            ("@/[a", false),
            ("@/[a-", true),
            ("@/a/", false),
            ("@/a/*", true),
            ("@/x*/", true),
            ("@/sub/*/x", true),
            ("@/{a,b}", false),
            ("~/nope*", true),
            ("~other/file", false),
            ("", false),
        ] {
            assert_eq!(expanded(temp.path(), word, None), Err(wildcard), "{word}");
        }
    }

    #[test]
    fn relative_names_are_found_below_the_base_and_stay_relative() {
        let temp = arranged();
        for (word, path) in [("l*", "l1"), ("./l1", "./l1"), ("../sub/l?", "../sub/l1")] {
            let found = expanded(temp.path(), word, Some(&temp.path().join("sub")));
            assert_eq!(found, Ok(Some(vec![path.into()])), "{word}");
        }
    }

    #[test]
    fn results_are_in_byte_order_of_the_whole_path() {
        let temp = tempfile::tempdir().unwrap();
        for dir in ["a", "a-b", "B"] {
            std::fs::create_dir(temp.path().join(dir)).unwrap();
            std::fs::write(temp.path().join(dir).join("x"), "").unwrap();
        }
        let found = expanded(temp.path(), "@/*/x", None);
        assert_eq!(found, Ok(Some(["@/B/x", "@/a-b/x", "@/a/x"].map(String::from).to_vec())));
    }
}
