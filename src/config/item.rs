//! What a front end makes of a configuration: a flat stream of items, in the order of the text.
//!
//! Whatever yields these items - the classic syntax, another one later - shares all that follows.

use super::Notice;
use super::directive::Directive;
use crate::source::{Setting, SourceText, Span};

/// One element of a configuration.
#[derive(Debug, Clone)]
pub enum Item {
    /// A file begins.
    FileStarted,
    /// The file ends.
    FileEnded {
        /// It had an error in global scope: the settings from before it come back (compat CFG-42).
        abandoned: bool,
    },
    /// A block begins.
    BlockStarted(Box<BlockHead>),
    /// The block ends.
    BlockEnded {
        /// Offset after its closing brace.
        end: usize,
        /// It had an error and is left out (compat CFG-50).
        dropped: bool,
    },
    /// Something is set, in the block or globally.
    Set {
        /// What.
        directive: Directive,
        /// Where.
        place: Span,
    },
    /// Something is said.
    Notice(Notice),
}

/// The part of a block in front of its `{`.
#[derive(Debug, Clone)]
pub struct BlockHead {
    /// See [`super::policy::LogBlock::patterns`].
    pub patterns: Vec<Setting<SourceText>>,
    /// See [`super::policy::LogBlock::pattern_text`].
    pub pattern_text: SourceText,
    /// From the first pattern to the opening brace.
    pub span: Span,
}
