//! Facts about one log and its directory.

use crate::facts::FileFacts;
use crate::names::{LogPath, Shown};
use crate::system::Words;
use crate::system::{Dirs, OpenError, SystemAccounts};
use crate::units::Identity;

/// The directory that holds a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParentFacts {
    /// It can be held, and nobody untrusted may write it.
    Safe,
    /// It does not exist.
    Missing,
    /// World-writable, or writable by a group other than root's (compat RD-2).
    Insecure {
        /// The `su` line for its owner and group.
        su: Option<String>,
    },
    /// It could not be looked at: the cause.
    Failed(String),
    /// A symbolic link on the way may be changed by somebody untrusted.
    UntrustedLink {
        /// The link's path.
        link: String,
        /// The `su` line for who may follow it all the same, if anybody may.
        su: Option<String>,
    },
}

/// Everything that the decision about a log needs to know of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFacts {
    /// Its directory.
    pub parent: ParentFacts,
    /// The file: there (`Ok(Some)`), absent (`Ok(None)`), or the cause why it could not be looked at.
    pub file: Result<Option<FileFacts>, String>,
}

/// Looks at a log and its directory. The directory is held from now on.
///
/// Whether an insecure directory matters is the caller's decision: the reference looks at it only
/// for root and without `su` (compat RD-2).
pub fn log_facts(dirs: &mut Dirs, log: &LogPath) -> LogFacts {
    let dir = match dirs.open(log.dir()) {
        Ok(dir) => dir,
        Err(OpenError::Missing) => {
            return LogFacts { parent: ParentFacts::Missing, file: Ok(None) };
        }
        Err(error) => {
            let cause = error.to_string();
            let parent = match error {
                OpenError::UntrustedLink(link) => ParentFacts::UntrustedLink {
                    link: Shown::path(&link.path).to_string(),
                    su: link.follower.map(su_line),
                },
                _ => ParentFacts::Failed(cause.clone()),
            };
            return LogFacts { parent, file: Err(cause) };
        }
    };
    let parent = match dir.first_facts() {
        Err(errno) => ParentFacts::Failed(errno.words()),
        Ok(own) if is_insecure(&own) => {
            // Root in a directory that all may write is what the check is about, whoever's group it has.
            let is_safe = own.uid != 0 || own.mode.0 & 0o002 == 0;
            let su = is_safe.then(|| su_line(Identity { uid: own.uid, gid: own.gid }));
            ParentFacts::Insecure { su }
        }
        Ok(_) => ParentFacts::Safe,
    };
    let file = dir.facts(log.name()).map_err(Words::words);
    LogFacts { parent, file }
}

/// The line that makes a user and a group rotate; numbers without a name are written behind a colon
/// (compat CFG-93).
fn su_line(who: Identity) -> String {
    let number = |id: u32| format!(":{id}").into_bytes();
    let user = SystemAccounts.user_name(who.uid).unwrap_or_else(|| number(who.uid));
    let group = SystemAccounts.group_name(who.gid).unwrap_or_else(|| number(who.gid));
    format!("su {} {}", Shown(&user), Shown(&group))
}

/// Compat RD-2: the sticky bit does not help.
fn is_insecure(dir: &FileFacts) -> bool {
    let by_group = dir.mode.0 & 0o020 != 0 && dir.gid != 0;
    let by_others = dir.mode.0 & 0o002 != 0;
    by_group || by_others
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;
    use crate::facts::FileKind;
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
    use std::path::Path;

    fn look(path: &Path) -> LogFacts {
        log_facts(&mut Dirs::default(), &LogPath::new(path).unwrap())
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_log_is_seen_with_its_kind_and_size() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("a"), "xyz").unwrap();
        symlink("a", temp.path().join("l")).unwrap();
        let facts = look(&temp.path().join("a"));
        assert_eq!(facts.parent, ParentFacts::Safe);
        let file = facts.file.unwrap().unwrap();
        assert_eq!((file.kind, file.size), (FileKind::Regular, 3));
        let link = look(&temp.path().join("l")).file.unwrap().unwrap();
        assert_eq!(link.kind, FileKind::SymbolicLink);
        assert_eq!(look(&temp.path().join("none")).file, Ok(None));
    }

    #[test]
    fn a_directory_that_is_missing_or_none_is_told_apart() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("a"), "").unwrap();
        assert_eq!(look(&temp.path().join("no/a")).parent, ParentFacts::Missing);
        let cause = "Not a directory".to_owned();
        let facts = look(&temp.path().join("a/b"));
        assert_eq!(
            facts,
            LogFacts { parent: ParentFacts::Failed(cause.clone()), file: Err(cause) }
        );
    }

    #[test]
    fn a_directory_is_insecure_if_others_or_a_group_but_roots_may_write_it() {
        if !crate::system::process::started_by_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("a");
        let insecure = |su: &str| ParentFacts::Insecure { su: Some(su.into()) };
        for (mode, owner, group, parent) in [
            (0o755, 0, 0, ParentFacts::Safe),
            (0o775, 0, 0, ParentFacts::Safe),
            (0o775, 0, 4, insecure("su root adm")),
            (0o757, 1, 0, insecure("su daemon root")),
            (0o1777, 0, 0, ParentFacts::Insecure { su: None }),
            (0o777, 54_321, 54_322, insecure("su :54321 :54322")),
            (0o750, 0, 4, ParentFacts::Safe),
        ] {
            chown(temp.path(), Some(owner), Some(group)).unwrap();
            set_mode(temp.path(), mode);
            assert_eq!(look(&log).parent, parent, "{mode:o} {group}");
        }
    }

    #[test]
    fn a_link_that_others_may_change_is_named() {
        if !crate::system::process::started_by_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        let link = temp.path().join("link");
        symlink("real", &link).unwrap();
        lchown(&link, Some(65534), None).unwrap();
        set_mode(temp.path(), 0o777);
        let shown = link.display().to_string();
        let named = |su| ParentFacts::UntrustedLink { link: shown.clone(), su };
        assert_eq!(look(&link.join("a")).parent, named(None));
        chown(temp.path(), Some(1), Some(1)).unwrap();
        set_mode(temp.path(), 0o755);
        chown(temp.path().join("real"), Some(1), Some(4)).unwrap();
        assert_eq!(look(&link.join("a")).parent, named(Some("su daemon adm".into())));
    }
}
