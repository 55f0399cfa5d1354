//! `compresscmd`, `compressoptions` and `compressext` (compat 2.8, ROT-80..83).

use crate::scene::Scene;

#[test]
fn the_ending_follows_the_name_of_the_program() {
    for (program, ending) in [("/bin/bzip2", ".bz2"), ("xz", ".xz"), ("/bin/cat", ".gz")] {
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\ncompress\ncompresscmd {program}\nrotate 1\n}}"))
            .log("a.log", "x\n")
            .run(["-f"])
            .quiet()
            .then(|s| assert!(s.log_path(&format!("a.log.1{ending}")).exists(), "{program}"));
    }
}

#[test]
fn the_ending_can_be_set() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ncompresscmd /bin/cat\ncompressext .cat\nrotate 2\n}")
        .log("a.log", "x\n")
        .file("a.log.1.cat", "old\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1.cat", "x\n"), ("a.log.2.cat", "old\n")]);
}

#[test]
fn the_program_gets_the_options_and_the_name_of_the_file() {
    let script = "#!/bin/sh\necho \"$#:$1:$2:$LOGROTATE_COMPRESSED_FILENAME\" > {out}/call\ncat\n";
    Scene::new()
        .config(
            "{dir}/a.log {\ncompress\ncompresscmd {etc}/pack\ncompressoptions -9 'a b'\n\
             compressext .p\nrotate 1\n}",
        )
        .config_file("pack", script)
        .mode(0o755)
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_out("call", "2:-9:a b:{dir}/a.log.1\n")
        .expect_files([("a.log.1.p", "x\n")]);
}

#[test]
fn what_the_program_says_is_shown_and_is_no_failure() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ncompresscmd {etc}/pack\ncompressext .p\nrotate 1\n}")
        .config_file("pack", "#!/bin/sh\necho careful >&2\ncat\n")
        .mode(0o755)
        .log("a.log", "x\n")
        .run(["-f"])
        .status(0)
        .stderr_line(
            "error: Compressing program wrote following message to stderr when compressing log {dir}/a.log.1:",
        )
        .stderr_line("careful")
        .expect_files([("a.log.1.p", "x\n")]);
}

#[test]
fn a_program_that_is_missing_fails_the_log_and_keeps_the_version() {
    Scene::new()
        .config("{dir}/a.log {\ncompress\ncompresscmd {etc}/none\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .status(1)
        .stderr_has("failed to compress log {dir}/a.log.1")
        .expect_files([("a.log.1", "x\n")]);
}
