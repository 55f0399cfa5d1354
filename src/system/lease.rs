//! Leases: the kernel's answer to whether somebody else has a file open, and, for as long as one is
//! held, its promise that whoever opens the file waits until we let go.
//!
//! No process is searched for: one call and its release, and it holds across containers.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Once;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use super::file::facts;
use super::{handler, identity};
use crate::units::Identity;

/// A lease on an open file; let go when dropped.
#[derive(Debug)]
pub struct Lease<'a>(&'a File);

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // A lease that was held can be let go, by who may take it; if the kernel has broken it, it is
        // gone.
        let _ = set_as_who_may(self.0, libc::F_UNLCK);
    }
}

/// Takes a write lease: nobody else has the file open, and who opens it waits until the lease is let
/// go. To be held for moments only. (Who opens without waiting, `O_NONBLOCK`, is refused meanwhile.)
///
/// # Errors
/// `EAGAIN`: somebody has it open. Anything else: the file system or our rights cannot tell.
pub fn exclusive(file: &File) -> Result<Lease<'_>, Errno> {
    take(file, libc::F_WRLCK)
}

/// Whether some process has a file open for writing. Ours must be open for reading alone.
///
/// # Errors
/// If the file system or our rights cannot tell.
pub fn is_written(file: &File) -> Result<bool, Errno> {
    match take(file, libc::F_RDLCK) {
        Ok(lease) => {
            drop(lease);
            Ok(false)
        }
        Err(Errno::EAGAIN) => Ok(true),
        Err(errno) => Err(errno),
    }
}

fn take(file: &File, kind: libc::c_int) -> Result<Lease<'_>, Errno> {
    survive_breaks();
    set_as_who_may(file, kind)?;
    Ok(Lease(file))
}

/// Only the owner may, or who has a capability that lowered ids and containers lack: it is then done
/// with the invoker's ids, as the owner.
fn set_as_who_may(file: &File, kind: libc::c_int) -> Result<(), Errno> {
    match set(file, kind) {
        Err(Errno::EACCES) => identity::as_invoker(|| set_as_owner(file, kind))?,
        other => other,
    }
}

fn set_as_owner(file: &File, kind: libc::c_int) -> Result<(), Errno> {
    if !geteuid().is_root() {
        return set(file, kind);
    }
    let facts = facts(file)?;
    identity::asking_as(Identity { uid: facts.uid, gid: facts.gid }, || set(file, kind))
}

/// The signal that tells us to let go would kill us.
fn survive_breaks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = handler::let_pass(Signal::SIGIO);
    });
}

#[expect(unsafe_code, reason = "no crate has a safe call for leases")]
fn set(file: &File, kind: libc::c_int) -> Result<(), Errno> {
    // SAFETY: F_SETLEASE takes an integer and touches no memory of ours; the descriptor is open for
    // as long as `file` is borrowed.
    Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) }).map(drop)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::time::Duration;

    fn scene() -> (tempfile::NamedTempFile, File) {
        let named = tempfile::NamedTempFile::new().unwrap();
        let path = named.path().to_owned();
        let (_, temp) = named.into_parts();
        // Opened anew, so that ours is the only descriptor.
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        (tempfile::NamedTempFile::from_parts(File::open("/dev/null").unwrap(), temp), file)
    }

    /// Children of other tests have our descriptors until they begin their own program.
    fn granted(file: &File) -> Lease<'_> {
        for _ in 0..500 {
            if let Ok(lease) = exclusive(file) {
                return lease;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no lease in five seconds");
    }

    #[test]
    fn a_lease_is_refused_while_anybody_else_has_the_file_open() {
        let (path, file) = scene();
        for write in [false, true] {
            let other = OpenOptions::new().read(!write).append(write).open(path.path()).unwrap();
            assert_eq!(exclusive(&file).map(drop), Err(Errno::EAGAIN), "{write}");
            drop(other);
            granted(&file);
        }
    }

    #[test]
    fn only_who_can_write_counts_as_a_writer() {
        let (path, file) = scene();
        let ours = File::open(path.path()).unwrap();
        drop(file);
        let reader = File::open(path.path()).unwrap();
        for _ in 0..500 {
            if is_written(&ours) == Ok(false) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(is_written(&ours), Ok(false));
        drop(reader);
        let writer = OpenOptions::new().append(true).open(path.path()).unwrap();
        assert_eq!(is_written(&ours), Ok(true));
        drop(writer);
    }

    #[test]
    fn who_opens_the_file_meanwhile_waits_and_harms_nobody() {
        let (path, file) = scene();
        let lease = granted(&file);
        let name = path.path().to_owned();
        let opener = std::thread::spawn(move || {
            OpenOptions::new().append(true).open(name).unwrap().write_all(b"late").unwrap();
        });
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(facts(&file).unwrap().size, 0, "it is still waiting");
        drop(lease);
        opener.join().unwrap();
        assert_eq!(facts(&file).unwrap().size, 4);
    }
}
