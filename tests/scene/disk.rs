//! A small ext4 of its own, on a loop device: one that can be full, break, or lose its power.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every test of this kind has to itself.
const SIZE: u64 = 20 << 20;

/// The name of the image.
const IMAGE: &str = "image";

/// The file that takes the space which a test does not want to be there.
const BALLAST: &str = "ballast";

/// A file system that is mounted for as long as this lives.
pub struct Disk {
    /// Holds the image.
    temp: tempfile::TempDir,
    /// The loop device: the same one for all of its life, as a disk has it.
    device: String,
    at: PathBuf,
}

impl Disk {
    /// Makes one, with these options of `mkfs.ext4` too, and mounts it on a directory that is there.
    pub fn mounted_on(at: &Path, options: &[&str]) -> Self {
        let temp = tempfile::Builder::new().prefix("disk-").tempdir().expect("directory");
        let image = temp.path().join(IMAGE).into_os_string();
        fs::File::create(&image).and_then(|file| file.set_len(SIZE)).expect("image");
        // No blocks that only root may take: then root sees what everybody sees.
        let fixed = ["-q", "-F", "-m", "0", "-b", "4096", "-J", "size=4"].map(OsStr::new);
        let options = options.iter().map(OsStr::new);
        call("mkfs.ext4", fixed.into_iter().chain(options).chain([image.as_os_str()]));
        let device = call(
            "losetup",
            ["--find", "--show"].map(OsStr::new).into_iter().chain([image.as_os_str()]),
        );
        let disk = Self { temp, device: device.trim().into(), at: at.into() };
        disk.mount();
        disk
    }

    fn mount(&self) {
        let options = ["-t", "ext4", "-o", "errors=remount-ro"].map(OsStr::new);
        call("mount", options.into_iter().chain([self.device.as_ref(), self.at.as_os_str()]));
    }

    fn unmount(&self) {
        // Whatever another test is about to start has our files open until it is started.
        for _ in 0..100 {
            if Command::new("umount").arg("-q").arg(&self.at).status().is_ok_and(|s| s.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        call("umount", [self.at.as_os_str()]);
    }

    /// Takes all space but so many blocks of 4 KiB.
    pub fn fill(&self, left: u64) {
        self.sync();
        let path = self.at.join(BALLAST);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).expect("file");
        let block = vec![1; 4096];
        while file.write_all(&block).is_ok() {}
        self.sync();
        // What is kept back for the file system itself is not ours to give.
        let length = file.metadata().expect("metadata").len() / 4096 * 4096;
        file.set_len(length - left * 4096).expect("length");
        drop(file);
        self.sync();
        // What the file system has set aside for a file that grew comes back when that is closed.
        let more = (0..100).map(|number| self.at.join(format!("{BALLAST}-{number}")));
        for more in more.filter(|_| left == 0) {
            let file = fs::File::create(&more).expect("file");
            if (&file).write_all(&block).and_then(|()| file.sync_all()).is_err() {
                fs::remove_file(&more).expect("remove");
                self.sync();
                break;
            }
        }
    }

    /// Takes all inodes but so many.
    pub fn fill_inodes(&self, left: u64) {
        let dir = self.at.join("inodes");
        fs::create_dir(&dir).expect("directory");
        let mut made = 0;
        while fs::File::create(dir.join(made.to_string())).is_ok() {
            made += 1;
        }
        for last in made - left..made {
            fs::remove_file(dir.join(last.to_string())).expect("remove");
        }
        self.sync();
    }

    /// Gives all back that was taken.
    pub fn give_back(&self) {
        for entry in fs::read_dir(&self.at).expect("directory") {
            let entry = entry.expect("entry");
            if entry.file_name().to_string_lossy().starts_with(BALLAST) {
                fs::remove_file(entry.path()).expect("remove");
            }
        }
        let _ = fs::remove_dir_all(self.at.join("inodes"));
        self.sync();
    }

    /// Writes everything that the kernel still keeps.
    pub fn sync(&self) {
        call("sync", [OsStr::new("-f"), self.at.as_os_str()]);
    }

    /// The file that stands for the platters: it holds what has reached the disk. Everything that the
    /// kernel keeps for this file system in its memory is missing there, and is lost with the power.
    pub fn image(&self) -> PathBuf {
        self.temp.path().join(IMAGE)
    }

    /// Comes up again after a loss of power, with this image.
    pub fn power_up(&self, image: &[u8]) {
        self.unmount();
        let disk = fs::OpenOptions::new().write(true).open(&self.device);
        disk.and_then(|mut disk| disk.write_all(image)).expect("written");
        self.mount();
    }

    /// What breaks it.
    pub fn breaker(&self) -> Breaker {
        let device = self.device.strip_prefix("/dev/").expect("a device");
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error").into();
        Breaker { trigger, probe: self.at.join("probe") }
    }

    /// Repairs it after [`Breaker::break_down`].
    pub fn repair(&self) {
        self.unmount();
        let status = Command::new("e2fsck").arg("-p").arg(&self.device).output().expect("e2fsck");
        assert!(matches!(status.status.code(), Some(0 | 1)), "{status:?}");
        self.mount();
    }
}

/// Breaks a disk.
pub struct Breaker {
    trigger: PathBuf,
    probe: PathBuf,
}

impl Breaker {
    /// Lets the kernel find an error in the file system, which makes it read-only.
    pub fn break_down(&self) {
        let shown = self.trigger.display();
        fs::write(&self.trigger, "test").unwrap_or_else(|e| panic!("{shown}: {e}"));
        assert!(fs::write(&self.probe, "").is_err(), "it is read-only");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Somebody may still look at it for a moment.
        let lazily = || Command::new("umount").arg("-l").arg(&self.at).status();
        let status = Command::new("umount").arg("-q").arg(&self.at).status();
        let done = status.is_ok_and(|s| s.success()) || lazily().is_ok_and(|s| s.success());
        // It goes when nobody uses it any more.
        let detached = Command::new("losetup").arg("-d").arg(&self.device).status();
        let done = done && detached.is_ok_and(|s| s.success());
        assert!(done || std::thread::panicking(), "umount {}", self.at.display());
    }
}

/// Runs a program that has to succeed, and gives what it prints. Tests that need it are worth nothing without: they fail.
fn call(program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let mut command = Command::new(program);
    command.args(args);
    let output = command.output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(
        output.status.success(),
        "{command:?} failed; these tests need root and loop devices\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
