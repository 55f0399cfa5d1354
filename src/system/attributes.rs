//! Mode, owner, times and access list of an open file.

use std::fs::{File, FileTimes, Permissions};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::dir::Dir;
use super::file::{self, Access, Wanted, again, again_nix, before_effect, errno, facts, io_errno};
use crate::names::FileName;
use crate::units::{FileTime, Mode};

/// The extended attribute that holds a POSIX access list.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Gives a file its owner. Only root can, so for anybody else this is nothing (compat ROT-60).
///
/// # Errors
/// Whatever the system says.
pub fn set_owner(file: &File, uid: u32, gid: u32) -> Result<(), Errno> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let now = facts(file)?;
    if (now.uid, now.gid) == (uid, gid) {
        return Ok(());
    }
    before_effect("owner")?;
    again_nix(|| fchown(file, Some(uid), Some(gid)).map_err(|e| io_errno(&e)))
}

/// Gives a file its permission bits, whatever the umask. After [`set_owner`], which clears the
/// set-id bits.
///
/// # Errors
/// Whatever the system says.
pub fn set_mode(file: &File, mode: Mode) -> Result<(), Errno> {
    before_effect("mode")?;
    file.set_permissions(Permissions::from_mode(mode.0 & 0o7777)).map_err(|e| io_errno(&e))
}

/// Gives a file the times of its last read and its last write.
///
/// # Errors
/// Whatever the system says.
pub fn set_times(file: &File, accessed: FileTime, modified: FileTime) -> Result<(), Errno> {
    before_effect("times")?;
    let (Some(accessed), Some(modified)) = (instant(accessed), instant(modified)) else {
        return Err(Errno::EOVERFLOW);
    };
    let times = FileTimes::new().set_accessed(accessed).set_modified(modified);
    again_nix(|| file.set_times(times).map_err(|e| io_errno(&e)))
}

/// The same point as the standard library counts it.
fn instant(time: FileTime) -> Option<SystemTime> {
    let whole = Duration::from_secs(time.seconds.unsigned_abs());
    let second = if time.seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    };
    second?.checked_add(Duration::from_nanos(u64::from(time.nanos)))
}

/// Takes a file's access list over, if it has one. After [`set_mode`]: with an access list the group
/// bits are its mask, and on a file without the list they would let the whole group in.
///
/// # Errors
/// Whatever the system says, other than that one of the file systems knows no access lists.
pub fn copy_access_list(from: &File, to: &File) -> Result<(), Errno> {
    set_access_list(to, own_attribute(from, ACCESS_LIST)?)
}

/// The same for what stands under a name. Where nothing does, there is no list.
///
/// # Errors
/// As there.
pub fn copy_access_list_of(dir: &Dir, name: &FileName, to: &File) -> Result<(), Errno> {
    set_access_list(to, attribute_of(dir, name, ACCESS_LIST)?)
}

fn set_access_list(to: &File, list: Option<Vec<u8>>) -> Result<(), Errno> {
    let Some(list) = list else { return Ok(()) };
    before_effect("access list")?;
    let flags = rustix::fs::XattrFlags::empty();
    match again(|| rustix::fs::fsetxattr(to, ACCESS_LIST, &list, flags)) {
        Err(Errno::EOPNOTSUPP) | Ok(()) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// An extended attribute of an open file, if it has it and its file system knows such a thing.
pub(super) fn own_attribute(file: impl AsFd, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    value(|value| rustix::fs::fgetxattr(file, name, value))
}

/// The same of what stands under a name, which may be unreadable; a link's own.
pub(super) fn attribute_of(
    dir: &Dir,
    file: &FileName,
    name: &str,
) -> Result<Option<Vec<u8>>, Errno> {
    let mut path = format!("/proc/self/fd/{}/", dir.handle().as_raw_fd()).into_bytes();
    path.extend_from_slice(file.as_bytes());
    match value(|value| rustix::fs::lgetxattr(&*path, name, value)) {
        // With the ids of `su` the kernel shows us no descriptors of ours, and /proc may be missing.
        Err(Errno::EACCES | Errno::ENOENT) => {}
        other => return other,
    }
    let wanted = Wanted { id: None, hard_links: true };
    match file::open(dir, file, Access::Read, &wanted) {
        Ok((file, _)) => own_attribute(file, name),
        // It is not there, or whether it has one cannot be found out.
        Err(_) => Ok(None),
    }
}

fn value(
    read: impl FnOnce(&mut [u8]) -> rustix::io::Result<usize>,
) -> Result<Option<Vec<u8>>, Errno> {
    // The longest that there can be.
    let mut value = vec![0; 64 * 1024];
    match read(&mut value).map_err(errno) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::ENODATA | Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_owner_and_times_are_set_as_asked() {
        let file = tempfile::tempfile().unwrap();
        let (accessed, modified) = (
            FileTime { seconds: 1_000_000_000, nanos: 5000 },
            FileTime { seconds: -1, nanos: 500_000_000 },
        );
        set_owner(&file, 12_345, 54_321).unwrap();
        set_mode(&file, Mode(0o4751)).unwrap();
        set_times(&file, accessed, modified).unwrap();
        let now = facts(&file).unwrap();
        assert_eq!((now.mode, now.accessed, now.modified), (Mode(0o4751), accessed, modified));
        if geteuid().is_root() {
            assert_eq!((now.uid, now.gid), (12_345, 54_321));
        }
    }

    #[test]
    fn an_access_list_is_taken_over() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        // Version 2; user rw, user 12345 r, group none, mask r, others none.
        let entries: [(u16, u16, u32); 5] = [
            (0x01, 6, u32::MAX),
            (0x02, 4, 12_345),
            (0x04, 0, u32::MAX),
            (0x10, 4, u32::MAX),
            (0x20, 0, u32::MAX),
        ];
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::fsetxattr(&from, ACCESS_LIST, &list, flags).is_err() {
            return; // A file system without access lists.
        }
        set_mode(&to, facts(&from).unwrap().mode).unwrap();
        copy_access_list(&from, &to).unwrap();
        let mut read = [0; 100];
        let length = rustix::fs::fgetxattr(&to, ACCESS_LIST, &mut read[..]).unwrap();
        assert_eq!(&read[..length], &list[..]);
    }

    #[test]
    fn a_file_without_an_access_list_gives_none() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        assert_eq!(copy_access_list(&from, &to), Ok(()));
    }
}
