//! File systems of every kind, mounted where a test wants one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system; unmounted when dropped.
pub struct Mounted(PathBuf);

impl Mounted {
    /// What `mount` mounts with these arguments.
    pub fn new(args: &[&str], at: &Path) -> Self {
        command("mount", args, at);
        Self(at.to_owned())
    }

    /// A new file system in a new image; `make` is the program that makes it, and its options. The image
    /// takes no room of its own.
    pub fn of_image(image: &Path, megabytes: u64, make: &str, at: &Path) -> Self {
        File::create(image).and_then(|file| file.set_len(megabytes << 20)).expect("sparse file");
        let words: Vec<&str> = make.split(' ').chain(["-q"]).collect();
        command(words[0], &words[1..], image);
        Self::new(&["-o", "loop", image.to_str().expect("UTF-8")], at)
    }

    /// An overlay on what is mounted at the same place: see there for its layers. It cannot stand on another one,
    /// and this machine's root may be one.
    pub fn overlay(at: &Path) -> Self {
        let [lower, upper, work, merged] =
            ["lower", "upper", "work", "merged"].map(|name| at.join(name));
        for dir in [&lower, &upper, &work, &merged] {
            fs::create_dir_all(dir).expect("directory");
        }
        let [lower, upper, work] = [lower, upper, work].map(|dir| dir.display().to_string());
        let layers = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        Self::new(&["-t", "overlay", "none", "-o", &layers], &merged)
    }

    /// One in memory.
    pub fn in_memory(at: &Path) -> Self {
        Self::new(&["-t", "tmpfs", "-o", "mode=755,size=90%", "none"], at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: what still looks at it must not keep the mount.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn command(program: &str, args: &[&str], path: &Path) {
    let output = Command::new(program).args(args).arg(path).output().expect(program);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?} {}: {text}", path.display());
}
