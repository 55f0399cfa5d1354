//! User and group accounts, and the home directory.

use std::path::PathBuf;

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgid, getuid};

/// Who exists on this machine. The real one is [`SystemAccounts`]; tests make their own.
pub trait Accounts {
    /// The number of a user's name.
    fn user(&self, name: &[u8]) -> Option<u32>;

    /// The number of a group's name.
    fn group(&self, name: &[u8]) -> Option<u32>;

    /// Whether a user has this number.
    fn has_uid(&self, uid: u32) -> bool;

    /// Whether a group has this number.
    fn has_gid(&self, gid: u32) -> bool;

    /// The home directory of a user; `None` asks for our own: `$HOME`, or what the user database
    /// says (compat CFG-60).
    fn home(&self, user: Option<&[u8]>) -> Option<PathBuf>;
}

/// The accounts that the system knows, by way of its name services.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemAccounts;

impl SystemAccounts {
    /// The name of a user.
    pub fn user_name(&self, uid: u32) -> Option<Vec<u8>> {
        Some(User::from_uid(Uid::from_raw(uid)).ok()??.name.into_bytes())
    }

    /// The name of a group.
    pub fn group_name(&self, gid: u32) -> Option<Vec<u8>> {
        Some(Group::from_gid(Gid::from_raw(gid)).ok()??.name.into_bytes())
    }
}

impl Accounts for SystemAccounts {
    fn user(&self, name: &[u8]) -> Option<u32> {
        find_user(name).map(|user| user.uid.as_raw())
    }

    fn group(&self, name: &[u8]) -> Option<u32> {
        let name = std::str::from_utf8(name).ok().filter(|name| !name.contains('\0'))?;
        Some(Group::from_name(name).ok()??.gid.as_raw())
    }

    fn has_uid(&self, uid: u32) -> bool {
        matches!(User::from_uid(Uid::from_raw(uid)), Ok(Some(_)))
    }

    fn has_gid(&self, gid: u32) -> bool {
        matches!(Group::from_gid(Gid::from_raw(gid)), Ok(Some(_)))
    }

    fn home(&self, user: Option<&[u8]>) -> Option<PathBuf> {
        match user {
            Some(name) => Some(find_user(name)?.dir),
            None => home_variable().or_else(|| Some(User::from_uid(getuid()).ok()??.dir)),
        }
    }
}

fn find_user(name: &[u8]) -> Option<User> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.contains('\0'))?;
    User::from_name(name).ok()?
}

/// `$HOME`, unless the program runs with rights that its caller lacks: then the caller must not be
/// able to choose which files are read (what `secure_getenv` does).
#[expect(clippy::disallowed_methods, reason = "system reads the environment for the layers above")]
fn home_variable() -> Option<PathBuf> {
    let trusted = getuid() == geteuid() && getgid() == getegid();
    let home = std::env::var_os("HOME").filter(|home| trusted && !home.is_empty())?;
    Some(home.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_number() {
        assert_eq!(SystemAccounts.user(b"root"), Some(0));
        assert_eq!(SystemAccounts.group(b"root"), Some(0));
        assert!(SystemAccounts.has_uid(0) && SystemAccounts.has_gid(0));
        assert_eq!(SystemAccounts.home(Some(b"root")), Some("/root".into()));
    }

    #[test]
    fn hostile_names_are_nobody() {
        for name in [&b""[..], b"\xff", b"a\0b", b"no such user"] {
            assert_eq!(SystemAccounts.user(name), None, "{name:?}");
            assert_eq!(SystemAccounts.group(name), None, "{name:?}");
        }
        assert!(!SystemAccounts.has_uid(u32::MAX - 7));
    }
}
