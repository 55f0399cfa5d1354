//! How old versions are compressed, and who gets them by mail.

use std::ffi::OsString;

/// How old versions are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// `compress`.
    pub enabled: bool,
    /// `delaycompress`.
    pub delayed: bool,
    /// `compresscmd` or `compressor`, whichever was set last.
    pub packer: Packer,
    /// `compressoptions`, as far as they were set after `compressor`.
    pub options: Vec<OsString>,
    /// `compressjobs`.
    pub effort: Effort,
    /// `compressext`, with its dot.
    pub extension: Vec<u8>,
    /// `uncompresscmd`: what makes a version readable for mail.
    pub uncompress: OsString,
}

impl Compression {
    /// Chooses a built-in compressor, with the ending and the program that belong to it. Options that
    /// were set before were meant for another.
    pub fn set_built_in(&mut self, packer: Packer) {
        let (ending, uncompress) = match &packer {
            Packer::Gzip { .. } => (".gz", UNCOMPRESS_COMMAND),
            Packer::Zstd { .. } => (".zst", UNCOMPRESS_ZSTD),
            Packer::Nothing | Packer::Command(_) => {
                self.packer = packer;
                return;
            }
        };
        self.packer = packer;
        self.options.clear();
        self.extension = ending.into();
        self.uncompress = uncompress.into();
    }

    /// Whether versions are compressed at all, now or later.
    pub fn is_on(&self) -> bool {
        self.enabled && self.packer != Packer::Nothing
    }
}

/// What compresses. Levels are within what the compressor takes; `None` is its usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packer {
    /// The built-in gzip: one member, or several.
    Gzip {
        /// Several members.
        members: bool,
        /// 1 (fast) to 9 (small).
        level: Option<u8>,
    },
    /// The built-in zstd.
    Zstd {
        /// 1 (fast) to 19 (small).
        level: Option<u8>,
    },
    /// Nothing does, whatever `compress` says.
    Nothing,
    /// `compresscmd`.
    Command(OsString),
}

impl Default for Packer {
    fn default() -> Self {
        Self::Gzip { members: false, level: None }
    }
}

/// How much of the machine the built-in compressors may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Effort {
    /// How many threads; `None`: one for each core.
    pub jobs: Option<u8>,
    /// The disk serves them only when it is idle.
    pub idle: bool,
}

/// The built-in defaults (compat CFG-43).
impl Default for Compression {
    fn default() -> Self {
        Self::packaged(option_env!("LOGROTATE_COMPRESS_COMMAND"), COMPRESS_EXTENSION)
    }
}

impl Compression {
    /// The defaults, with the command that a package has chosen for itself and its ending.
    fn packaged(command: Option<&str>, extension: &str) -> Self {
        Self {
            enabled: false,
            delayed: false,
            packer: command.map_or_else(Packer::default, |name| Packer::Command(name.into())),
            options: Vec::new(),
            effort: Effort::default(),
            extension: extension.into(),
            uncompress: UNCOMPRESS_COMMAND.into(),
        }
    }
}

/// What compresses unless a configuration says otherwise, and where options ask for more than a level. A
/// package may choose another at build time; unless it does, gzip is built in.
pub const COMPRESS_COMMAND: &str = match option_env!("LOGROTATE_COMPRESS_COMMAND") {
    Some(command) => command,
    None => "/bin/gzip",
};

/// The ending that goes with it; likewise.
const COMPRESS_EXTENSION: &str = match option_env!("LOGROTATE_COMPRESS_EXTENSION") {
    Some(ending) => ending,
    None => ".gz",
};

/// What uncompresses an old version for mail, unless a package chooses another at build time.
pub const UNCOMPRESS_COMMAND: &str = match option_env!("LOGROTATE_UNCOMPRESS_COMMAND") {
    Some(command) => command,
    None => "/bin/gunzip",
};

/// The same for what zstd makes.
pub const UNCOMPRESS_ZSTD: &str = "unzstd";

/// `mail`, `mailfirst` and `maillast`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// Who gets what is removed; `None`: nobody.
    pub address: Option<OsString>,
    /// `mailfirst`: the newest version is mailed, not the one that expires.
    pub first: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_built_in_unless_a_package_names_a_command() {
        let built_in = Compression::packaged(None, ".gz");
        assert_eq!(built_in.packer, Packer::Gzip { members: false, level: None });
        let chosen = Compression::packaged(Some("/usr/bin/xz"), ".xz");
        assert_eq!(chosen.packer, Packer::Command("/usr/bin/xz".into()));
        assert_eq!(chosen.extension, b".xz");
    }
}
