//! Access lists, and other extended attributes, of what is made (compat ROT-56, ROT-60, ROT-80).

use std::path::Path;

use crate::scene::Scene;

const ACCESS: &str = "system.posix_acl_access";
const NOTE: &str = "user.note";

/// User rw, user 12345 r, the group nothing, mask r, others nothing: the mode shows as 0640.
fn list() -> Vec<u8> {
    let none = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(0x01, 6, none), (0x02, 4, 12_345), (0x04, 0, none), (0x10, 4, none), (0x20, 0, none)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 200];
    let length = rustix::fs::getxattr(path, name, &mut value[..]).ok()?;
    Some(value[..length].to_vec())
}

/// A log with an access list and a note of its own, after a forced run.
fn rotated(directives: &str, owner: u32) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/sub/a.log {{\nrotate 2\n{directives}\n}}"))
        .dir("sub")
        .owner(owner, owner)
        .log("sub/a.log", "x\n")
        .owner(owner, owner)
        .then(|scene| {
            for (name, value) in [(ACCESS, &list()[..]), (NOTE, b"mine")] {
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::setxattr(scene.log_path("sub/a.log"), name, value, flags)
                    .unwrap_or_else(|e| panic!("{name}: {e}"));
            }
        })
        .run(["-f"])
        .quiet()
}

/// The files that have an attribute with this value, and those that do not.
fn with_and_without(scene: &Scene, name: &str, value: &[u8]) -> [String; 2] {
    let tree = scene.logs();
    let logs = scene.root().join("logs");
    let (with, without): (Vec<_>, Vec<_>) = (tree.files().into_iter())
        .partition(|file| attribute(&logs.join(file), name).as_deref() == Some(value));
    [with, without].map(|files| {
        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        names.join(" ")
    })
}

#[test]
fn what_is_made_from_a_log_has_its_access_list() {
    for (directives, files) in [
        ("create", "a.log a.log.1"),
        ("create root adm", "a.log a.log.1"),
        ("copy", "a.log a.log.1"),
        ("copytruncate", "a.log a.log.1"),
        ("renamecopy", "a.log.1"),
        ("compress", "a.log.1.gz"),
        ("compress\ncompresscmd cat\ncompressext .x", "a.log.1.x"),
        ("compress\ncreate", "a.log a.log.1.gz"),
        ("compress\ncopytruncate", "a.log a.log.1.gz"),
    ] {
        let scene = rotated(directives, 0);
        let found = with_and_without(&scene, ACCESS, &list());
        assert_eq!(found, [files, ""], "{directives}");
    }
}

#[test]
fn with_su_too() {
    let scene = rotated("su daemon daemon\ncreate\ncompress", 1);
    assert_eq!(with_and_without(&scene, ACCESS, &list()), ["a.log a.log.1.gz", ""]);
}

#[test]
fn a_mode_that_was_asked_for_is_not_widened_by_a_list() {
    for directives in ["create 0600", "create 0600 root adm"] {
        let scene = rotated(directives, 0).expect_mode("sub/a.log", 0o600);
        assert_eq!(with_and_without(&scene, ACCESS, &list()), ["a.log.1", "a.log"]);
    }
}

#[test]
fn other_attributes_stay_with_their_file() {
    for (directives, files) in [
        ("create", ["a.log.1", "a.log"]),
        ("copy", ["a.log", "a.log.1"]),
        ("copytruncate", ["a.log", "a.log.1"]),
        ("compress", ["", "a.log.1.gz"]),
        ("renamecopy", ["", "a.log.1"]),
    ] {
        assert_eq!(with_and_without(&rotated(directives, 0), NOTE, b"mine"), files, "{directives}");
    }
}
