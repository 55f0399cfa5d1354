//! Configuration: text in, blocks out. Reads configuration files, never looks at a log.
//!
//! In two stages. A front end ([`lexer`], [`parser`], [`mod@include`]; every directive is a row of the
//! table in [`directive`]) makes [`item::Item`]s of the text; [`resolve`] makes blocks of them, with
//! inheritance, and is pure.
//!
//! A configuration always yields the blocks that are good, and a list of all that was found wrong: an
//! error inside a block drops that block, an error in global scope abandons the rest of that file.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity};

pub mod directive;
pub mod include;
pub mod item;
pub mod lexer;
pub mod parser;
pub mod policy;
mod recover;
pub mod resolve;
mod statement;
mod taboo;
pub mod value;

#[cfg(test)]
mod tests;

pub use crate::system::Accounts;
pub use policy::{LogBlock, Policy};

/// What all configuration files together say.
#[derive(Debug, Default)]
pub struct Config {
    /// The blocks, in the order in which they begin.
    pub blocks: Vec<LogBlock>,
    /// What was said while reading, in order.
    pub notices: Vec<Notice>,
    /// The files that were read without an error or a warning, and have no block.
    pub without_blocks: Vec<PathBuf>,
    /// The directories of which the files were read.
    pub directories: Vec<PathBuf>,
}

/// Something that was said while reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A line at debug level (compat MSG-10).
    Debug(String),
    /// A finding.
    Diagnostic(Diagnostic),
}

impl Config {
    /// The findings alone.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.notices.iter().filter_map(|notice| match notice {
            Notice::Diagnostic(diagnostic) => Some(diagnostic),
            Notice::Debug(_) => None,
        })
    }

    /// Whether anything was found that makes the exit status 1.
    pub fn failed(&self) -> bool {
        self.diagnostics().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads files and directories from left to right as one stream: the global settings of one are in
/// force in the next (compat CLI-9). Lines at debug level are worded only if somebody wants them.
pub fn load(paths: &[PathBuf], accounts: &dyn Accounts, wants_debug: bool) -> Config {
    let mut resolver = resolve::Resolver::default();
    let mut out = |item| resolver.take(item);
    let mut loader = include::Loader::new(accounts, wants_debug, &mut out);
    for path in paths {
        loader.read(Path::new(path));
    }
    let (without_blocks, directories) = (loader.without_blocks, loader.directories);
    Config { without_blocks, directories, ..resolver.finish() }
}
