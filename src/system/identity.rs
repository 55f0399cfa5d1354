//! Working with the ids of another user (compat section 7).
//!
//! The process has the invoker's ids unless a [`Lowered`] lives. Lowered are the effective ids and
//! the supplementary groups (fixes compat B-14); the real user stays, so that the way back is open.
//! Scripts are started with the invoker's ids (`as_invoker`), filters with the lowered ones for
//! good ([`lowered_to`]).

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::unistd::{
    Gid, Uid, getegid, geteuid, getgid, getgroups, setegid, seteuid, setfsgid, setfsuid, setgroups,
};

use crate::fault::Fault;
use crate::system::{Words, process};
use crate::units::Identity;

/// The ids to come back to, while others are in force. Ids belong to the process, not to a thread.
static INVOKER: Mutex<Option<Ids>> = Mutex::new(None);

/// The ids in force, user above group, so that nobody asks the system again and again; the highest
/// number, which no ids have, while they are not known.
static IN_FORCE: AtomicU64 = AtomicU64::new(UNKNOWN);
const UNKNOWN: u64 = u64::MAX;

fn invoker() -> MutexGuard<'static, Option<Ids>> {
    INVOKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Effective ids and supplementary groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ids {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Ids {
    /// Those in force, which is noted: whoever has changed them asks last.
    fn now() -> Result<Self, Errno> {
        let now = Self { uid: geteuid(), gid: getegid(), groups: getgroups()? };
        IN_FORCE.store(number(now.identity()), Ordering::SeqCst);
        Ok(now)
    }

    fn identity(&self) -> Identity {
        Identity { uid: self.uid.as_raw(), gid: self.gid.as_raw() }
    }

    /// Gives up rights: groups and group first, since only the old user may change them. Whether the
    /// supplementary groups went too.
    fn lower(&self, to: Identity) -> Result<bool, Errno> {
        IN_FORCE.store(UNKNOWN, Ordering::SeqCst);
        let (uid, gid) = (Uid::from_raw(to.uid), Gid::from_raw(to.gid));
        let needless = self.groups.iter().all(|&group| group == gid);
        let groups_gone = needless
            || match setgroups(&[]) {
                Ok(()) => true,
                // A user namespace may forbid it; whether this is one shows at the next call.
                Err(Errno::EPERM) => false,
                Err(errno) => return Err(errno),
            };
        let lowered = setegid(gid).and_then(|()| seteuid(uid)).and_then(|()| {
            let now = Self::now()?;
            let fits = now.identity() == to
                && (!groups_gone || now.groups.iter().all(|&group| group == gid));
            if fits { Ok(groups_gone) } else { Err(Errno::EPERM) }
        });
        if lowered.is_err() {
            self.restore()?;
        }
        lowered
    }

    /// Takes the rights back, in reverse order.
    fn restore(&self) -> Result<(), Errno> {
        IN_FORCE.store(UNKNOWN, Ordering::SeqCst);
        seteuid(self.uid)?;
        setegid(self.gid)?;
        if getgroups()? != self.groups {
            setgroups(&self.groups)?;
        }
        if Self::now()? == *self { Ok(()) } else { Err(Errno::EPERM) }
    }
}

/// Other ids are in force as long as this lives.
#[derive(Debug)]
#[must_use]
pub struct Lowered {
    active: bool,
    /// The system did not let the supplementary groups go (in a user namespace).
    pub keeps_groups: bool,
}

impl Drop for Lowered {
    fn drop(&mut self) {
        if self.active
            && let Some(ids) = invoker().take()
        {
            // If it fails we go on with fewer rights than we should have: what needs them will say
            // so, and nothing is let in.
            let _ = ids.restore();
        }
    }
}

/// Takes ids on. Where they are in force already, nothing is done (compat SU-1).
///
/// # Errors
/// If the system refuses, in the reference's words; nothing has changed then.
pub fn assume(identity: Identity) -> Result<Lowered, Fault> {
    let refused = |from: Identity, errno: Errno| Fault {
        errno: Some(errno as i32),
        ..Fault::new(format!("error {}: {}", switching(from, identity), errno.words()))
    };
    let now = now();
    if now == identity {
        return Ok(Lowered { active: false, keeps_groups: false });
    }
    let mut back = invoker();
    if back.is_some() {
        return Err(refused(now, Errno::EBUSY));
    }
    let ids = Ids::now().map_err(|errno| refused(now, errno))?;
    let groups_gone = ids.lower(identity).map_err(|errno| refused(now, errno))?;
    *back = Some(ids);
    Ok(Lowered { active: true, keeps_groups: !groups_gone })
}

/// [`assume`], where there may be nobody else to be.
///
/// # Errors
/// As there.
pub fn assume_if(identity: Option<Identity>) -> Result<Lowered, Fault> {
    identity.map_or(Ok(Lowered { active: false, keeps_groups: false }), assume)
}

/// The ids in force.
pub fn now() -> Identity {
    match IN_FORCE.load(Ordering::SeqCst) {
        UNKNOWN => {
            let now = Identity { uid: geteuid().as_raw(), gid: getegid().as_raw() };
            // Whoever changes them meanwhile, in another thread, knows better.
            let _ =
                IN_FORCE.compare_exchange(UNKNOWN, number(now), Ordering::SeqCst, Ordering::SeqCst);
            now
        }
        known => Identity { uid: (known >> 32) as u32, gid: (known & 0xffff_ffff) as u32 },
    }
}

fn number(ids: Identity) -> u64 {
    u64::from(ids.uid) << 32 | u64::from(ids.gid)
}

/// The ids that are in force instead of the invoker's.
pub fn lowered_to() -> Option<Identity> {
    invoker().is_some().then(now)
}

/// The debug line of a switch (compat SU-1).
pub fn switching(from: Identity, to: Identity) -> String {
    format!(
        "switching euid from {} to {} and egid from {} to {} (pid {})",
        from.uid,
        to.uid,
        from.gid,
        to.gid,
        std::process::id()
    )
}

/// Does something with the invoker's ids, and then lowers them again.
///
/// Should the system not let us lower them again, the process ends there: whoever asked for other ids
/// must never go on with root's. The journal lets the next run finish its work.
///
/// # Errors
/// If the invoker's ids cannot be taken back; nothing was done then.
pub(super) fn as_invoker<T>(act: impl FnOnce() -> T) -> Result<T, Errno> {
    let mut back = invoker();
    let Some(ids) = back.clone() else { return Ok(act()) };
    let identity = now();
    let done = ids.restore().map(|()| act());
    if ids.lower(identity).is_err() {
        stop();
    }
    *back = Some(ids);
    done
}

/// Ends the process at once; no step that was asked for with fewer rights is done with more.
fn stop() -> ! {
    let text = b"error: the system does not let us give up our rights again; stopping at once\n";
    let _ = std::io::stderr().write_all(text);
    std::process::abort()
}

/// Asks the system something as another user would: this thread alone, and for questions about files
/// and processes only. Without the rights to become that user, it is asked as who we are.
pub(super) fn asking_as<T>(who: Identity, ask: impl FnOnce() -> T) -> T {
    let group = setfsgid(Gid::from_raw(who.gid));
    let user = setfsuid(Uid::from_raw(who.uid));
    let answer = ask();
    setfsuid(user);
    setfsgid(group);
    answer
}

/// Whether the program has rights that whoever started it lacks: set-uid, set-gid, or capabilities of its
/// file.
///
/// `AT_SECURE` alone would say too much: it is also set where a security module changes the domain, as
/// cron's does on every `SELinux` system. A user other than root keeps no capability across the start of a
/// program but ambient ones, which are the user's own; any other comes from the program's file.
pub fn has_borrowed_rights() -> bool {
    let started = Identity { uid: process::starter(), gid: getgid().as_raw() };
    if started != now() {
        return true;
    }
    if process::started_by_root() {
        return false;
    }
    let Ok(held) = rustix::thread::capabilities(None) else { return false };
    let ambient = |capability| rustix::thread::capability_is_in_ambient_set(capability);
    held.permitted.iter().any(|capability| !ambient(capability).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Ids belong to the process, and other tests run in it: switches are tested on the whole
    // program, in `tests/compliance/su.rs`.

    #[test]
    fn ids_that_are_in_force_need_no_switch() {
        let lowered = assume(now()).unwrap();
        assert!(!lowered.active && lowered_to().is_none());
        assert_eq!(as_invoker(|| 5), Ok(5));
    }

    #[test]
    fn a_switch_is_told_in_the_reference_words() {
        let (from, to) = (Identity { uid: 0, gid: 0 }, Identity { uid: 33, gid: 4 });
        let line = switching(from, to);
        assert!(
            line.starts_with("switching euid from 0 to 33 and egid from 0 to 4 (pid "),
            "{line}"
        );
    }
}
