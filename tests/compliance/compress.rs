//! `compress` and `nocompress` (compat ROT-71, ROT-80..84).

use std::os::unix::fs::MetadataExt;

use crate::scene::{Scene, differs};

#[test]
fn the_version_is_compressed_and_the_plain_file_goes() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1.gz", "x\n")]);
}

#[test]
fn compressed_versions_are_shifted_and_counted() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\nrotate 2\n}")
        .log("a.log", "x\n")
        .file("a.log.1.gz", "1\n")
        .file("a.log.2.gz", "2\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1.gz", "x\n"), ("a.log.2.gz", "1\n")]);
}

#[test]
fn the_compressed_file_has_mode_owner_and_time_of_the_log() {
    let scene = Scene::new()
        .config("{dir}/a.log {\ncompress\nrotate 2\n}")
        .log("a.log", "x\n")
        .mode(0o640)
        .owner(1, 2)
        .days_old(2);
    let before = std::fs::metadata(scene.log_path("a.log")).expect("log").mtime();
    let scene =
        scene.run(["-f"]).quiet().expect_mode("a.log.1.gz", 0o640).expect_owner("a.log.1.gz", 1, 2);
    let after = std::fs::metadata(scene.log_path("a.log.1.gz")).expect("version").mtime();
    assert_eq!(before, after);
}

#[test]
fn postrotate_sees_the_uncompressed_file() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\nrotate 2\npostrotate\ncat $2 > {out}/seen\nendscript\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_out("seen", "x\n")
        .expect_files([("a.log.1.gz", "x\n")]);
}

#[test]
fn with_rotate_zero_nothing_is_left() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\nrotate 0\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([]);
}

#[test]
fn nocompress_takes_back_a_global_compress() {
    Scene::new()
        .config("compress\n{dir}/a.log {\nnocompress\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn versions_from_before_compress_was_set_are_kept() {
    differs("B-04", || {
        Scene::new()
            .config("{dir}/a.log {\ncompress\nrotate 5\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .run(["-f"])
            .quiet()
            .expect_file("a.log.1.gz", "new\n")
            .expect_file("a.log.2", "old\n");
    });
}

#[test]
fn a_failed_compressor_leaves_the_plain_file() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ncompresscmd /bin/false\nrotate 5\n}")
        .log("a.log", "1\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: failed to compress log {dir}/a.log.1")
        .expect_files([("a.log.1", "1\n")])
        .expect_recorded_now("a.log");
}

/// Compat ROT-74.
#[test]
fn a_failed_compressor_leaves_the_oldest_version_in_place() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ncompresscmd /bin/false\ncompressext .gz\nrotate 1\n}")
        .log("a.log", "x\n")
        .file("a.log.1.gz", "1\n")
        .run(["-f"])
        .status(1)
        .expect_files([("a.log.1", "x\n"), ("a.log.2.gz", "1\n")]);
}

#[test]
fn a_compressor_that_fails_for_days_costs_no_version() {
    differs("B-04", || {
        let config = "{dir}/a.log {\ncompress\ncompresscmd /bin/false\nrotate 5\n}";
        let mut scene = Scene::new().config(config);
        for content in ["1\n", "2\n", "3\n"] {
            scene = scene.log("a.log", content).run(["-f"]).status(1);
        }
        scene
            .expect_file("a.log.1", "3\n")
            .expect_file("a.log.2", "2\n")
            .expect_file("a.log.3", "1\n");
    });
}
