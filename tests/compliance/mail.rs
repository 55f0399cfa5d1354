//! `mail`, `nomail` and the option `-m` (compat ROT-72, ROT-92..94).

use crate::scene::{Scene, differs, set_mode};

/// A scene with a mailer that writes subject, address and text to `mails`, and then does something
/// else.
pub(super) fn with_mailer(config: &str, then: &str) -> Scene {
    Scene::new().config(config).then(|scene| {
        let script = "#!/bin/sh\necho \"$#:$1 $2 $3\" >> {out}/mails\n";
        let path = scene.out_path("mailer");
        std::fs::write(&path, scene.expand(&format!("{script}{then}\n"))).expect("write");
        set_mode(&path, 0o755);
    })
}

/// The mailer reads its input.
pub(super) const READS: &str = "cat >> {out}/mails";

const RUN: [&str; 3] = ["-f", "-m", "{out}/mailer"];

#[test]
fn the_version_that_expires_is_mailed_and_goes() {
    with_mailer("{dir}/a.log {\nrotate 1\nmail root@x\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.2 root@x\nold\n")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn a_compressed_version_is_mailed_uncompressed() {
    with_mailer("{dir}/a.log {\nrotate 1\ncompress\nmail root@x\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.1.gz", "old\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.2.gz root@x\nold\n")
        .expect_files([("a.log.1.gz", "new\n")]);
}

#[test]
fn with_rotate_zero_the_log_itself_is_mailed() {
    with_mailer("{dir}/a.log {\nrotate 0\ncompress\nmail root@x\n}", READS)
        .log("a.log", "new\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.1.gz root@x\nnew\n")
        .expect_files([]);
}

#[test]
fn with_rotate_zero_and_copytruncate_a_copy_is_mailed_by_the_next_rotation() {
    differs("D-2", || {
        with_mailer("{dir}/a.log {\nrotate 0\ncopytruncate\nmail root@x\n}", READS)
            .log("a.log", "1\n")
            .run(RUN)
            .quiet()
            .expect_no_out("mails")
            .expect_files([("a.log", ""), ("a.log.1", "1\n")])
            .log("a.log", "2\n")
            .run(RUN)
            .quiet()
            .expect_out("mails", "3:-s {dir}/a.log.2 root@x\n1\n")
            .expect_files([("a.log", ""), ("a.log.1", "2\n")]);
    });
}

#[test]
fn what_maxage_removes_is_mailed() {
    with_mailer("{dir}/a.log {\nrotate 5\nmaxage 3\nmail root@x\nmailfirst\n}", READS)
        .file("a.log.1", "old\n")
        .days_old(9)
        .log("a.log", "new\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.1 root@x\nold\n3:-s {dir}/a.log.1 root@x\nnew\n")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn all_dated_versions_that_go_are_mailed() {
    with_mailer("{dir}/a.log {\nrotate 1\ndateext\ndateformat .%Y\nmail root@x\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.2001", "1\n")
        .file("a.log.2002", "2\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.2001 root@x\n1\n3:-s {dir}/a.log.2002 root@x\n2\n");
}

#[test]
fn nomail_takes_back_a_global_mail() {
    with_mailer("mail root@x\n{dir}/a.log {\nrotate 1\nnomail\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(RUN)
        .quiet()
        .expect_no_out("mails")
        .expect_files([("a.log.1", "new\n")]);
}

/// Compat ROT-74.
#[test]
fn a_version_whose_mail_failed_stays() {
    with_mailer("{dir}/a.log {\nrotate 1\nmail root@x\n}", "exit 1")
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(RUN)
        .status(1)
        .stderr_has("error: mail command failed for {dir}/a.log.2")
        .expect_files([("a.log.1", "new\n"), ("a.log.2", "old\n")])
        .expect_recorded_now("a.log");
}

#[test]
fn a_version_whose_mail_failed_is_kept_and_mailed_by_a_later_run() {
    differs("B-42", || {
        let fails = "test -e {out}/works || exit 1\ncat >> {out}/mails";
        with_mailer("{dir}/a.log {\nrotate 1\nmissingok\nmail root@x\n}", fails)
            .log("a.log", "2\n")
            .file("a.log.1", "1\n")
            .run(RUN)
            .status(1)
            .log("a.log", "3\n")
            .run(RUN)
            .status(1)
            .expect_files([("a.log.1", "3\n"), ("a.log.2", "2\n"), ("a.log.3", "1\n")])
            .then(|scene| {
                std::fs::write(scene.out_path("works"), "").expect("write");
                std::fs::remove_file(scene.out_path("mails")).expect("remove");
            })
            .run(["-m", "{out}/mailer"])
            .quiet()
            .expect_out("mails", "3:-s {dir}/a.log.3 root@x\n1\n3:-s {dir}/a.log.2 root@x\n2\n")
            .expect_files([("a.log.1", "3\n")]);
    });
}

#[test]
fn a_dry_run_mails_nothing() {
    differs("B-08", || {
        with_mailer("{dir}/a.log {\nrotate 1\nmail root@x\nmailfirst\n}", READS)
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .run(["-d", "-f", "-m", "{out}/mailer"])
            .status(0)
            .expect_no_out("mails");
    });
}

#[test]
fn a_mailer_that_does_not_read_a_compressed_version_is_judged_by_its_exit_status() {
    differs("B-54", || {
        let long = "0123456789abcdef\n".repeat(100_000);
        with_mailer("{dir}/a.log {\nrotate 1\ncompress\nmail root@x\n}", "exit 0")
            .log("a.log", "new\n")
            .file("a.log.1.gz", &long)
            .run(RUN)
            .quiet()
            .expect_files([("a.log.1.gz", "new\n")]);
    });
}

#[test]
fn a_plain_version_among_compressed_ones_is_mailed_as_it_is() {
    differs("mail-plain", || {
        with_mailer("{dir}/a.log {\nrotate 1\ncompress\nmail root@x\n}", READS)
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .run(RUN)
            .quiet()
            .expect_out("mails", "3:-s {dir}/a.log.2 root@x\nold\n")
            .expect_files([("a.log.1.gz", "new\n")]);
    });
}

#[test]
fn the_header_names_the_address() {
    differs("D-1", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 3\nmail root@x\n}")
            .log("a.log", "x\n")
            .run(["-v", "-f"])
            .status(0)
            .stderr_has("old logs mailed to root@x, (3 rotations), old logs are removed");
    });
}

#[test]
fn an_address_with_a_blank_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nmail root admin\n}\n")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has("bad mail address ")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn a_mailer_that_says_something_is_not_disturbed() {
    differs("mailer-output", || {
        with_mailer("{dir}/a.log {\nrotate 0\nmail root@x\n}", "echo sent || exit 1")
            .log("a.log", "new\n")
            .run(RUN)
            .quiet()
            .expect_files([]);
    });
}
