//! One component of a pattern, matched against one name, as glob(3) does it, on bytes.
//!
//! `*`, `?` and `[..]` with ranges, negation by `!` or `^`, classes such as `[:digit:]`, and a
//! backslash that makes the next byte ordinary. A leading dot is matched only by a dot that is
//! written (compat CFG-26). There are no braces and no `**`. Ranges and classes are those of the C
//! locale, one byte is one character, whatever the environment says.

/// A set of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set([u64; 4]);

impl Set {
    const EMPTY: Self = Self([0; 4]);

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    fn inverted(&self) -> Self {
        Self(self.0.map(|bits| !bits))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyByte,
    AnyText,
    OneOf(Set),
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => *wanted == byte,
            Self::AnyByte => true,
            Self::OneOf(set) => set.has(byte),
            Self::AnyText => false,
        }
    }
}

/// One component of a pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    tokens: Vec<Token>,
}

impl Component {
    /// Takes a component apart. Every text is a pattern: what is not closed stands for itself.
    pub fn new(text: &[u8]) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            let token = match byte {
                b'*' => Token::AnyText,
                b'?' => Token::AnyByte,
                b'[' => match bracket(after) {
                    Some((set, after)) => {
                        rest = after;
                        Token::OneOf(set)
                    }
                    None => Token::Byte(b'['),
                },
                b'\\' => match after.split_first() {
                    Some((&next, after)) => {
                        rest = after;
                        Token::Byte(next)
                    }
                    // A backslash at the end stands for itself.
                    None => Token::Byte(b'\\'),
                },
                other => Token::Byte(other),
            };
            if token != Token::AnyText || tokens.last() != Some(&Token::AnyText) {
                tokens.push(token);
            }
        }
        Self { tokens }
    }

    /// The one name that it matches, if it has no wildcard.
    pub fn literal(&self) -> Option<Vec<u8>> {
        self.tokens
            .iter()
            .map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None })
            .collect()
    }

    /// The bytes that every matching name begins with.
    pub fn fixed_start(&self) -> Vec<u8> {
        self.tokens
            .iter()
            .map_while(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None })
            .collect()
    }

    /// Whether a name matches. Takes time in proportion to the lengths' product at worst.
    pub fn matches(&self, name: &[u8]) -> bool {
        if name.first() == Some(&b'.') && self.tokens.first() != Some(&Token::Byte(b'.')) {
            return false;
        }
        let (mut token, mut at) = (0, 0);
        // Where to go on if the text does not fit: behind the last `*`, which takes a byte more.
        // Only the last one matters: an earlier one that takes more could not find what the later
        // one cannot.
        let mut retry = None;
        loop {
            match (self.tokens.get(token), name.get(at)) {
                (None, None) => return true,
                (Some(Token::AnyText), _) => {
                    token += 1;
                    retry = Some((token, at));
                    continue;
                }
                (Some(wanted), Some(&byte)) if wanted.takes(byte) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((after_star, from)) = retry else { return false };
            if from >= name.len() {
                return false;
            }
            (token, at) = (after_star, from + 1);
            retry = Some((after_star, from + 1));
        }
    }
}

/// Reads a bracket expression from behind its `[`: the set, and what follows its `]`. `None` if it
/// is not closed.
fn bracket(text: &[u8]) -> Option<(Set, &[u8])> {
    let (negated, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut set = Set::EMPTY;
    let mut valid = true;
    let mut first = true;
    loop {
        let (member, after) = match rest {
            [b']', after @ ..] if !first => {
                rest = after;
                break;
            }
            _ => member(rest)?,
        };
        rest = after;
        first = false;
        let low = match member {
            Member::NeverClosed => return Some((Set::EMPTY, &[])),
            Member::Unknown => {
                valid = false;
                continue;
            }
            Member::Class(has) => {
                (0..=255).filter(|b| valid && has(b)).for_each(|b| set.add(b));
                continue;
            }
            Member::Equivalent(byte) => {
                (byte..=byte).filter(|_| valid).for_each(|b| set.add(b));
                continue;
            }
            Member::Byte(low) => low,
        };
        let mut high = low;
        if let [b'-', after @ ..] = rest
            && after.first() != Some(&b']')
        {
            // A range without its end matches nothing, where any other bracket that is not closed
            // stands for itself.
            let (end, after) = element(after).unwrap_or((Member::NeverClosed, &[]));
            rest = after;
            match end {
                Member::NeverClosed => return Some((Set::EMPTY, &[])),
                Member::Byte(end) => high = end,
                _ => valid = false,
            }
        }
        (low..=high).filter(|_| valid).for_each(|b| set.add(b));
    }
    // What stands before an unknown class or symbol still matches; everything else does not, negated
    // or not.
    let set = match (valid, negated) {
        (false, true) => Set::EMPTY,
        (true, true) => set.inverted(),
        (_, false) => set,
    };
    Some((set, rest))
}

/// A part of a bracket expression.
enum Member {
    Byte(u8),
    /// `[:x:]`.
    Class(fn(&u8) -> bool),
    /// `[=x=]`: a byte that begins no range.
    Equivalent(u8),
    /// A class that there is not, or a symbol of several bytes.
    Unknown,
    /// A `[.` or a range without its end: the pattern matches nothing.
    NeverClosed,
}

/// The next member. `None` at the end of the text.
fn member(text: &[u8]) -> Option<(Member, &[u8])> {
    match text {
        [b'[', b':', inner @ ..] => {
            // The C library takes small letters but `z` for a name; anything else is no class.
            if let Some((name, after)) = named(inner, b':')
                && name.iter().all(|&b| b.is_ascii_lowercase() && b != b'z')
            {
                return Some((class(name).map_or(Member::Unknown, Member::Class), after));
            }
        }
        [b'[', b'=', byte, b'=', b']', after @ ..] => {
            return Some((Member::Equivalent(*byte), after));
        }
        _ => {}
    }
    element(text)
}

/// One byte or end of a range: a byte, `\` and a byte, or `[.x.]`. `None` at the end of the text.
fn element(text: &[u8]) -> Option<(Member, &[u8])> {
    match text {
        [b'[', b'.', inner @ ..] => Some(match named(inner, b'.') {
            Some(([only], after)) => (Member::Byte(*only), after),
            Some((_, after)) => (Member::Unknown, after),
            None => (Member::NeverClosed, &[]),
        }),
        [b'\\', byte, after @ ..] | [byte, after @ ..] => Some((Member::Byte(*byte), after)),
        [] => None,
    }
}

/// Reads `NAME` and the closing `:]` or `.]`.
fn named(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let end = text.windows(2).position(|pair| pair == [mark, b']'])?;
    Some((&text[..end], &text[end + 2..]))
}

/// The members of a class in the C locale.
fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |b| matches!(b, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |b| (b' '..=b'~').contains(b),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |b| matches!(b, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Component::new(pattern.as_bytes()).matches(name.as_bytes())
    }

    #[test]
    fn names_match_as_in_the_c_library() {
        // pattern, names that match, names that do not
        let rows: &[(&str, &[&str], &[&str])] = &[
            ("*", &["a", "a.b", "x*"], &[".hid"]),
            (".*", &[".hid", "."], &["a"]),
            ("?", &["a", "*"], &["", "ab", "."]),
            (".?id", &[".hid"], &["xhid"]),
            ("[.]hid", &[], &[".hid"]),
            ("[!a]hid", &["bhid"], &[".hid", "ahid"]),
            ("*.log", &["a.log", "a.b.log"], &["a.logs", ".log"]),
            ("a*b*c", &["abc", "axxbyybc", "abcbc"], &["ab", "acb"]),
            ("**a", &["a", "ba"], &["ab"]),
            ("[!a]", &["b"], &["a", "ab"]),
            ("[^a]", &["b", "!"], &["a"]),
            ("[a-b]", &["a", "b"], &["c", "-"]),
            ("[b-a]", &[], &["a", "b", "-", "[b-a]"]),
            ("[]q]]", &["q]", "]]"], &["q"]),
            ("q[]]", &["q]"], &["q"]),
            ("[a-]*", &["a", "-x"], &["b"]),
            ("[--z]", &["-", "1", "A", "z"], &["{"]),
            ("[[:upper:]]*", &["Ax"], &["a"]),
            ("[[:digit:][:upper:]_]", &["1", "A", "_"], &["a"]),
            ("[![:digit:]]", &["a"], &["1"]),
            ("[[:foo:]]", &[], &["f", ":", "[[:foo:]]"]),
            ("[![:foo:]]", &[], &["f"]),
            ("[[=a=]]", &["a"], &["b", "="]),
            ("[[.a.]]", &["a"], &["."]),
            ("z[[.-.]]1", &["z-1"], &["z.1"]),
            ("[[.a.]-c]", &["b"], &["-"]),
            ("[[.hyphen.]]", &[], &["-", "h"]),
            ("[a[:foo:]b]", &["a"], &["b", "f"]),
            ("[[=ab=]x]", &["[x]", "bx]"], &["a", "x"]),
            ("[[:Foo:]x]", &[":x]"], &["F", "x"]),
            ("[a[.", &[], &["a", "[a[."]),
            ("[a-[.b]", &[], &["a", "b"]),
            ("[\\a]", &["a"], &["\\"]),
            ("[\\]]x", &["]x"], &["\\x"]),
            ("x\\*", &["x*"], &["xy", "x\\*"]),
            ("a\\\\b", &["a\\b"], &["ab"]),
            ("back\\", &["back\\"], &["back"]),
            ("[a-", &[], &["a", "[a-"]),
            ("x[!0a-", &[], &["x1", "x[!0a-"]),
            ("[-", &["[-"], &["-"]),
            ("[a", &["[a"], &["a"]),
            ("[", &["["], &[]),
            ("[]", &["[]"], &[]),
            ("[!]", &["[!]"], &["a"]),
            ("{a,b}", &["{a,b}"], &["a"]),
        ];
        for (pattern, good, bad) in rows {
            for name in *good {
                assert!(matches(pattern, name), "{pattern} should match {name}");
            }
            for name in *bad {
                assert!(!matches(pattern, name), "{pattern} should not match {name}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_match() {
        assert!(Component::new(b"n?m").matches(b"n\xffm"));
        assert!(Component::new(b"[\xf0-\xff]").matches(b"\xfe"));
    }

    #[test]
    fn a_component_without_wildcards_is_one_name() {
        for (text, name) in [("a\\*b", "a*b"), ("br[x", "br[x"), ("a\\", "a\\"), ("[a\\]x", "[a]x")]
        {
            let component = Component::new(text.as_bytes());
            assert_eq!(component.literal(), Some(name.as_bytes().to_vec()), "{text}");
        }
        for text in ["a*", "?", "[a]"] {
            assert_eq!(Component::new(text.as_bytes()).literal(), None);
        }
        assert_eq!(Component::new(b"ab\\*[c]d").fixed_start(), b"ab*");
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!matches(&pattern, &"a".repeat(4000)));
    }

    proptest! {
        #[test]
        fn a_quoted_name_matches_itself_only(name in "[^/\\x00]{1,12}", other in "[^/\\x00]{1,12}") {
            let quoted: Vec<u8> = name.bytes().flat_map(|b| [b'\\', b]).collect();
            let component = Component::new(&quoted);
            prop_assert!(component.matches(name.as_bytes()));
            prop_assert_eq!(component.matches(other.as_bytes()), name == other);
        }

        #[test]
        fn no_pattern_panics(pattern in proptest::collection::vec(any::<u8>(), 0..24),
                             name in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = Component::new(&pattern).matches(&name);
        }

        #[test]
        fn stars_and_marks_agree_with_a_simple_recursion(pattern in "[ab?*]{0,8}", name in "[ab]{0,10}") {
            fn simple(p: &[u8], n: &[u8]) -> bool {
                match (p.first(), n.first()) {
                    (None, None) => true,
                    (Some(b'*'), _) => simple(&p[1..], n) || (!n.is_empty() && simple(p, &n[1..])),
                    (Some(b'?'), Some(_)) => simple(&p[1..], &n[1..]),
                    (Some(a), Some(b)) => a == b && simple(&p[1..], &n[1..]),
                    _ => false,
                }
            }
            prop_assert_eq!(matches(&pattern, &name), simple(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
