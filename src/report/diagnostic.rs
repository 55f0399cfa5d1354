//! A finding in a configuration as text: the reference's own first line, then the place in the source
//! with a caret, then what to do about it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::names::Shown;
use crate::source::Span;

/// Characters of a source line that are shown at most.
const WIDTH: usize = 100;

/// Characters in front of a finding that are shown when a line is cut.
const CONTEXT: usize = 40;

/// Renders a finding, without a newline at the end. A note is rendered only if `verbose`.
///
/// The first line is the reference's: `error: FILE:LINE MESSAGE` or `warning: ...` (compat MSG-1). The
/// source is made fit for a terminal: escapes for control characters and for bytes that are not UTF-8;
/// a long line is cut around the finding.
pub fn render(diagnostic: &Diagnostic, verbose: bool) -> Option<String> {
    let level = match diagnostic.severity {
        Severity::Note if !verbose => return None,
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::HarmlessError | Severity::Error => "error",
    };
    let mut text = format!("{level}: {diagnostic}");
    if let Some(span) = &diagnostic.span {
        text.push('\n');
        text.push_str(&source(span, diagnostic.hint.as_deref()));
    } else if let Some(hint) = &diagnostic.hint {
        text.push_str("\n  = help: ");
        text.push_str(hint);
    }
    Some(text)
}

/// The place, the line, the caret and the hint.
fn source(span: &Span, hint: Option<&str>) -> String {
    let line = span.line();
    let shown = ShownLine::new(span, line);
    let caret = AnnotationKind::Primary.span(shown.caret.0..shown.caret.1);
    let snippet = Snippet::source(shown.text).line_start(line).annotation(caret);
    let mut group = Group::with_level(Level::ERROR).element(snippet);
    if let Some(hint) = hint {
        group = group.element(Level::HELP.message(hint));
    }
    // The cut is ours, so the renderer has nothing to cut; the column is that of the whole line.
    let lines = Renderer::plain().term_width(4 * WIDTH).render(&[group]);
    let arrow = line.to_string().len();
    // The whole path, unlike the reference's words in the first line: several directories may have such a file.
    let path = span.file.path();
    format!("{:arrow$}--> {}:{line}:{}\n{lines}", "", Shown::path(&path), shown.column)
}

/// One source line as it is shown.
struct ShownLine {
    text: String,
    /// Where the caret stands in the text, in bytes.
    caret: (usize, usize),
    /// The 1-based column in the file, in characters.
    column: usize,
}

impl ShownLine {
    fn new(span: &Span, line: usize) -> Self {
        let bytes = span.file.line_bytes(line);
        let range = span.range();
        let start = range.start.saturating_sub(span.file.line_start(line)).min(bytes.len());
        let end = (start + range.len()).min(bytes.len());
        let (before, rest) = bytes.split_at(start);
        let (marked, after) = rest.split_at(end - start);
        let column = 1 + characters(before);
        // Cutting bytes first keeps the work small, whatever the line's length.
        let cut = |bytes: &[u8], most: usize| bytes.len() > most;
        let head = if cut(before, CONTEXT) { &before[before.len() - CONTEXT..] } else { before };
        let middle = &marked[..marked.len().min(WIDTH)];
        let room = WIDTH.saturating_sub(head.len() + middle.len());
        let tail = &after[..after.len().min(room)];
        let mut text = String::new();
        if cut(before, CONTEXT) {
            text.push_str("...");
        }
        push(&mut text, head);
        let from = text.len();
        push(&mut text, middle);
        let to = text.len();
        if cut(marked, WIDTH) || cut(after, room) {
            push(&mut text, tail);
            text.push_str("...");
        } else {
            push(&mut text, tail);
        }
        Self { text, caret: (from, to), column }
    }
}

/// Tabs become four blanks; everything else that a terminal would act on is escaped.
fn push(text: &mut String, bytes: &[u8]) {
    for (index, piece) in bytes.split(|&b| b == b'\t').enumerate() {
        if index > 0 {
            text.push_str("    ");
        }
        text.push_str(&Shown(piece).to_string());
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes
        .utf8_chunks()
        .map(|c| c.valid().chars().count() + usize::from(!c.invalid().is_empty()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Prefix;
    use crate::source::SourceFile;

    fn finding(text: &[u8], range: std::ops::Range<usize>, hint: Option<&str>) -> Diagnostic {
        let file = SourceFile::new("/etc/x", text.to_vec());
        Diagnostic {
            code: "test",
            severity: Severity::Error,
            prefix: Prefix::Line,
            message: "bad rotation count '7 # x'".into(),
            span: Some(Span::new(file, range)),
            hint: hint.map(Into::into),
        }
    }

    #[test]
    fn a_finding_shows_its_line_with_a_caret_and_the_hint() {
        let found =
            finding(b"daily\nrotate 7 # x\n", 13..18, Some("comments need a line of their own"));
        assert_eq!(
            render(&found, false).expect("shown"),
            "error: /etc/x:2 bad rotation count '7 # x'\n \
             --> /etc/x:2:8\n  \
             |\n\
             2 | rotate 7 # x\n  \
             |        ^^^^^\n  \
             |\n  \
             = help: comments need a line of their own"
        );
    }

    #[test]
    fn hostile_and_long_lines_are_shown_safely_and_short() {
        let long = [b"\t\xff\x1b[31m".repeat(100_000), b"X".repeat(5_000_000)].concat();
        for (start, end) in [(0, 1), (700_000, 700_001), (0, long.len()), (long.len(), long.len())]
        {
            let text = render(&finding(&long, start..end, None), false).expect("shown");
            assert!(text.len() < 4000, "{}", text.len());
            assert!(!text.contains('\x1b') && text.contains("..."), "{text}");
        }
    }

    #[test]
    fn a_note_is_for_the_verbose_and_a_finding_without_place_is_one_line() {
        let mut found = finding(b"x", 0..1, None);
        found.severity = Severity::Note;
        assert_eq!(render(&found, false), None);
        assert!(render(&found, true).expect("shown").starts_with("note: /etc/x:1 "));
        found.severity = Severity::Warning;
        found.span = None;
        assert_eq!(render(&found, false).expect("shown"), "warning: bad rotation count '7 # x'");
    }
}
