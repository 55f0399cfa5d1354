//! `writers`: what becomes of a rotated log that is still written. A directive of our own.

use std::fs::OpenOptions;
use std::io::Write;

use super::mail::{READS, with_mailer};
use crate::scene::{Scene, close, differs};

const TEXT: &str = "before\n";

/// A forced run with a writer that keeps the log open.
fn run(directive: &str) -> Scene {
    let config = format!("{{dir}}/a.log {{\ncreate\ncompress\nrotate 2\n{directive}\n}}");
    let scene = Scene::new().config(&config).log("a.log", TEXT);
    let writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
    let scene = scene.run(["-f"]);
    close(writer);
    scene
}

#[test]
fn by_default_a_log_that_is_still_written_is_not_compressed() {
    differs("writers", || {
        run("").status(0).stderr_has("is still written by").expect_file("a.log.1", TEXT);
    });
}

#[test]
fn with_ignore_it_is_compressed_as_if_nobody_wrote() {
    differs("writers", || {
        run("writers ignore").quiet().expect_file("a.log.1.gz", TEXT);
    });
}

#[test]
fn with_error_it_stays_and_the_run_fails() {
    differs("writers", || {
        run("writers error")
            .status(1)
            .stderr_has("error: {dir}/a.log.1 is still written by")
            .expect_file("a.log.1", TEXT);
    });
}

#[test]
fn a_removal_waits_too() {
    differs("writers", || {
        let config = "{dir}/a.log {\ncreate\nrotate 0\nwriters wait 0s\n}";
        let scene = Scene::new().config(config).log("a.log", TEXT);
        let writer = OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
        let scene = scene.run(["-f"]).status(0).expect_file("a.log.1", TEXT);
        close(writer);
        scene.run([]).quiet().expect_no_file("a.log.1");
    });
}

#[test]
fn a_mail_waits_too() {
    differs("writers", || {
        let config = "{dir}/a.log {\ncreate\nrotate 1\nmail root@x\nmailfirst\nwriters wait 0s\n}";
        let scene = with_mailer(config, READS).log("a.log", TEXT);
        let mut writer =
            OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("open");
        let scene = scene.run(["-f", "-m", "{out}/mailer"]).status(0).expect_no_out("mails");
        writer.write_all(b"late\n").expect("write");
        close(writer);
        scene
            .run(["-m", "{out}/mailer"])
            .quiet()
            .expect_out("mails", "3:-s {dir}/a.log.1 root@x\nbefore\nlate\n");
    });
}

#[test]
fn a_value_that_is_none_of_these_drops_the_block() {
    differs("writers", || {
        run("writers perhaps")
            .status(1)
            .stderr_has("bad writers 'perhaps'")
            .expect_files([("a.log", TEXT)]);
    });
}
