//! Pid files: which process they name, and who else could have written that.
//!
//! A pid file is an order to send a signal to somebody. Whoever can write it could have root signal
//! any process; so it counts as the word of whoever can.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::fs::AtFlags;

use super::dir::{Dir, OpenError, hold, look};
use super::file::{self, Access, Refused, Wanted, io_errno};
use super::{Words, identity};
use crate::facts::{FileFacts, FileKind};
use crate::names::{FileName, Shown};

/// More of it is not read: the number stands in the first line.
const MOST_READ: u64 = 256;

/// A pid file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidFile {
    /// The process; above 1.
    pub pid: u32,
    /// Who, other than root and whoever started us, could have written it; `None`: nobody.
    pub writer: Option<u32>,
}

/// Why a pid file names nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidFileError {
    /// It, or its directory, cannot be opened or read: the cause.
    Unreadable(String),
    /// Its first line, which is no number of a process.
    NoNumber(String),
    /// It names process 1, which a file that was cut off does too.
    First,
    /// Several users may write this file or directory, or one that it lies in.
    WritableByMany(PathBuf),
}

impl fmt::Display for PidFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(cause) => f.write_str(cause),
            Self::NoNumber(line) if line.is_empty() => f.write_str("it is empty"),
            Self::NoNumber(line) => write!(f, "'{line}' is not the number of a process"),
            Self::First => f.write_str("process 1 is never signalled by a pid file"),
            Self::WritableByMany(path) => {
                write!(f, "several users may write to {}", Shown::path(path))
            }
        }
    }
}

impl From<Errno> for PidFileError {
    fn from(errno: Errno) -> Self {
        Self::Unreadable(errno.words())
    }
}

impl From<OpenError> for PidFileError {
    fn from(error: OpenError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<Refused> for PidFileError {
    fn from(refused: Refused) -> Self {
        Self::Unreadable(refused.to_string())
    }
}

/// Reads a pid file, with the invoker's ids.
///
/// # Errors
/// See [`PidFileError`].
pub fn read(path: &Path) -> Result<PidFile, PidFileError> {
    identity::as_invoker(|| read_as_we_are(path))?
}

fn read_as_we_are(path: &Path) -> Result<PidFile, PidFileError> {
    let missing = || PidFileError::from(Errno::ENOENT);
    let name = path.file_name().and_then(FileName::new).ok_or_else(missing)?;
    let dir = Dir::open(path.parent().ok_or_else(missing)?)?;
    let wanted = Wanted { id: None, hard_links: false };
    let (file, facts) = file::open(&dir, &name, Access::Read, &wanted)?;
    let mut writers = Writers::default();
    writers.of(&facts, path)?;
    writers.of_directories(&dir)?;
    let mut text = Vec::new();
    file.take(MOST_READ).read_to_end(&mut text).map_err(|e| io_errno(&e))?;
    Ok(PidFile { pid: number(&text)?, writer: writers.one(path)? })
}

/// The number in the first line.
fn number(text: &[u8]) -> Result<u32, PidFileError> {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
    let digits = !line.is_empty() && line.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(line).ok().filter(|_| digits).and_then(|n| n.parse().ok());
    match number {
        Some(1) => Err(PidFileError::First),
        Some(pid) if pid > 1 && i32::try_from(pid).is_ok() => Ok(pid),
        _ => Err(PidFileError::NoNumber(Shown(line.get(..40).unwrap_or(line)).to_string())),
    }
}

/// Users other than root and us who can change what a path leads to.
#[derive(Default)]
struct Writers(Vec<u32>);

impl Writers {
    /// Counts who may write to a file, or put names into a directory.
    fn of(&mut self, facts: &FileFacts, path: &Path) -> Result<(), PidFileError> {
        // In a sticky directory only its owner, and each entry's own, can replace entries.
        let sticky = facts.kind == FileKind::Directory && facts.mode.0 & 0o1000 != 0;
        let group = facts.mode.0 & 0o020 != 0 && facts.gid != 0;
        let others = facts.mode.0 & 0o002 != 0;
        if (group || others) && !sticky {
            return Err(PidFileError::WritableByMany(path.into()));
        }
        if facts.uid != 0 && facts.uid != geteuid().as_raw() && !self.0.contains(&facts.uid) {
            self.0.push(facts.uid);
        }
        Ok(())
    }

    /// Counts who may write to a directory, and to those that it lies in.
    fn of_directories(&mut self, dir: &Dir) -> Result<(), PidFileError> {
        let mut facts = dir.own_facts()?;
        self.of(&facts, dir.path())?;
        let mut path = dir.path().to_path_buf();
        let mut below: Option<OwnedFd> = None;
        loop {
            let above = match &below {
                None => hold(dir.handle(), OsStr::new(".."))?,
                Some(below) => hold(below, OsStr::new(".."))?,
            };
            let found = look(above.as_fd(), OsStr::new(""), AtFlags::EMPTY_PATH)?;
            // Above the root is the root.
            if found.id == facts.id {
                return Ok(());
            }
            path.push("..");
            self.of(&found, &path)?;
            facts = found;
            below = Some(above);
        }
    }

    /// The only one; `None` if there is none.
    fn one(&self, path: &Path) -> Result<Option<u32>, PidFileError> {
        match self.0[..] {
            [] => Ok(None),
            [uid] => Ok(Some(uid)),
            _ => Err(PidFileError::WritableByMany(path.into())),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A directory with a pid file, which nobody else may write.
    fn scene(text: &str) -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        mode(temp.path(), 0o755);
        let path = temp.path().join("pid");
        fs::write(&path, text).unwrap();
        mode(&path, 0o644);
        (temp, path)
    }

    #[test]
    fn the_first_line_is_the_number_of_the_process() {
        for text in ["123", "123\n", " 123 \n", "123\n/var/lib/postgresql\n5432\n"] {
            let (_temp, path) = scene(text);
            assert_eq!(read(&path), Ok(PidFile { pid: 123, writer: None }), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_process_is_refused() {
        for (text, message) in [
            ("", "it is empty"),
            ("\n123\n", "it is empty"),
            ("0\n", "'0' is not the number of a process"),
            ("-5\n", "'-5' is not the number of a process"),
            ("+5\n", "'+5' is not the number of a process"),
            ("12 34\n", "'12 34' is not the number of a process"),
            ("2147483648\n", "'2147483648' is not the number of a process"),
            ("99999999999999999999\n", "'99999999999999999999' is not the number of a process"),
            ("1\n", "process 1 is never signalled by a pid file"),
        ] {
            let (_temp, path) = scene(text);
            assert_eq!(read(&path).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_file_of_its_own_is_refused() {
        let (temp, path) = scene("123\n");
        let at = |name: &str| temp.path().join(name);
        symlink(&path, at("link")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for (name, message) in [
            ("none", "No such file or directory"),
            ("none/pid", "No such file or directory"),
            ("link", "it is not a regular file"),
            ("fifo", "it is not a regular file"),
            (".", "it is not a regular file"),
        ] {
            assert_eq!(read(&at(name)).unwrap_err().to_string(), message, "{name}");
        }
        fs::hard_link(&path, at("second")).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "it has 2 hard links");
    }

    #[test]
    fn a_file_counts_as_the_word_of_whoever_may_write_it_or_a_directory_above() {
        let owned = |path: &Path, uid| chown(path, Some(uid), None).unwrap();
        let many = Err(());
        for (case, change, writer) in [
            ("the file", (33, 0o644, 0, 0o755, 0), Ok(Some(33))),
            ("its directory", (0, 0o644, 33, 0o755, 0), Ok(Some(33))),
            ("one above", (0, 0o644, 0, 0o755, 33), Ok(Some(33))),
            ("all may write", (0, 0o666, 0, 0o755, 0), many),
            ("all may make files", (0, 0o644, 0, 0o777, 0), many),
            ("none may replace it", (0, 0o644, 0, 0o1777, 0), Ok(None)),
            ("two users", (34, 0o644, 33, 0o755, 0), many),
        ] {
            let (file_owner, file_mode, dir_owner, dir_mode, above) = change;
            let temp = tempfile::tempdir().unwrap();
            mode(temp.path(), 0o755);
            fs::create_dir(temp.path().join("run")).unwrap();
            let path = temp.path().join("run/pid");
            fs::write(&path, "123\n").unwrap();
            mode(&path, file_mode);
            mode(&temp.path().join("run"), dir_mode);
            owned(&path, file_owner);
            owned(&temp.path().join("run"), dir_owner);
            owned(temp.path(), above);
            let found = read(&path);
            let refused = |e| assert!(matches!(e, PidFileError::WritableByMany(_)), "{case}: {e}");
            assert_eq!(found.map(|file| file.writer).map_err(refused), writer, "{case}");
        }
    }
}
