//! `createolddir [MODE] [OWNER GROUP]` and `nocreateolddir` (compat CFG-80, CFG-81).

use crate::scene::{Scene, differs, when};

fn with(directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 2\nolddir old\n{directives}\n}}\n"))
        .log("a.log", "x\n")
}

#[test]
fn a_missing_directory_is_made() {
    with("createolddir")
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1", "x\n")])
        .expect_owner("old", 0, 0);
}

#[test]
fn without_a_mode_others_may_not_write_it() {
    differs("D-2", || {
        with("createolddir").run(["-f"]).quiet().expect_mode("old", 0o755);
    });
}

#[test]
fn mode_and_owner_are_those_given() {
    with("createolddir 2771 daemon adm")
        .run(["-f"])
        .quiet()
        .expect_mode("old", 0o2771)
        .expect_owner("old", 1, 4);
    with("createolddir daemon adm").run(["-f"]).quiet().expect_owner("old", 1, 4);
}

#[test]
fn all_that_is_missing_on_the_way_is_made_alike() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\nolddir {dir}/x/y/z\ncreateolddir 0750 daemon adm\n}\n")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("x/y/z/a.log.1", "x\n")])
        .expect_mode("x", 0o750)
        .expect_mode("x/y", 0o750)
        .expect_owner("x/y", 1, 4)
        .expect_owner("x/y/z", 1, 4);
}

/// 3.21 has made the directory by then, so its next run goes on.
#[test]
fn an_owner_that_cannot_be_given_is_a_warning() {
    differs("B-50", || {
        Scene::new()
            .config(
                "{dir}/sub/*.log {\nrotate 2\nolddir x/y\nsu daemon daemon\n\
                 createolddir 0750 root adm\nsharedscripts\n}\n",
            )
            .dir("sub")
            .owner(1, 1)
            .log("sub/a.log", "x\n")
            .owner(1, 1)
            .log("sub/b.log", "x\n")
            .owner(1, 1)
            .run(["-f"])
            .status(0)
            .expect_stderr(
                "warning: {dir}/sub/x is created with owner 1 and group 1, as `su` says, and not \
                 with 0 and 4: only root could do that\n\
                 warning: {dir}/sub/x/y is created with owner 1 and group 1, as `su` says, and not \
                 with 0 and 4: only root could do that\n",
            )
            .expect_owner("sub/x/y", 1, 1)
            .expect_mode("sub/x/y", 0o750);
    });
}

#[test]
fn logs_that_share_scripts_share_it() {
    Scene::new()
        .config("{dir}/*.log {\nrotate 2\nolddir old\ncreateolddir\nsharedscripts\ncompress\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1.gz", "a\n"), ("old/b.log.1.gz", "b\n")]);
}

#[test]
fn what_one_block_makes_another_may_use() {
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 2\nolddir {dir}/x/y\ncreateolddir 0750 daemon adm\n}\n\
             {dir}/b.log {\nrotate 2\nolddir {dir}/x/y\n}\n{dir}/c.log {\nrotate 2\nolddir x\n}\n",
        )
        .log("b.log", "b\n")
        .log("a.log", "a\n")
        .log("c.log", "c\n")
        .run(["-f"])
        .quiet()
        .expect_files([("x/y/a.log.1", "a\n"), ("x/y/b.log.1", "b\n"), ("x/c.log.1", "c\n")])
        .expect_mode("x/y", 0o750)
        .expect_owner("x", 1, 4);
}

#[test]
fn what_a_block_would_make_is_made_for_another_that_comes_first() {
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 2\nolddir x\ncreateolddir 0750 daemon adm\ndaily\n}\n\
             {dir}/b.log {\nrotate 2\nolddir x\nsize 1\n}\n",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run([])
        .quiet()
        .expect_files([("a.log", "a\n"), ("x/b.log.1", "b\n")])
        .expect_mode("x", 0o750)
        .expect_owner("x", 1, 4);
}

#[test]
fn one_that_is_there_stays_as_it_is() {
    with("createolddir 0700")
        .dir("old")
        .mode(0o711)
        .run(["-f"])
        .quiet()
        .expect_files([("old/a.log.1", "x\n")])
        .expect_mode("old", 0o711);
}

#[test]
fn nocreateolddir_takes_it_back() {
    with("createolddir\nnocreateolddir")
        .run(["-f"])
        .status(1)
        .stderr_has("error verifying olddir path {dir}/old: No such file or directory")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn it_is_made_by_the_user_of_su() {
    Scene::new()
        .config("{dir}/sub/a.log {\nrotate 2\nolddir old\ncreateolddir 0750\nsu daemon daemon\n}\n")
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "x\n")
        .owner(1, 1)
        .run(["-f"])
        .quiet()
        .expect_files([("sub/old/a.log.1", "x\n")])
        .expect_mode("sub/old", 0o750)
        .expect_owner("sub/old", 1, 1);
}

#[test]
fn a_dry_run_makes_nothing() {
    differs("B-56", || {
        let said = "creating new directory {dir}/old mode = 0755 uid = -1 gid = -1";
        let scene = with("createolddir").run(["-d", "-f"]).status(0).stderr_has(said);
        assert!(!scene.log_path("old").exists());
    });
}

#[test]
fn nothing_is_made_for_a_log_that_is_not_due() {
    differs("B-56", || {
        let scene = with("createolddir\ndaily").state("a.log", when::days_ago(0)).run([]).quiet();
        assert!(!scene.log_path("old").exists());
    });
}
