//! One directive of the classic syntax, from its keyword to the end of its value (compat CFG-11 to
//! CFG-16).

use std::ops::Range;

use super::directive::{self, Argument, Directive, Row};
use super::item::Item;
use super::lexer::Value;
use super::parser::{Flow, MOST_FINDINGS, Parser};
use super::policy::ScriptKind;
use super::value::{self, Bad, Reading, is_space, shown};
use crate::diagnostic::{Diagnostic, Prefix, Severity};

impl Parser<'_, '_> {
    /// A directive.
    pub(super) fn keyword(&mut self) -> Flow {
        let word = self.lex.keyword();
        let next = self.lex.peek();
        if let Some(byte) = next.filter(|&b| !is_space(b) && b != b'=') {
            let name = shown(self.lex.text(word.clone()));
            let message = format!("keyword '{name}' not properly separated, found {byte:#x}");
            let hint = match byte {
                b'}' => Some("put the `}` on a line of its own".into()),
                b'{' => Some("log names are absolute paths, or stand in quotes".into()),
                b',' => Some("braces in names are not expanded; write each name out".into()),
                _ if directive::find(self.lex.text(word.clone())).is_some() => {
                    Some(format!("put a blank behind `{name}`"))
                }
                b'.' | b'/' | b'*' | b'-' | b'_' => Some(
                    "if this is the name of a log, write its absolute path, or put it in quotes"
                        .into(),
                ),
                _ => None,
            };
            let bad = Bad { code: "not-separated", message, hint };
            let resume = self.lex.at;
            return self.fail(bad, word, resume);
        }
        match directive::find(self.lex.text(word.clone())) {
            Some(row) if self.block.is_some() && !row.allowed_in_block() => {
                let message = format!("{} may not appear inside of log file definition", row.name);
                let bad = Bad::new("global-only", message).with_hint("move it above the block");
                let resume = self.lex.at;
                self.fail(bad, word, resume)
            }
            Some(row) => self.directive(row, word),
            None => {
                self.unknown(word);
                Flow::Continue(())
            }
        }
    }

    /// An unknown word costs its line and a warning (compat CFG-16).
    fn unknown(&mut self, word: Range<usize>) {
        let text = self.lex.text(word.clone());
        let mut bad = Bad::new(
            "unknown-option",
            format!("unknown option '{}' -- ignoring line", shown(text)),
        );
        // Only what is shown is worth the search.
        if self.findings < MOST_FINDINGS {
            bad.hint = directive::near(text).map(|name| format!("did you mean `{name}`?"));
        }
        self.lex.skip_line();
        let place = self.lex.span(word);
        self.finding(Severity::Warning, bad, place);
    }

    fn directive(&mut self, row: &'static Row, word: Range<usize>) -> Flow {
        let resume = self.lex.at;
        let set = match row.argument {
            Argument::None(make) => {
                self.bare = Some((row.name, word.start));
                // One `=` directly behind it is taken for a blank (compat CFG-12).
                if self.lex.peek() == Some(b'=') {
                    self.lex.at += 1;
                }
                Ok((make(), word))
            }
            Argument::Value(missing, parse) => {
                let value = self.lex.value();
                if value.range.is_empty() {
                    return self.missing(missing, word, resume);
                }
                self.read(parse, word, &value)
            }
            Argument::Raw(parse) => {
                let range = self.lex.raw();
                self.read(parse, word, &Value { range, last: false })
            }
            Argument::Script(kind) => return self.script(kind, word),
            Argument::Include(missing) => {
                let value = self.lex.value().range;
                if value.is_empty() {
                    return self.missing(missing, word, resume);
                }
                return self.include(word, value);
            }
            Argument::Taboo(missing, kind) => {
                let value = self.lex.value().range;
                if value.is_empty() {
                    return self.missing(missing, word, resume);
                }
                self.loader.taboo.set(self.lex.text(value), kind);
                return Flow::Continue(());
            }
            Argument::Obsolete => {
                self.obsolete(row.name, word);
                return Flow::Continue(());
            }
        };
        match set {
            Ok((directive, range)) => {
                self.set(row.name, directive, range);
                Flow::Continue(())
            }
            Err((bad, range)) => self.fail(bad, range, resume),
        }
    }

    /// Reads a value; the range is what an error is about.
    fn read(
        &mut self,
        parse: fn(&[u8], &mut Reading<'_>) -> Result<Directive, Bad>,
        word: Range<usize>,
        value: &Value,
    ) -> Result<(Directive, Range<usize>), (Bad, Range<usize>)> {
        let text = self.lex.text(value.range.clone());
        let mut reading = self.loader.reading();
        let read = parse(text, &mut reading);
        let debug = reading.debug;
        match read {
            Ok(directive) => {
                for line in debug {
                    self.loader.debug(|| line);
                }
                Ok((directive, word.start..value.range.end.max(word.end)))
            }
            Err(mut bad) => {
                bad.hint = advice(text, value.last).or(bad.hint);
                let blanks = text.len() - value::trim_start(text).len();
                let range = value.range.start + blanks..value.range.end;
                Err((bad, if range.is_empty() { word } else { range }))
            }
        }
    }

    fn set(&mut self, name: &'static str, directive: Directive, range: Range<usize>) {
        if matches!(directive, Directive::Trigger(_))
            && let Some(before) = self.trigger.replace(name).filter(|&before| before != name)
        {
            self.loader
                .debug(|| format!("note: '{name}' overrides previously specified '{before}'"));
        }
        let place = self.lex.span(range);
        self.loader.item(Item::Set { directive, place });
    }

    fn missing(&mut self, missing: directive::Missing, word: Range<usize>, resume: usize) -> Flow {
        let message = format!("argument expected after {}", missing.after);
        let bad = Bad::new("missing-argument", message);
        if missing.harmless {
            let place = self.lex.span(word);
            self.finding(Severity::HarmlessError, bad, place);
            return Flow::Continue(());
        }
        self.fail(bad, word, resume)
    }

    fn script(&mut self, kind: ScriptKind, word: Range<usize>) -> Flow {
        let Some(text) = self.lex.script() else {
            // What follows is all script, so nothing behind it can be used (compat CFG-53).
            let span = self.lex.span(word);
            self.say(Diagnostic {
                code: "missing-endscript",
                severity: Severity::Error,
                prefix: Prefix::File,
                message: "prerotate, postrotate or preremove without endscript".into(),
                span: Some(span),
                hint: Some("the script that begins here needs a line `endscript`".into()),
            });
            return Flow::Break(());
        };
        let script = Directive::Script(kind, self.lex.text(text).to_vec());
        self.set("script", script, word);
        Flow::Continue(())
    }

    fn include(&mut self, word: Range<usize>, value: Range<usize>) -> Flow {
        let mut reading = self.loader.reading();
        let path = value::expand_home(self.lex.text(value.clone()), &mut reading);
        for line in reading.debug {
            self.loader.debug(|| line);
        }
        let span = self.lex.span(word.start..value.end);
        if !self.loader.include(&path, self.place, &span) && self.block.is_some() {
            // Half of the block's settings are unknown: it must not rotate with the other half
            // (fixes compat B-23, which lost the block's names instead).
            self.skip_message();
            self.skip_block();
        }
        Flow::Continue(())
    }

    fn obsolete(&mut self, name: &str, word: Range<usize>) {
        let span = self.lex.span(word);
        let message = format!(
            "{}: {}: the {name} directive is deprecated and no longer used.",
            self.file.shown(),
            span.line()
        );
        self.say(Diagnostic {
            code: "obsolete",
            severity: Severity::Warning,
            prefix: Prefix::Bare,
            message,
            span: Some(span),
            hint: Some("remove this line".into()),
        });
    }
}

/// What is usually meant by a value that is refused.
fn advice(text: &[u8], last: bool) -> Option<String> {
    if text.windows(2).any(|pair| is_space(pair[0]) && pair[1] == b'#') {
        Some("comments need a line of their own".into())
    } else if text.ends_with(b"}") {
        Some("put the `}` on a line of its own".into())
    } else if last && text.last().copied().is_some_and(is_space) {
        Some("end the file with a newline, or remove the blanks at its end".into())
    } else {
        None
    }
}
