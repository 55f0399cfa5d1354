//! Making directories.

use std::fs::File;

use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::fs::{Mode as OpenMode, OFlags};

use super::attributes::{set_mode, set_owner};
use super::dir::{Dir, facts_of};
use super::file::{again, before_effect, errno};
use crate::facts::{FileFacts, FileKind};
use crate::names::FileName;
use crate::units::Mode;

/// What a directory has until it is dressed: nobody else gets in.
const PRIVATE: u32 = 0o700;

/// Makes a directory that nobody but us may enter.
///
/// # Errors
/// `EEXIST` if anything stands there; else what the system says.
pub fn make(dir: &Dir, name: &FileName) -> Result<(), Errno> {
    before_effect("mkdir")?;
    let mode = OpenMode::from_raw_mode(PRIVATE);
    again(|| rustix::fs::mkdirat(dir.handle(), name.as_bytes(), mode))
}

/// Whether a directory looks as [`make`] leaves it.
pub fn is_unfinished(facts: &FileFacts) -> bool {
    let private = facts.mode.0 & 0o777 == PRIVATE;
    facts.kind == FileKind::Directory && private && facts.uid == geteuid().as_raw()
}

/// Gives a directory that was just made its owner and mode.
///
/// It must be empty and look as [`make`] leaves it, so that one that was put in its place meanwhile
/// is not changed.
///
/// # Errors
/// `EEXIST` if it is another one; else what the system says.
pub fn dress(
    dir: &Dir,
    name: &FileName,
    mode: Mode,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle =
        again(|| rustix::fs::openat(dir.handle(), name.as_bytes(), flags, OpenMode::empty()));
    let opened = File::from(handle?);
    let facts = facts_of(&opened)?;
    if !is_unfinished(&facts) || holds_anything(&opened)? {
        return Err(Errno::EEXIST);
    }
    set_owner(&opened, uid.unwrap_or(facts.uid), gid.unwrap_or(facts.gid))?;
    set_mode(&opened, mode)
}

fn holds_anything(dir: &File) -> Result<bool, Errno> {
    for entry in rustix::fs::Dir::read_from(dir).map_err(errno)? {
        let entry = entry.map_err(errno)?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_private_until_it_is_dressed() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, name) = (Dir::open(temp.path()).unwrap(), FileName::new("d").unwrap());
        let facts = || dir.facts(&name).unwrap().unwrap();
        make(&dir, &name).unwrap();
        assert!(is_unfinished(&facts()));
        dress(&dir, &name, Mode(0o2775), None, None).unwrap();
        assert_eq!(facts().mode, Mode(0o2775));
        assert_eq!(make(&dir, &name), Err(Errno::EEXIST));
    }

    #[test]
    fn a_directory_in_its_place_is_not_changed() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, name) = (Dir::open(temp.path()).unwrap(), FileName::new("d").unwrap());
        let dressed = || dress(&dir, &name, Mode(0o777), None, None);
        make(&dir, &name).unwrap();
        std::fs::write(temp.path().join("d/file"), "").unwrap();
        assert_eq!(dressed(), Err(Errno::EEXIST));
        std::fs::remove_file(temp.path().join("d/file")).unwrap();
        dressed().unwrap();
        assert_eq!(dressed(), Err(Errno::EEXIST), "it is no longer private");
    }
}
