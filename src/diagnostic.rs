//! What can be said about a configuration: one finding, where it is, and how bad.

use std::fmt;

use crate::source::Span;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Only shown with `-v`.
    Note,
    /// Shown; the exit status stays.
    Warning,
    /// Shown as an error, but the exit status stays (compat B-30).
    HarmlessError,
    /// Shown; the exit status becomes 1.
    Error,
}

/// How the message's first line names the place, before the message itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `FILE:LINE MESSAGE`.
    Line,
    /// `FILE:LINE, MESSAGE` (compat CFG-33).
    LineComma,
    /// `FILE:MESSAGE`, without a line (compat CFG-53).
    File,
    /// The message alone.
    Bare,
}

/// One finding in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short stable name, such as `bad-rotation-count`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How the place is written in front of the message.
    pub prefix: Prefix,
    /// The reference's own words (compat.md), without `error: ` and without the place.
    pub message: String,
    /// The text it is about; `None` for a file that could not even be read.
    pub span: Option<Span>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The first line as the reference prints it, without `error: `.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.span, self.prefix) {
            (Some(span), Prefix::Line) => write!(f, "{} ", span.place())?,
            (Some(span), Prefix::LineComma) => write!(f, "{}, ", span.place())?,
            (Some(span), Prefix::File) => write!(f, "{}:", span.file.shown())?,
            _ => {}
        }
        f.write_str(&self.message)
    }
}
