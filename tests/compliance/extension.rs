//! `extension E`: the ending that stays behind the number or date (compat ROT-2).

use crate::scene::Scene;
use crate::scene::when::{stamp, steady};

#[test]
fn the_number_goes_in_front_of_it() {
    Scene::new()
        .config("{dir}/a.log {\nextension .log\nrotate 2\n}")
        .log("a.log", "x\n")
        .file("a.1.log", "old\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log", "x\n"), ("a.2.log", "old\n")]);
}

#[test]
fn the_date_goes_in_front_of_it() {
    steady();
    Scene::new()
        .config("{dir}/a.log {\nextension .log\nrotate 2\ndateext\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([(&format!("a-{}.log", stamp("%Y%m%d")), "x\n")]);
}

#[test]
fn the_compress_ending_follows_it() {
    Scene::new()
        .config("{dir}/a.log {\nextension .log\nrotate 2\ncompress\n}")
        .log("a.log", "x\n")
        .file("a.1.log.gz", "old\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log.gz", "x\n"), ("a.2.log.gz", "old\n")]);
}

#[test]
fn a_log_without_it_is_named_as_usual() {
    Scene::new()
        .config("{dir}/a.log {\nextension .txt\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn a_global_one_is_inherited() {
    Scene::new()
        .config("extension .log\n{dir}/a.log {\nrotate 2\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log", "x\n")]);
}
