//! Which file system a directory is on, and what is wrong with it: for messages.

use std::path::Path;

use nix::errno::Errno;
use procfs::process::Process;
use rustix::fs::{major, minor};

use super::dir::Dir;
use super::file::errno;
use super::words::Words;
use crate::facts::Room;
use crate::fault::Fault;
use crate::names::Shown;

/// Adds to a fault which file system it is about, if its cause is one of file systems: no space or
/// inode, a quota, read-only, a broken disk.
#[must_use]
pub fn explain(fault: Fault, dir: &Dir) -> Fault {
    let Some(trouble) = fault.errno.and_then(|number| trouble(dir, Errno::from_raw(number))) else {
        return fault;
    };
    let hint = match &fault.hint {
        Some(hint) => format!("{hint}; {trouble}"),
        None => trouble,
    };
    fault.with_hint(hint)
}

/// Adds the cause to a fault where the system has not told it to us, but to a command that failed: if that
/// has passed it on, or if it is plain to see.
#[must_use]
pub fn blame_if_full(fault: Fault, complaint: &[u8], dir: &Dir) -> Fault {
    let complaint = String::from_utf8_lossy(complaint);
    let has_said = |errno: &Errno| complaint.contains(&errno.words());
    let is_full = || free(dir).is_ok_and(|free| free.bytes == 0 || free.files == 0);
    let said = [Errno::ENOSPC, Errno::EDQUOT, Errno::EIO].into_iter().find(has_said);
    match said.or_else(|| is_full().then_some(Errno::ENOSPC)) {
        Some(errno) => Fault { errno: Some(errno as i32), ..fault },
        None => fault,
    }
}

/// Whether a fault is that of a file system without room.
pub fn is_full(fault: &Fault) -> bool {
    fault
        .errno
        .is_some_and(|number| matches!(Errno::from_raw(number), Errno::ENOSPC | Errno::EDQUOT))
}

/// Whether the cause of a fault may pass by itself, or by what somebody does about the machine: a disk
/// that is full or broken, too little memory, too many open files.
pub fn may_pass(fault: &Fault) -> bool {
    use Errno::{EAGAIN, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS};
    let passing = [EAGAIN, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS];
    fault.errno.is_some_and(|number| passing.contains(&Errno::from_raw(number)))
}

fn trouble(dir: &Dir, errno: Errno) -> Option<String> {
    let told = |what: &str| Some(format!("{} {what}", name(dir)));
    match errno {
        Errno::ENOSPC => match free(dir) {
            Ok(free) if free.files == 0 => told("has no inode left"),
            Ok(free) => told(&format!("has {} KiB left", free.bytes / 1024)),
            Err(_) => told("is full"),
        },
        Errno::EDQUOT => told("has a quota, which is used up"),
        Errno::EROFS => told("is read-only"),
        Errno::EIO => told("is in trouble; the kernel's log may say more"),
        _ => None,
    }
}

/// What is left of a directory's file system, without what that keeps back for itself and for root.
///
/// # Errors
/// Whatever the system says.
pub fn free(dir: &Dir) -> Result<Room, Errno> {
    let found = rustix::fs::fstatvfs(dir.handle()).map_err(errno)?;
    Ok(Room {
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        files: if found.f_files == 0 { u64::MAX } else { found.f_favail },
    })
}

/// `file system /var (/dev/sda2)`, as far as it can be found out.
fn name(dir: &Dir) -> String {
    let device = dir.first_facts().ok().and_then(|facts| facts.id.device);
    let found = device.and_then(|device| mount(device, dir.path()));
    found.unwrap_or_else(|| format!("the file system of {}", Shown::path(dir.path())))
}

/// The mount through which a path is reached: the innermost of that device.
fn mount(device: u64, path: &Path) -> Option<String> {
    let number = format!("{}:{}", major(device), minor(device));
    let mounts = Process::myself().and_then(|process| process.mountinfo()).ok()?;
    let path = std::path::absolute(path).ok()?;
    let same = mounts.0.into_iter().filter(|mount| mount.majmin == number);
    let above = same.filter(|mount| path.starts_with(&mount.mount_point));
    let mount = above.max_by_key(|mount| mount.mount_point.components().count())?;
    let source = mount.mount_source.unwrap_or_else(|| number.clone());
    let shown = Shown::path(&mount.mount_point).to_string();
    Some(format!("file system {shown} ({})", Shown(source.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_of_a_directory_is_told_by_mount_and_source() {
        let dir = Dir::open(Path::new("/proc")).unwrap();
        let fault = Fault { errno: Some(Errno::EROFS as i32), ..Fault::new("cannot do it") };
        let told = explain(fault, &dir).hint;
        assert_eq!(told.as_deref(), Some("file system /proc (proc) is read-only"));
    }

    #[test]
    fn other_causes_need_no_file_system() {
        let dir = Dir::open(Path::new("/proc")).unwrap();
        let fault = Fault { errno: Some(Errno::EACCES as i32), ..Fault::new("cannot do it") };
        assert_eq!(explain(fault, &dir).hint, None);
    }
}
