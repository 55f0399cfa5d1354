//! `copy` and `nocopy` (compat ROT-54..56).

use std::os::unix::fs::MetadataExt;

use crate::scene::Scene;

#[test]
fn the_log_stays_as_it_is() {
    let scene =
        Scene::new().config("{dir}/a.log {\ncopy\nrotate 2\n}").log("a.log", "x\n").days_old(3);
    let log = scene.log_path("a.log");
    let before = std::fs::metadata(&log).expect("log");
    let scene = scene.run(["-f"]).quiet().expect_files([("a.log", "x\n"), ("a.log.1", "x\n")]);
    let after = std::fs::metadata(&log).expect("log");
    assert_eq!((before.ino(), before.mtime()), (after.ino(), after.mtime()));
    drop(scene);
}

#[test]
fn the_copy_looks_like_the_log() {
    Scene::new()
        .config("{dir}/a.log {\ncopy\nrotate 2\n}")
        .log("a.log", "x\n")
        .mode(0o620)
        .owner(1, 2)
        .run(["-f"])
        .quiet()
        .expect_mode("a.log.1", 0o620)
        .expect_owner("a.log.1", 1, 2);
}

#[test]
fn create_is_ignored() {
    Scene::new()
        .config("{dir}/a.log {\ncopy\ncreate 0600\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "x\n"), ("a.log.1", "x\n")])
        .expect_mode("a.log", 0o644);
}

#[test]
fn with_rotate_zero_nothing_is_copied() {
    Scene::new()
        .config("{dir}/a.log {\ncopy\nrotate 0\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn a_copy_is_compressed() {
    Scene::new()
        .config("{dir}/a.log {\ncopy\ncompress\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "x\n"), ("a.log.1.gz", "x\n")]);
}

#[test]
fn nocopy_takes_back_a_global_copy() {
    Scene::new()
        .config("copy\n{dir}/a.log {\nnocopy\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn the_copy_has_new_times_and_the_holes_of_the_log() {
    use std::os::unix::fs::{FileExt, MetadataExt};
    for directive in ["copy", "copytruncate", "renamecopy"] {
        let scene = Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate 1\n{directive}\n}}"))
            .log("a.log", "x\n")
            .then(|scene| {
                let log = std::fs::OpenOptions::new().write(true).open(scene.log_path("a.log"));
                log.expect("open").write_at(b"end\n", 32 << 20).expect("write");
            })
            .days_old(3)
            .run(["-f"])
            .quiet();
        let copy = std::fs::metadata(scene.log_path("a.log.1")).expect("the copy");
        assert_eq!(copy.len(), (32 << 20) + 4, "{directive}");
        assert!(copy.blocks() * 512 < 1 << 20, "{directive}: {} blocks", copy.blocks());
        let age = copy.modified().expect("a time").elapsed().unwrap_or_default();
        assert!(age.as_secs() < 3600, "{directive}: {age:?}");
    }
}
