//! Items in, blocks out: a block starts as a copy of the settings around it (compat CFG-40). Pure.

use std::rc::Rc;

use super::directive::{Directive, Switch};
use super::item::{BlockHead, Item};
use super::policy::{LogBlock, Packer, Policy};
use super::{Config, Notice};
use crate::source::{Rare, Setting, Span};
use crate::units::{ByteSize, Days};

/// Takes items one by one, so that a large configuration is never held twice.
#[derive(Debug, Default)]
pub struct Resolver {
    /// The settings in force at this point of the text.
    policy: Policy,
    /// The files and blocks that are open, with the settings that their end brings back.
    open: Vec<Open>,
    /// In the order in which blocks begin; one that is open, or was dropped, is `None`.
    blocks: Vec<Option<LogBlock>>,
    notices: Vec<Notice>,
}

#[derive(Debug)]
enum Open {
    File { before: Policy },
    Block { index: usize, head: Box<BlockHead>, around: Policy },
}

impl Resolver {
    /// Takes the next item.
    pub fn take(&mut self, item: Item) {
        match item {
            Item::FileStarted => self.open.push(Open::File { before: self.policy.clone() }),
            Item::FileEnded { abandoned } => {
                if let Some(Open::File { before }) = self.open.pop()
                    && abandoned
                {
                    self.policy = before;
                }
            }
            Item::BlockStarted(head) => self.start(head),
            Item::BlockEnded { end, dropped } => self.end(end, dropped),
            Item::Set { directive, place } => self.policy.apply(directive, place),
            Item::Notice(notice) => self.notices.push(notice),
        }
    }

    /// The blocks, and all that was said.
    pub fn finish(self) -> Config {
        // No larger than it must be: there may be tens of thousands.
        let mut blocks = Vec::with_capacity(self.blocks.iter().flatten().count());
        blocks.extend(self.blocks.into_iter().flatten());
        Config { blocks, notices: self.notices, ..Config::default() }
    }

    fn start(&mut self, head: Box<BlockHead>) {
        let (index, around) = (self.blocks.len(), self.policy.clone());
        self.open.push(Open::Block { index, head, around });
        self.blocks.push(None);
    }

    fn end(&mut self, end: usize, dropped: bool) {
        let Some(Open::Block { index, head, around }) = self.open.pop() else { return };
        let ignore_duplicates_in_list = around.selection.ignore_duplicates;
        let policy = std::mem::replace(&mut self.policy, around);
        if let Some(slot) = self.blocks.get_mut(index).filter(|_| !dropped) {
            let BlockHead { patterns, pattern_text, span } = *head;
            let start = span.range().start;
            let span = Span::new(span.file, start..end);
            *slot =
                Some(LogBlock { patterns, pattern_text, policy, ignore_duplicates_in_list, span });
        }
    }
}

impl Policy {
    /// Sets what a directive asks for. A group is copied only if it is shared.
    pub fn apply(&mut self, directive: Directive, place: Span) {
        match directive {
            Directive::Trigger(trigger) => {
                Rc::make_mut(&mut self.criteria).trigger = Setting::at(trigger, place);
            }
            Directive::MinSize(size) => {
                Rc::make_mut(&mut self.criteria).min_size = unless_zero(size, &ByteSize(0), place);
            }
            Directive::MaxSize(size) => {
                Rc::make_mut(&mut self.criteria).max_size = unless_zero(size, &ByteSize(0), place);
            }
            Directive::MinAge(days) => {
                Rc::make_mut(&mut self.criteria).min_age = unless_zero(days, &Days(0), place);
            }
            Directive::MaxAge(days) => {
                Rc::make_mut(&mut self.retention).max_age = unless_zero(days, &Days(0), place);
            }
            Directive::Rotate(count) => {
                Rc::make_mut(&mut self.retention).count = Setting::at(count, place);
            }
            Directive::Create { mode, owner } => {
                Rc::make_mut(&mut self.create).set(mode, owner);
            }
            Directive::CreateOldDir { mode, owner } => {
                Rc::make_mut(&mut self.naming).create_old_dir.set(mode, owner);
            }
            Directive::RotateAs(rotate_as) => self.rotate_as = rotate_as,
            Directive::Script(kind, text) => {
                Rc::make_mut(&mut self.scripts).set(kind, Setting::at(text, place));
            }
            Directive::Switch(switch, on) => self.switch(switch, on),
            Directive::Mail(address) => Rc::make_mut(&mut self.mail).address = address,
            Directive::CompressCommand { .. }
            | Directive::Compressor(_)
            | Directive::CompressJobs(_)
            | Directive::UncompressCommand(_)
            | Directive::CompressOptions(_)
            | Directive::CompressExtension(_) => self.compressor(directive),
            Directive::Start(_)
            | Directive::OldDir(_)
            | Directive::DateFormat(_)
            | Directive::Extension(_)
            | Directive::AddExtension(_) => self.name(directive, place),
            Directive::Signal(signal) => self.signal = signal.map(Rc::new),
            Directive::Timeout(limit) => Rc::make_mut(&mut self.scripts).limit = limit,
            Directive::Writers(writers) => self.writers = writers,
            Directive::ShredCycles(cycles) => self.removal.cycles = cycles,
        }
    }

    fn switch(&mut self, switch: Switch, on: bool) {
        let selection = &mut self.selection;
        match switch {
            Switch::MissingOk => Rc::make_mut(selection).missing_ok = on,
            Switch::SkipEmpty => Rc::make_mut(selection).skip_empty = on,
            Switch::IgnoreDuplicates => Rc::make_mut(selection).ignore_duplicates = on,
            Switch::AllowHardLinks => Rc::make_mut(selection).allow_hard_links = on,
            // The stored mode and owner stay, for a later bare `create` (compat 2.8).
            Switch::Create => Rc::make_mut(&mut self.create).enabled = on,
            Switch::CreateOldDir => {
                Rc::make_mut(&mut self.naming).create_old_dir.enabled = on;
            }
            Switch::Copy => Rc::make_mut(&mut self.method).copy = on,
            // Each takes the other back, but not its negation (compat 2.8).
            Switch::CopyTruncate => {
                let method = Rc::make_mut(&mut self.method);
                method.copy_truncate = on;
                method.rename_copy &= !on;
            }
            Switch::RenameCopy => {
                let method = Rc::make_mut(&mut self.method);
                method.rename_copy = on;
                method.copy_truncate &= !on;
            }
            Switch::Dated => Rc::make_mut(&mut self.naming).dated = on,
            Switch::Yesterday => Rc::make_mut(&mut self.naming).yesterday = on,
            Switch::HourAgo => Rc::make_mut(&mut self.naming).hour_ago = on,
            Switch::Compress => Rc::make_mut(&mut self.compression).enabled = on,
            Switch::DelayCompress => Rc::make_mut(&mut self.compression).delayed = on,
            Switch::MailFirst => Rc::make_mut(&mut self.mail).first = on,
            Switch::SharedScripts => Rc::make_mut(&mut self.scripts).shared = on,
            Switch::Shred => self.removal.shred = on,
        }
    }

    fn compressor(&mut self, directive: Directive) {
        let compression = Rc::make_mut(&mut self.compression);
        match directive {
            Directive::CompressCommand { program, extension } => {
                compression.packer = Packer::Command(program);
                if let Some(extension) = extension {
                    compression.extension = extension.into();
                }
            }
            Directive::Compressor(packer) => compression.set_built_in(packer),
            Directive::CompressJobs(effort) => compression.effort = effort,
            Directive::UncompressCommand(program) => compression.uncompress = program,
            Directive::CompressOptions(words) => {
                compression.options = words;
            }
            Directive::CompressExtension(extension) => compression.extension = extension,
            _ => {}
        }
    }

    fn name(&mut self, directive: Directive, place: Span) {
        let naming = Rc::make_mut(&mut self.naming);
        match directive {
            Directive::Start(start) => naming.start = start,
            Directive::OldDir(dir) => naming.old_dir = dir.map(|dir| Setting::at(dir, place)),
            Directive::DateFormat(format) => naming.date_format = Some(Setting::at(format, place)),
            Directive::Extension(extension) => naming.extension = Some(extension),
            Directive::AddExtension(extension) => naming.add_extension = Some(extension),
            _ => {}
        }
    }
}

/// A limit of 0 is none (compat 2.8).
fn unless_zero<T: PartialEq>(value: T, zero: &T, place: Span) -> Rare<T> {
    (value != *zero).then(|| Box::new(Setting::at(value, place)))
}
