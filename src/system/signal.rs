//! Signals: their names, and sending them to a process that was looked at before.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use super::file::before_effect;
use super::identity;
use crate::units::SignalName;

/// The signal that somebody means by a name, with or without `SIG`, in any case, or by a number.
pub fn named(text: &str) -> Option<SignalName> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let signal = if digits {
        Signal::try_from(text.parse::<i32>().ok()?).ok()?
    } else {
        let name = text.to_ascii_uppercase();
        let name = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
        name.parse().ok()?
    };
    Some(SignalName(signal.as_str().to_owned()))
}

/// Whether a program can do something when it gets this signal.
pub fn can_be_handled(name: &SignalName) -> bool {
    number(name).is_ok_and(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP))
}

/// Whether a signal is in the set that `/proc` shows as `SigCgt`.
pub(super) fn is_in(name: &SignalName, set: u64) -> bool {
    number(name).is_ok_and(|signal| set >> (signal as i32 - 1) & 1 == 1)
}

fn number(name: &SignalName) -> Result<Signal, Errno> {
    name.0.parse()
}

/// A process that is held: a signal reaches it, and never one that gets its number later. (Linux
/// before 5.3 can hold none; there the number has to do.)
#[derive(Debug)]
pub struct Target {
    pid: Pid,
    handle: Option<OwnedFd>,
}

impl Target {
    /// Takes hold of a process.
    ///
    /// # Errors
    /// `ESRCH`: there is none of this number, or it is a thread's. Else what the system says.
    pub fn take(pid: u32) -> Result<Self, Errno> {
        let number = i32::try_from(pid).map_err(|_| Errno::ESRCH)?;
        let wanted = rustix::process::Pid::from_raw(number).ok_or(Errno::ESRCH)?;
        let pid = Pid::from_raw(number);
        match pidfd_open(wanted, PidfdFlags::empty()).map_err(errno) {
            Ok(handle) => Ok(Self { pid, handle: Some(handle) }),
            // What a thread's number gives: EINVAL, and ENOENT since Linux 6.9.
            Err(Errno::EINVAL | Errno::ENOENT) => Err(Errno::ESRCH),
            Err(Errno::ENOSYS | Errno::EPERM) => Ok(Self { pid, handle: None }),
            Err(errno) => Err(errno),
        }
    }

    /// Sends a signal with the invoker's ids, as a script would (compat SCR-3).
    ///
    /// # Errors
    /// `ESRCH`: it has ended. Else what the system says.
    pub fn send(&self, name: &SignalName) -> Result<(), Errno> {
        let signal = number(name)?;
        before_effect("signal")?;
        identity::as_invoker(|| match &self.handle {
            Some(handle) => {
                let signal = rustix::process::Signal::from_named_raw(signal as i32);
                pidfd_send_signal(handle, signal.ok_or(Errno::EINVAL)?).map_err(errno)
            }
            None => kill(self.pid, signal),
        })?
    }
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests run programs")]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    #[test]
    fn a_signal_is_meant_by_its_name_with_or_without_sig_or_by_its_number() {
        for (text, meant) in [
            ("HUP", Some("SIGHUP")),
            ("SIGHUP", Some("SIGHUP")),
            ("hup", Some("SIGHUP")),
            ("sigusr1", Some("SIGUSR1")),
            ("1", Some("SIGHUP")),
            ("10", Some("SIGUSR1")),
            ("0", None),
            ("99", None),
            ("-1", None),
            ("+1", None),
            ("SIG", None),
            ("HUPP", None),
            ("", None),
        ] {
            assert_eq!(named(text).map(|name| name.0).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn two_signals_cannot_be_handled() {
        for (name, can) in [("KILL", false), ("STOP", false), ("TERM", true), ("USR2", true)] {
            assert_eq!(can_be_handled(&named(name).unwrap()), can, "{name}");
        }
    }

    #[test]
    fn the_set_of_handled_signals_begins_with_number_one() {
        let hup = named("HUP").unwrap();
        assert!(is_in(&hup, 1) && !is_in(&hup, !1));
        assert!(is_in(&named("USR1").unwrap(), 1 << 9));
    }

    #[test]
    fn a_process_gets_its_signal_and_one_that_has_ended_is_no_process() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let target = Target::take(child.id()).unwrap();
        assert!(target.handle.is_some(), "this kernel can hold a process");
        let term = named("TERM").unwrap();
        assert_eq!(target.send(&term), Ok(()));
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        assert_eq!(target.send(&term), Err(Errno::ESRCH));
    }

    #[test]
    fn where_no_process_can_be_held_its_number_has_to_do() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let target = Target { pid, handle: None };
        assert_eq!(target.send(&named("USR1").unwrap()), Ok(()));
        assert_eq!(child.wait().unwrap().signal(), Some(10));
    }

    #[test]
    fn no_process_has_a_number_that_does_not_fit() {
        for pid in [0, u32::MAX, i32::MAX as u32] {
            assert_eq!(Target::take(pid).map(drop), Err(Errno::ESRCH), "{pid}");
        }
    }
}
