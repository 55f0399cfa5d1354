//! Waiting for a child, and ending one that takes too long or that must end with us.
//!
//! Ending means TERM, a few seconds to put things in order, then KILL: for the child and whatever works
//! for it. That is its process group if it has one of its own; else its descendants in our group, so
//! that a daemon which it has started, and which has left the group, lives on.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use std::fs;
use std::io;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgrp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::{identity, stop};

/// From TERM to KILL.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long a signal that came in just before we began to wait may go unnoticed.
const TICK: Duration = Duration::from_millis(200);

/// The pause between two looks where the kernel cannot tell us.
const PAUSE: Duration = Duration::from_millis(10);

/// Whose process group a child is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Ours.
    Ours,
    /// Its own.
    Own,
}

/// Waits for a child, for `limit` at most, and no longer than until we are asked to end: then it is ended
/// with all that works for it. Gives how it ended and whether it was over its limit.
pub(super) fn attend(
    child: &mut Child,
    group: Group,
    limit: Option<Duration>,
) -> io::Result<(ExitStatus, bool)> {
    let begun = Instant::now();
    let watch = pidfd_open(pid(child)?, PidfdFlags::empty()).ok();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
        let late = left.is_some_and(|left| left.is_zero());
        if late || stop::requested().is_some() {
            return Ok((end(child, group)?, late));
        }
        let pause = left.unwrap_or(TICK).min(TICK);
        match &watch {
            Some(watch) => {
                let mut fds = [PollFd::new(watch, PollFlags::IN)];
                // A signal ends it early; so it shall.
                let _ = poll(&mut fds, Timespec::try_from(pause).ok().as_ref());
            }
            None => std::thread::sleep(pause.min(PAUSE)),
        }
    }
}

/// Ends a child. It is waited for only afterwards: until then its number, and its group's, are its own.
fn end(child: &mut Child, group: Group) -> io::Result<ExitStatus> {
    let helpers = helpers(child, group);
    tell(child, group, &helpers, Signal::SIGTERM);
    let told = Instant::now();
    while told.elapsed() < GRACE
        && !stop::requested_again()
        && !(has_ended(child) && helpers.iter().all(|helper| !helper.lives()))
    {
        std::thread::sleep(PAUSE);
    }
    tell(child, group, &helpers, Signal::SIGKILL);
    child.wait()
}

/// Sends a signal, with the invoker's rights. Whoever has ended meanwhile does not need it.
fn tell(child: &Child, group: Group, helpers: &[Process], signal: Signal) {
    let Ok(number) = i32::try_from(child.id()) else { return };
    let _ = identity::as_invoker(|| match group {
        Group::Own => {
            let _ = killpg(Pid::from_raw(number), signal);
        }
        Group::Ours => {
            let _ = kill(Pid::from_raw(number), signal);
            for helper in helpers.iter().filter(|helper| helper.lives()) {
                let _ = kill(Pid::from_raw(helper.pid), signal);
            }
        }
    });
}

fn pid(child: &Child) -> io::Result<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap_or_default())
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// Whether a child has ended; nothing is taken from [`Child::wait`].
fn has_ended(child: &Child) -> bool {
    let asked = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    pid(child).is_ok_and(|pid| !matches!(waitid(WaitId::Pid(pid), asked), Ok(None)))
}

/// A process as `/proc` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    /// Ended, but not waited for.
    gone: bool,
    /// When it began: numbers are used again.
    begun: u64,
}

impl Process {
    fn look(pid: i32) -> Option<Self> {
        Self::parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The fields behind the name, which may hold anything.
    fn parse(pid: i32, stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            gone: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            begun: fields.get(19)?.parse().ok()?,
        })
    }

    fn lives(&self) -> bool {
        Self::look(self.pid).is_some_and(|now| now.begun == self.begun && !now.gone)
    }
}

/// Who works for a child; none where there is no `/proc`.
fn helpers(child: &Child, group: Group) -> Vec<Process> {
    let Ok(child) = i32::try_from(child.id()) else { return Vec::new() };
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<Process> = numbers.filter_map(Process::look).collect();
    match group {
        Group::Own => all.into_iter().filter(|p| p.group == child && p.pid != child).collect(),
        Group::Ours => descendants(&all, child, getpgrp().as_raw()),
    }
}

/// The descendants of a process in a group.
fn descendants(all: &[Process], ancestor: i32, group: i32) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![ancestor];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|p| p.parent == parent && p.group == group);
        // A number that is used again while we look must not lead us round in circles.
        let new: Vec<_> = children.filter(|p| !found.contains(p)).copied().collect();
        parents.extend(new.iter().map(|p| p.pid));
        found.extend(new);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    /// A shell in a group of its own; with its number in a file before it goes on.
    fn start(text: &str) -> Child {
        Command::new("/bin/sh").args(["-c", text]).process_group(0).spawn().unwrap()
    }

    #[test]
    fn a_child_within_its_limit_is_left_alone() {
        let mut child = start("exit 3");
        let (status, late) = attend(&mut child, Group::Own, Some(Duration::from_secs(60))).unwrap();
        assert_eq!((status.code(), late), (Some(3), false));
    }

    #[test]
    fn a_child_over_its_limit_ends_with_its_whole_group() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 1000 & sleep 1000; true"]).process_group(0);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (_, late) = attend(&mut child, Group::Own, Some(Duration::from_millis(200))).unwrap();
        assert!(late);
        // Its end comes when nobody holds the other end any more.
        let mut rest = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    }

    #[test]
    fn who_does_not_mind_term_is_killed() {
        let mut child = start("trap '' TERM; while :; do sleep 1; done");
        let begun = Instant::now();
        let (status, late) =
            attend(&mut child, Group::Own, Some(Duration::from_millis(500))).unwrap();
        assert!(late && begun.elapsed() >= GRACE);
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a) b) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1";
        let expected = Process { pid: 7, parent: 3, group: 7, gone: false, begun: 12345 };
        assert_eq!(Process::parse(7, stat), Some(expected));
        assert_eq!(Process::parse(7, "7 (a"), None);
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(Process::look(own).unwrap().lives());
    }

    #[test]
    fn descendants_that_left_the_group_live_on() {
        let process = |pid, parent, group| Process { pid, parent, group, gone: false, begun: 0 };
        let all = [process(5, 1, 9), process(6, 5, 9), process(7, 6, 9), process(8, 5, 8)];
        let found: Vec<_> = descendants(&all, 5, 9).iter().map(|p| p.pid).collect();
        assert_eq!(found, [6, 7]);
    }
}
