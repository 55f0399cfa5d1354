//! Who has a file open, as far as `/proc` shows it to us: for messages and for small choices, never
//! for safety.
#![expect(clippy::disallowed_methods, reason = "system is where effects live")]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;

use super::file::io_errno;
use super::identity;

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

const ACCESS: u32 = 0o3;
const WRITE_ONLY: u32 = 0o1;
const READ_ONLY: u32 = 0o0;
const APPEND: u32 = 0o2000;

/// The processes other than ours that have a file open, as far as the invoker may see them.
///
/// # Errors
/// If there is no `/proc`, or the file cannot be asked.
pub fn of(file: &File) -> Result<Vec<Holder>, Errno> {
    identity::as_invoker(|| visible(file))?
}

fn visible(file: &File) -> Result<Vec<Holder>, Errno> {
    let wanted = file.metadata().map_err(|e| io_errno(&e))?;
    let wanted = (wanted.dev(), wanted.ino());
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|e| io_errno(&e))?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if pid != std::process::id() {
            all.extend(holder(pid, &entry.path(), wanted));
        }
    }
    all.sort_by_key(|holder| holder.pid);
    Ok(all)
}

/// One process; `None` if it does not hold the file, has ended, or is not ours to look at.
fn holder(pid: u32, process: &Path, wanted: (u64, u64)) -> Option<Holder> {
    let mut found: Option<Holder> = None;
    for entry in fs::read_dir(process.join("fd")).ok()?.flatten() {
        let Ok(facts) = fs::metadata(entry.path()) else { continue };
        if (facts.dev(), facts.ino()) != wanted {
            continue;
        }
        let info = process.join("fdinfo").join(entry.file_name());
        let Some(flags) = fs::read_to_string(info).ok().as_deref().and_then(flags) else {
            continue;
        };
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
    found
}

/// The innermost service in the text of `cgroup`.
fn unit(text: &str) -> Option<String> {
    let mut parts = text.lines().next_back()?.rsplit('/');
    parts.find(|part| part.ends_with(".service")).map(str::to_owned)
}

/// The flags in the text of `fdinfo`, which are octal.
fn flags(text: &str) -> Option<u32> {
    let line = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
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
    fn flags_are_read_as_octal() {
        assert_eq!(flags("pos:\t0\nflags:\t0102001\nmnt_id:\t29\n"), Some(0o102_001));
        assert_eq!(flags("pos:\t0\n"), None);
    }
}
