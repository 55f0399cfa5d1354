//! Whole texts in, blocks and findings out.

use std::path::PathBuf;

use super::include::{Loader, Place};
use super::parser::Parser;
use super::policy::{Interval, RotateAs, SlotLength, Trigger};
use super::resolve::Resolver;
use super::{Accounts, Config};
use crate::source::SourceFile;
use crate::units::{ByteSize, Identity, KeepCount, Mode};

mod blocks;
mod errors;
mod files;
mod hostile;

/// Root, and nobody else.
pub(super) struct OnlyRoot;

impl Accounts for OnlyRoot {
    fn user(&self, name: &[u8]) -> Option<u32> {
        (name == b"root").then_some(0)
    }
    fn group(&self, name: &[u8]) -> Option<u32> {
        (name == b"root").then_some(0)
    }
    fn has_uid(&self, uid: u32) -> bool {
        uid == 0
    }
    fn has_gid(&self, gid: u32) -> bool {
        gid == 0
    }
    fn home(&self, _: Option<&[u8]>) -> Option<PathBuf> {
        Some("/home/me".into())
    }
}

/// Reads a text as file `F`, without a disk.
pub(super) fn read(text: impl AsRef<[u8]>) -> Config {
    let mut resolver = Resolver::default();
    let mut out = |item| resolver.take(item);
    let mut loader = Loader::new(&OnlyRoot, true, &mut out);
    let place = Place::default();
    Parser::new(&mut loader, &place, SourceFile::new("F", text.as_ref().to_vec())).parse();
    resolver.finish()
}

/// The findings' first lines.
pub(super) fn findings(config: &Config) -> Vec<String> {
    config.diagnostics().map(ToString::to_string).collect()
}

/// The blocks' names.
pub(super) fn names(config: &Config) -> Vec<String> {
    let name = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    config.blocks.iter().map(|block| name(&block.pattern_text)).collect()
}

/// How many versions each block keeps.
pub(super) fn counts(config: &Config) -> Vec<KeepCount> {
    config.blocks.iter().map(|block| block.policy.retention.count.value).collect()
}
