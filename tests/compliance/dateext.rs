//! `dateext` and `nodateext` (compat ROT-20, ROT-43..45).

use crate::scene::when::{self, days_ago, stamp, steady};
use crate::scene::{Scene, differs};

#[test]
fn the_version_is_named_after_the_day() {
    steady();
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&format!("a.log-{}", stamp("%Y%m%d")), "x\n")]);
}

#[test]
fn a_second_rotation_of_the_day_leaves_the_log_and_fails() {
    steady();
    let name = format!("a.log-{}", stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\n}")
        .log("a.log", "1\n")
        .run(["-f"])
        .quiet()
        .log("a.log", "2\n")
        .run(["-f"])
        .status(1)
        .stderr_line(&format!(
            "error: destination {{dir}}/{name} already exists, skipping rotation"
        ))
        .expect_files([(&name, "1\n"), ("a.log", "2\n")])
        .expect_recorded_now("a.log");
}

#[test]
fn a_second_rotation_of_the_day_leaves_the_log_with_compress_too() {
    steady();
    let name = format!("a.log-{}.gz", stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\ncompress\n}")
        .log("a.log", "1\n")
        .run(["-f"])
        .quiet()
        .log("a.log", "2\n")
        .run(["-f"])
        .status(1)
        .stderr_line(&format!(
            "error: destination {{dir}}/{name} already exists, skipping rotation"
        ))
        .expect_files([(&name, "1\n"), ("a.log", "2\n")]);
}

#[test]
fn an_uncompressed_version_of_the_day_is_not_overwritten() {
    differs("B-04", || {
        steady();
        let name = format!("a.log-{}", stamp("%Y%m%d"));
        let scene = Scene::new()
            .config("{dir}/a.log {\nrotate 5\ndateext\ncompress\n}")
            .log("a.log", "2\n")
            .file(&name, "1\n")
            .run(["-f"]);
        let kept: Vec<u8> = scene.logs().0.into_values().flat_map(|e| e.content).collect();
        assert!(kept.windows(2).any(|w| w == b"1\n"), "{}", String::from_utf8_lossy(&kept));
    });
}

#[test]
fn files_that_are_not_dated_versions_do_not_count() {
    steady();
    let name = format!("a.log-{}", stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\ndateext\n}")
        .log("a.log", "x\n")
        .file("a.log-2020010", "short\n")
        .file("a.log-20200101.bak", "foreign\n")
        .file("a.log.1", "numbered\n")
        .run(["-f"])
        .quiet()
        .expect_files([
            (&name, "x\n"),
            ("a.log-2020010", "short\n"),
            ("a.log-20200101.bak", "foreign\n"),
            ("a.log.1", "numbered\n"),
        ]);
}

#[test]
fn nodateext_takes_back_a_global_dateext() {
    Scene::new()
        .config("dateext\n{dir}/a.log {\nrotate 1\nnodateext\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn brackets_in_the_name_do_not_hide_old_versions() {
    differs("B-26", || {
        steady();
        let name = format!("a[1].log-{}", stamp("%Y%m%d"));
        Scene::new()
            .config("\"{dir}/a\\[1\\].log\" {\nrotate 1\ndateext\n}")
            .log("a[1].log", "x\n")
            .file("a[1].log-20200101", "old\n")
            .state("a[1].log", days_ago(3))
            .run(["-f"])
            .quiet()
            .expect_files([(&name, "x\n")]);
    });
}

#[test]
fn the_day_is_that_of_the_local_zone() {
    // Kiritimati is 14 hours ahead of UTC: the date differs for most of the day.
    steady();
    let there = when::now() + chrono::TimeDelta::hours(14);
    Scene::new()
        .zone("Pacific/Kiritimati")
        .config("{dir}/a.log {\nrotate 2\ndateext\ndateformat -%Y%m%d%H\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&format!("a.log-{}", there.format("%Y%m%d%H")), "x\n")]);
}

#[test]
fn a_clash_on_a_dated_name_removes_nothing() {
    differs("B-28", || {
        steady();
        let today = format!("a.log-{}", stamp("%Y%m%d"));
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\ndateext\n}")
            .log("a.log", "new\n")
            .file(&today, "today\n")
            .file("a.log-20200101", "old\n")
            .file("a.log-20200102", "old, too\n")
            .run(["-f"])
            .status(1)
            .expect_files([
                ("a.log", "new\n"),
                (&today, "today\n"),
                ("a.log-20200101", "old\n"),
                ("a.log-20200102", "old, too\n"),
            ]);
    });
}

#[test]
fn a_link_that_has_the_name_of_the_compressed_version_makes_way() {
    let year = stamp("%Y");
    Scene::new()
        .config("{dir}/a.log {\nrotate 3\ndateext\ndateformat -%Y\ncompress\n}\n")
        .log("a.log", "x\n")
        .symlink(&format!("a.log-{year}.gz"), "nowhere")
        .run(["-f"])
        .status(0)
        .expect_files([
            (&format!("a.log-{year}.gz"), "x\n"),
            (&format!("a.log-{year}.gz-{}.backup", stamp("%Y%m%d%H")), "nowhere"),
        ]);
}
