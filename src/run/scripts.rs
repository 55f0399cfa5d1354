//! Today's scripts, looked up by what a plan calls them.

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use hashbrown::HashMap;

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

    /// The blocks with the same list of logs.
    fn alike(&self, key: &BlockKey) -> impl Iterator<Item = &LogBlock> {
        use std::os::unix::ffi::OsStrExt;
        let text = key.pattern.0.as_os_str().as_bytes();
        self.config.blocks.iter().filter(move |block| *block.pattern_text == *text)
    }

    /// Whether a file was read, and without an error.
    fn was_read(&self, file: &Path) -> bool {
        let is_it = |other: &Path| is_one(other, file);
        match self.config.blocks.iter().find(|block| is_it(&block.file())) {
            Some(block) => {
                let errors = self.config.diagnostics().filter(|d| d.severity == Severity::Error);
                let mut spans = errors.filter_map(|error| error.span.as_ref());
                !spans.any(|span| Rc::ptr_eq(&span.file, &block.span.file))
            }
            None => self.config.without_blocks.iter().any(|other| is_it(other)),
        }
    }

    /// Whether all files of a directory were read.
    fn includes(&self, dir: &Path) -> bool {
        self.config.directories.iter().any(|read| is_one(read, dir))
    }

    fn known(&self) -> &HashMap<BlockKey, usize> {
        self.known.get_or_init(|| {
            let mut known = HashMap::new();
            for (block, index) in self.config.blocks.iter().zip(0..) {
                // The first of two that are alike has the logs.
                known.entry(super::block_key(block)).or_insert(index);
            }
            known
        })
    }
}

/// Whether two paths of the same name lead to the same file.
fn is_one(one: &Path, other: &Path) -> bool {
    one.file_name() == other.file_name()
        && (lookup::absolute(one.to_path_buf()) == *other || lookup::is_same(one, other))
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
        let (blocks, file) = (&self.config.blocks, &plan.block.file.0);
        let this = |block: &LogBlock| Owner::Block(super::block_key(block));
        if let Some(block) = self.alike(&plan.block).find(|b| lookup::is_same(&b.file(), file)) {
            return this(block);
        }
        // Earlier versions wrote the path as they were called with it.
        let is_there = file.is_absolute() && lookup::kind(file).is_ok();
        if is_there && !self.was_read(file) {
            return Owner::Another;
        }
        // The file is called otherwise today, or the pattern is another.
        let all = |block: &&LogBlock| {
            !plan.logs.is_empty() && plan.logs.iter().all(|log| names(block, log))
        };
        let any = |block: &&LogBlock| plan.logs.iter().any(|log| names(block, log));
        if let Some(block) = blocks.iter().find(all).or_else(|| blocks.iter().find(any)) {
            return this(block);
        }
        let is_closing = plan.logs.is_empty();
        if let Some(block) = self.alike(&plan.block).next().filter(|_| is_closing) {
            return this(block);
        }
        let read = is_there || file.parent().is_some_and(|dir| self.includes(dir));
        if read || is_closing { Owner::Nobody } else { Owner::Another }
    }
}
