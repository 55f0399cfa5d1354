//! Who has a file open, as far as `/proc` shows it to us: for messages and for small choices, never
//! for safety.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;
use nix::errno::Errno;
use nix::unistd::geteuid;

use super::file::{facts, io_errno};
use super::identity;
use crate::units::{FileId, Identity};

/// A process that has a file open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// The name of its program, as `ps` shows it.
    pub command: String,
    /// The systemd service that it belongs to.
    pub unit: Option<String>,
    /// Whether one of its descriptors can read.
    pub reads: bool,
    /// Whether one can write.
    pub writes: bool,
    /// Whether all that write append.
    pub appends: bool,
}

const ACCESS: u64 = 0o3;
const WRITE_ONLY: u64 = 0o1;
const READ_ONLY: u64 = 0o0;
const APPEND: u64 = 0o2000;

/// Files as a process that holds them shows them: by device and inode. Good as long as they exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    files: HashSet<(u64, u64)>,
    inodes: HashSet<u64>,
}

impl Sought {
    /// Adds a file. One whose device is not known cannot be sought.
    pub fn add(&mut self, file: &FileId) {
        if let Some(device) = file.device {
            self.files.insert((device, file.inode));
            self.inodes.insert(file.inode);
        }
    }

    /// Whether no file is sought.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// The processes other than ours that have a file open, as far as the invoker may see them.
///
/// # Errors
/// If there is no `/proc`, or the file cannot be asked.
pub fn of(file: &File) -> Result<Vec<Holder>, Errno> {
    let mut sought = Sought::default();
    sought.add(&facts(file)?.id);
    of_any(&sought)
}

/// The same for several files, in one look: who has any of them open, and in which ways.
///
/// # Errors
/// If there is no `/proc`.
pub fn of_any(files: &Sought) -> Result<Vec<Holder>, Errno> {
    identity::as_invoker(|| visible(files))?
}

/// One process, if it has any of the files open, as far as the invoker may see.
///
/// # Errors
/// If the invoker's ids cannot be taken on.
pub fn look_at(pid: u32, files: &Sought) -> Result<Option<Holder>, Errno> {
    let process = Path::new("/proc").join(pid.to_string());
    identity::as_invoker(|| holder(pid, &process, files).unwrap_or_default())
}

fn visible(files: &Sought) -> Result<Vec<Holder>, Errno> {
    let processes = processes().map_err(|e| io_errno(&e))?;
    let others = processes.filter(|(pid, _)| *pid != std::process::id());
    let mut all: Vec<Holder> =
        others.filter_map(|(pid, process)| holder(pid, &process, files).ok()?).collect();
    all.sort_by_key(|holder| holder.pid);
    Ok(all)
}

/// Numbers and directories of the processes that there are here.
pub(super) fn processes() -> io::Result<impl Iterator<Item = (u32, PathBuf)>> {
    let entries = fs::read_dir("/proc")?.flatten();
    Ok(entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))))
}

/// One process; `None` if it does not hold the file.
///
/// # Errors
/// If it has ended, or is not ours to look at.
fn holder(pid: u32, process: &Path, files: &Sought) -> io::Result<Option<Holder>> {
    as_whoever_may(process, || holder_among(descriptors(process)?, pid, process, files))
}

/// Looks into a process. Root in a container may not look into another user's, but may become that user.
///
/// # Errors
/// Those of `look`, and if the process has ended.
pub(super) fn as_whoever_may<T>(process: &Path, look: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match look() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && geteuid().is_root() => {
            let user = fs::metadata(process)?;
            identity::asking_as(Identity { uid: user.uid(), gid: user.gid() }, look)
        }
        result => result,
    }
}

/// The names of a process's descriptors.
pub(super) fn descriptors(process: &Path) -> io::Result<impl Iterator<Item = OsString>> {
    Ok(fs::read_dir(process.join("fd"))?.flatten().map(|entry| entry.file_name()))
}

/// What `/proc` tells of a descriptor; `None` if it is closed by now.
///
/// # Errors
/// If it is not ours to look at: its name alone may be there for us.
pub(super) fn info(process: &Path, descriptor: &OsString) -> io::Result<Option<String>> {
    match fs::read_to_string(process.join("fdinfo").join(descriptor)) {
        Ok(info) => Ok(Some(info)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        Err(_) => Ok(None),
    }
}

/// The inode of the file of a descriptor; kernels before 5.14 do not tell.
pub(super) fn inode(info: &str) -> Option<u64> {
    number(info, "ino:", 10)
}

/// How a process holds any of the files with some of its descriptors.
///
/// # Errors
/// If it is not ours to look at.
pub(super) fn holder_among(
    descriptors: impl Iterator<Item = OsString>,
    pid: u32,
    process: &Path,
    files: &Sought,
) -> io::Result<Option<Holder>> {
    let mut found: Option<Holder> = None;
    for descriptor in descriptors {
        let Some(info) = info(process, &descriptor)? else { continue };
        // The file itself is asked only if it may be the one: another's file system may not answer.
        if inode(&info).is_some_and(|inode| !files.inodes.contains(&inode)) {
            continue;
        }
        let Ok(facts) = fs::metadata(process.join("fd").join(descriptor)) else { continue };
        let Some(flags) = number(&info, "flags:", 8) else { continue };
        if !files.files.contains(&(facts.dev(), facts.ino())) {
            continue;
        }
        let holder = found.get_or_insert_with(|| Holder {
            pid,
            command: fs::read_to_string(process.join("comm"))
                .map_or_else(|_| "?".into(), |name| name.trim_end().to_owned()),
            unit: fs::read_to_string(process.join("cgroup")).ok().as_deref().and_then(unit),
            reads: false,
            writes: false,
            appends: true,
        });
        holder.reads |= flags & ACCESS != WRITE_ONLY;
        if flags & ACCESS != READ_ONLY {
            holder.writes = true;
            holder.appends &= flags & APPEND != 0;
        }
    }
    Ok(found)
}

/// The innermost service in the text of `cgroup`.
fn unit(text: &str) -> Option<String> {
    let mut parts = text.lines().next_back()?.rsplit('/');
    parts.find(|part| part.ends_with(".service")).map(str::to_owned)
}

/// A number in the text of `fdinfo`.
fn number(text: &str, name: &str, radix: u32) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    u64::from_str_radix(value.trim(), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_that_has_the_file_open_is_named_with_what_it_can_do() {
        for (way, reads, writes, appends) in
            [("<", true, false, true), (">>", false, true, true), (">", false, true, false)]
        {
            let file = tempfile::NamedTempFile::new().unwrap();
            let text = format!("exec 3{way} \"$0\"; echo ready; read wait");
            let mut child = Command::new("sh")
                .arg("-c")
                .arg(text)
                .arg(file.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut ready = [0; 6];
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
            let found = of(file.as_file()).unwrap();
            let pid = child.id();
            drop(child.stdin.take());
            child.wait().unwrap();
            // Children of other tests have our descriptors until they begin their own program.
            let found = found.into_iter().find(|holder| holder.pid == pid).unwrap();
            assert_eq!(found.command, "sh");
            assert_eq!((found.reads, found.writes, found.appends), (reads, writes, appends));
            assert!(of(file.as_file()).unwrap().iter().all(|holder| holder.pid != pid));
        }
    }

    #[test]
    fn a_unit_is_the_innermost_one() {
        let text = "0::/system.slice/collector.service/worker\n";
        assert_eq!(unit(text).as_deref(), Some("collector.service"));
        assert_eq!(unit("0::/\n"), None);
    }

    #[test]
    fn numbers_are_read_by_name_and_radix() {
        let text = "pos:\t0\nflags:\t0102001\nmnt_id:\t29\nino:\t1204\n";
        assert_eq!(number(text, "flags:", 8), Some(0o102_001));
        assert_eq!(number(text, "ino:", 10), Some(1204));
        assert_eq!(number(text, "lock:", 10), None);
    }
}
