//! Errors: what is said about them, and where parsing goes on.
//!
//! In global scope the file is abandoned. Inside a block the rest of the block is skipped, quietly, up
//! to the brace that ends it. That brace may be indented, may share its line with directives, or may have
//! been swallowed by the value that was refused (fixes compat B-01 to B-03); braces in scripts do not
//! count.

use std::ops::Range;

use super::directive::{self, Argument};
use super::parser::{Flow, MOST_FINDINGS, Parser};
use super::value::Bad;
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::names::Shown;
use crate::source::Span;

impl Parser<'_, '_> {
    /// Reports an error. Inside a block, the rest of the block is skipped, from `resume` on; else the
    /// file is abandoned.
    pub(super) fn fail(&mut self, bad: Bad, range: Range<usize>, resume: usize) -> Flow {
        if self.block.is_none() {
            let place = self.lex.span(range);
            let hint = bad.hint.map_or_else(String::new, |hint| format!("{hint}; "));
            let bad = Bad { hint: Some(format!("{hint}the rest of this file is skipped")), ..bad };
            self.finding(Severity::Error, bad, place);
            return Flow::Break(());
        }
        let flow = self.fail_in_block(bad, range);
        self.lex.at = resume;
        self.skip_block();
        flow
    }

    pub(super) fn fail_in_block(&mut self, bad: Bad, range: Range<usize>) -> Flow {
        let place = self.lex.span(range);
        self.finding(Severity::Error, bad, place);
        self.skip_message();
        Flow::Continue(())
    }

    /// Says that the block is skipped (compat CFG-50).
    pub(super) fn skip_message(&mut self) {
        let Some(open) = &self.block else { return };
        // The reference prints the list as it is, on several lines if it has them.
        let text = open.pattern_text.get(..10_000).unwrap_or(&open.pattern_text);
        let lines: Vec<_> = text.split(|&b| b == b'\n').map(|l| Shown(l).to_string()).collect();
        let message = format!("found error in {}, skipping", lines.join("\n"));
        self.say(Diagnostic {
            code: "block-skipped",
            severity: Severity::Error,
            prefix: Prefix::Bare,
            message,
            span: None,
            hint: None,
        });
    }

    pub(super) fn finding(&mut self, severity: Severity, bad: Bad, place: Span) {
        self.say(Diagnostic {
            code: bad.code,
            severity,
            prefix: Prefix::Line,
            message: bad.message,
            span: Some(place),
            hint: bad.hint,
        });
    }

    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        self.findings += 1;
        if self.findings <= MOST_FINDINGS {
            self.loader.say(diagnostic);
            return;
        }
        // What is shown at the end for all of them is as bad as the worst of them.
        let worse = self.unshown.as_ref().is_none_or(|last| last.severity <= diagnostic.severity);
        if worse {
            self.unshown = Some(diagnostic);
        }
    }

    /// Goes from behind the error to behind the end of the block, and drops it.
    pub(super) fn skip_block(&mut self) {
        self.find_end();
        self.end_block(true);
    }

    fn find_end(&mut self) {
        if self.skip_rest_of_line() {
            return;
        }
        loop {
            self.lex.skip_blanks();
            match self.lex.peek() {
                None => return,
                Some(b'\n') => self.lex.at += 1,
                Some(b'#') => self.lex.skip_line(),
                Some(b'/' | b'"' | b'\'' | b'~') if self.names_of_a_block() => return,
                Some(byte) if byte.is_ascii_alphabetic() => {
                    if self.skip_directive() {
                        return;
                    }
                }
                Some(_) => {
                    if self.skip_rest_of_line() {
                        return;
                    }
                }
            }
        }
    }

    /// Skips a directive; whether the block ended.
    fn skip_directive(&mut self) -> bool {
        let word = self.lex.keyword();
        match directive::find(self.lex.text(word)).map(|row| row.argument) {
            // Others may follow in the same line.
            Some(Argument::None(_) | Argument::Obsolete) => false,
            Some(Argument::Script(_)) => {
                if self.lex.script().is_none() {
                    // All the rest is script.
                    self.lex.skip_line();
                }
                false
            }
            _ => self.skip_rest_of_line(),
        }
    }

    /// Whether the missing brace was forgotten: log names and their `{` follow.
    fn names_of_a_block(&mut self) -> bool {
        let brace = self.lex.next_brace();
        brace.is_some_and(|at| self.lex.text(at..at + 1) == b"{")
    }

    /// Skips the line, or the part of it up to the brace that ends the block; whether there is one.
    fn skip_rest_of_line(&mut self) -> bool {
        let at = self.lex.at;
        let before = self.lex.text(at.saturating_sub(1)..at);
        let stands_alone = self.lex.peek() == Some(b'}') && before.trim_ascii().is_empty();
        let Some(brace) = self.lex.closing_brace() else {
            self.lex.skip_line();
            return false;
        };
        self.lex.at = brace + 1;
        if self.lex.line_is_over() {
            if !stands_alone {
                self.take_brace_below();
            }
            return true;
        }
        let blank = self.lex.at > brace + 1;
        if blank && matches!(self.lex.peek(), Some(b'/' | b'"' | b'\'' | b'~')) {
            // Another block in the same line: it is as good as any.
            return true;
        }
        // `/log/{a,b}.log {`: the braces belonged to the name, and the block begins only now.
        let rest = self.lex.raw();
        !self.lex.text(rest).ends_with(b"{")
    }

    /// A brace behind a word may have been meant as a part of it: if another one comes before the
    /// next block, that one is the end, as it is for the reference. Else the directives that follow
    /// are global ones.
    fn take_brace_below(&mut self) {
        let here = self.lex.at;
        loop {
            self.lex.skip_blanks();
            match self.lex.peek() {
                Some(b'\n') => self.lex.at += 1,
                Some(b'#') => self.lex.skip_line(),
                Some(b'}') => return self.lex.skip_line(),
                Some(byte) if byte.is_ascii_alphabetic() => {
                    let word = self.lex.keyword();
                    let row = directive::find(self.lex.text(word));
                    match row.map(|row| row.argument) {
                        Some(Argument::None(_) | Argument::Obsolete) => {}
                        Some(Argument::Script(_)) if self.lex.script().is_some() => {}
                        _ => self.lex.skip_line(),
                    }
                }
                _ => break,
            }
        }
        self.lex.at = here;
    }
}
