//! Today's scripts, looked up by what a plan calls them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use crate::config::{Config, LogBlock};
use crate::diagnostic::Severity;
use crate::execute::{Owner, ScriptTexts};
use crate::names::LogPath;
use crate::plan::{BlockKey, Plan, ScriptRef};
use crate::survey;
use crate::system::lookup;

/// The scripts of all blocks of the configuration as it is now.
///
/// Most runs start none, so that the blocks are not sorted by their keys before somebody asks.
#[derive(Debug)]
pub struct ConfiguredScripts {
    config: Rc<Config>,
    /// The index of each block.
    known: OnceCell<HashMap<BlockKey, usize>>,
}

impl ConfiguredScripts {
    /// Those of a configuration.
    pub fn of(config: Rc<Config>) -> Self {
        Self { config, known: OnceCell::new() }
    }

    fn block(&self, key: &BlockKey) -> Option<&LogBlock> {
        self.config.blocks.get(*self.known().get(key)?)
    }

    /// Whether the file of a block, by its index, was read without an error.
    fn is_whole(&self, block: usize) -> bool {
        let Some(block) = self.config.blocks.get(block) else { return false };
        let mut errors = self.config.diagnostics().filter(|d| d.severity == Severity::Error);
        !errors.any(|d| d.span.as_ref().is_some_and(|s| Rc::ptr_eq(&s.file, &block.span.file)))
    }

    fn known(&self) -> &HashMap<BlockKey, usize> {
        let blocks = self.config.blocks.iter().map(super::block_key);
        self.known.get_or_init(|| blocks.zip(0..).collect())
    }
}

/// Whether one of a block's words names a log.
fn names(block: &LogBlock, log: &LogPath) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let path = log.as_path().as_os_str().as_bytes();
    block.patterns.iter().any(|word| survey::names(&word.value, path))
}

impl ScriptTexts for ConfiguredScripts {
    fn text(&self, script: &ScriptRef) -> Option<Vec<u8>> {
        Some(self.block(&script.block)?.policy.scripts.get(script.kind)?.value.clone())
    }

    fn limit(&self, script: &ScriptRef) -> Option<Duration> {
        self.block(&script.block)?.policy.scripts.limit
    }

    fn owner(&self, plan: &Plan) -> Owner {
        if self.known().contains_key(&plan.block) {
            return Owner::Block(plan.block.clone());
        }
        // Its file may be called otherwise today, or its pattern be another.
        let has = |block: &&LogBlock| plan.logs.iter().any(|log| names(block, log));
        if let Some(block) = self.config.blocks.iter().find(has) {
            return Owner::Block(super::block_key(block));
        }
        let file = &plan.block.file.0;
        if !file.is_absolute() || lookup::kind(file).is_err() {
            return Owner::Nobody;
        }
        match self.known().iter().find(|(key, _)| key.file.0 == *file) {
            Some((_, &other)) if self.is_whole(other) => Owner::Nobody,
            _ => Owner::Another,
        }
    }
}
