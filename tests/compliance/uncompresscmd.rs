//! `uncompresscmd` (compat ROT-92, ROT-93).

use super::mail::{READS, with_mailer};

const RUN: [&str; 3] = ["-f", "-m", "{out}/mailer"];

#[test]
fn compressed_versions_go_through_it_before_they_are_mailed() {
    let config = "{dir}/a.log {\nrotate 1\ncompress\nuncompresscmd /bin/zcat\nmail root@x\n}";
    with_mailer(config, READS)
        .log("a.log", "new\n")
        .file("a.log.1.gz", "old\n")
        .run(RUN)
        .quiet()
        .expect_out("mails", "3:-s {dir}/a.log.2.gz root@x\nold\n");
}

#[test]
fn if_it_fails_the_version_stays() {
    let config = "{dir}/a.log {\nrotate 1\ncompress\nuncompresscmd /bin/false\nmail root@x\n}";
    with_mailer(config, READS)
        .log("a.log", "new\n")
        .file("a.log.1.gz", "old\n")
        .run(RUN)
        .status(1)
        .stderr_has("error: uncompress command failed mailing {dir}/a.log.2.gz")
        .expect_files([("a.log.1.gz", "new\n"), ("a.log.2.gz", "old\n")]);
}
