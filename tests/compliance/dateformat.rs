//! `dateformat FORMAT` (compat ROT-22..24, ROT-43).

use crate::scene::when::{stamp, steady};
use crate::scene::{Scene, differs};

fn named(format: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 2\ndateext\ndateformat {format}\n}}"))
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
}

#[test]
fn the_letters_are_those_of_strftime() {
    steady();
    for format in ["-%Y-%m-%d", ".%d.%m.%Y", "_%Y%m%d_%H%M", "-%V"] {
        named(format).expect_files([(&format!("a.log{}", stamp(format)), "x\n")]);
    }
}

#[test]
fn letters_that_came_after_3_21_are_known() {
    differs("D-2", || {
        steady();
        for format in ["-%G%V", "-%y%j", "-%U", "-%W", "-%u", "-%w", "-%g%V", "-%Y%m%d%z"] {
            named(format).expect_files([(&format!("a.log{}", stamp(format)), "x\n")]);
        }
    });
}

#[test]
fn other_letters_stay_as_they_are() {
    steady();
    named("-%d%B").expect_files([(&format!("a.log-{}%B", stamp("%d")), "x\n")]);
    named("-%d%").expect_files([(&format!("a.log-{}%", stamp("%d")), "x\n")]);
    named("-%%Y").expect_files([(&format!("a.log-%{}", stamp("%Y")), "x\n")]);
}

#[test]
fn seconds_since_1970_are_known() {
    let scene = named("-%s");
    let files = scene.logs();
    let names = files.files();
    let name = names[0].to_str().and_then(|n| n.strip_prefix("a.log-")).expect("a.log-");
    let seconds: i64 = name.parse().expect("a number");
    assert!((0..30).contains(&(chrono::Utc::now().timestamp() - seconds)), "{name}");
}

#[test]
fn versions_are_sorted_by_the_time_in_their_names() {
    steady();
    let new = format!("a.log{}", stamp("-%d-%m-%Y"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\ndateext\ndateformat -%d-%m-%Y\n}")
        .log("a.log", "new\n")
        .file("a.log-31-01-2019", "oldest\n")
        .file("a.log-01-02-2020", "newest\n")
        .file("a.log-15-06-2019", "middle\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&new, "new\n"), ("a.log-01-02-2020", "newest\n")]);
}

/// 3.21 cuts the name off.
#[test]
fn a_format_that_is_too_long_fails_the_log() {
    differs("D-2", || {
        let long = "x".repeat(70);
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate 2\ndateext\ndateformat -{long}%Y\n}}"))
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_line(&format!("error: failed to apply date format '-{long}%Y'"))
            .expect_files([("a.log", "x\n")]);
    });
}
