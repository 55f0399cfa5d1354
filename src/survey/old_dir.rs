//! `olddir` is looked at before anything is moved (compat CFG-80).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;

use super::matching::{Finding, MatchedLog};
use crate::config::policy::{Create, LogBlock, Method, Policy};
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::names::{LogPath, Shown};
use crate::source::Span;
use crate::system::{Dir, Dirs, OpenError};

/// Where a log's old versions belong: `olddir`, below the log's directory if it is relative, or the
/// log's directory itself.
pub fn version_dir(policy: &Policy, log: &LogPath) -> PathBuf {
    match &policy.naming.old_dir {
        Some(old_dir) => log.dir().join(&old_dir.value),
        None => log.dir().to_path_buf(),
    }
}

/// What has to be made of a directory, outermost first (compat CFG-80).
///
/// # Errors
/// If a directory on the way cannot be held, or a part of what is missing is no name (`..`).
pub fn missing_dirs(path: &Path, dirs: &mut Dirs) -> Result<Vec<LogPath>, OpenError> {
    let mut missing = Vec::new();
    for ancestor in path.ancestors() {
        // Of a relative path, the start directory is left in the end.
        let here = if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor };
        match dirs.open(here) {
            Ok(_) => break,
            Err(OpenError::Missing) => {
                missing.push(LogPath::new(here).ok_or(OpenError::Missing)?);
            }
            Err(cause) => return Err(cause),
        }
    }
    missing.reverse();
    Ok(missing)
}

/// The missing directories that `createolddir` of the blocks is to make: another block may use one as if
/// it were there, since the reference makes them while it reads the configuration (compat CFG-80).
#[derive(Debug, Default)]
pub struct Promised(HashMap<PathBuf, Create>);

impl Promised {
    /// Adds those of a block.
    pub fn add(&mut self, block: &LogBlock, logs: &[MatchedLog], dirs: &mut Dirs) {
        let naming = &block.policy.naming;
        if naming.old_dir.is_none() || !naming.create_old_dir.enabled {
            return;
        }
        let mut last = None;
        for log in logs {
            let dir = version_dir(&block.policy, &log.path);
            if last.as_ref() != Some(&dir) {
                if matches!(dirs.open(&dir), Err(OpenError::Missing)) {
                    for missing in missing_dirs(&dir, dirs).unwrap_or_default() {
                        let how = || naming.create_old_dir.clone();
                        self.0.entry(missing.as_path().to_owned()).or_insert_with(how);
                    }
                }
                last = Some(dir);
            }
        }
    }

    /// How a missing directory is made, if a block makes it, or one below it.
    fn how(&self, dir: &Path) -> Option<&Create> {
        self.0.get(dir)
    }

    /// How a block without `createolddir` makes a missing `olddir`: as the block that has it.
    pub fn for_block(&self, block: &LogBlock, logs: &[MatchedLog]) -> Option<&Create> {
        let naming = &block.policy.naming;
        if naming.old_dir.is_none() || naming.create_old_dir.enabled || self.0.is_empty() {
            return None;
        }
        logs.iter().find_map(|log| self.how(&version_dir(&block.policy, &log.path)))
    }
}

/// Checks `olddir` for every log of a block: both directories are there, they **are** directories
/// (fixes compat B-56), and a log that is moved stays on its device. With `createolddir` the second one
/// may be missing, of this block or of another; it is made when a log is rotated. Any diagnostic drops the
/// block, and no other.
pub fn verify_old_dir(
    block: &LogBlock,
    logs: &[MatchedLog],
    promised: &Promised,
    dirs: &mut Dirs,
) -> Vec<Finding> {
    if block.policy.naming.old_dir.is_none() {
        return Vec::new();
    }
    logs.iter().filter_map(|log| verify(block, &log.path, promised, dirs).err()).collect()
}

fn verify(
    block: &LogBlock,
    log: &LogPath,
    promised: &Promised,
    dirs: &mut Dirs,
) -> Result<(), Finding> {
    let log_dir = match dirs.open(log.dir()) {
        Ok(dir) => dir,
        // Such a log is refused by itself when it is considered.
        Err(OpenError::UntrustedLink(_)) => return Ok(()),
        Err(cause) => {
            let dir = Shown::path(log.dir());
            return Err(if block.policy.selection.missing_ok {
                Finding::Debug(format!(
                    "{} verifying log file path failed {dir}: {cause}, log is probably missing, \
                     but missingok is set, so this is not an error.",
                    closing(block).place()
                ))
            } else {
                let text = format!("error verifying log file path {dir}: {cause}");
                error(block, "bad-log-directory", text, None)
            });
        }
    };
    let target = version_dir(&block.policy, log);
    let shown = Shown::path(&target);
    let unusable = |cause: &OpenError| {
        let text = format!("error verifying olddir path {shown}: {cause}");
        let hint = matches!(cause, OpenError::Missing)
            .then(|| format!("make the directory, or add the line `createolddir` ({shown})"));
        error(block, "bad-olddir", text, hint)
    };
    let old_dir = match dirs.open(&target) {
        Err(OpenError::Missing)
            if block.policy.naming.create_old_dir.enabled || promised.how(&target).is_some() =>
        {
            let missing = missing_dirs(&target, dirs).map_err(|cause| unusable(&cause))?;
            // What is made will be on the device of what it is made in.
            let within = missing.first().map_or(target.as_path(), |outermost| outermost.dir());
            dirs.open(within)
        }
        other => other,
    };
    let old_dir = old_dir.map_err(|cause| unusable(&cause))?;
    let device = |dir: Arc<Dir>| dir.own_facts().map(|facts| facts.id.device);
    let (from, to) = (device(log_dir), device(old_dir));
    let to = to.map_err(|errno| unusable(&errno.into()))?;
    let moves = block.policy.method.method() == Method::Move;
    if moves && from.is_ok_and(|from| from != to) {
        let text = format!("olddir {shown} and log file {log} are on different devices");
        let hint = "use a directory on the log's device; `copytruncate`, `copy` and `renamecopy` can take \
                    versions to another";
        return Err(error(block, "olddir-on-other-device", text, Some(hint.into())));
    }
    Ok(())
}

fn error(block: &LogBlock, code: &'static str, message: String, hint: Option<String>) -> Finding {
    Finding::Diagnostic(Diagnostic {
        code,
        severity: Severity::Error,
        prefix: Prefix::Line,
        message,
        span: Some(closing(block)),
        hint,
    })
}

/// The reference names the line of the closing brace.
fn closing(block: &LogBlock) -> Span {
    let end = block.span.end;
    Span { start: end.saturating_sub(1).max(block.span.start), ..block.span.clone() }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::config::policy::{MethodSettings, Naming, Policy, Selection};
    use crate::source::{Setting, SourceFile};
    use std::rc::Rc;

    fn block(old_dir: &Path, missing_ok: bool, copy: bool) -> LogBlock {
        let file = SourceFile::new("f", b"/x {\nolddir d\n}\n".to_vec());
        let naming =
            Naming { old_dir: Some(Setting::default(old_dir.into())), ..Naming::default() };
        LogBlock {
            patterns: Vec::new(),
            pattern_text: Vec::new().into(),
            policy: Policy {
                naming: Rc::new(naming),
                selection: Rc::new(Selection { missing_ok, ..Selection::default() }),
                method: Rc::new(MethodSettings { copy, ..MethodSettings::default() }),
                ..Policy::default()
            },
            ignore_duplicates_in_list: false,
            span: Span { file, start: 0, end: 15 },
        }
    }

    fn said(block: &LogBlock, log: &Path) -> Vec<String> {
        let path = LogPath::new(log).unwrap();
        let logs = [MatchedLog { path, from_wildcard_without_match: false }];
        let findings = verify_old_dir(block, &logs, &Promised::default(), &mut Dirs::default());
        let texts = findings.into_iter().map(|finding| match finding {
            Finding::Debug(text) => format!("debug {text}"),
            Finding::Diagnostic(d) => d.to_string(),
        });
        texts.collect()
    }

    #[test]
    fn both_directories_must_be_there_and_be_directories() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        std::fs::create_dir(at("old")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        let log = at("a.log");
        let absent = "No such file or directory";
        let shown = temp.path().display();
        for (old_dir, message) in [
            ("old".into(), None),
            (at("old"), None),
            ("none".into(), Some(format!("{shown}/none: {absent}"))),
            (at("none"), Some(format!("{shown}/none: {absent}"))),
            ("file".into(), Some(format!("{shown}/file: Not a directory"))),
        ] {
            let expected = message.map(|m| format!("f:3 error verifying olddir path {m}"));
            let found = said(&block(&old_dir, false, false), &log);
            assert_eq!(found, Vec::from_iter(expected), "{}", old_dir.display());
        }
    }

    #[test]
    fn a_missing_directory_that_another_block_makes_is_as_good_as_there() {
        let temp = tempfile::tempdir().unwrap();
        let log = |name: &str| {
            let path = LogPath::new(temp.path().join(name)).unwrap();
            [MatchedLog { path, from_wildcard_without_match: false }]
        };
        let mut maker = block(Path::new("x/y"), false, false);
        Rc::make_mut(&mut maker.policy.naming).create_old_dir.enabled = true;
        let (mut promised, mut dirs) = (Promised::default(), Dirs::default());
        promised.add(&maker, &log("a.log"), &mut dirs);
        for (dir, made) in [("x/y", true), ("x", true), ("x/y/z", false), ("x/z", false)] {
            let user = block(Path::new(dir), false, false);
            let findings = verify_old_dir(&user, &log("b.log"), &promised, &mut dirs);
            assert_eq!(findings.is_empty(), made, "{dir}");
            assert_eq!(promised.for_block(&user, &log("b.log")).is_some(), made, "{dir}");
        }
        assert!(promised.for_block(&maker, &log("a.log")).is_none(), "it makes it as it says");
        let mut beside = block(Path::new("x"), false, false);
        Rc::make_mut(&mut beside.policy.naming).old_dir = None;
        assert!(promised.for_block(&beside, &log("b.log")).is_none(), "it has no `olddir` to make");
    }

    #[test]
    fn a_missing_log_directory_is_an_error_unless_logs_may_be_missing() {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("no/a.log");
        let dir = temp.path().join("no");
        let cause = format!("{}: No such file or directory", dir.display());
        assert_eq!(
            said(&block(Path::new("old"), false, false), &log),
            [format!("f:3 error verifying log file path {cause}")]
        );
        assert_eq!(
            said(&block(Path::new("old"), true, false), &log),
            [format!(
                "debug f:3 verifying log file path failed {cause}, log is probably missing, but \
                 missingok is set, so this is not an error."
            )]
        );
    }

    #[test]
    fn a_log_is_not_moved_to_another_device_but_may_be_copied() {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("a.log");
        let other = Path::new("/proc");
        assert_eq!(
            said(&block(other, false, false), &log),
            [format!("f:3 olddir /proc and log file {} are on different devices", log.display())]
        );
        assert_eq!(said(&block(other, false, true), &log), [""; 0]);
    }

    #[test]
    fn old_versions_belong_into_olddir_or_beside_the_log() {
        let log = LogPath::new("/var/log/a.log").unwrap();
        for (old_dir, dir) in [("old", "/var/log/old"), ("/old", "/old")] {
            assert_eq!(
                version_dir(&block(Path::new(old_dir), false, false).policy, &log),
                Path::new(dir)
            );
        }
    }
}
