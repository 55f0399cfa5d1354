//! The five scripts.

use std::time::Duration;

use crate::source::Setting;

/// The five scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scripts {
    /// `sharedscripts`.
    pub shared: bool,
    /// Run once, before anything, if a log of the block is due.
    pub first_action: Option<Setting<Vec<u8>>>,
    /// Run before a log (shared: all logs) is rotated.
    pub pre_rotate: Option<Setting<Vec<u8>>>,
    /// Run after a log (shared: all logs) has been rotated, before compression.
    pub post_rotate: Option<Setting<Vec<u8>>>,
    /// Run once, after everything, if a log of the block was due.
    pub last_action: Option<Setting<Vec<u8>>>,
    /// Run before a file is removed.
    pub pre_remove: Option<Setting<Vec<u8>>>,
    /// `timeout`: how long each may take; `None`: for ever.
    pub limit: Option<Duration>,
}

impl Scripts {
    /// The script of a kind, if it is set. An empty one is set (compat CFG-101).
    pub fn get(&self, kind: ScriptKind) -> Option<&Setting<Vec<u8>>> {
        match kind {
            ScriptKind::FirstAction => &self.first_action,
            ScriptKind::PreRotate => &self.pre_rotate,
            ScriptKind::PostRotate => &self.post_rotate,
            ScriptKind::LastAction => &self.last_action,
            ScriptKind::PreRemove => &self.pre_remove,
        }
        .as_ref()
    }

    /// Sets the script of a kind; a later one replaces an earlier (compat 2.8).
    pub fn set(&mut self, kind: ScriptKind, script: Setting<Vec<u8>>) {
        *match kind {
            ScriptKind::FirstAction => &mut self.first_action,
            ScriptKind::PreRotate => &mut self.pre_rotate,
            ScriptKind::PostRotate => &mut self.post_rotate,
            ScriptKind::LastAction => &mut self.last_action,
            ScriptKind::PreRemove => &mut self.pre_remove,
        } = Some(script);
    }
}

/// Which of the five.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ScriptKind {
    /// `firstaction`.
    FirstAction,
    /// `prerotate`.
    PreRotate,
    /// `postrotate`.
    PostRotate,
    /// `lastaction`.
    LastAction,
    /// `preremove`.
    PreRemove,
}

impl ScriptKind {
    /// What messages call it (compat SCR-4).
    pub fn spoken(self) -> &'static str {
        match self {
            Self::FirstAction => "first action",
            Self::PreRotate => "prerotate",
            Self::PostRotate => "postrotate",
            Self::LastAction => "last action",
            Self::PreRemove => "preremove",
        }
    }
}
