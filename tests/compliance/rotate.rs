//! `rotate N`: how many old versions are kept (compat ROT-40..52, CFG-71).

use crate::scene::{Scene, differs, when};

fn with_three_old(directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\n{directives}\n}}"))
        .log("a.log", "new\n")
        .file("a.log.1", "1\n")
        .file("a.log.2", "2\n")
        .file("a.log.3", "3\n")
        .run(["-f"])
        .quiet()
}

#[test]
fn the_log_becomes_version_one_and_old_versions_move_up() {
    with_three_old("rotate 4").expect_files([
        ("a.log.1", "new\n"),
        ("a.log.2", "1\n"),
        ("a.log.3", "2\n"),
        ("a.log.4", "3\n"),
    ]);
}

#[test]
fn the_oldest_version_beyond_the_count_is_removed() {
    with_three_old("rotate 3").expect_files([
        ("a.log.1", "new\n"),
        ("a.log.2", "1\n"),
        ("a.log.3", "2\n"),
    ]);
}

#[test]
fn versions_above_the_first_one_too_many_stay_as_they_are() {
    with_three_old("rotate 1").expect_files([("a.log.1", "new\n"), ("a.log.3", "3\n")]);
}

#[test]
fn minus_one_keeps_all_versions() {
    with_three_old("rotate -1").expect_files([
        ("a.log.1", "new\n"),
        ("a.log.2", "1\n"),
        ("a.log.3", "2\n"),
        ("a.log.4", "3\n"),
    ]);
}

#[test]
fn zero_keeps_nothing_of_this_rotation() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 0\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_files([]);
}

#[test]
fn zero_is_the_default() {
    Scene::new()
        .config("{dir}/a.log {\ncreate\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "")]);
}

#[test]
fn zero_leaves_older_versions_alone() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 0\n}")
        .log("a.log", "new\n")
        .file("a.log.1", "1\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.2", "1\n")]);
}

#[test]
fn the_script_still_sees_a_version_that_is_not_kept() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 0\npostrotate\ncat $2 > {out}/seen\nendscript\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_out("seen", "new\n")
        .expect_files([]);
}

#[test]
fn several_rotations_keep_the_newest() {
    let mut scene = Scene::new().config("{dir}/a.log {\nrotate 2\ncreate\n}");
    for content in ["1\n", "2\n", "3\n", "4\n"] {
        scene = scene.log("a.log", content).run(["-f"]).quiet();
    }
    scene.expect_files([("a.log", ""), ("a.log.1", "4\n"), ("a.log.2", "3\n")]);
}

#[test]
fn dated_versions_are_counted_with_the_new_one() {
    when::steady();
    let new = format!("a.log-{}", when::stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\n}")
        .log("a.log", "new\n")
        .file("a.log-20200101", "1\n")
        .file("a.log-20200102", "2\n")
        .file("a.log-20200103", "3\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&new, "new\n"), ("a.log-20200103", "3\n")]);
}

#[test]
fn with_minus_one_no_dated_version_is_removed() {
    when::steady();
    let new = format!("a.log-{}", when::stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate -1\ndateext\n}")
        .log("a.log", "new\n")
        .file("a.log-20200101", "1\n")
        .file("a.log-20200102", "2\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&new, "new\n"), ("a.log-20200101", "1\n"), ("a.log-20200102", "2\n")]);
}

#[test]
fn files_with_foreign_endings_are_never_touched() {
    let md5 = ("a.log.1.md5", "sum\n");
    let offset = ("a.log.2.offset", "9\n");
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "new\n")
        .file(md5.0, md5.1)
        .file(offset.0, offset.1)
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "new\n"), md5, offset]);
}

#[test]
fn counts_are_read_in_any_base() {
    for (text, kept) in [("010", 8), ("0x3", 3), ("+2", 2), ("=2", 2), ("= 2", 2)] {
        let mut scene = Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate {text}\n}}"))
            .log("a.log", "new\n");
        for n in 1..=9 {
            scene = scene.file(&format!("a.log.{n}"), &format!("{n}\n"));
        }
        // The version that would be one too many is gone, the one above it is untouched.
        let gone = format!("a.log.{}", kept + 1);
        let scene = scene.run(["-f"]).quiet().expect_file("a.log.1", "new\n");
        if kept < 9 {
            scene
                .expect_no_file(&gone)
                .expect_file(&format!("a.log.{kept}"), &format!("{}\n", kept - 1));
        }
    }
}

#[test]
fn a_count_that_is_no_number_drops_the_block_only() {
    for bad in ["x", "08", "-2", "3 # three", "1.5"] {
        Scene::new()
            .config(&format!(
                "{{dir}}/a.log {{\nrotate {bad}\n}}\n{{dir}}/b.log {{\nrotate 1\n}}\n"
            ))
            .log("a.log", "a\n")
            .log("b.log", "b\n")
            .run(["-f"])
            .status(1)
            .stderr_has(&format!("error: {{config}}:2 bad rotation count '{bad}'\n"))
            .stderr_has("error: found error in {dir}/a.log")
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    }
}

#[test]
fn a_count_beyond_32_bits_is_an_error() {
    differs("B-29", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 4294967298\n}\n")
            .log("a.log", "a\n")
            .run(["-f"])
            .status(1)
            .stderr_has("error: {config}:2 bad rotation count '4294967298'\n")
            .expect_files([("a.log", "a\n")]);
    });
}

#[test]
fn a_stray_high_number_is_not_part_of_the_chain() {
    differs("B-19", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate -1\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "1\n")
            .file("a.log.700", "stray\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.log.1", "new\n"), ("a.log.2", "1\n"), ("a.log.700", "stray\n")]);
    });
}

#[test]
fn a_log_that_cannot_be_moved_costs_no_version_however_often() {
    differs("B-15", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 2\n}")
            .log("a.log", "x\n")
            .pinned("a.log")
            .file("a.log.1", "1\n")
            .file("a.log.2", "2\n")
            .run(["-f"])
            .status(1)
            .run(["-f"])
            .status(1)
            .run(["-f"])
            .status(1)
            .expect_files([("a.log", "x\n"), ("a.log.2", "1\n"), ("a.log.3", "2\n")]);
    });
}
