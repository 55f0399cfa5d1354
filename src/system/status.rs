//! What `/proc` says of one process, as far as it shows it to us.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use std::fs;

use super::{identity, signal};
use crate::units::SignalName;

/// A process as `/proc/PID/status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The name of its program, as `ps` shows it. It chooses it itself.
    pub command: String,
    /// Its parent's number.
    pub parent: u32,
    /// Whether it has ended, and only its parent has not heard of it.
    pub has_ended: bool,
    /// Its real and its saved user: who of them may send it signals.
    users: [u32; 2],
    /// The signals that it handles, as bits.
    caught: u64,
}

impl Status {
    /// Asks; `None` if there is no such process, or it is not ours to look at.
    pub fn of(pid: u32) -> Option<Self> {
        let path = format!("/proc/{pid}/status");
        Self::parse(&identity::as_invoker(|| fs::read_to_string(path)).ok()?.ok()?)
    }

    /// Whether it handles a signal. (What it does not handle may end it.)
    pub fn handles(&self, name: &SignalName) -> bool {
        signal::is_in(name, self.caught)
    }

    /// Whether this user may send it signals, without being root.
    pub fn belongs_to(&self, uid: u32) -> bool {
        self.users.contains(&uid)
    }

    /// Reads the text of the file; `None` if that is not what it is.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(str::trim)
        };
        let mut uids = field("Uid")?.split_whitespace();
        let [real, _effective, saved] = [uids.next()?, uids.next()?, uids.next()?];
        Some(Self {
            command: field("Name")?.to_owned(),
            parent: field("PPid")?.parse().ok()?,
            has_ended: field("State")?.starts_with(['Z', 'X']),
            users: [real.parse().ok()?, saved.parse().ok()?],
            caught: u64::from_str_radix(field("SigCgt")?, 16).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_fields_are_found_by_their_names() {
        let text = "Name:\tSigCgt: x\nState:\tS (sleeping)\nPPid:\t7\nUid:\t1\t2\t3\t4\n\
                    SigIgn:\t0000000000000001\nSigCgt:\t0000000000000200\n";
        let status = Status::parse(text).unwrap();
        assert_eq!((status.command.as_str(), status.parent), ("SigCgt: x", 7));
        assert!(!status.has_ended);
        assert_eq!([1, 2, 3, 4].map(|uid| status.belongs_to(uid)), [true, false, true, false]);
        let handled = ["HUP", "USR1"].map(|name| status.handles(&signal::named(name).unwrap()));
        assert_eq!(handled, [false, true]);
        assert_eq!(Status::parse("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_that_nobody_has_waited_for_has_ended() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let ended = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            Status::of(pid).is_some_and(|status| status.has_ended)
        });
        assert!(ended);
        child.wait().unwrap();
        assert_eq!(Status::of(pid), None);
    }

    #[test]
    fn our_own_status_is_ours() {
        let status = Status::of(std::process::id()).unwrap();
        assert!(status.belongs_to(nix::unistd::getuid().as_raw()));
    }
}
