//! Names that are left out when a directory is read (compat CFG-62 to CFG-64).

use super::directive::Taboo;
use super::value::{is_space, trim_start};

/// The endings that are left out by default (compat CFG-63).
const ENDINGS: &[&str] = &[
    ",v",
    ".bak",
    ".cfsaved",
    ".disabled",
    ".dpkg-bak",
    ".dpkg-del",
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-tmp",
    ".new",
    ".old",
    ".orig",
    ".pacnew",
    ".pacorig",
    ".pacsave",
    ".rhn-cfg-tmp-*",
    ".rpmnew",
    ".rpmorig",
    ".rpmsave",
    ".swp",
    ".ucf-dist",
    ".ucf-new",
    ".ucf-old",
    "~",
];

/// The list of patterns in force.
#[derive(Debug)]
pub struct TabooList(Vec<Pattern>);

/// A pattern; most are a `*` and an ending, which is quickly looked for.
#[derive(Debug)]
struct Pattern {
    text: Vec<u8>,
    is_ending: bool,
}

impl Pattern {
    fn new(text: Vec<u8>) -> Self {
        let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let is_ending = text.strip_prefix(b"*").is_some_and(|rest| !rest.iter().any(special));
        Self { text, is_ending }
    }

    fn matches(&self, name: &[u8]) -> bool {
        match self.text.strip_prefix(b"*") {
            Some(ending) if self.is_ending => name.ends_with(ending),
            _ => matches(&self.text, name),
        }
    }
}

impl Default for TabooList {
    fn default() -> Self {
        let pattern = |ending: &&str| Pattern::new([b"*", ending.as_bytes()].concat());
        Self(ENDINGS.iter().map(pattern).collect())
    }
}

impl TabooList {
    /// Reads the value of `tabooext` or `taboopat`: with a leading `+` its items are added, else they
    /// replace the whole list (compat CFG-64).
    pub fn set(&mut self, text: &[u8], kind: Taboo) {
        let items = match text {
            [b'+', items @ ..] => trim_start(items),
            items => {
                self.0.clear();
                items
            }
        };
        let items = items.split(|&b| b == b',' || is_space(b)).filter(|item| !item.is_empty());
        self.0.extend(items.map(|item| {
            Pattern::new(match kind {
                Taboo::Endings => [b"*", item].concat(),
                Taboo::Patterns => item.to_vec(),
            })
        }));
    }

    /// The first pattern that leaves the name out. It applies to hidden files too, so that an
    /// editor's `.x.swp` is no configuration (fixes compat B-31).
    pub fn find(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.iter().find(|pattern| pattern.matches(name)).map(|pattern| pattern.text.as_slice())
    }
}

/// Whether a name matches a pattern of `*`, `?`, `[..]` and backslashes, byte by byte. Takes time in
/// proportion to the product of both lengths at most.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut left, mut rest) = (pattern, name);
    // What to try next when the rest does not match: the last `*` takes one byte more.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', after @ ..] = left {
            left = after;
            star = Some((left, rest));
            continue;
        }
        if let Some((after_byte, after_pattern)) = step(left, rest) {
            (rest, left) = (after_byte, after_pattern);
            continue;
        }
        if left.is_empty() && rest.is_empty() {
            return true;
        }
        match star {
            Some((pattern, [_, name @ ..])) => {
                star = Some((pattern, name));
                (left, rest) = (pattern, name);
            }
            _ => return false,
        }
    }
}

/// Matches one byte; what is left of name and pattern.
fn step<'n, 'p>(pattern: &'p [u8], name: &'n [u8]) -> Option<(&'n [u8], &'p [u8])> {
    let (&byte, name) = name.split_first()?;
    match pattern {
        [b'?', pattern @ ..] => Some((name, pattern)),
        [b'[', class @ ..] => match bracket(class, byte) {
            Some((true, pattern)) => Some((name, pattern)),
            Some((false, _)) => None,
            // Without its `]` it is an ordinary byte.
            None => (byte == b'[').then_some((name, class)),
        },
        [b'\\', literal, pattern @ ..] | [literal, pattern @ ..] => {
            (*literal == byte).then_some((name, pattern))
        }
        [] => None,
    }
}

/// Whether a byte is in the class whose text begins behind the `[`, and the pattern behind its `]`.
fn bracket(class: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut left) = match class {
        [b'!' | b'^', left @ ..] => (true, left),
        left => (false, left),
    };
    let (mut found, mut first) = (false, true);
    loop {
        let (low, after) = match left {
            [b']', pattern @ ..] if !first => return Some((found != negated, pattern)),
            [b'\\', literal, after @ ..] | [literal, after @ ..] => (*literal, after),
            [] => return None,
        };
        let (high, after) = match after {
            [b'-', high, after @ ..] if *high != b']' => (*high, after),
            after => (low, after),
        };
        found |= (low..=high).contains(&byte);
        (left, first) = (after, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, name, expected) in [
            ("*.bak", "a.bak", true),
            ("*.bak", "a.bak.x", false),
            ("*~", ".x~", true),
            ("*.swp", ".x.conf.swp", true),
            ("a*b*c", "a-b-b-c", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_does_not_take_exponential_time() {
        let pattern = b"*a".repeat(100);
        assert!(!matches(&pattern, &[b'a'; 99]));
        assert!(!matches(&b"a*".repeat(2000), &[b'b'; 2000]));
    }

    #[test]
    fn a_plus_adds_to_the_list_and_anything_else_replaces_it() {
        let mut list = TabooList::default();
        list.set(b"+ .zz, .yy ,", Taboo::Endings);
        assert_eq!(list.find(b"a.zz"), Some(&b"*.zz"[..]));
        assert_eq!(list.find(b"a.bak"), Some(&b"*.bak"[..]));
        list.set(b"x*", Taboo::Patterns);
        assert_eq!((list.find(b"a.bak"), list.find(b"xy")), (None, Some(&b"x*"[..])));
    }
}
