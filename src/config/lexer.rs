//! The bytes of one file, cut into keywords, values, name lists and script bodies (compat 2.2).
//!
//! Knows no directive and no block. Each byte is looked at a bounded number of times, whatever the
//! file holds.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use super::value::{is_space, trim_end};
use crate::source::{SourceFile, Span};

/// A position in a file.
#[derive(Debug)]
pub struct Lexer {
    file: Rc<SourceFile>,
    /// Offset of the next byte.
    pub at: usize,
    /// The last answer of [`Lexer::next_brace`], and where it was asked: many questions about one
    /// far brace must not read the file each time.
    brace: Option<(usize, Option<usize>)>,
    /// The last answer of [`Lexer::end_of_line`], and where it was asked, for the same reason.
    line: Cell<(usize, usize)>,
}

/// The value of a directive.
#[derive(Debug)]
pub struct Value {
    /// Where it stands; empty if there is none.
    pub range: Range<usize>,
    /// The file ends right behind it, so its trailing blanks belong to it (compat CFG-17).
    pub last: bool,
}

/// A list of log names as it stands in front of a `{`.
#[derive(Debug)]
pub struct NameList {
    /// Its text without comment lines and trailing blanks (compat CFG-20, CFG-22).
    pub text: Vec<u8>,
    /// Pieces of the text: where a piece begins in it, and in the file.
    pieces: Vec<(usize, usize)>,
    /// Offset of the brace.
    pub brace: usize,
}

impl NameList {
    /// Where a byte of the text stands in the file.
    pub fn source(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|&(start, _)| start <= at);
        let piece = after.checked_sub(1).and_then(|index| self.pieces.get(index));
        piece.map_or(at, |&(start, offset)| offset + (at - start))
    }
}

impl Lexer {
    /// Begins at the start of a file.
    pub fn new(file: Rc<SourceFile>) -> Self {
        // An answer that fits no question.
        Self { file, at: 0, brace: None, line: Cell::new((usize::MAX, 0)) }
    }

    /// A stretch of the file.
    pub fn span(&self, range: Range<usize>) -> Span {
        let end = range.end.min(self.bytes().len());
        Span::new(Rc::clone(&self.file), range.start.min(end)..end)
    }

    /// The bytes of a stretch.
    pub fn text(&self, range: Range<usize>) -> &[u8] {
        self.bytes().get(range).unwrap_or_default()
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    /// The line of an offset.
    pub fn line(&self, at: usize) -> usize {
        self.file.line(at)
    }

    /// Skips spaces and tabs.
    pub fn skip_blanks(&mut self) {
        self.skip_while(|b| matches!(b, b' ' | b'\t'));
    }

    /// Skips what is left of the line, and its end.
    pub fn skip_line(&mut self) {
        self.at = (self.line_end() + 1).min(self.bytes().len());
    }

    /// Takes the letters that stand here (compat CFG-11).
    pub fn keyword(&mut self) -> Range<usize> {
        let start = self.at;
        self.skip_while(|b| b.is_ascii_alphabetic());
        start..self.at
    }

    /// Takes the value of a directive and the rest of its line: blanks, an optional `=`, blanks, text
    /// without trailing white space (compat CFG-13). A NUL ends it.
    pub fn value(&mut self) -> Value {
        let (line, last) = self.rest();
        self.skip_blanks();
        if self.at < line.end && self.peek() == Some(b'=') {
            self.at += 1;
            self.skip_blanks();
        }
        let start = self.at.min(line.end);
        let range = self.trimmed(start..line.end, last);
        self.skip_past(&line);
        Value { range, last }
    }

    /// Takes the rest of the line as it is, but for trailing white space. A NUL ends it.
    pub fn raw(&mut self) -> Range<usize> {
        let (line, last) = self.rest();
        let range = self.trimmed(line.clone(), last);
        self.skip_past(&line);
        // Words are split at white space, so it does not matter here whether the file goes on.
        range.start..range.start + trim_end(self.text(range.clone())).len()
    }

    /// Takes a script: from here up to the line whose first word is `endscript`, and that word with
    /// one byte behind it (compat CFG-100). `None` if there is no such line; then the file is used up.
    /// A `}` directly behind `endscript` is not swallowed: it ends the block.
    pub fn script(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        loop {
            self.skip_line();
            let line = self.at;
            if line >= self.bytes().len() {
                return None;
            }
            self.skip_blanks();
            let word = self.keyword();
            if self.text(word) == b"endscript" {
                if self.peek().is_some_and(|b| b != b'}') {
                    self.at += 1;
                }
                return Some(start..self.until_nul(start..line));
            }
        }
    }

    /// The next `{`, `}` or NUL that stands neither before here nor in a comment line.
    pub fn next_brace(&mut self) -> Option<usize> {
        if let Some((asked, found)) = self.brace
            && asked <= self.at
            && found.is_none_or(|found| found >= self.at)
        {
            return found;
        }
        let rest = self.bytes().get(self.at..).unwrap_or_default();
        let first = memchr::memchr3(b'{', b'}', 0, rest);
        let before = first.and_then(|first| rest.get(..first));
        let found = match (first, before) {
            // Nothing that could be a comment stands before it.
            (Some(first), Some(before)) if memchr::memchr(b'#', before).is_none() => {
                Some(self.at + first)
            }
            _ => self.brace_outside_comments(),
        };
        self.brace = Some((self.at, found));
        found
    }

    fn brace_outside_comments(&self) -> Option<usize> {
        let (mut at, mut line_begins) = (self.at, false);
        loop {
            match self.bytes().get(at) {
                None => return None,
                Some(b'#') if line_begins => {
                    at = self.end_of_line(at);
                    continue;
                }
                Some(b'{' | b'}' | 0) => return Some(at),
                Some(b'\n') => line_begins = true,
                Some(b' ' | b'\t') => {}
                Some(_) => line_begins = false,
            }
            at += 1;
        }
    }

    /// Takes a list of names up to the `{` at `brace`, which [`Lexer::next_brace`] found, and the brace.
    pub fn names(&mut self, brace: usize) -> NameList {
        let mut list = NameList { text: Vec::new(), pieces: Vec::new(), brace };
        let mut line = self.at;
        while line < brace {
            let end = self.end_of_line(line).min(brace);
            let first = self.text(line..end).iter().position(|b| !matches!(b, b' ' | b'\t'));
            let comment = first
                .map(|first| line + first)
                .filter(|&first| line != self.at && self.bytes().get(first) == Some(&b'#'));
            let newline = (end + 1).min(brace);
            for piece in match comment {
                Some(hash) => [line..hash, end..newline],
                None => [line..newline, newline..newline],
            } {
                list.pieces.push((list.text.len(), piece.start));
                list.text.extend_from_slice(self.text(piece));
            }
            line = newline;
        }
        list.text.truncate(trim_end(&list.text).len());
        self.at = brace + 1;
        list
    }

    /// The first `}` in the rest of this line that no `{` of the rest opens. What stands behind ` #`
    /// is taken for a comment.
    pub fn closing_brace(&self) -> Option<usize> {
        let (mut depth, mut before) = (0_usize, b' ');
        for (at, &byte) in self.bytes().iter().enumerate().skip(self.at) {
            match byte {
                b'\n' => return None,
                b'#' if is_space(before) => return None,
                b'{' => depth += 1,
                b'}' if depth == 0 => return Some(at),
                b'}' => depth -= 1,
                _ => {}
            }
            before = byte;
        }
        None
    }

    /// Whether only blanks are left in the line; takes them.
    pub fn line_is_over(&mut self) -> bool {
        self.skip_blanks();
        matches!(self.peek(), None | Some(b'\n'))
    }

    fn bytes(&self) -> &[u8] {
        self.file.bytes()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// The rest of the line up to a NUL, and whether the file ends with it.
    fn rest(&self) -> (Range<usize>, bool) {
        let end = self.line_end();
        (self.at..self.until_nul(self.at..end), end == self.bytes().len())
    }

    fn trimmed(&self, range: Range<usize>, last: bool) -> Range<usize> {
        let text = self.text(range.clone());
        let blank = text.iter().all(|&b| is_space(b));
        let kept = if last && !blank { text.len() } else { trim_end(text).len() };
        range.start..range.start + kept
    }

    fn skip_past(&mut self, line: &Range<usize>) {
        self.at = line.end;
        self.skip_line();
    }

    fn until_nul(&self, range: Range<usize>) -> usize {
        let text = self.text(range.clone());
        text.iter().position(|&b| b == 0).map_or(range.end, |nul| range.start + nul)
    }

    fn line_end(&self) -> usize {
        self.end_of_line(self.at)
    }

    fn end_of_line(&self, at: usize) -> usize {
        let known = self.line.get();
        if known.0 <= at && at <= known.1 {
            return known.1;
        }
        let rest = self.bytes().get(at..).unwrap_or_default();
        let end = at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.line.set((at, end));
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexer(text: &[u8]) -> Lexer {
        Lexer::new(SourceFile::new("f", text.to_vec()))
    }

    #[test]
    fn a_value_is_trimmed_and_may_follow_one_equals_sign() {
        for (text, expected) in [
            (&b" 5\n"[..], &b"5"[..]),
            (b"=5\n", b"5"),
            (b" \t= \t5 \t\r\n", b"5"),
            (b" == 5\n", b"= 5"),
            (b" a  b \n", b"a  b"),
            (b"\n5", b""),
            (b" = \n", b""),
            (b"  ", b""),
            (b" 5  ", b"5  "),
            (b" 5\0x\n", b"5"),
        ] {
            let mut lexer = lexer(text);
            let value = lexer.value().range;
            assert_eq!(lexer.text(value), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_script_ends_before_the_line_that_begins_with_endscript() {
        for (text, body, rest) in [
            (&b"\n a }\nendscript\nx"[..], Some(&b"\n a }\n"[..]), &b"x"[..]),
            (b" a\n\tendscript_x", Some(b" a\n"), b"x"),
            (b"\nendscriptX\nendscript}", Some(b"\nendscriptX\n"), b"}"),
            (b"\nendscript", Some(b"\n"), b""),
            (b"\n a endscript\n", None, b""),
            (b"", None, b""),
        ] {
            let mut lexer = lexer(text);
            let script = lexer.script();
            assert_eq!(script.map(|s| lexer.text(s).to_vec()).as_deref(), body);
            assert_eq!(lexer.text(lexer.at..text.len()), rest);
        }
    }

    #[test]
    fn a_name_list_leaves_out_comment_lines_and_knows_its_places() {
        let text = b"/a #b\n # { not this\n  /c  {x";
        let mut lexer = lexer(text);
        let brace = lexer.next_brace().expect("a brace");
        let list = lexer.names(brace);
        assert_eq!(list.text, b"/a #b\n \n  /c");
        let c = list.text.iter().position(|&b| b == b'c').expect("c");
        assert_eq!(text.get(list.source(c)), Some(&b'c'));
        assert_eq!(lexer.peek(), Some(b'x'));
    }

    #[test]
    fn a_closing_brace_is_one_that_the_rest_of_the_line_does_not_open() {
        for (text, expected) in [
            (&b" 5 }"[..], Some(3)),
            (b"5}\n", Some(1)),
            (b" ${X} y\n}", None),
            (b" {} }", Some(4)),
            (b" 5 # }", None),
        ] {
            assert_eq!(lexer(text).closing_brace(), expected);
        }
    }
}
