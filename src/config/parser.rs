//! One file in the classic syntax: bytes in, items out (compat 2.2 to 2.5).
//!
//! An error inside a block drops that block: the rest of it is skipped (see `recover`) and
//! parsing goes on behind its brace. An error in global scope abandons the rest of the file.

use std::ops::ControlFlow;
use std::rc::Rc;

use super::include::{Loader, Place};
use super::item::{BlockHead, Item};
use super::lexer::Lexer;
use super::value::{self, Bad};
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::source::{Setting, SourceFile, SourceText};

/// The longest pattern (compat CFG-25).
const MOST_PATTERN: usize = 2048;

/// Findings in one file that are shown one by one; noise given as a configuration must not fill a
/// terminal or the memory.
pub(super) const MOST_FINDINGS: usize = 1000;

/// Goes on with the file, or abandons it.
pub(super) type Flow = ControlFlow<()>;

/// Reads one file.
pub struct Parser<'l, 'a> {
    pub(super) loader: &'l mut Loader<'a>,
    pub(super) place: &'l Place,
    pub(super) file: Rc<SourceFile>,
    pub(super) lex: Lexer,
    pub(super) block: Option<OpenBlock>,
    /// The last interval or `size` in this scope, for a note (compat 2.8).
    pub(super) trigger: Option<&'static str>,
    /// The last directive without argument, and its offset, for a hint.
    pub(super) bare: Option<(&'static str, usize)>,
    pub(super) findings: usize,
    /// The last finding that is not shown.
    pub(super) unshown: Option<Diagnostic>,
}

/// The block that is being read.
pub(super) struct OpenBlock {
    pub(super) pattern_text: SourceText,
    pub(super) start: usize,
}

impl<'l, 'a> Parser<'l, 'a> {
    /// Begins with a file; relative names in it belong to `place`.
    pub fn new(loader: &'l mut Loader<'a>, place: &'l Place, file: Rc<SourceFile>) -> Self {
        Self {
            loader,
            place,
            lex: Lexer::new(Rc::clone(&file)),
            file,
            block: None,
            trigger: None,
            bare: None,
            findings: 0,
            unshown: None,
        }
    }

    /// Reads the file to its end; whether it was not abandoned.
    pub fn parse(mut self) -> bool {
        self.loader.item(Item::FileStarted);
        let flow = self.lines();
        // A block whose brace is missing at the end of the file is good (compat CFG-34), unless
        // the file was abandoned in the middle of it.
        let abandoned = flow.is_break();
        if self.block.is_some() {
            self.end_block(abandoned);
        }
        if let Some(mut last) = self.unshown.take() {
            last.message = format!(
                "{} findings in this file are not shown; the last one is: {}",
                self.findings - MOST_FINDINGS,
                last.message
            );
            self.loader.say(last);
        }
        self.loader.item(Item::FileEnded { abandoned });
        !abandoned
    }

    fn lines(&mut self) -> Flow {
        loop {
            self.lex.skip_blanks();
            match self.lex.peek() {
                None => return Flow::Continue(()),
                Some(b'\n') => self.lex.at += 1,
                Some(b'#') => self.lex.skip_line(),
                Some(b'}') => self.close()?,
                Some(b'/' | b'"' | b'\'' | b'~') => self.names()?,
                Some(byte) if byte.is_ascii_alphabetic() => self.keyword()?,
                Some(byte) => self.stray(byte)?,
            }
        }
    }

    /// A line that begins with neither a keyword nor a name (compat CFG-10).
    fn stray(&mut self, byte: u8) -> Flow {
        let at = self.lex.at;
        let bare = self.bare.filter(|&(_, there)| self.lex.line(there) == self.lex.line(at));
        let hint = match (byte, bare) {
            (b'\r', _) => {
                Some("the file has Windows line ends; convert it, with `dos2unix` for one".into())
            }
            (0xef, _) if self.lex.text(0..3) == b"\xef\xbb\xbf" => {
                Some("the file begins with a byte order mark (BOM); save it without one".into())
            }
            (b'{', _) => Some("a `{` stands only behind the names of logs".into()),
            (_, Some((name, _))) => Some(format!("`{name}` takes no argument")),
            _ => None,
        };
        let bad = Bad {
            code: "bad-line",
            message: "lines must begin with a keyword or a filename (possibly in double quotes)"
                .into(),
            hint,
        };
        self.fail(bad, at..at + 1, at)
    }

    /// A `}`.
    fn close(&mut self) -> Flow {
        let at = self.lex.at;
        if self.block.is_none() {
            let bad = Bad::new("unexpected-brace", "unexpected }")
                .with_hint("no block is open here; is there a `}` too many above?");
            return self.fail(bad, at..at + 1, at);
        }
        self.lex.at += 1;
        self.end_block(false);
        if !self.lex.line_is_over() {
            // The rest of the line is lost, but the exit status stays (compat CFG-33).
            let at = self.lex.at;
            let hint = match self.lex.peek() {
                Some(b'#') => "comments need a line of their own",
                Some(b'\r') => {
                    "the file has Windows line ends; convert it, with `dos2unix` for one"
                }
                _ => "the rest of this line is ignored; begin a new line behind `}`",
            };
            self.lex.skip_line();
            let end = value::trim_end(self.lex.text(at..self.lex.at)).len().max(1) + at;
            let span = self.lex.span(at..end);
            self.say(Diagnostic {
                code: "text-after-brace",
                severity: Severity::HarmlessError,
                prefix: Prefix::LineComma,
                message: "unexpected text after }".into(),
                span: Some(span),
                hint: Some(hint.into()),
            });
        }
        Flow::Continue(())
    }

    /// A list of log names, and the brace behind it (compat 2.3).
    fn names(&mut self) -> Flow {
        let start = self.lex.at;
        let brace = self.lex.next_brace();
        let found = brace.and_then(|at| self.lex.text(at..at + 1).first().copied());
        let first_line = start..start + 1;
        if let Some(open) = &self.block {
            let line = self.lex.line(open.start);
            let bad = Bad::new("unexpected-names", "unexpected log filename").with_hint(format!(
                "the block that begins in line {line} has no `}}` of its own line in front of this"
            ));
            let flow = self.fail_in_block(bad, first_line);
            if found == Some(b'{') {
                // The brace of the block before is missing; a new block begins here.
                self.end_block(true);
                return flow;
            }
            self.skip_block();
            return flow;
        }
        match (brace, found) {
            (Some(brace), Some(b'{')) => self.start_block(start, brace),
            (Some(brace), Some(b'}')) => {
                let bad = Bad::new("unexpected-brace", "unexpected } (missing previous '{')")
                    .with_hint("log names are followed by `{`, the settings, and `}`");
                self.fail(bad, brace..brace + 1, brace)
            }
            _ => {
                let bad = Bad::new("missing-brace", "missing '{' after log files definition")
                    .with_hint("log names are followed by `{`, the settings, and `}`");
                self.fail(bad, first_line, start)
            }
        }
    }

    fn start_block(&mut self, start: usize, brace: usize) -> Flow {
        let list = self.lex.names(brace);
        let Some(words) = value::words(&list.text) else {
            let bad = Bad::new("bad-names", "error parsing filename").with_hint(
                "a backslash takes the character behind it; write `\\\\` for a backslash",
            );
            return self.fail(bad, start..brace, brace);
        };
        if let Some(quote) = words.open_quote {
            let place = self.lex.span(list.source(quote)..list.source(quote) + 1);
            let bad = Bad::new("open-quote", "this quote is not closed before the '{'")
                .with_hint("close it, or remove it: the name is taken to end where the list does");
            self.finding(Severity::Warning, bad, place);
        }
        let words = words.all;
        if words.is_empty() {
            let bad = Bad::new("no-names", "{ expected after log file name(s)");
            return self.fail(bad, start..brace, brace);
        }
        let mut patterns = Vec::with_capacity(words.len());
        for word in words {
            let place = self.lex.span(list.source(word.start)..list.source(word.end - 1) + 1);
            if word.text.len() > MOST_PATTERN {
                let length = word.text.len();
                let bad = Bad::new(
                    "pattern-too-long",
                    format!("glob too long ({length} > {MOST_PATTERN})"),
                );
                self.finding(Severity::Error, bad, place);
            } else {
                patterns.push(Setting::at(SourceText::at(&place, word.text), place));
            }
        }
        let text_place = self.lex.span(start..start + list.text.len());
        let pattern_text = SourceText::at(&text_place, list.text);
        let head = BlockHead {
            patterns,
            pattern_text: pattern_text.clone(),
            span: self.lex.span(start..brace + 1),
        };
        self.block = Some(OpenBlock { pattern_text, start });
        self.loader.item(Item::BlockStarted(Box::new(head)));
        Flow::Continue(())
    }

    /// Ends the open block here.
    pub(super) fn end_block(&mut self, dropped: bool) {
        self.block = None;
        self.trigger = None;
        if dropped {
            self.loader.debug(|| "removing last 1 log configs".into());
        }
        self.loader.item(Item::BlockEnded { end: self.lex.at, dropped });
    }
}
