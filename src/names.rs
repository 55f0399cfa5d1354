//! Names of logs and files: the only place where a path is taken apart.
//!
//! A [`LogPath`] is what the configuration, the state file and messages name; a [`FileName`] is
//! what an effect touches inside a directory that is already held. Both are bytes, not text: a log
//! may have any name that Linux allows.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a file inside some directory: not empty, no slash, no NUL, neither `.` nor `..`.
///
/// Effects take a held directory and a `FileName`, so that no path can lead them elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Box<OsStr>);

impl FileName {
    /// Makes a file name, or `None` if the text cannot be one.
    pub fn new(name: impl Into<OsString>) -> Option<Self> {
        let name = name.into();
        Self::is_usable(name.as_bytes()).then(|| Self(name.into_boxed_os_str()))
    }

    fn is_usable(bytes: &[u8]) -> bool {
        !bytes.is_empty()
            && bytes != b"."
            && bytes != b".."
            && memchr::memchr2(b'/', 0, bytes).is_none()
    }

    /// Makes a file name from bytes, or `None` if they cannot be one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::is_usable(bytes).then(|| Self(OsStr::from_bytes(bytes).into()))
    }

    /// The name as the system takes it.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl AsRef<Path> for FileName {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.as_bytes()).fmt(f)
    }
}

/// The path of a log as the configuration names it, together with its two parts.
///
/// It may be relative (a quoted relative name in the configuration, compat CFG-24).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPath {
    /// Not a `PathBuf`, which would take `/a//b` for `/a/b`: records are kept by bytes.
    whole: Box<OsStr>,
    name: FileName,
}

impl LogPath {
    /// Takes a path apart, or gives `None` if its last component cannot be a file's name (`/`,
    /// `dir/`, `..`).
    pub fn new(path: impl Into<PathBuf>) -> Option<Self> {
        Self::from_bytes(path.into().into_os_string().into_vec()).ok()
    }

    /// The same from bytes.
    ///
    /// # Errors
    /// Gives the bytes back if they cannot be the path of a log.
    pub fn from_bytes(path: Vec<u8>) -> Result<Self, Vec<u8>> {
        let start = path.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1);
        match FileName::from_bytes(&path[start..]) {
            Some(name) => {
                let whole = OsString::from_vec(path).into_boxed_os_str();
                Ok(Self { whole, name })
            }
            None => Err(path),
        }
    }

    /// The whole path, exactly as written or matched: the key of the log's record.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.whole)
    }

    /// The bytes of the whole path.
    pub fn as_bytes(&self) -> &[u8] {
        self.whole.as_bytes()
    }

    /// The directory that holds the log; `.` for a name without a slash.
    pub fn dir(&self) -> &Path {
        let bytes = self.as_bytes();
        match bytes.iter().rposition(|&b| b == b'/') {
            None => Path::new("."),
            Some(0) => Path::new("/"),
            Some(slash) => Path::new(OsStr::from_bytes(&bytes[..slash])),
        }
    }

    /// The file's own name.
    pub fn name(&self) -> &FileName {
        &self.name
    }
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.as_bytes()).fmt(f)
    }
}

/// The number of a numbered old version (`user.log.3` is in slot 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u32);

impl Slot {
    /// The next slot up, or `None` after the last number there is.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// Bytes of a file's name made fit for a terminal.
///
/// File names are hostile text: control characters, escapes and bidirectional overrides are shown
/// as `\n`, `\x1b`, `\u{202e}`; bytes that are not UTF-8 as `\xff`. Everything else stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a [u8]);

impl<'a> Shown<'a> {
    /// Shows a path.
    pub fn path(path: &'a Path) -> Self {
        Self(path.as_os_str().as_bytes())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly every name.
        if self.0.iter().all(|byte| matches!(byte, b' '..=b'~'))
            && let Ok(text) = std::str::from_utf8(self.0)
        {
            return f.write_str(text);
        }
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || is_invisible_direction(c) {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Characters that reorder or hide the text around them.
fn is_invisible_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// How names stand in the journal: text where they are UTF-8, else `{"bytes": [..]}`, so that every
/// name comes back byte for byte.
pub mod as_text_or_bytes {
    use super::{
        Deserialize, Deserializer, OsStrExt, OsString, OsStringExt, Path, PathBuf, Serialize,
        Serializer,
    };

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Bytes { bytes: Vec<u8> },
    }

    /// Writes a path.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                Form::Bytes { bytes: path.as_os_str().as_bytes().to_vec() }.serialize(serializer)
            }
        }
    }

    /// Reads a path.
    ///
    /// # Errors
    /// If the value has neither form.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => text.into(),
            Form::Bytes { bytes } => OsString::from_vec(bytes).into(),
        })
    }
}

/// A path in a plan: any bytes, also in the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyPath(#[serde(with = "as_text_or_bytes")] pub PathBuf);

impl Serialize for FileName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text_or_bytes::serialize(self.as_ref(), serializer)
    }
}

impl<'de> Deserialize<'de> for FileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(as_text_or_bytes::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("not a file name"))
    }
}

impl Serialize for LogPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text_or_bytes::serialize(self.as_path(), serializer)
    }
}

impl<'de> Deserialize<'de> for LogPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(as_text_or_bytes::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("not the path of a log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_holds_no_slash_and_is_not_a_dot() {
        for bad in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert_eq!(FileName::new(bad), None, "{bad:?}");
        }
        assert!(FileName::new("...").is_some());
    }

    #[test]
    fn a_log_path_gives_its_directory_and_name() {
        for (path, dir, name) in [
            ("/var/log/user.log", "/var/log", "user.log"),
            ("/user.log", "/", "user.log"),
            ("user.log", ".", "user.log"),
            ("/a//b", "/a/", "b"),
        ] {
            let log = LogPath::new(path).expect(path);
            assert_eq!((log.dir(), log.name().as_os_str()), (Path::new(dir), OsStr::new(name)));
        }
        assert_eq!(LogPath::new("/var/log/"), None);
        assert_ne!(LogPath::new("/a//b"), LogPath::new("/a/b"), "records are kept by bytes");
    }

    #[test]
    fn hostile_names_are_shown_escaped() {
        assert_eq!(Shown(b"a\n\x1b[31m").to_string(), "a\\n\\u{1b}[31m");
        assert_eq!(Shown("x\u{202e}y".as_bytes()).to_string(), "x\\u{202e}y");
        assert_eq!(Shown(b"\xffz").to_string(), "\\xffz");
        assert_eq!(Shown("größe".as_bytes()).to_string(), "größe");
    }

    #[test]
    fn names_survive_the_journal_byte_for_byte() {
        for bytes in [&b"plain"[..], b"\xff\xfe\n\"", "ü".as_bytes()] {
            let name = FileName::from_bytes(bytes).expect("usable");
            let text = serde_json::to_string(&name).expect("serialises");
            assert_eq!(serde_json::from_str::<FileName>(&text).expect("reads"), name);
        }
    }
}
