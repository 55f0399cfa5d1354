//! `compressor`: what is built in, and how hard it tries. A directive of our own.

use std::process::Command;

use crate::scene::{Scene, differs};

/// A forced run on a log with these lines.
fn run(directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 3\n{directives}\n}}"))
        .log("a.log", "x\n")
        .run(["-f"])
}

#[track_caller]
fn unpacks(scene: &Scene, name: &str, with: &[&str], expected: &str) {
    let output = Command::new(with[0]).args(&with[1..]).arg(scene.log_path(name)).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{with:?}: {output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{with:?}");
}

#[test]
fn zstd_makes_a_frame_with_its_own_ending() {
    differs("compressor", || {
        let scene = run("compress\ncompressor zstd").quiet().expect_no_file("a.log.1");
        unpacks(&scene, "a.log.1.zst", &["zstd", "-dc"], "x\n");
        scene.log("a.log", "y\n").run(["-f"]).quiet().then(|scene| {
            unpacks(scene, "a.log.2.zst", &["zstd", "-dc"], "x\n");
            unpacks(scene, "a.log.1.zst", &["zstd", "-dc"], "y\n");
        });
    });
}

#[test]
fn gzip_takes_the_place_of_a_command_that_was_named_before() {
    differs("compressor", || {
        let scene = run("compress\ncompresscmd /bin/false\ncompressext .x\ncompressor gzip 9");
        unpacks(&scene.quiet(), "a.log.1.gz", &["zcat"], "x\n");
    });
}

#[test]
fn a_command_that_is_named_later_takes_its_place() {
    differs("compressor", || {
        let scene = run("compressor zstd\ncompress\ncompresscmd /usr/bin/xz").quiet();
        unpacks(&scene, "a.log.1.xz", &["xzcat"], "x\n");
    });
}

#[test]
fn members_are_read_by_gzip_like_one() {
    differs("compressor", || {
        let text = "a line of thirty-one characters\n".repeat(80_000);
        let scene = Scene::new()
            .config("{dir}/a.log {\nrotate 3\ncompress\ncompressor gzip members\n}")
            .log("a.log", &text)
            .run(["-f"])
            .quiet();
        unpacks(&scene, "a.log.1.gz", &["zcat"], &text);
    });
}

#[test]
fn none_leaves_versions_as_they_are_whatever_compress_says() {
    differs("compressor", || {
        run("compressor none\ncompress").quiet().expect_files([("a.log.1", "x\n")]);
    });
}

#[test]
fn options_that_are_no_level_run_the_program_of_that_name() {
    differs("compressor", || {
        let scene = run("compress\ncompressor zstd\ncompressoptions -5 --no-check").quiet();
        unpacks(&scene, "a.log.1.zst", &["zstd", "-dc"], "x\n");
        // The built-in one always adds a check sum, four bytes long.
        let checked = run("compress\ncompressor zstd").quiet();
        let size = |scene: &Scene| std::fs::metadata(scene.log_path("a.log.1.zst")).unwrap().len();
        assert_eq!(size(&checked), size(&scene) + 4);
    });
}

#[test]
fn what_zstd_made_is_mailed_as_text() {
    differs("compressor", || {
        let config = "{dir}/a.log {\nrotate 1\ncompress\ncompressor zstd\nmail root@x\n}";
        super::mail::with_mailer(config, super::mail::READS)
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .log("a.log", "y\n")
            .run(["-f", "-m", "{out}/mailer"])
            .quiet()
            .expect_out("mails", "3:-s {dir}/a.log.2.zst root@x\nx\n");
    });
}

#[test]
fn a_level_that_it_does_not_have_drops_the_block() {
    differs("compressor", || {
        run("compress\ncompressor zstd 20")
            .status(1)
            .stderr_has("bad compressor 'zstd 20'")
            .stderr_has("its levels are 1 (fast) to 19 (small)")
            .expect_files([("a.log", "x\n")]);
    });
}
