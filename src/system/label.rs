//! `SELinux` labels of what is made: a file has that of what it is made from, from its first moment on
//! (compat ROT-60), since the kernel is told before.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, fstatvfs};

use super::attributes::{attribute_of, own_attribute};
use super::dir::Dir;
use super::file::io_errno;
use crate::names::FileName;

/// The extended attribute that holds a label.
const LABEL: &str = "security.selinux";

/// What a thread makes next gets the label that is written here.
const NEXT: &str = "/proc/thread-self/attr/fscreate";

/// Where `SELinux` shows itself, if it is on.
const SELINUX: &str = "/sys/fs/selinux";

/// How labels are given on this system.
#[derive(Debug, PartialEq, Eq)]
struct Labels {
    next: PathBuf,
    /// That a label cannot be given is an error.
    enforcing: bool,
}

impl Labels {
    /// `None` without `SELinux`, and where it is shown but not ours to use, as in a container.
    fn find(selinux: &Path, next: &Path) -> Option<Self> {
        let mut file = open_file(&selinux.join("enforce"), OFlag::O_RDONLY).ok()?;
        if fstatvfs(&file).ok()?.flags().contains(FsFlags::ST_RDONLY) {
            return None;
        }
        let mut first = [0];
        let enforcing = file.read(&mut first).is_ok() && first == *b"1";
        Some(Self { next: next.into(), enforcing })
    }

    /// Those of the system, looked for when the first file of a run is made.
    fn of_system() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Labels>> = OnceLock::new();
        FOUND.get_or_init(|| Self::find(Path::new(SELINUX), Path::new(NEXT))).as_ref()
    }

    /// Makes something with a label; with none, as the system would.
    fn give<T>(
        &self,
        label: Result<Option<Vec<u8>>, Errno>,
        make: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let told = label.and_then(|label| match label {
            Some(label) => self.tell(&label).map(|()| true),
            None => Ok(false),
        });
        let told = match told {
            Err(errno) if self.enforcing => return Err(errno),
            told => told.unwrap_or(false),
        };
        let result = make();
        if told {
            // What is made next, perhaps from something else, starts afresh (fixes B-51). If the kernel
            // does not hear of it, it hears of the next label.
            let _ = self.tell(b"");
        }
        result
    }

    /// Tells the kernel the label of what is made next; nothing: its own choice.
    fn tell(&self, label: &[u8]) -> Result<(), Errno> {
        let mut file = open_file(&self.next, OFlag::O_WRONLY | OFlag::O_TRUNC)?;
        // An empty text is a text too: it must reach the kernel.
        file.write(label).map(drop).map_err(|e| io_errno(&e))
    }
}

fn open_file(path: &Path, flags: OFlag) -> Result<File, Errno> {
    open(path, flags | OFlag::O_CLOEXEC, Mode::empty()).map(File::from)
}

/// Makes a file with the label of an open one.
///
/// # Errors
/// Those of `make`; in enforcing mode also that the label cannot be read or given.
pub fn like<T>(source: impl AsFd, make: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    match Labels::of_system() {
        Some(labels) => labels.give(own_attribute(source, LABEL), make),
        None => make(),
    }
}

/// The same with the label of what stands under a name.
///
/// # Errors
/// As there.
pub fn like_name<T>(
    dir: &Dir,
    name: &FileName,
    make: impl FnOnce() -> Result<T, Errno>,
) -> Result<T, Errno> {
    match Labels::of_system() {
        Some(labels) => labels.give(attribute_of(dir, name, LABEL), make),
        None => make(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    /// Directories in place of the system's, with `SELinux` on.
    struct Fake(tempfile::TempDir);

    impl Fake {
        fn new(enforce: &str) -> Self {
            let fake = Self(tempfile::tempdir().unwrap());
            std::fs::write(fake.0.path().join("enforce"), enforce).unwrap();
            std::fs::write(fake.next(), "").unwrap();
            fake
        }

        fn next(&self) -> PathBuf {
            self.0.path().join("fscreate")
        }

        fn labels(&self) -> Labels {
            Labels::find(self.0.path(), &self.next()).unwrap()
        }

        fn told(&self) -> String {
            std::fs::read_to_string(self.next()).unwrap()
        }
    }

    #[test]
    fn the_kernel_knows_the_label_while_a_file_is_made_and_not_after() {
        let fake = Fake::new("1");
        let label = b"system_u:object_r:var_log_t:s0".to_vec();
        let during = fake.labels().give(Ok(Some(label)), || Ok(fake.told()));
        assert_eq!(during.as_deref(), Ok("system_u:object_r:var_log_t:s0"));
        assert_eq!(fake.told(), "");
        let failed = fake.labels().give(Ok(Some(b"x".to_vec())), || Err::<(), _>(Errno::ENOSPC));
        assert_eq!((failed, fake.told()), (Err(Errno::ENOSPC), String::new()));
    }

    #[test]
    fn what_has_no_label_gives_none() {
        let fake = Fake::new("1");
        std::fs::remove_file(fake.next()).unwrap();
        assert_eq!(fake.labels().give(Ok(None), || Ok(5)), Ok(5), "nobody is told anything");
    }

    #[test]
    fn a_label_that_cannot_be_given_matters_only_where_it_is_enforced() {
        for (enforce, expected) in [("0", Ok(5)), ("1", Err(Errno::ENOENT))] {
            let fake = Fake::new(enforce);
            std::fs::remove_file(fake.next()).unwrap();
            let mut made = false;
            let result = fake.labels().give(Ok(Some(b"x".to_vec())), || {
                made = true;
                Ok(5)
            });
            assert_eq!((result, made), (expected, enforce == "0"), "{enforce}");
        }
    }

    #[test]
    fn without_selinux_there_are_no_labels() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(Labels::find(empty.path(), Path::new(NEXT)), None);
    }

    #[test]
    fn the_label_of_a_file_is_found_by_descriptor_and_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        std::fs::write(&path, "").unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let (dir, name) = (Dir::open(temp.path()).unwrap(), FileName::new("a").unwrap());
        assert_eq!(own_attribute(&file, LABEL), Ok(None));
        assert_eq!(attribute_of(&dir, &name, LABEL), Ok(None));
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::setxattr(&path, LABEL, b"a:b:c\0", flags).is_err() {
            return; // Not root, or a system that guards labels.
        }
        let label = Some(b"a:b:c\0".to_vec());
        assert_eq!(own_attribute(&file, LABEL), Ok(label.clone()));
        assert_eq!(attribute_of(&dir, &name, LABEL), Ok(label));
        assert_eq!(attribute_of(&dir, &FileName::new("b").unwrap(), LABEL), Ok(None));
    }
}
