//! Whose ids look at a log and rotate it (compat section 7).

use std::cell::RefCell;

use crate::config::policy::{Create, Policy, RotateAs};
use crate::event::{Event, Observer};
use crate::fault::Fault;
use crate::names::LogPath;
use crate::system::{Dirs, OpenError, identity};
use crate::units::Identity;

/// Tries the switch of a whole block, and tells it; gives the line for its end (compat SU-1).
///
/// # Errors
/// If the ids cannot be taken on: then the block is not handled.
pub(super) fn enter(policy: &Policy, observer: &mut dyn Observer) -> Result<Option<String>, Fault> {
    let RotateAs::User(to) = policy.rotate_as else { return Ok(None) };
    let from = identity::now();
    if from == to {
        return Ok(None);
    }
    let lowered = identity::assume(to)?;
    observer.observe(&Event::Debug(&identity::switching(from, to)));
    if lowered.keeps_groups {
        observer.observe(&Event::Warning(
            "the system does not let us give up our supplementary groups; `su` keeps them",
        ));
    }
    Ok(Some(identity::switching(to, from)))
}

/// Whose ids are for a log; `None`: the invoker's.
///
/// # Errors
/// If the owner of its directory cannot be found out. A directory that is missing, or that is not to
/// be trusted, is no error here: the decision about the log says so.
pub(super) fn identity(
    policy: &Policy,
    log: &LogPath,
    dirs: &RefCell<Dirs>,
) -> Result<Option<Identity>, Fault> {
    match policy.rotate_as {
        RotateAs::Invoker => Ok(None),
        RotateAs::User(identity) => Ok(Some(identity)),
        RotateAs::DirectoryOwner => match dirs.borrow_mut().open(log.dir()) {
            Ok(dir) => match dir.own_facts() {
                Ok(facts) => Ok(Some(Identity { uid: facts.uid, gid: facts.gid })),
                Err(errno) => Err(unknown(log, &errno.into())),
            },
            Err(OpenError::Missing | OpenError::UntrustedLink(_)) => Ok(None),
            Err(cause) => Err(unknown(log, &cause)),
        },
    }
}

/// Whether it is settled who rotates: with `su auto` never the invoker for want of a directory that
/// turned up only later.
pub(super) fn is_settled(policy: &Policy, identity: Option<Identity>) -> bool {
    policy.rotate_as != RotateAs::DirectoryOwner || identity.is_some()
}

/// Makes sure that the same user is still the one for a log: since it was decided upon, a script may
/// have run, and somebody may have put another directory in the place of its own.
///
/// # Errors
/// If it is another one by now.
pub(super) fn still(
    policy: &Policy,
    log: &LogPath,
    before: Option<Identity>,
    dirs: &RefCell<Dirs>,
) -> Result<(), Fault> {
    if identity(policy, log, dirs)? == before { Ok(()) } else { Err(changed(log)) }
}

/// What is said of a log whose directory is another one than a moment ago.
pub(super) fn changed(log: &LogPath) -> Fault {
    Fault::new(format!("skipping \"{log}\" because its directory has changed just now"))
}

fn unknown(log: &LogPath, cause: &OpenError) -> Fault {
    Fault::new(format!("cannot find out who owns the directory of {log}: {cause}"))
}

/// Whether directories that others may write are refused under an identity (compat RD-2). With `su`
/// they are not: what others do there, they do to themselves. `su auto` does not make root do it.
pub(super) fn checks_parent(policy: &Policy, identity: Option<Identity>) -> bool {
    match policy.rotate_as {
        RotateAs::Invoker => true,
        RotateAs::User(_) => false,
        RotateAs::DirectoryOwner => identity.is_none_or(|identity| identity.uid == 0),
    }
}

/// What is said of a `create` or `createolddir` whose owner only root could give (fixes B-50).
pub(super) fn owner_not_given(
    create: &Create,
    identity: Option<Identity>,
    made: &LogPath,
) -> Option<String> {
    let identity = identity.filter(|identity| create.enabled && identity.uid != 0)?;
    let (uid, gid) = (create.uid?, create.gid?);
    (Identity { uid, gid } != identity).then(|| {
        format!(
            "{made} is created with owner {} and group {}, as `su` says, and not with {uid} and {gid}: \
             only root could do that",
            identity.uid, identity.gid
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: Identity = Identity { uid: 33, gid: 33 };

    #[test]
    fn an_owner_that_cannot_be_given_is_told() {
        let log = LogPath::new("/l/a").unwrap();
        let owner = |uid, gid| Create { enabled: true, uid, gid, ..Create::default() };
        let told = |create: &Create, identity| owner_not_given(create, identity, &log).is_some();
        assert!(told(&owner(Some(0), Some(4)), Some(WEB)));
        assert!(told(&owner(Some(33), Some(4)), Some(WEB)));
        for (create, identity) in [
            (owner(Some(33), Some(33)), Some(WEB)),
            (owner(None, None), Some(WEB)),
            (owner(Some(0), Some(4)), Some(Identity { uid: 0, gid: 0 })),
            (owner(Some(0), Some(4)), None),
            (Create { enabled: false, ..owner(Some(0), Some(4)) }, Some(WEB)),
        ] {
            assert!(!told(&create, identity), "{create:?} {identity:?}");
        }
    }

    #[test]
    fn su_auto_does_not_make_root_work_where_others_may_write() {
        let policy = |rotate_as| Policy { rotate_as, ..Policy::default() };
        let root = Some(Identity { uid: 0, gid: 4 });
        for (rotate_as, identity, checked) in [
            (RotateAs::Invoker, None, true),
            (RotateAs::User(WEB), Some(WEB), false),
            (RotateAs::DirectoryOwner, Some(WEB), false),
            (RotateAs::DirectoryOwner, root, true),
            (RotateAs::DirectoryOwner, None, true),
        ] {
            assert_eq!(checks_parent(&policy(rotate_as), identity), checked, "{rotate_as:?}");
        }
    }
}
