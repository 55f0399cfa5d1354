//! Configuration files that somebody else could have chosen: their scripts would run as root.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::Path;

use super::ATTACKER;
use super::attacker::Attacker;
use crate::scene::{Scene, set_mode};

/// A log, a configuration of root's that leaves a mark, and a directory of the attacker's.
fn scene() -> Scene {
    Scene::new()
        .log("a.log", "x\n")
        .config_file("roots", "{dir}/a.log {\nrotate 1\npostrotate\n> {out}/mark\nendscript\n}\n")
        .dir("theirs")
        .owner(ATTACKER, ATTACKER)
}

fn roots(scene: &Scene) -> std::path::PathBuf {
    scene.root().join("etc/roots")
}

/// The attacker's own link.
fn link(scene: &Scene, name: &str, target: &Path) {
    let link = scene.log_path(name);
    symlink(target, &link).expect("link");
    lchown(link, Some(ATTACKER), Some(ATTACKER)).expect("chown");
}

fn run(scene: Scene, config: &str) -> Scene {
    scene.run_with(&["-f", "-s", "{state}", config])
}

fn is_refused(scene: Scene, message: &str) {
    scene.status(1).stderr_has(message).expect_no_out("mark").expect_file("a.log", "x\n");
}

#[test]
fn a_link_that_others_may_change_leads_to_no_configuration() {
    let message = |at: &str, name: &str| {
        format!(
            "error: Ignoring {{dir}}/theirs/{name} because the symbolic link {{dir}}/theirs/{at} may \
             be changed by others."
        )
    };
    let file = scene().then(|s| link(s, "theirs/config", &roots(s)));
    is_refused(run(file, "{dir}/theirs/config"), &message("config", "config"));
    let dir = scene().then(|s| link(s, "theirs/dir", &s.root().join("etc")));
    is_refused(run(dir, "{dir}/theirs/dir/roots"), &message("dir", "dir/roots"));
    let dir = scene().then(|s| link(s, "theirs/dir", &s.root().join("etc")));
    is_refused(run(dir, "{dir}/theirs/dir"), &message("dir", "dir"));
    let include = scene()
        .then(|s| link(s, "theirs/dir", &s.root().join("etc")))
        .config("include {dir}/theirs/dir\n");
    is_refused(run(include, "{config}"), &message("dir", "dir"));
    let member =
        scene().then(|s| link(s, "theirs/member", &roots(s))).config("include {dir}/theirs\n");
    is_refused(
        run(member, "{config}"),
        "error: Ignoring member because the symbolic link {dir}/theirs/member may be changed by others.",
    );
}

#[test]
fn a_file_of_roots_with_another_name_may_have_been_linked_there() {
    let scene =
        scene().then(|s| fs::hard_link(roots(s), s.log_path("theirs/config")).expect("hard link"));
    is_refused(
        run(scene, "{dir}/theirs/config"),
        "error: Ignoring {dir}/theirs/config because it has 2 names and others may write {dir}/theirs.",
    );
}

#[test]
fn a_file_of_roots_where_others_may_write_is_read_with_a_warning() {
    let scene = scene().then(|s| {
        fs::copy(roots(s), s.log_path("theirs/config")).expect("copy");
    });
    run(scene, "{dir}/theirs/config")
        .status(0)
        .stderr_has("warning: others may write {dir}/theirs and so replace {dir}/theirs/config\n")
        .expect_out("mark", "")
        .expect_file("a.log.1", "x\n");
}

#[test]
fn a_directory_above_counts_and_is_told_once() {
    let scene = scene().then(|s| {
        fs::create_dir(s.log_path("theirs/roots.d")).expect("directory");
        for name in ["1", "2"] {
            fs::write(s.log_path("theirs/roots.d").join(name), "compress\n").expect("config");
        }
    });
    let scene = run(scene, "{dir}/theirs/roots.d").status(0);
    let warning = scene.expand("warning: others may write {dir}/theirs and so replace 1\n");
    assert_eq!(scene.stderr().matches("others may write").count(), 1);
    scene.stderr_has(&warning);
}

#[test]
fn where_all_may_write_but_not_rename_what_is_roots_nothing_is_wrong() {
    let scene = scene().dir("sticky").mode(0o1777).then(|s| {
        fs::copy(roots(s), s.log_path("sticky/config")).expect("copy");
    });
    run(scene, "{dir}/sticky/config").quiet().expect_out("mark", "");
    // What is not root's there, its owner may replace.
    let scene = self::scene().dir("sticky").mode(0o1777).then(|s| {
        fs::create_dir(s.log_path("sticky/dir")).expect("directory");
        fs::copy(roots(s), s.log_path("sticky/dir/config")).expect("copy");
        chown(s.log_path("sticky/dir"), Some(ATTACKER), None).expect("chown");
    });
    run(scene, "{dir}/sticky/dir/config").status(0).stderr_has("warning: others may write");
}

#[test]
fn links_of_roots_in_roots_directories_are_followed() {
    let scene = scene().then(|s| symlink("roots", s.root().join("etc/link")).expect("link"));
    run(scene, "{etc}/link").quiet().expect_out("mark", "");
}

#[test]
fn a_configuration_can_be_a_stream() {
    let mut scene = scene();
    let run = scene.expand("\"$0\" -f -s {state} /dev/stdin < {etc}/roots");
    let ran = scene.start("sh", ["-c", &run, crate::scene::program()]).end();
    let scene = scene.ended(ran).quiet().expect_out("mark", "");
    // One that is no file is left out, as always.
    let mut scene = scene.log("a.log", "y\n");
    let run = scene.expand("cat {etc}/roots | \"$0\" -v -s {state} /dev/stdin");
    let ran = scene.start("sh", ["-c", &run, crate::scene::program()]).end();
    scene.ended(ran).status(0).stderr_has("Ignoring /dev/stdin because it's not a regular file.");
}

#[test]
fn a_configuration_is_found_through_a_directory_that_a_link_in_proc_stands_for() {
    for path in ["/proc/self/cwd/roots", "/dev/fd/5/roots"] {
        let mut scene = scene();
        let run = scene.expand("cd {etc} && exec 5<. && \"$0\" -f -s {state} ") + path;
        let ran = scene.start("sh", ["-c", &run, crate::scene::program()]).end();
        scene.ended(ran).quiet().expect_out("mark", "");
    }
}

/// Whoever may rename root's file away can put his own in its place at any moment.
#[test]
fn what_was_checked_is_what_is_read() {
    let mut read = 0;
    for _ in 0..50 {
        let scene = scene().then(|s| {
            fs::write(s.log_path("theirs/config"), "# of root's\n").expect("config");
            let evil = s.log_path("theirs/evil");
            let text =
                format!("{}/* {{\nfirstaction\n> {}\nendscript\n}}\n", "{dir}", "{out}/mark");
            fs::write(&evil, s.expand(&text)).expect("config");
            set_mode(&evil, 0o644);
            chown(evil, Some(ATTACKER), None).expect("chown");
            link(s, "theirs/link", &roots(s));
        });
        let pairs = [("config", "evil"), ("config", "link")];
        let attacker = Attacker::start(&scene.log_path("theirs"), &pairs);
        let scene = run(scene, "{dir}/theirs/config");
        drop(attacker);
        read += usize::from(scene.last_status() == Some(0));
        scene.expect_no_out("mark").expect_file("a.log", "x\n");
    }
    assert!(read > 0, "root's own was never there");
}

/// A second look by name could be at something else.
#[test]
fn each_file_and_directory_is_opened_once_and_looked_at_by_nothing_but_its_descriptor() {
    let mut scene = scene()
        .config_dir("member.d")
        .config_file("member.d/member", "missingok\n")
        .config("include {etc}/member.d\ninclude {etc}/roots\n");
    let args = ["-qq", "-o", "{out}/trace", "-e", "trace=%file", crate::scene::program()];
    let args = args.into_iter().chain(["-f", "-s", "{state}", "{config}"]);
    let args: Vec<String> = args.map(|arg| scene.expand(arg)).collect();
    let ran = scene.start("strace", args).end();
    let scene = scene.ended(ran).quiet().expect_out("mark", "");
    let trace = fs::read_to_string(scene.out_path("trace")).expect("trace");
    for name in ["logrotate.conf", "roots", "member.d", "member"] {
        let named = |line: &&str| {
            line.contains(&format!("\"{name}\"")) || line.contains(&format!("/{name}\""))
        };
        // The first names it as an argument.
        let calls: Vec<&str> = trace.lines().skip(1).filter(named).collect();
        let [only] = calls[..] else { panic!("{name}: {calls:#?}") };
        assert!(only.starts_with("openat(") && only.contains("O_NOFOLLOW"), "{name}: {only}");
    }
}
