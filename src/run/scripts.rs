//! Today's scripts, looked up by what a plan calls them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use crate::config::{Config, LogBlock};
use crate::execute::ScriptTexts;
use crate::plan::{BlockKey, ScriptRef};

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

    fn known(&self) -> &HashMap<BlockKey, usize> {
        let blocks = self.config.blocks.iter().map(super::block_key);
        self.known.get_or_init(|| blocks.zip(0..).collect())
    }
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
}
