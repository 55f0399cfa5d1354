//! Today's scripts, looked up by what a plan calls them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
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

    /// The block of this text in the same file, whatever it is called.
    fn same(&self, key: &BlockKey) -> Option<&LogBlock> {
        use std::os::unix::ffi::OsStrExt;
        let text = key.pattern.0.as_os_str().as_bytes();
        let mut alike = self.config.blocks.iter().filter(|block| *block.pattern_text == *text);
        alike.find(|block| lookup::is_same(&block.file(), &key.file.0))
    }

    /// Whether a file was read, and without an error.
    fn was_read(&self, file: &Path) -> bool {
        let is_it = |other: PathBuf| lookup::absolute(other) == *file;
        let of_file = |block: &&LogBlock| is_it(block.file());
        match self.config.blocks.iter().find(of_file) {
            Some(block) => {
                let errors = self.config.diagnostics().filter(|d| d.severity == Severity::Error);
                !errors
                    .filter_map(|d| d.span.as_ref())
                    .any(|s| Rc::ptr_eq(&s.file, &block.span.file))
            }
            None => self.config.without_blocks.iter().cloned().any(is_it),
        }
    }

    /// Whether all files of a directory were read.
    fn includes(&self, dir: &Path) -> bool {
        self.config.directories.iter().any(|read| lookup::absolute(read.clone()) == *dir)
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

    fn has_block(&self, block: &BlockKey) -> bool {
        self.known().contains_key(block)
    }

    fn owner(&self, plan: &Plan) -> Owner {
        if self.has_block(&plan.block) {
            return Owner::Block(plan.block.clone());
        }
        // Its file may be called otherwise today, or its pattern be another.
        let blocks = &self.config.blocks;
        let all = |block: &&LogBlock| {
            !plan.logs.is_empty() && plan.logs.iter().all(|log| names(block, log))
        };
        if let Some(block) = self.same(&plan.block).or_else(|| blocks.iter().find(all)) {
            return Owner::Block(super::block_key(block));
        }
        let file = &plan.block.file.0;
        if !file.is_absolute() {
            // Earlier versions wrote what they were called with.
            return if plan.logs.is_empty() { Owner::Nobody } else { Owner::Another };
        }
        if lookup::kind(file).is_err() {
            let gone = file.parent().is_some_and(|dir| self.includes(dir));
            return if gone { Owner::Nobody } else { Owner::Another };
        }
        if !self.was_read(file) {
            return Owner::Another;
        }
        let any = |block: &&LogBlock| plan.logs.iter().any(|log| names(block, log));
        let block = blocks.iter().find(any);
        block.map_or(Owner::Nobody, |block| Owner::Block(super::block_key(block)))
    }
}
