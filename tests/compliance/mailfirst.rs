//! `mailfirst` and `maillast` (compat ROT-72, ROT-92).

use super::mail::{READS, with_mailer};

const RUN: [&str; 3] = ["-f", "-m", "{out}/mailer"];

#[test]
fn the_newest_version_is_mailed_and_the_oldest_goes_without() {
    with_mailer("{dir}/a.log {\nrotate 1\nmail root@x\nmailfirst\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.1 root@x\nnew\n")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn a_compressed_one_is_mailed_under_the_name_of_the_log() {
    with_mailer("{dir}/a.log {\nrotate 1\ncompress\nmail root@x\nmailfirst\n}", READS)
        .log("a.log", "new\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log root@x\nnew\n")
        .expect_files([("a.log.1.gz", "new\n")]);
}

#[test]
fn one_whose_compression_is_delayed_is_mailed_as_it_is() {
    with_mailer(
        "{dir}/a.log {\nrotate 1\ncompress\ndelaycompress\nmail root@x\nmailfirst\n}",
        READS,
    )
    .log("a.log", "new\n")
    .run(RUN)
    .quiet()
    .expect_out("mails", "3:-s {dir}/a.log.1 root@x\nnew\n")
    .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn with_rotate_zero_it_is_mailed_once() {
    with_mailer("{dir}/a.log {\nrotate 0\nmail root@x\nmailfirst\n}", READS)
        .log("a.log", "new\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.1 root@x\nnew\n")
        .expect_files([]);
}

#[test]
fn maillast_takes_it_back() {
    with_mailer("mailfirst\n{dir}/a.log {\nrotate 1\nmail root@x\nmaillast\n}", READS)
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.2 root@x\nold\n");
}

#[test]
fn what_maxage_removes_is_called_after_the_log_too_if_it_is_mailed_uncompressed() {
    with_mailer("{dir}/a.log {\nrotate 5\nmaxage 3\ncompress\nmail root@x\nmailfirst\n}", READS)
        .file("a.log.1.gz", "old\n")
        .days_old(9)
        .log("a.log", "new\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log root@x\nold\n3:-s {dir}/a.log root@x\nnew\n")
        .expect_files([("a.log.1.gz", "new\n")]);
}
