//! A process without rights that exchanges names for as long as it lives.
#![expect(unsafe_code, reason = "a process is forked")]

use std::ffi::CString;
use std::fs::{File, symlink_metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Gid, Pid, Uid, fork, setgroups, setresgid, setresuid};
use rustix::fs::{RenameFlags, renameat_with};

use super::ATTACKER;

/// Exchanges names until it is dropped.
pub struct Attacker(Pid);

impl Attacker {
    /// Starts to exchange pairs of names in a directory, one pair after the other, and waits until
    /// the first pair has been seen exchanged.
    pub fn start(dir: &Path, pairs: &[(&str, &str)]) -> Self {
        let held = File::open(dir).expect("a directory");
        let name = |text: &str| CString::new(text).expect("a name");
        let names: Vec<_> = pairs.iter().map(|(a, b)| (name(a), name(b))).collect();
        let inode = || symlink_metadata(dir.join(pairs[0].0)).map_or(0, |m| m.ino());
        let before = inode();
        // SAFETY: the child of a process with several threads may only make system calls. It makes
        // just these, on memory that is there already, until it is killed.
        let attacker = match unsafe { fork() }.expect("fork") {
            ForkResult::Parent { child } => Self(child),
            ForkResult::Child => attack(&held, &names),
        };
        let start = Instant::now();
        while inode() == before {
            assert!(start.elapsed() < Duration::from_secs(30), "the attacker does nothing");
        }
        attacker
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        kill(self.0, Signal::SIGKILL).expect("kill");
        waitpid(self.0, None).expect("wait");
    }
}

fn attack(dir: &File, names: &[(CString, CString)]) -> ! {
    // Files of other tests must not look as if we wrote them.
    // SAFETY: nothing in this process uses what is closed.
    unsafe { close_fds::close_open_fds(3, &[dir.as_raw_fd()]) };
    let (user, group) = (Uid::from_raw(ATTACKER), Gid::from_raw(ATTACKER));
    let lowered = setgroups(&[])
        .and_then(|()| setresgid(group, group, group))
        .and_then(|()| setresuid(user, user, user));
    loop {
        if lowered.is_err() {
            // It would prove nothing as root. The test sees that nothing happens.
            std::thread::sleep(Duration::from_secs(1));
            continue;
        }
        for (a, b) in names {
            let give = |from, to, flags| renameat_with(dir, from, dir, to, flags).is_ok();
            // Where one of the names is free, the other's thing is put there.
            let _ = give(a, b, RenameFlags::EXCHANGE)
                || give(b, a, RenameFlags::NOREPLACE)
                || give(a, b, RenameFlags::NOREPLACE);
        }
    }
}
