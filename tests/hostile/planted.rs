//! What somebody has laid in wait in a directory of his own: links to root's files, FIFOs, and names that
//! a rotation is going to use.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::mkfifo;

use super::ATTACKER;
use crate::scene::{Scene, Tree, set_mode};

const SECRET: &str = "the secret that only root may read\n";

/// A log in a directory of the attacker's, and a file of root's.
fn scene(directives: &str) -> Scene {
    let scene = Scene::new()
        .config(&format!("{{dir}}/sub/a.log {{\nrotate 2\n{directives}\n}}\n"))
        .dir("sub")
        .owner(ATTACKER, ATTACKER)
        .log("sub/a.log", "x\n")
        .owner(ATTACKER, ATTACKER);
    fs::write(secret(&scene), SECRET).expect("secret");
    set_mode(&secret(&scene), 0o600);
    scene
}

fn secret(scene: &Scene) -> PathBuf {
    scene.out_path("secret")
}

/// The file of root's is as it was, and nobody else has a copy.
#[track_caller]
fn is_safe(scene: Scene) -> Scene {
    let path = secret(&scene);
    let meta = fs::metadata(&path).expect("secret");
    if (meta.mode() & 0o7777, meta.uid(), meta.gid()) != (0o600, 0, 0) {
        scene.fail(&format!("the secret is {:o} of {}:{}", meta.mode(), meta.uid(), meta.gid()));
    }
    if fs::read_to_string(&path).expect("secret") != SECRET {
        scene.fail("the secret has changed");
    }
    let tree = scene.logs();
    let copy = |content: &[u8]| String::from_utf8_lossy(content).contains(SECRET.trim());
    let itself = |name: &Path| {
        let there = fs::symlink_metadata(scene.log_path("").join(name)).expect("facts");
        (there.dev(), there.ino()) == (meta.dev(), meta.ino())
    };
    let mut files = tree.0.iter().filter(|(name, _)| !itself(name));
    if let Some((name, _)) = files.find(|(_, entry)| copy(&entry.content)) {
        scene.fail(&format!("{} holds the secret", name.display()));
    }
    if fs::read_to_string(scene.out_path("mail")).is_ok_and(|mail| copy(mail.as_bytes())) {
        scene.fail("the secret was mailed");
    }
    scene
}

fn link(scene: &Scene, name: &str) {
    let path = scene.log_path(name);
    let _ = fs::remove_file(&path);
    symlink(secret(scene), &path).expect("link");
    lchown(&path, Some(ATTACKER), Some(ATTACKER)).expect("chown");
}

/// As where `protected_hardlinks` is off.
fn hard_link(scene: &Scene, name: &str) {
    let path = scene.log_path(name);
    let _ = fs::remove_file(&path);
    fs::hard_link(secret(scene), path).expect("hard link");
}

/// A mailer that keeps what it gets.
fn with_mailer(scene: Scene) -> Scene {
    let script = scene.expand("#!/bin/sh\ncat >> {out}/mail\n");
    let path = scene.out_path("mailer");
    fs::write(&path, script).expect("mailer");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("mode");
    scene
}

const METHODS: [&str; 6] =
    ["create", "compress", "copy", "copytruncate", "renamecopy", "dateext\ncopytruncate"];

#[test]
fn a_log_that_is_a_link_is_skipped_by_every_method() {
    for method in METHODS {
        let scene = scene(method).then(|s| link(s, "sub/a.log")).run(["-f"]).status(0);
        assert_eq!(is_safe(scene).logs().files().len(), 1, "{method}");
    }
}

/// A device that takes everything, a FIFO that nobody reads, and a socket.
const NODES: [SFlag; 3] = [SFlag::S_IFCHR, SFlag::S_IFIFO, SFlag::S_IFSOCK];

fn node(scene: &Scene, name: &str, kind: SFlag) {
    let path = scene.log_path(name);
    let _ = fs::remove_file(&path);
    mknod(&path, kind, Mode::S_IRWXU, makedev(1, 3)).expect("node");
    chown(&path, Some(ATTACKER), Some(ATTACKER)).expect("chown");
}

fn kind_of(scene: &Scene, name: &str) -> u32 {
    fs::symlink_metadata(scene.log_path(name)).expect(name).mode() & 0o170_000
}

#[test]
fn a_log_that_is_a_device_a_fifo_or_a_socket_is_refused_by_every_method() {
    for (kind, method) in NODES.into_iter().flat_map(|kind| METHODS.map(|method| (kind, method))) {
        let scene = scene(method)
            .then(|s| node(s, "sub/a.log", kind))
            .run(["-f"])
            .status(1)
            .stderr_has("{dir}/sub/a.log");
        assert_eq!(kind_of(&scene, "sub/a.log"), kind.bits(), "{method}");
        assert_eq!(scene.logs().0.len(), 2, "{method}: the directory, and what is in it");
    }
}

/// Whatever has a name that is wanted keeps what it is, and neither is anything read from it or written to it
/// nor does anybody wait for its other end.
#[test]
fn a_device_a_fifo_or_a_socket_under_a_name_that_is_wanted_is_not_opened() {
    for (kind, method) in NODES.into_iter().flat_map(|kind| METHODS.map(|method| (kind, method))) {
        let scene = scene(method)
            .then(|s| WANTED.iter().for_each(|name| node(s, &format!("sub/{name}"), kind)))
            .run(["-f"]);
        let tree = Tree::of(&scene.log_path("sub"));
        let nodes = tree.0.values().filter(|entry| entry.mode & 0o170_000 == kind.bits()).count();
        if nodes != WANTED.len() {
            scene.fail(&format!("{method}: {nodes} are left of {}", WANTED.len()));
        }
        if !tree.unpacked().0.values().any(|entry| entry.content == b"x\n") {
            scene.fail(&format!("{method}: the log's line is gone"));
        }
    }
}

#[test]
fn an_old_version_that_is_a_device_a_fifo_or_a_socket_is_not_compressed_mailed_or_shredded() {
    for kind in NODES {
        for directives in
            ["compress\ndelaycompress", "rotate 1\nshred", "rotate 1\nmail somebody@example.org"]
        {
            let scene = with_mailer(scene(&format!("create\n{directives}")))
                .then(|s| node(s, "sub/a.log.1", kind))
                .run(["-f", "-m", "{out}/mailer"])
                .expect_file("sub/a.log.1", "x\n")
                .expect_no_out("mail");
            let tree = Tree::of(&scene.log_path("sub"));
            let is_node = |mode: u32| mode & 0o170_000 == kind.bits();
            if !tree.0.values().any(|entry| is_node(entry.mode)) {
                scene.fail(&format!("{directives}: it is gone"));
            }
        }
    }
}

#[test]
fn a_log_that_is_a_hard_link_is_skipped_by_every_method() {
    for method in METHODS {
        let scene = scene(method).then(|s| hard_link(s, "sub/a.log")).run(["-f"]).status(0);
        assert_eq!(is_safe(scene).logs().files().len(), 1, "{method}");
    }
}

#[test]
fn even_with_allowhardlink_nobody_elses_file_is_read_or_emptied() {
    for method in ["copy", "copytruncate", "compress\ncopytruncate"] {
        let scene = scene(&format!("allowhardlink\n{method}"))
            .then(|s| hard_link(s, "sub/a.log"))
            .run(["-f"])
            .status(1)
            .stderr_has("error opening {dir}/sub/a.log: it has 2 hard links");
        is_safe(scene);
    }
}

#[test]
fn with_allowhardlink_the_owners_own_file_may_have_two_names() {
    scene("allowhardlink\ncopytruncate")
        .hard_link("sub/b", "sub/a.log")
        .run(["-f"])
        .quiet()
        .expect_files([("sub/a.log", ""), ("sub/b", ""), ("sub/a.log.1", "x\n")]);
}

#[test]
fn an_old_version_that_is_a_link_to_roots_file_is_moved_on_and_nothing_else() {
    let plants: [fn(&Scene, &str); 2] = [link, hard_link];
    for (plant, status) in plants.into_iter().zip([0, 1]) {
        let scene = scene("compress\ndelaycompress\ncreate")
            .then(|s| plant(s, "sub/a.log.1"))
            .run(["-f"])
            .status(status);
        is_safe(scene).expect_file("sub/a.log.1", "x\n");
    }
}

#[test]
fn an_old_version_that_is_a_hard_link_to_roots_file_is_not_mailed() {
    let scene = with_mailer(scene("rotate 1\nmail somebody@example.org"))
        .then(|s| hard_link(s, "sub/a.log.1"))
        .run(["-f", "-m", "{out}/mailer"])
        .status(1)
        .stderr_has("it has 2 hard links");
    is_safe(scene);
}

#[test]
fn an_old_version_that_is_a_link_to_roots_file_is_not_shredded() {
    let plants: [fn(&Scene, &str); 2] = [link, hard_link];
    for plant in plants {
        let scene = scene("rotate 1\nshred").then(|s| plant(s, "sub/a.log.1")).run(["-f"]);
        is_safe(scene).expect_file("sub/a.log.1", "x\n");
    }
}

/// Names that a rotation takes for what it makes.
const WANTED: [&str; 9] = [
    "a.log.1",
    "a.log.1.gz",
    "a.log.2",
    "a.log.tmp",
    ".a.log.logrotate-rs",
    ".a.log.1.logrotate-rs",
    ".a.log.1.gz.logrotate-rs",
    "a.log.1.gz.tmp",
    "a.log.1.logrotate-rs",
];

#[test]
fn links_under_names_that_are_wanted_are_neither_followed_nor_overwritten() {
    for method in ["create", "create\ncompress", "copy\ncompress", "copytruncate", "renamecopy"] {
        let scene = scene(method)
            .then(|s| WANTED.iter().for_each(|name| link(s, &format!("sub/{name}"))))
            .run(["-f"]);
        let scene = is_safe(scene);
        let tree = scene.logs();
        let links = tree.0.values().filter(|entry| entry.mode & 0o170_000 == 0o120_000).count();
        if links != WANTED.len() {
            scene.fail(&format!("{method}: {links} links are left of {}", WANTED.len()));
        }
        if !tree.0.values().any(|entry| entry.content == b"x\n") {
            scene.fail(&format!("{method}: the log's line is gone"));
        }
    }
}

#[test]
fn a_link_or_a_fifo_in_the_way_does_not_stop_the_rotation() {
    let fifo = |s: &Scene, name: &str| {
        mkfifo(&s.log_path(name), Mode::S_IRWXU).expect("fifo");
        chown(s.log_path(name), Some(ATTACKER), Some(ATTACKER)).expect("chown");
    };
    let plants: [fn(&Scene, &str); 2] = [link, fifo];
    for plant in plants {
        for name in ["sub/a.log.1", "sub/.a.log.logrotate-rs", "sub/.a.log.1.gz.logrotate-rs"] {
            let scene = scene("create\ncompress").then(|s| plant(s, name)).run(["-f"]).status(0);
            is_safe(scene).expect_file("sub/a.log.1.gz", "x\n").expect_file("sub/a.log", "");
        }
    }
}

#[test]
fn a_directory_for_old_versions_that_is_a_link_to_roots_is_refused() {
    let scene = scene("olddir old")
        .then(|s| {
            symlink(s.root().join("out"), s.log_path("sub/old")).expect("link");
            lchown(s.log_path("sub/old"), Some(ATTACKER), Some(ATTACKER)).expect("chown");
        })
        .run(["-f"])
        .status(1)
        .stderr_has("the symbolic link {dir}/sub/old may be changed by others")
        .expect_file("sub/a.log", "x\n")
        .expect_no_out("a.log.1");
    is_safe(scene);
}

/// `sub/link/a.log`, by a link of root's in a directory of the attacker's.
fn behind_a_link(su: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/sub/link/a.log {{\nrotate 2\n{su}\n}}\n"))
        .dir("real")
        .owner(ATTACKER, ATTACKER)
        .log("real/a.log", "x\n")
        .owner(ATTACKER, ATTACKER)
        .dir("sub")
        .owner(ATTACKER, ATTACKER)
        .symlink("sub/link", "../real")
        .run(["-f"])
}

#[test]
fn the_line_that_makes_an_untrusted_link_safe_is_shown_and_helps() {
    behind_a_link("")
        .status(1)
        .stderr_has("because the symbolic link {dir}/sub/link may be changed by others")
        .stderr_has("add the line `su daemon daemon` to the block, or let only root write")
        .expect_file("real/a.log", "x\n");
    behind_a_link("su daemon daemon").quiet().expect_file("real/a.log.1", "x\n");
}
