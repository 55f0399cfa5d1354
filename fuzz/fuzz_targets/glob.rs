//! Any pattern and any name: the same answer as the C library's fnmatch(3), which glob(3) asks too.
//!
//! The input is a pattern, a newline, and a name.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use logrotate_rs::survey::glob::Component;

/// The simplest matcher of `*`, `?` and plain bytes that can be right.
fn simple(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            simple(rest, name) || name.split_first().is_some_and(|(_, tail)| simple(pattern, tail))
        }
        ([b'?', rest @ ..], [_, tail @ ..]) => simple(rest, tail),
        ([byte, rest @ ..], [first, tail @ ..]) => byte == first && simple(rest, tail),
        _ => false,
    }
}

/// What the C library says, in the C locale, which a program is in until it asks for another.
fn library(pattern: &[u8], name: &[u8]) -> Option<bool> {
    let (pattern, name) = (CString::new(pattern).ok()?, CString::new(name).ok()?);
    // SAFETY: both are strings that live until the call returns.
    match unsafe { libc::fnmatch(pattern.as_ptr(), name.as_ptr(), libc::FNM_PERIOD) } {
        0 => Some(true),
        libc::FNM_NOMATCH => Some(false),
        _ => None,
    }
}

/// Whether there is a `[=` without `=]`, or the like: the library then forgets what it has matched, or not, depending on
/// where in the brackets that was.
fn has_unclosed_symbol(pattern: &[u8]) -> bool {
    pattern.windows(2).enumerate().any(|(at, pair)| match pair {
        b"[=" => !matches!(pattern.get(at + 3..at + 5), Some(b"=]")),
        b"[." | b"[:" => !pattern[at + 2..].windows(2).any(|end| end == [pair[1], b']']),
        _ => false,
    })
}

/// Whether a range ends in what looks like a class: the library takes it for the bytes that it is made of as long as
/// nothing has matched, and for a class once something has, so that the same brackets end in two places.
fn has_class_as_end(pattern: &[u8]) -> bool {
    pattern.windows(3).any(|three| matches!(three, b"-[:" | b"-[="))
}

/// Whether brackets that are not closed hold a `-`: the library takes `[[-` and `[Z-ab-` for themselves and lets `[a-`
/// and `[[b-` match nothing, as the byte that it looks at fits one member or another.
fn has_unclosed_range(pattern: &[u8]) -> bool {
    let last = |wanted: u8| pattern.iter().rposition(|&byte| byte == wanted);
    let opened = pattern.iter().position(|&byte| byte == b'[');
    last(b'-').is_some_and(|dash| opened.is_some_and(|at| at < dash) && last(b']') < Some(dash))
}

/// Whether brackets that hold a class are not closed: here too it depends on the name's bytes what the library makes of
/// a class that there is not.
fn has_unclosed_class(pattern: &[u8]) -> bool {
    let closes = |pair: &[u8]| matches!(pair, b":]" | b"=]" | b".]");
    let last = pattern.windows(2).rposition(closes);
    last.is_some_and(|last| !pattern[last + 2..].contains(&b']'))
}

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let (pattern, name) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let component = Component::new(pattern);
    let matched = component.matches(name);

    let start = component.fixed_start();
    assert!(!matched || name.starts_with(&start));
    if let Some(literal) = component.literal() {
        assert_eq!(start, literal);
        assert_eq!(matched, name == literal);
    }
    // The models below try everything.
    let stars = pattern.iter().filter(|&&byte| byte == b'*').count();
    if stars > 4 || pattern.len() > 40 || name.len() > 40 {
        return;
    }
    if !pattern.iter().any(|byte| b"[\\".contains(byte)) {
        let hidden = name.first() == Some(&b'.') && pattern.first() != Some(&b'.');
        assert_eq!(matched, !hidden && simple(pattern, name));
    }
    // A component has no slash. A backslash at the end is no pattern to the library.
    let quoting = pattern.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1;
    if !input.contains(&b'/')
        && !quoting
        && !has_unclosed_symbol(pattern)
        && !has_class_as_end(pattern)
        && !has_unclosed_range(pattern)
        && !has_unclosed_class(pattern)
        && let Some(theirs) = library(pattern, name)
    {
        assert_eq!(matched, theirs);
    }
});
