//! Child processes: scripts, compressors, mailers, `shred`.
//!
//! A child gets our standard input, output and error (or what it is given instead of them) and
//! nothing else that we opened: every descriptor of ours is close-on-exec.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use crate::system::Words;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::attend::{Group, attend};
use super::file::{before_effect, io_errno};
use super::{freeing, handler, identity, stop};

/// How much of a compressor's complaints is kept; the rest is read and dropped.
const MOST_COMPLAINT: usize = 64 * 1024;

/// How often we look whether we are to end while something else is waited for.
const PAUSE: Duration = Duration::from_millis(200);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With status 0.
    Well,
    /// With another status.
    Status(i32),
    /// By this signal.
    Killed(i32),
    /// By us: it was not done after this time.
    TooLate(Duration),
}

impl fmt::Display for Ended {
    /// The reference's REASON (compat SCR-5, ROT-83), and how it ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("child exited with status 0"),
            Self::Status(status) => {
                write!(f, "child did not exit with status 0 but with {status}")
            }
            Self::Killed(signal) => {
                write!(f, "child did not terminate normally: signal {signal} ended it")
            }
            Self::TooLate(limit) => write!(
                f,
                "child did not terminate normally: it was ended after its timeout of {limit:?}"
            ),
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Well,
            Some(code) => Self::Status(code),
            None => Self::Killed(status.signal().unwrap_or_default()),
        }
    }
}

/// Why a child could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRun {
    /// Its text or an argument holds a NUL byte, which no argument can.
    HoldsNul,
    /// The system refused.
    System(Errno),
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HoldsNul => f.write_str("it holds a NUL byte"),
            Self::System(errno) => f.write_str(&errno.words()),
        }
    }
}

/// Runs a script: `/bin/sh -c TEXT logrotate_script ARGS` (compat SCR-1), in our process group, with
/// our standard descriptors, directory and environment, and with the invoker's ids (compat SCR-3).
///
/// Waits for the shell alone: what it has started in the background may live on, since no pipe ties
/// us to it. With a time limit it runs in a process group of its own, so that all of it can be ended.
///
/// # Errors
/// See [`NotRun`].
pub fn script(
    text: &[u8],
    args: impl IntoIterator<Item = OsString>,
    limit: Option<Duration>,
) -> Result<Ended, NotRun> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(OsStr::from_bytes(text)).arg("logrotate_script").args(args);
    let Some(limit) = limit else { return run(&mut command) };
    let mut child = spawn(command.process_group(0))?;
    let (status, late) = attend(&mut child, Group::Own, Some(limit)).map_err(|e| not_run(&e))?;
    Ok(if late { Ended::TooLate(limit) } else { status.into() })
}

/// Runs a child with the invoker's ids, and waits for it.
fn run(command: &mut Command) -> Result<Ended, NotRun> {
    wait(&mut spawn(command)?).map(Ended::from)
}

/// Waits for a child, which is ended with us if we are asked to end.
fn wait(child: &mut Child) -> Result<ExitStatus, NotRun> {
    attend(child, Group::Ours, None).map(|(status, _)| status).map_err(|e| not_run(&e))
}

/// Starts a child with the invoker's ids.
fn spawn(command: &mut Command) -> Result<Child, NotRun> {
    hear_of_children();
    freeing::settle();
    before_effect("child").map_err(NotRun::System)?;
    let child = identity::as_invoker(|| command.spawn()).map_err(NotRun::System)?;
    child.map_err(|e| not_run(&e))
}

/// Starts a child that has the ids in force, and no way back to the invoker's, nor its
/// supplementary groups (compat SU-3; fixes B-14).
fn spawn_for_good(command: &mut Command) -> Result<Child, NotRun> {
    if let Some(identity) = identity::lowered_to() {
        // Started by root, which may set all of a child's ids at once; the standard library drops
        // the supplementary groups along with the user.
        command.gid(identity.gid).uid(identity.uid).current_dir("/");
    }
    spawn(command)
}

/// A compressor that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// How.
    pub ended: Ended,
    /// What it wrote on its standard error; of very long text the beginning.
    pub complaint: Vec<u8>,
}

/// Runs a command, found in `PATH`, from one file to another (compat ROT-81), with
/// `LOGROTATE_COMPRESSED_FILENAME` in its environment. Under other ids than the invoker's it keeps
/// those for good, and works in `/`.
///
/// # Errors
/// See [`NotRun`].
pub fn filter(
    program: &Path,
    options: impl IntoIterator<Item = OsString>,
    input: &File,
    output: &File,
    file_name: &Path,
) -> Result<Filtered, NotRun> {
    let handle = |file: &File| file.try_clone().map(Stdio::from).map_err(|e| not_run(&e));
    let mut command = Command::new(program);
    command
        .args(options)
        .env("LOGROTATE_COMPRESSED_FILENAME", file_name)
        .stdin(handle(input)?)
        .stdout(handle(output)?)
        .stderr(Stdio::piped());
    let mut child = spawn_for_good(&mut command)?;
    // Read to the end by somebody else, so that a wordy compressor never waits for us.
    let (send, complaint) = channel();
    let pipe = child.stderr.take();
    std::thread::spawn(move || send.send(pipe.map(listen_to_the_end).unwrap_or_default()));
    let ended = wait(&mut child)?.into();
    let complaint = loop {
        match complaint.recv_timeout(PAUSE) {
            // Whoever it has started and left behind may speak for long.
            Err(RecvTimeoutError::Timeout) if stop::requested().is_none() => {}
            other => break other.unwrap_or_default(),
        }
    };
    Ok(Filtered { ended, complaint })
}

/// What is said through a pipe; of very long text the beginning.
fn listen_to_the_end(mut pipe: impl Read) -> Vec<u8> {
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return said,
            Ok(length) => {
                let room = MOST_COMPLAINT.saturating_sub(said.len()).min(length);
                said.extend_from_slice(&buffer[..room]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return said,
        }
    }
}

/// Overwrites a file that is open for writing, and leaves it empty (compat ROT-91): `shred -u -n CYCLES -`,
/// found in `PATH`, with the file as its standard output. Under other ids than the invoker's it keeps those
/// for good, and works in `/`.
///
/// # Errors
/// See [`NotRun`].
pub fn shred(file: &File, cycles: Option<NonZeroU32>) -> Result<Ended, NotRun> {
    let mut command = Command::new("shred");
    command.arg("-u");
    if let Some(cycles) = cycles {
        command.arg("-n").arg(cycles.to_string());
    }
    command.arg("-").stdout(file.try_clone().map_err(|e| not_run(&e))?);
    wait(&mut spawn_for_good(&mut command)?).map(Ended::from)
}

/// Something to be mailed.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The program that mails, found in `PATH`.
    pub program: &'a Path,
    /// Its subject.
    pub subject: &'a OsStr,
    /// Who gets it.
    pub address: &'a OsStr,
    /// Its text.
    pub content: &'a File,
    /// What the text goes through first, found in `PATH`.
    pub uncompress: Option<&'a Path>,
}

/// How the programs ended that a letter went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What made it readable. That the mailer did not want all of it is no failure.
    pub uncompressed: Ended,
    /// The mailer.
    pub mailed: Ended,
}

/// Which program could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The mailer.
    Mailer(NotRun),
    /// What makes the text readable.
    Uncompressor(NotRun),
}

/// Mails a letter: `PROGRAM -s SUBJECT ADDRESS`, the text on its standard input (compat ROT-92). What
/// it writes to its standard output is thrown away. The mailer has the invoker's ids, what uncompresses
/// those in force (compat SU-3).
///
/// # Errors
/// See [`NotSent`].
pub fn mail(letter: &Letter<'_>) -> Result<Sent, NotSent> {
    let content = letter.content.try_clone().map(Stdio::from);
    let content = content.map_err(|e| NotSent::Mailer(not_run(&e)))?;
    let mut command = Command::new(letter.program);
    command.arg("-s").arg(letter.subject).arg(letter.address).stdout(Stdio::null());
    let Some(program) = letter.uncompress else {
        let mailed = run(command.stdin(content)).map_err(NotSent::Mailer)?;
        return Ok(Sent { uncompressed: Ended::Well, mailed });
    };
    let mut uncompress = Command::new(program);
    uncompress.stdin(content).stdout(Stdio::piped());
    let mut first = spawn_for_good(&mut uncompress).map_err(NotSent::Uncompressor)?;
    command.stdin(first.stdout.take().map_or_else(Stdio::null, Stdio::from));
    let second = run(&mut command);
    // Our end of the pipe must not keep the first one waiting for a reader.
    drop(command);
    let first = wait(&mut first).map_err(NotSent::Uncompressor)?;
    let mailed = second.map_err(NotSent::Mailer)?;
    let unread = first.signal() == Some(Signal::SIGPIPE as i32);
    let uncompressed = if unread { Ended::Well } else { first.into() };
    Ok(Sent { uncompressed, mailed })
}

/// Why the system, or the standard library before it, did not start a child: an argument with a NUL
/// byte is the one thing that never reaches the system.
fn not_run(error: &std::io::Error) -> NotRun {
    match error.kind() {
        ErrorKind::InvalidInput if error.raw_os_error().is_none() => NotRun::HoldsNul,
        _ => NotRun::System(io_errno(error)),
    }
}

/// If whoever started us ignores SIGCHLD, the kernel throws exit statuses away, ours and our
/// scripts'. A handler of our own, which does nothing, ends that; a child starts with the default.
fn hear_of_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails for signals that cannot be caught only, and SIGCHLD can.
        let _ = handler::let_pass(Signal::SIGCHLD);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn sh(text: &str) -> Result<Ended, NotRun> {
        script(text.as_bytes(), ["one".into(), "two three".into()], None)
    }

    #[test]
    fn a_script_ends_by_status_or_signal() {
        for (text, ended) in [
            ("\n", Ended::Well),
            ("exit 3", Ended::Status(3)),
            ("kill -9 $$", Ended::Killed(9)),
            (r#"test "$0$#$1$2" = "logrotate_script2onetwo three""#, Ended::Well),
            ("no-such-command-anywhere 2>/dev/null", Ended::Status(127)),
        ] {
            assert_eq!(sh(text), Ok(ended), "{text}");
        }
    }

    #[test]
    fn a_nul_byte_and_an_endless_script_are_errors() {
        assert_eq!(sh("echo a\0b"), Err(NotRun::HoldsNul));
        assert_eq!(sh(&"#".repeat(1 << 20)), Err(NotRun::System(Errno::E2BIG)));
    }

    #[test]
    fn a_script_inherits_no_descriptor_of_ours() {
        let open = tempfile::NamedTempFile::new().unwrap();
        let text = "for f in /proc/$$/fd/*; do test \"$(readlink $f)\" != \"$1\" || exit 1; done";
        let path = open.path().as_os_str().to_owned();
        assert_eq!(script(text.as_bytes(), [path.clone()], None), Ok(Ended::Well));
        let opened = format!("exec 3<\"$1\"; {text}");
        assert_eq!(
            script(opened.as_bytes(), [path], None),
            Ok(Ended::Status(1)),
            "the test can fail"
        );
    }

    #[test]
    fn a_daemon_in_the_background_is_not_waited_for() {
        let (send, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(sh("sleep 20 >/dev/null 2>&1 & exit 0")));
        assert_eq!(done.recv_timeout(Duration::from_secs(10)), Ok(Ok(Ended::Well)));
    }

    #[test]
    fn a_script_that_is_done_in_time_leaves_its_daemon_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid").into_os_string();
        let text = "sleep 100 >/dev/null 2>&1 & echo $! >\"$1\"";
        let limit = Some(Duration::from_secs(60));
        assert_eq!(script(text.as_bytes(), [path.clone()], limit), Ok(Ended::Well));
        let number = std::fs::read_to_string(path).unwrap();
        let daemon = nix::unistd::Pid::from_raw(number.trim().parse().unwrap());
        assert_eq!(nix::sys::signal::kill(daemon, Signal::SIGKILL), Ok(()));
    }

    #[test]
    fn a_script_over_its_limit_says_so() {
        let limit = Duration::from_millis(100);
        assert_eq!(script(b"sleep 100; true", [], Some(limit)), Ok(Ended::TooLate(limit)));
    }

    fn filtered(
        program: &str,
        options: &[&str],
        input: &[u8],
    ) -> (Result<Filtered, NotRun>, Vec<u8>) {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(input).unwrap();
        from.rewind().unwrap();
        let mut to = tempfile::tempfile().unwrap();
        let options = options.iter().map(OsString::from);
        let result = filter(Path::new(program), options, &from, &to, Path::new("/the/file"));
        to.rewind().unwrap();
        let mut output = Vec::new();
        to.read_to_end(&mut output).unwrap();
        (result, output)
    }

    #[test]
    fn a_filter_reads_one_file_and_writes_the_other() {
        let show = r#"cat; echo " $LOGROTATE_COMPRESSED_FILENAME"; echo bad >&2; exit 2"#;
        let (result, output) = filtered("sh", &["-c", show], b"in");
        assert_eq!(output, b"in /the/file\n");
        let expected = Filtered { ended: Ended::Status(2), complaint: b"bad\n".to_vec() };
        assert_eq!(result, Ok(expected));
    }

    #[test]
    fn a_wordy_filter_is_read_to_its_end() {
        let (result, _) = filtered("sh", &["-c", "head -c 1000000 /dev/zero >&2"], b"");
        let result = result.unwrap();
        assert_eq!((result.ended, result.complaint.len()), (Ended::Well, MOST_COMPLAINT));
    }

    #[test]
    fn a_missing_filter_is_an_error() {
        let (result, _) = filtered("/no/such/program", &[], b"");
        assert_eq!(result, Err(NotRun::System(Errno::ENOENT)));
    }
}
