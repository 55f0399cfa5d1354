//! Today's scripts, looked up by what a plan calls them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::policy::{LogBlock, Scripts};
use crate::execute::ScriptTexts;
use crate::plan::{BlockKey, ScriptRef};

/// The scripts of all blocks of the configuration as it is now.
#[derive(Debug, Default)]
pub struct ConfiguredScripts(HashMap<BlockKey, Arc<Scripts>>);

impl ConfiguredScripts {
    /// Takes the scripts of the blocks.
    pub fn of<'a>(blocks: impl IntoIterator<Item = &'a LogBlock>) -> Self {
        Self(
            blocks
                .into_iter()
                .map(|block| (super::block_key(block), Arc::clone(&block.policy.scripts)))
                .collect(),
        )
    }
}

impl ScriptTexts for ConfiguredScripts {
    fn text(&self, script: &ScriptRef) -> Option<Vec<u8>> {
        Some(self.0.get(&script.block)?.get(script.kind)?.value.clone())
    }

    fn has_block(&self, block: &BlockKey) -> bool {
        self.0.contains_key(block)
    }
}
