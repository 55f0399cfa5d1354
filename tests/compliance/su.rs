//! `su USER GROUP` (compat 2.9, section 7).

use crate::scene::{Scene, differs};

const DAEMON: (u32, u32) = (1, 1);

/// A log and its directory, both of the user daemon, rotated with these directives.
fn of_daemon(directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/sub/a.log {{\nrotate 2\n{directives}\n}}\n"))
        .dir("sub")
        .owner(DAEMON.0, DAEMON.1)
        .log("sub/a.log", "x\n")
        .owner(DAEMON.0, DAEMON.1)
}

#[test]
fn the_log_is_rotated_by_that_user() {
    of_daemon("su daemon daemon\ncreate 0640\ncompress")
        .run(["-f"])
        .quiet()
        .expect_files([("sub/a.log", ""), ("sub/a.log.1.gz", "x\n")])
        .expect_owner("sub/a.log", 1, 1)
        .expect_mode("sub/a.log", 0o640)
        .expect_owner("sub/a.log.1.gz", 1, 1);
}

#[test]
fn copies_belong_to_that_user() {
    of_daemon("su daemon daemon\ncopytruncate")
        .run(["-f"])
        .quiet()
        .expect_files([("sub/a.log", ""), ("sub/a.log.1", "x\n")])
        .expect_owner("sub/a.log.1", 1, 1);
}

#[test]
fn a_log_that_the_user_may_not_empty_is_not_copied_either() {
    of_daemon("su daemon daemon\ncopytruncate")
        .log("sub/a.log", "x\n")
        .owner(DAEMON.0, DAEMON.1)
        .mode(0o400)
        .run(["-f"])
        .status(1)
        .stderr_has("error opening {dir}/sub/a.log: Permission denied")
        .expect_files([("sub/a.log", "x\n")]);
}

/// 3.21 opens what it copies for writing, too, and leaves it under its temporary name.
#[test]
fn with_renamecopy_a_log_that_the_user_may_only_read_is_copied() {
    differs("B-06", || {
        of_daemon("su daemon daemon\nrenamecopy")
            .log("sub/a.log", "x\n")
            .owner(DAEMON.0, DAEMON.1)
            .mode(0o400)
            .run(["-f"])
            .quiet()
            .expect_files([("sub/a.log.1", "x\n")]);
    });
}

#[test]
fn a_directory_that_the_user_may_not_write_is_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\nsu daemon daemon\n}\n{dir}/b.log {\nrotate 2\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .stderr_has("Permission denied")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_log_that_the_user_may_not_see_is_an_error() {
    Scene::new()
        .config("{dir}/sub/a.log {\nrotate 2\nsu daemon daemon\n}\n")
        .dir("sub")
        .mode(0o700)
        .log("sub/a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("Permission denied")
        .expect_files([("sub/a.log", "a\n")]);
}

/// Compat SU-4.
#[test]
fn a_directory_that_others_may_write_is_fine() {
    Scene::new()
        .config("{dir}/sub/a.log {\nrotate 2\nsu daemon daemon\n}\n")
        .dir("sub")
        .mode(0o777)
        .owner(1, 1)
        .log("sub/a.log", "x\n")
        .owner(1, 1)
        .run(["-f"])
        .quiet()
        .expect_files([("sub/a.log.1", "x\n")]);
}

#[test]
fn scripts_run_as_whoever_started_the_program() {
    let say =
        |name: &str| format!("{name}\necho {name} $(id -u):$(id -g) >> {{out}}/ids\nendscript\n");
    let scripts: String =
        ["firstaction", "prerotate", "postrotate", "preremove", "lastaction"].map(say).concat();
    of_daemon(&format!("su daemon daemon\nrotate 0\n{scripts}")).run(["-f"]).quiet().expect_out(
        "ids",
        "firstaction 0:0\nprerotate 0:0\npostrotate 0:0\npreremove 0:0\nlastaction 0:0\n",
    );
}

/// A compressor that says under which ids it runs, and where.
const TELLING: &str =
    "#!/bin/sh\ngrep -E '^(Uid|Gid|Groups)' /proc/$$/status | tr -s '\\t ' ' '\npwd\n";

fn compressed_by_telling(scene: Scene) -> Scene {
    scene.bytes("telling", TELLING.as_bytes()).mode(0o755)
}

#[test]
fn compressors_run_as_that_user_for_good() {
    let scene =
        of_daemon("su daemon daemon\ncompress\ncompresscmd {dir}/telling\ncompressext .told");
    let scene = compressed_by_telling(scene).run(["-f"]).quiet();
    let told = std::fs::read_to_string(scene.log_path("sub/a.log.1.told")).expect("a version");
    assert!(told.contains("Uid: 1 1 1 1\nGid: 1 1 1 1\n") && told.ends_with("\n/\n"), "{told}");
}

/// Runs with supplementary groups, as a root that logged in has them.
fn run_with_groups(mut scene: Scene) -> Scene {
    let run = scene.expand("-s {state} -f {config}");
    let args = ["--groups", "4,6", crate::scene::program()].into_iter().chain(run.split(' '));
    let args: Vec<String> = args.map(Into::into).collect();
    let ran = scene.start("setpriv", args).end();
    scene.ended(ran)
}

/// Compat SU-2.
#[test]
fn supplementary_groups_are_dropped() {
    differs("B-14", || {
        let scene = of_daemon(
            "su daemon daemon\ncompress\ncompresscmd {dir}/telling\ncompressext .told\n\
             lastaction\nid -G > {out}/groups\nendscript",
        );
        let scene = run_with_groups(compressed_by_telling(scene)).quiet();
        let told = std::fs::read_to_string(scene.log_path("sub/a.log.1.told")).expect("a version");
        assert!(told.contains("Groups: \n") || told.contains("Groups:\n"), "{told}");
        scene.expect_out("groups", "0 4 6\n");
        // What only one of those groups may write stays out of reach for the rotation itself, too.
        let scene = Scene::new()
            .config("{dir}/sub/a.log {\nrotate 2\nsu daemon daemon\n}\n")
            .dir("sub")
            .owner(0, 4)
            .mode(0o770)
            .log("sub/a.log", "x\n");
        run_with_groups(scene).status(1).expect_files([("sub/a.log", "x\n")]);
    });
}

/// Compat SU-5; that user could not write it.
#[test]
fn the_state_stays_with_whoever_started_the_program() {
    use std::os::unix::fs::MetadataExt;
    let scene = of_daemon("su daemon daemon").run(["-f"]).quiet();
    let state = std::fs::metadata(scene.state_path()).expect("state");
    assert_eq!((state.uid(), state.gid(), state.mode() & 0o777), (0, 0, 0o640));
    scene.expect_recorded_now("sub/a.log");
}

#[test]
fn the_switch_is_told_with_v() {
    of_daemon("su daemon daemon")
        .run(["-v"])
        .status(0)
        .stderr_has("switching euid from 0 to 1 and egid from 0 to 1 (pid ")
        .stderr_has("switching euid from 1 to 0 and egid from 1 to 0 (pid ");
}

#[test]
fn one_cannot_become_somebody_else_without_being_root() {
    let mut scene = of_daemon("su root root").then(|scene| {
        std::os::unix::fs::chown(scene.root().join("var"), Some(1), Some(1)).expect("chown");
    });
    let run = scene.expand("-s {state} -f {config}");
    let args = ["--reuid=1", "--regid=1", "--clear-groups", crate::scene::program()];
    let args: Vec<String> = args.into_iter().chain(run.split(' ')).map(Into::into).collect();
    let ran = scene.start("setpriv", args).end();
    scene
        .ended(ran)
        .status(1)
        .stderr_has("error: error switching euid from 1 to 0 and egid from 1 to 0 (pid ")
        .stderr_has("Operation not permitted")
        .expect_files([("sub/a.log", "x\n")]);
}

#[test]
fn one_can_be_oneself() {
    let mut scene = of_daemon("su daemon daemon").then(|scene| {
        std::os::unix::fs::chown(scene.root().join("var"), Some(1), Some(1)).expect("chown");
    });
    let run = scene.expand("-s {state} -f {config}");
    let args = ["--reuid=1", "--regid=1", "--clear-groups", crate::scene::program()];
    let args: Vec<String> = args.into_iter().chain(run.split(' ')).map(Into::into).collect();
    let ran = scene.start("setpriv", args).end();
    scene.ended(ran).status(0).expect_files([("sub/a.log.1", "x\n")]);
}

#[test]
fn a_part_that_is_left_out_is_that_of_the_global_su() {
    Scene::new()
        .config("su daemon daemon\n{dir}/sub/a.log {\nsu\nrotate 2\ncreate\n}\n")
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "x\n")
        .owner(1, 1)
        .run(["-f"])
        .quiet()
        .expect_owner("sub/a.log", 1, 1);
}

#[test]
fn bad_arguments_drop_the_block() {
    for (bad, message) in [
        ("su", "no user for su"),
        ("su daemon", "no group for su"),
        ("su daemon daemon more", "extra arguments for su"),
        ("su nobody-knows daemon", "unknown user 'nobody-knows'"),
        ("su daemon nobody-knows", "unknown group 'nobody-knows'"),
    ] {
        of_daemon(bad)
            .run(["-f"])
            .status(1)
            .stderr_has(&format!("error: {{config}}:3 {message}"))
            .expect_files([("sub/a.log", "x\n")]);
    }
}

/// Compat ROT-61; 3.21 does the same without a warning.
#[test]
fn an_owner_that_cannot_be_given_is_a_warning() {
    differs("B-50", || {
        of_daemon("su daemon daemon\ncreate 0640 root adm")
            .run(["-f"])
            .status(0)
            .stderr_has(
                "warning: {dir}/sub/a.log is created with owner 1 and group 1, as `su` says",
            )
            .expect_owner("sub/a.log", 1, 1);
    });
}

#[test]
fn auto_is_the_owner_of_the_directory() {
    differs("su-auto", || {
        Scene::new()
            .config("su auto\n{dir}/*/a.log {\nrotate 2\ncreate\nmissingok\n}\n")
            .dir("one")
            .owner(1, 1)
            .mode(0o775)
            .log("one/a.log", "1\n")
            .owner(1, 1)
            .dir("two")
            .owner(2, 2)
            .log("two/a.log", "2\n")
            .owner(2, 2)
            .run(["-f"])
            .quiet()
            .expect_owner("one/a.log", 1, 1)
            .expect_owner("two/a.log", 2, 2);
    });
}

#[test]
fn auto_refuses_logs_of_different_owners_that_share_scripts() {
    differs("su-auto", || {
        Scene::new()
            .config("{dir}/*/a.log {\nsu auto\nrotate 2\nsharedscripts\n}\n")
            .dir("one")
            .owner(1, 1)
            .log("one/a.log", "1\n")
            .dir("two")
            .owner(2, 2)
            .log("two/a.log", "2\n")
            .run(["-f"])
            .status(1)
            .stderr_has("their directories have different owners")
            .expect_files([("one/a.log", "1\n"), ("two/a.log", "2\n")]);
    });
}

#[test]
fn auto_does_not_make_root_work_where_others_may_write() {
    differs("su-auto", || {
        Scene::new()
            .config("{dir}/sub/a.log {\nsu auto\nrotate 2\n}\n")
            .dir("sub")
            .mode(0o777)
            .log("sub/a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has("parent directory has insecure permissions")
            .expect_files([("sub/a.log", "x\n")]);
    });
}

#[test]
fn mail_is_sent_as_whoever_started_the_program_and_unpacked_as_that_user() {
    let mailer = "#!/bin/sh\ncat > {out}/mail\nid -u >> {out}/mail\n";
    let unpack = "#!/bin/sh\ncat > /dev/null\nid -u\n";
    let scene =
        of_daemon("su daemon daemon\ncompress\nmail x@y\nrotate 0\nuncompresscmd {dir}/unpack");
    let mailer = scene.expand(mailer);
    scene
        .bytes("mailer", mailer.as_bytes())
        .mode(0o755)
        .bytes("unpack", unpack.as_bytes())
        .mode(0o755)
        .run(["-f", "-m", "{dir}/mailer"])
        .quiet()
        .expect_out("mail", "1\n0\n");
}
