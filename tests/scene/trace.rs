//! Runs the program under `ptrace`, and lets a test choose what happens at each call that changes a
//! file: it goes on, it fails, or the program dies with all its children before the call is done.
//!
//! `strace` can inject too, but it counts each kind of call and each process for itself, so that no
//! number names one moment of a run.

use std::collections::{HashMap, HashSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Ran, Scene, program};

/// A call that is about to change a file.
pub struct Change {
    /// Its name.
    pub call: &'static str,
    /// Counted from 1, over all processes of the run.
    pub number: usize,
    /// Whether the program itself makes it, and not a script or a compressor.
    pub own: bool,
    /// The name of the file, where the call has it open.
    pub file: Option<String>,
}

/// What becomes of a call.
pub enum Fate {
    /// It is made.
    Happens,
    /// It is not made, and gives this error.
    Fails(Errno),
    /// It is not made: the program dies there, and its children with it.
    Death,
}

/// How a call tells which file it changes.
#[derive(Clone, Copy)]
enum By {
    /// An argument is a descriptor.
    Descriptor(usize),
    /// An argument is a directory, or none, and the next a name.
    Name,
    /// It makes a file if the flags of an `open`, in this argument, say so.
    Flags(usize),
}

/// The calls that change files.
const CHANGES: &[(i64, &str, By)] = &[
    (libc::SYS_openat, "openat", By::Flags(2)),
    (libc::SYS_open, "open", By::Flags(1)),
    (libc::SYS_rename, "rename", By::Name),
    (libc::SYS_renameat, "renameat", By::Name),
    (libc::SYS_renameat2, "renameat2", By::Name),
    (libc::SYS_unlink, "unlink", By::Name),
    (libc::SYS_unlinkat, "unlinkat", By::Name),
    (libc::SYS_link, "link", By::Name),
    (libc::SYS_linkat, "linkat", By::Name),
    (libc::SYS_symlinkat, "symlinkat", By::Name),
    (libc::SYS_mkdir, "mkdir", By::Name),
    (libc::SYS_mkdirat, "mkdirat", By::Name),
    (libc::SYS_chmod, "chmod", By::Name),
    (libc::SYS_fchmodat, "fchmodat", By::Name),
    (libc::SYS_chown, "chown", By::Name),
    (libc::SYS_fchownat, "fchownat", By::Name),
    (libc::SYS_truncate, "truncate", By::Name),
    (libc::SYS_write, "write", By::Descriptor(0)),
    (libc::SYS_writev, "writev", By::Descriptor(0)),
    (libc::SYS_pwrite64, "pwrite64", By::Descriptor(0)),
    (libc::SYS_sendfile, "sendfile", By::Descriptor(0)),
    (libc::SYS_copy_file_range, "copy_file_range", By::Descriptor(2)),
    (libc::SYS_ftruncate, "ftruncate", By::Descriptor(0)),
    (libc::SYS_fallocate, "fallocate", By::Descriptor(0)),
    (libc::SYS_fsync, "fsync", By::Descriptor(0)),
    (libc::SYS_fdatasync, "fdatasync", By::Descriptor(0)),
    (libc::SYS_syncfs, "syncfs", By::Descriptor(0)),
    (libc::SYS_fchmod, "fchmod", By::Descriptor(0)),
    (libc::SYS_fchown, "fchown", By::Descriptor(0)),
    (libc::SYS_fsetxattr, "fsetxattr", By::Descriptor(0)),
    (libc::SYS_utimensat, "utimensat", By::Name),
];

/// Stops itself, so that it can be traced from its first call on, and becomes the program.
const START: &str = r#"kill -STOP $$; exec "$0" "$@""#;

impl Scene {
    /// Runs the program with these options on the scene's configuration and state; `choose` decides about each call
    /// that changes a file below the root or in one of the directories `more`.
    pub fn run_traced(
        mut self,
        options: &[&str],
        more: &[&Path],
        choose: impl FnMut(&Change) -> Fate,
    ) -> Self {
        let start = ["-c", START, program(), "-s", "{state}"];
        let args = [&start[..], options, &["{config}"]].concat();
        let args: Vec<String> = args.into_iter().map(|a| self.expand(a)).collect();
        let run = self.start("sh", args);
        let pid = Pid::from_raw(i32::try_from(run.child.id()).expect("process id"));
        waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("the shell stops");
        let mut places: Vec<PathBuf> = more.iter().map(|p| p.to_path_buf()).collect();
        // What scripts and streams get is not what the tests are about.
        places.extend(["logs", "var/state"].map(|p| self.root().join(p)));
        let tracer =
            Tracer { main: pid, places, seen: 0, inside: HashMap::new(), alive: [pid].into() };
        let status = tracer.follow(choose);
        let [stdout, stderr] = run.texts();
        self.runs.push(Ran { command: run.command, status, stdout, stderr });
        self
    }
}

struct Tracer {
    main: Pid,
    places: Vec<PathBuf>,
    seen: usize,
    /// The processes that are within a call, and how it shall end if not by itself.
    inside: HashMap<Pid, Option<Errno>>,
    alive: HashSet<Pid>,
}

impl Tracer {
    fn follow(mut self, mut choose: impl FnMut(&Change) -> Fate) -> ExitStatus {
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(self.main, options).expect("seize");
        kill(self.main, Signal::SIGCONT).expect("continue");
        let mut end = None;
        loop {
            // Children and tracees of this thread only: other tests have their own.
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            match waitpid(None::<Pid>, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) => {
                    self.alive.remove(&pid);
                    if pid == self.main {
                        end = Some(ExitStatus::from_raw(code << 8));
                    }
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    self.alive.remove(&pid);
                    if pid == self.main {
                        end = Some(ExitStatus::from_raw(signal as i32));
                    }
                }
                Ok(WaitStatus::PtraceSyscall(pid)) => {
                    self.alive.insert(pid);
                    if self.call(pid, &mut choose) {
                        go_on(pid, None);
                    } else {
                        for &pid in &self.alive {
                            let _ = kill(pid, Signal::SIGKILL);
                        }
                    }
                }
                Ok(WaitStatus::PtraceEvent(pid, _, _)) => {
                    self.alive.insert(pid);
                    go_on(pid, None);
                }
                Ok(WaitStatus::Stopped(pid, signal)) => {
                    self.alive.insert(pid);
                    go_on(pid, Some(signal).filter(|&s| s != Signal::SIGTRAP));
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => return end.expect("the program has ended"),
                Err(errno) => panic!("waitpid: {errno}"),
            }
        }
    }

    /// A process enters or leaves a call; gives whether it may go on.
    fn call(&mut self, pid: Pid, choose: &mut impl FnMut(&Change) -> Fate) -> bool {
        // It may have been killed meanwhile.
        let Ok(mut regs) = ptrace::getregs(pid) else { return true };
        if let Some(error) = self.inside.remove(&pid) {
            if let Some(errno) = error {
                regs.rax = (-i64::from(errno as i32)).cast_unsigned();
                let _ = ptrace::setregs(pid, regs);
            }
            return true;
        }
        // At its entry a call has this result; anything else is the end of the call that made the
        // process.
        if regs.rax.cast_signed() != -i64::from(libc::ENOSYS) {
            return true;
        }
        let number = regs.orig_rax.cast_signed();
        let args = [regs.rdi, regs.rsi, regs.rdx];
        let mut error = None;
        if let Some(&(_, call, by)) = CHANGES.iter().find(|(n, _, _)| *n == number)
            && self.is_of_interest(pid, by, args)
        {
            self.seen += 1;
            let file = match by {
                By::Descriptor(argument) => open_file(pid, args[argument])
                    .and_then(|path| Some(path.file_name()?.to_str()?.to_owned())),
                By::Name | By::Flags(_) => None,
            };
            match choose(&Change { call, number: self.seen, own: pid == self.main, file }) {
                Fate::Happens => {}
                Fate::Death => return false,
                Fate::Fails(errno) => {
                    error = Some(errno);
                    regs.orig_rax = u64::MAX;
                    ptrace::setregs(pid, regs).expect("setregs");
                }
            }
        }
        self.inside.insert(pid, error);
        true
    }

    fn is_of_interest(&self, pid: Pid, by: By, args: [u64; 3]) -> bool {
        match by {
            By::Name => true,
            By::Flags(argument) => args[argument] & libc::O_CREAT as u64 != 0,
            By::Descriptor(argument) => {
                let Some(path) = open_file(pid, args[argument]) else { return false };
                // `state`, `state.journal` and the like count.
                let path = path.as_os_str().as_encoded_bytes();
                self.places.iter().any(|p| path.starts_with(p.as_os_str().as_encoded_bytes()))
            }
        }
    }
}

/// What a process has open.
fn open_file(pid: Pid, descriptor: u64) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()
}

fn go_on(pid: Pid, signal: Option<Signal>) {
    // It may have been killed meanwhile.
    let _ = ptrace::syscall(pid, signal);
}
