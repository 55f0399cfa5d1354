//! The values of directives: numbers, sizes, words, modes, accounts, paths.
//!
//! Numbers are those of C's `strtol` (compat CFG-70), but checked: what does not fit is an error and
//! never another number (fixes compat B-29).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::policy::RotateAs;
use crate::names::Shown;
use crate::system::Accounts;
use crate::units::{ByteSize, Mode};

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// A short stable name.
    pub code: &'static str,
    /// The reference's words.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Bad {
    /// A refusal without advice of its own.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What values are read with: the accounts, and a place for debug lines.
pub struct Reading<'a> {
    /// Users, groups and home directories.
    pub accounts: &'a dyn Accounts,
    /// The `su` in force, whose parts a later one may leave out (compat CFG-94).
    pub rotate_as: RotateAs,
    /// Debug lines of the values read, in order.
    pub debug: Vec<String>,
}

/// Longer texts are cut in messages.
const MOST_SHOWN: usize = 1000;

/// Bytes from a configuration as messages show them: escaped, and cut when long.
pub fn shown(bytes: &[u8]) -> String {
    match bytes.get(..MOST_SHOWN) {
        Some(head) if bytes.len() > MOST_SHOWN => format!("{}...", Shown(head)),
        _ => Shown(bytes).to_string(),
    }
}

/// C's `isspace`.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Cuts white space off the end.
pub fn trim_end(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|&b| !is_space(b)).map_or(0, |last| last + 1);
    text.get(..kept).unwrap_or(text)
}

/// Cuts white space off the start.
pub fn trim_start(text: &[u8]) -> &[u8] {
    let first = text.iter().position(|&b| !is_space(b)).unwrap_or(text.len());
    text.get(first..).unwrap_or(text)
}

/// A whole number and its unit, in milliseconds; the units are given with how many each has.
pub fn duration(text: &[u8], units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = std::str::from_utf8(text).ok()?.split_at_checked(digits)?;
    let &(_, length) = units.iter().find(|&&(name, _)| name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(length)
}

/// A whole number as C writes it: decimal, `0x` hexadecimal, leading-`0` octal, with a sign; `None` if
/// the text is anything else or does not fit (compat CFG-70).
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(trim_start(text));
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', hex @ ..] => (16, hex),
        [b'0', octal @ ..] if !octal.is_empty() => (8, octal),
        digits => (10, digits),
    };
    signed(negative, digits, base)
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    }
}

fn signed(negative: bool, digits: &[u8], base: u32) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |sum, &byte| {
        let digit = i64::from(char::from(byte).to_digit(base)?);
        let sum = sum.checked_mul(i64::from(base))?;
        if negative { sum.checked_sub(digit) } else { sum.checked_add(digit) }
    })
}

/// A number from `least` up to 2^31 - 1 (compat CFG-71, CFG-72).
///
/// # Errors
/// `bad WHAT 'TEXT'` for anything else.
pub fn count(text: &[u8], least: i64, code: &'static str, what: &str) -> Result<i64, Bad> {
    integer(text)
        .filter(|n| (least..=i64::from(i32::MAX)).contains(n))
        .ok_or_else(|| Bad::new(code, format!("bad {what} '{}'", shown(text))))
}

/// The same, for numbers that cannot be negative.
///
/// # Errors
/// As for [`count`].
pub fn unsigned(text: &[u8], code: &'static str, what: &str) -> Result<u32, Bad> {
    let number = count(text, 0, code, what)?;
    u32::try_from(number).map_err(|_| Bad::new(code, format!("bad {what} '{}'", shown(text))))
}

/// A size: a number of bytes, or of `k`, `M`, `G` (compat CFG-73). A lone suffix is 0.
///
/// # Errors
/// An unknown unit, or a number that is none or does not fit.
pub fn size(text: &[u8]) -> Result<ByteSize, Bad> {
    let (digits, unit) = match text {
        [digits @ .., b'k' | b'K'] => (digits, 1 << 10),
        [digits @ .., b'M'] => (digits, 1 << 20),
        [digits @ .., b'G'] => (digits, 1 << 30),
        [.., last] if !last.is_ascii_digit() => {
            let unknown = Bad::new("unknown-unit", format!("unknown unit '{}'", shown(&[*last])));
            return Err(unknown.with_hint(SIZE_USAGE));
        }
        digits => (digits, 1_i64),
    };
    let number = if digits.is_empty() { Some(0) } else { integer(digits) };
    number
        .and_then(|n| n.checked_mul(unit))
        .and_then(|n| u64::try_from(n).ok())
        .map(ByteSize)
        .ok_or_else(|| {
            Bad::new("bad-size", format!("bad size '{}'", shown(digits))).with_hint(SIZE_USAGE)
        })
}

const SIZE_USAGE: &str = "write a whole number of bytes, or put k, M or G right behind it, without a blank: \
    `500k`, `10M`, `1G`; a number that begins with 0 is octal";

/// The day of `weekly` and `monthly`: decimal, 0 to `most`; nothing is 0 (compat CFG-75).
pub fn day(text: &[u8], most: u8) -> Option<u8> {
    let text = trim_start(text);
    if text.is_empty() {
        return Some(0);
    }
    let (negative, digits) = sign(text);
    u8::try_from(signed(negative, digits, 10)?).ok().filter(|&day| day <= most)
}

/// Splits as popt does (compat CFG-23): white space separates, `'` and `"` quote, a backslash takes the
/// next byte as it is (inside quotes only before that quote). An open quote ends at the end of the text.
/// Each word comes with the offsets where it begins and ends; empty words are dropped. `None` if the
/// text ends in a backslash.
pub fn words(text: &[u8]) -> Option<Words> {
    // Nearly every list is one plain name.
    if !text.iter().any(|&byte| is_space(byte) || matches!(byte, b'"' | b'\'' | b'\\')) {
        let word = Word { text: text.to_vec(), start: 0, end: text.len() };
        let all = if text.is_empty() { Vec::new() } else { vec![word] };
        return Some(Words { all, open_quote: None });
    }
    let mut all = Vec::new();
    let mut word = Word::default();
    let (mut quote, mut opened) = (None, 0);
    let mut bytes = text.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, quote) {
            (_, Some(open)) if byte == open => quote = None,
            (b'\\', Some(open)) => {
                let (at, next) = bytes.next()?;
                if next != open {
                    word.push(at, b'\\');
                }
                word.push(at, next);
            }
            (b'"' | b'\'', None) => (quote, opened) = (Some(byte), at),
            (b'\\', None) => {
                let (at, next) = bytes.next()?;
                word.push(at, next);
            }
            (_, None) if is_space(byte) => all.extend(word.take()),
            _ => word.push(at, byte),
        }
    }
    all.extend(word.take());
    Some(Words { all, open_quote: quote.map(|_| opened) })
}

/// A list of words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub all: Vec<Word>,
    /// Offset of a quote that is not closed.
    pub open_quote: Option<usize>,
}

/// One word of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// Its text, quotes removed.
    pub text: Vec<u8>,
    /// Offset of its first byte that counts.
    pub start: usize,
    /// Offset after its last byte that counts.
    pub end: usize,
}

impl Word {
    fn push(&mut self, at: usize, byte: u8) {
        if self.text.is_empty() {
            self.start = at;
        }
        self.end = at + 1;
        self.text.push(byte);
    }

    fn take(&mut self) -> Option<Self> {
        (!self.text.is_empty()).then(|| std::mem::take(self))
    }
}

/// The words of `create` (compat CFG-90): split at white space, a word may stand in quotes, without
/// escapes. `None` if a quote stays open.
pub fn plain_words(mut text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut all = Vec::new();
    loop {
        text = trim_start(text);
        let (word, rest) = match text {
            [] => return Some(all),
            [quote @ (b'"' | b'\''), quoted @ ..] => {
                let end = quoted.iter().position(|b| b == quote)?;
                (quoted.get(..end)?, quoted.get(end + 1..)?)
            }
            _ => text.split_at(text.iter().position(|&b| is_space(b)).unwrap_or(text.len())),
        };
        all.push(word);
        text = rest;
    }
}

/// An octal mode (compat CFG-92); bits that no file has are dropped.
///
/// # Errors
/// Anything else.
pub fn mode(text: &[u8]) -> Result<Mode, Bad> {
    let (negative, digits) = sign(text);
    signed(negative, digits, 8)
        .filter(|n| (0..=i64::from(i32::MAX)).contains(n))
        .and_then(|n| u32::try_from(n & 0o7777).ok())
        .map(Mode)
        .ok_or_else(|| {
            Bad::new("invalid-mode", format!("invalid mode '{}'", shown(text)))
                .with_hint("write the mode in octal: `0640`")
        })
}

/// A user: a name, a number that exists, or any number behind a colon (compat CFG-93).
///
/// # Errors
/// Nobody of that name or number.
pub fn user(text: &[u8], accounts: &dyn Accounts) -> Result<u32, Bad> {
    let known = accounts.user(text).or_else(|| numeric(text, |uid| accounts.has_uid(uid)));
    known.ok_or_else(|| Bad::new("unknown-user", format!("unknown user '{}'", shown(text))))
}

/// A group, likewise.
///
/// # Errors
/// No group of that name or number.
pub fn group(text: &[u8], accounts: &dyn Accounts) -> Result<u32, Bad> {
    let known = accounts.group(text).or_else(|| numeric(text, |gid| accounts.has_gid(gid)));
    known.ok_or_else(|| Bad::new("unknown-group", format!("unknown group '{}'", shown(text))))
}

fn numeric(text: &[u8], exists: impl Fn(u32) -> bool) -> Option<u32> {
    let (digits, any) = match text {
        [b':', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    let number = signed(false, digits, 10).filter(|&n| n < i64::from(i32::MAX))?;
    u32::try_from(number).ok().filter(|&n| any || exists(n))
}

/// A path or ending that holds no blanks and only printable characters; `what` names it in the error.
///
/// # Errors
/// Any other text.
pub fn printable<'a>(text: &'a [u8], code: &'static str, what: &str) -> Result<&'a [u8], Bad> {
    let fine = std::str::from_utf8(text)
        .is_ok_and(|text| text.chars().all(|c| !c.is_control() && !c.is_whitespace()));
    if fine {
        Ok(text)
    } else {
        Err(Bad::new(code, format!("bad {what} {}", shown(text)))
            .with_hint("it may hold neither blanks nor unprintable characters; quotes do not help"))
    }
}

/// Puts the home directory in place of a leading `~/` (compat CFG-60), and says so at debug level.
pub fn expand_home(text: &[u8], reading: &mut Reading<'_>) -> PathBuf {
    let home = if text.starts_with(b"~/") { reading.accounts.home(None) } else { None };
    match (home, text.get(1..)) {
        (Some(home), Some(rest)) => {
            let path = [home.as_os_str().as_bytes(), rest].concat();
            reading.debug.push(format!("replaced '{}' with '{}'", shown(text), shown(&path)));
            OsString::from_vec(path).into()
        }
        _ => OsString::from_vec(text.to_vec()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Accounts for Nobody {
        fn user(&self, name: &[u8]) -> Option<u32> {
            (name == b"www").then_some(33)
        }
        fn group(&self, name: &[u8]) -> Option<u32> {
            (name == b"adm").then_some(4)
        }
        fn has_uid(&self, uid: u32) -> bool {
            uid == 33
        }
        fn has_gid(&self, gid: u32) -> bool {
            gid == 4
        }
        fn home(&self, _: Option<&[u8]>) -> Option<PathBuf> {
            Some("/home/me".into())
        }
    }

    #[test]
    fn a_duration_is_digits_and_a_unit_and_nothing_else() {
        let units = &[("ms", 1), ("s", 1000)];
        for (text, expected) in [
            ("10ms", Some(10)),
            ("0s", Some(0)),
            ("3s", Some(3000)),
            ("3", None),
            ("s", None),
            ("+3s", None),
            ("3 s", None),
            ("3m", None),
            ("18446744073709551615s", None),
            ("99999999999999999999ms", None),
            ("", None),
        ] {
            assert_eq!(duration(text.as_bytes(), units), expected, "{text}");
        }
        assert_eq!(duration(b"3\xff", units), None);
    }

    #[test]
    fn integers_are_read_as_strtol_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("010", Some(8)),
            ("08", None),
            ("0x1F", Some(31)),
            ("0x", None),
            ("+3", Some(3)),
            ("-1", Some(-1)),
            ("--1", None),
            ("- 1", None),
            ("", None),
            ("5 ", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn counts_out_of_range_are_errors_and_never_wrap() {
        for text in ["4294967295", "4294967298", "2147483648", "99999999999999999999", "-2", "x"] {
            let bad = count(text.as_bytes(), -1, "c", "rotation count").unwrap_err();
            assert_eq!(bad.message, format!("bad rotation count '{text}'"));
        }
        assert_eq!(count(b"2147483647", -1, "c", "x"), Ok(2_147_483_647));
    }

    #[test]
    fn sizes_take_a_unit_right_behind_the_number() {
        for (text, expected) in [
            ("100", Ok(100)),
            ("1k", Ok(1 << 10)),
            ("1K", Ok(1 << 10)),
            ("2M", Ok(2 << 20)),
            ("3G", Ok(3 << 30)),
            ("k", Ok(0)),
            ("0x5k", Ok(5 << 10)),
            ("5m", Err("unknown unit 'm'")),
            ("5kB", Err("unknown unit 'B'")),
            ("0x1f", Err("unknown unit 'f'")),
            ("5 k", Err("bad size '5 '")),
            ("08", Err("bad size '08'")),
            ("-5", Err("bad size '-5'")),
            ("17179869185G", Err("bad size '17179869185'")),
            ("9223372036854775808", Err("bad size '9223372036854775808'")),
        ] {
            let read = size(text.as_bytes()).map(|size| size.0).map_err(|bad| bad.message);
            assert_eq!(read, expected.map_err(Into::into), "{text}");
        }
    }

    #[test]
    fn words_are_split_as_popt_splits_them() {
        for (text, expected) in [
            ("/a 'b c' \"d\\\"e\" f\\ g", Some(vec!["/a", "b c", "d\"e", "f g"])),
            ("'a\\b' \\\\*", Some(vec!["a\\b", "\\*"])),
            ("'' \"\"", Some(vec![])),
            ("'open end", Some(vec!["open end"])),
            ("a\\", None),
        ] {
            let read = words(text.as_bytes());
            let texts = read.map(|words| {
                words
                    .all
                    .into_iter()
                    .map(|w| String::from_utf8_lossy(&w.text).into_owned())
                    .collect()
            });
            assert_eq!(
                texts,
                expected.map(|all| all.into_iter().map(String::from).collect::<Vec<_>>())
            );
        }
        for (text, open) in [("'a' b", None), ("a 'b c", Some(2)), ("'a' \"b'", Some(4))] {
            assert_eq!(words(text.as_bytes()).map(|words| words.open_quote), Some(open));
        }
        let list = words(b" 'b c' ").expect("splits");
        assert_eq!(list.all.first().map(|w| (w.start, w.end)), Some((2, 5)));
    }

    #[test]
    fn users_and_groups_are_names_or_known_numbers() {
        for (text, expected) in [
            ("www", Some(33)),
            ("33", Some(33)),
            ("34", None),
            (":34", Some(34)),
            (":2147483647", None),
            ("", None),
            ("0644", None),
        ] {
            assert_eq!(user(text.as_bytes(), &Nobody).ok(), expected, "{text}");
        }
        assert_eq!(group(b"adm", &Nobody), Ok(4));
        assert_eq!(group(b"x", &Nobody).unwrap_err().message, "unknown group 'x'");
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(mode(b"0640"), Ok(Mode(0o640)));
        for text in ["8644", "-1", "rw", "77777777777", ""] {
            assert_eq!(
                mode(text.as_bytes()).unwrap_err().message,
                format!("invalid mode '{text}'")
            );
        }
    }

    #[test]
    fn a_tilde_and_slash_stand_for_the_home_directory() {
        let mut reading =
            Reading { accounts: &Nobody, rotate_as: RotateAs::Invoker, debug: Vec::new() };
        assert_eq!(expand_home(b"~/x", &mut reading), PathBuf::from("/home/me/x"));
        assert_eq!(expand_home(b"~x/y", &mut reading), PathBuf::from("~x/y"));
        assert_eq!(reading.debug, ["replaced '~/x' with '/home/me/x'"]);
    }
}
