#![expect(clippy::disallowed_methods, reason = "tests arrange files")]
//! Files, directories, includes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::config::{Notice, load};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a temporary directory"));
        for (name, text) in files {
            let path = tree.path(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            std::fs::write(&path, text.replace("DIR", &tree.0.path().to_string_lossy()))
                .expect(name);
            tree.mode(name, 0o644);
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).expect("chmod");
    }

    fn load(&self, names: &[&str]) -> Config {
        load(&names.iter().map(|n| self.path(n)).collect::<Vec<_>>(), &OnlyRoot, true)
    }

    /// Everything that was said, the temporary directory's name left out.
    fn said(&self, config: &Config) -> Vec<String> {
        let dir = format!("{}/", self.0.path().to_string_lossy());
        config
            .notices
            .iter()
            .map(|notice| match notice {
                Notice::Debug(line) => line.replace(&dir, ""),
                Notice::Diagnostic(found) => format!("! {found}").replace(&dir, ""),
            })
            .collect()
    }
}

#[test]
fn settings_carry_over_from_file_to_file_but_not_out_of_an_abandoned_one() {
    let tree = Tree::new(&[
        ("1", "rotate 3\n"),
        ("2", "/a {\n}\nrotate 9\nrotate x\n"),
        ("3", "/b {\n}\n"),
        ("4", "rotate 7\n/bad {\n rotate x\n}\n"),
        ("5", "/c {\n}\n"),
    ]);
    let config = tree.load(&["1", "2", "3", "4", "5"]);
    assert_eq!(names(&config), ["/a", "/b", "/c"]);
    assert_eq!(counts(&config), [3, 3, 7].map(KeepCount::Last));
    assert!(config.failed());
}

#[test]
fn a_directory_is_read_in_order_without_taboo_files() {
    let tree = Tree::new(&[
        ("d/2", "badness{\n"),
        ("d/1", "rotate 9\n/one {\n}\n"),
        ("d/3", "/three {\n}\n"),
        ("d/x.bak", "/no {\n}\n"),
        ("d/.x.swp", "/no {\n}\n"),
        ("d/.hidden", "/hidden {\n}\n"),
        ("d/empty", ""),
        ("d/sub/x", "/no {\n}\n"),
    ]);
    let fifo = tree.path("d/fifo");
    nix_mkfifo(&fifo);
    let config = tree.load(&["d"]);
    assert_eq!(names(&config), ["/hidden", "/one", "/three"]);
    assert_eq!(
        tree.said(&config),
        [
            "Ignoring .x.swp, because of *.swp pattern match",
            "Ignoring x.bak, because of *.bak pattern match",
            "reading config file .hidden",
            "reading config file 1",
            "reading config file 2",
            "! 2:1 keyword 'badness' not properly separated, found 0x7b",
            "! found error in file 2, skipping",
            "reading config file 3",
            "Ignoring empty because it's empty.",
            "Ignoring fifo because it's not a regular file.",
            "Ignoring sub because it's not a regular file.",
        ]
    );
    assert_eq!(config.blocks[1].file(), tree.path("d/1"));
    assert_eq!(config.blocks[1].base_dir(), Some(tree.path("d").as_path()));
}

fn nix_mkfifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
    assert!(made.success());
}

#[test]
fn a_relative_include_belongs_to_the_directory_that_is_being_read() {
    let tree = Tree::new(&[
        ("d/1", "include ../e\n/a {\n}\n"),
        ("e/x", "include y\n"),
        ("e/y", "rotate 4\n"),
    ]);
    let config = tree.load(&["d"]);
    assert_eq!(findings(&config), [""; 0]);
    assert_eq!(counts(&config), [KeepCount::Last(4)]);
}

#[test]
fn a_missing_include_is_an_error_and_the_file_goes_on() {
    let tree = Tree::new(&[("1", "include DIR/none\n/a {\n}\n")]);
    let config = tree.load(&["1", "gone"]);
    assert_eq!(
        tree.said(&config),
        [
            "reading config file 1",
            "including none",
            "! cannot stat none: No such file or directory",
            "! cannot stat gone: No such file or directory",
        ]
    );
    assert_eq!((names(&config), config.failed()), (vec!["/a".into()], true));
}

#[test]
fn an_include_inside_a_block_sets_it_and_drops_it_if_it_fails() {
    let tree = Tree::new(&[
        (
            "1",
            "/a {\n include DIR/good\n}\n/b {\n rotate 2\n include DIR/bad\n}\n/c {\n include DIR/none\n}\n/d {\n}\n",
        ),
        ("good", "rotate 5\n/in {\n}\n"),
        ("bad", "rotate 6\n}\n"),
    ]);
    let config = tree.load(&["1"]);
    assert_eq!(names(&config), ["/a", "/in", "/d"]);
    assert_eq!(counts(&config), [5, 5, 0].map(KeepCount::Last));
    let said = tree.said(&config);
    for line in
        ["! found error in /b, skipping", "! found error in /c, skipping", "! bad:2 unexpected }"]
    {
        assert!(said.iter().any(|l| l == line), "{line} in {said:?}");
    }
}

#[test]
fn sixteen_levels_of_include_are_read_and_a_seventeenth_is_refused() {
    let files: Vec<_> =
        (0..20).map(|i| (i.to_string(), format!("/{i} {{\n}}\ninclude DIR/{}\n", i + 1))).collect();
    let files: Vec<_> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let tree = Tree::new(&files);
    let config = tree.load(&["0"]);
    assert_eq!(names(&config).len(), 17);
    assert!(tree.said(&config).contains(&"! 16:3 include nesting too deep".into()));
}

#[test]
fn a_file_that_includes_itself_is_read_once() {
    let tree = Tree::new(&[("1", "include DIR/2\n"), ("2", &"include DIR/1\n".repeat(50))]);
    let config = tree.load(&["1"]);
    assert_eq!(findings(&config).len(), 50);
    assert!(config.failed());
}

#[test]
fn a_file_that_others_may_write_is_ignored_by_root() {
    if !crate::system::process::started_by_root() {
        return;
    }
    let tree = Tree::new(&[("d/w", "/w {\n}\n"), ("d/x", "/x {\n}\n"), ("d/o", "/o {\n}\n")]);
    tree.mode("d/w", 0o664);
    tree.mode("d/x", 0o755);
    std::os::unix::fs::chown(tree.path("d/o"), Some(65534), None).expect("chown");
    let config = tree.load(&["d"]);
    assert_eq!(names(&config), ["/x"]);
    assert_eq!(
        findings(&config),
        [
            "Ignoring o because the file owner is wrong (should be root or user with uid 0).",
            "found error in file o, skipping",
            "Potentially dangerous mode on w: 0664",
            "Ignoring w because it is writable by group or others.",
            "found error in file w, skipping",
            "Potentially dangerous mode on x: 0755",
        ]
    );
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let tree = Tree::new(&[("big", "")]);
    let file = std::fs::OpenOptions::new().write(true).open(tree.path("big")).expect("opens");
    file.set_len(16_777_216).expect("grows");
    let config = tree.load(&["big"]);
    assert_eq!(tree.said(&config), ["! file big too large, probably not a config file."]);
}

#[test]
fn a_fifo_and_a_device_are_ignored_without_waiting() {
    let tree = Tree::new(&[]);
    nix_mkfifo(&tree.path("fifo"));
    let config = load(&[tree.path("fifo"), "/dev/null".into()], &OnlyRoot, true);
    assert_eq!(config.notices.len(), 2);
    assert!(!config.failed());
}
