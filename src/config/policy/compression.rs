//! How old versions are compressed, and who gets them by mail.

use std::ffi::OsString;

/// How old versions are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// `compress`.
    pub enabled: bool,
    /// `delaycompress`.
    pub delayed: bool,
    /// `compresscmd`; `None` for the built-in gzip.
    pub program: Option<OsString>,
    /// `compressoptions`.
    pub options: Vec<OsString>,
    /// `compressext`, with its dot.
    pub extension: Vec<u8>,
    /// `uncompresscmd`: what makes a version readable for mail.
    pub uncompress: OsString,
}

/// The built-in defaults (compat CFG-43).
impl Default for Compression {
    fn default() -> Self {
        Self {
            enabled: false,
            delayed: false,
            program: None,
            options: Vec::new(),
            extension: b".gz".to_vec(),
            uncompress: UNCOMPRESS_COMMAND.into(),
        }
    }
}

/// What uncompresses an old version for mail, unless a package chooses another at build time.
pub const UNCOMPRESS_COMMAND: &str = match option_env!("LOGROTATE_UNCOMPRESS_COMMAND") {
    Some(command) => command,
    None => "/bin/gunzip",
};

/// `mail`, `mailfirst` and `maillast`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// Who gets what is removed; `None`: nobody.
    pub address: Option<OsString>,
    /// `mailfirst`: the newest version is mailed, not the one that expires.
    pub first: bool,
}
