//! A run that is killed at any moment is made good by the next one.
//!
//! `strace` kills the program with SIGKILL at its N-th system call that changes a file, before the
//! call is carried out, for N = 1, 2, ... until a run ends by itself. So every state that the disk
//! goes through is tried. Then one ordinary run must leave the very tree that an undisturbed run
//! leaves: no line missing, none twice, no temporary, the right versions.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::scene::{Scene, Tree, program, set_mode, when};

/// Calls that change a file. (Making an empty file is not among them, as `openat` cannot be told
/// apart; the next call after it is.)
const CHANGES: &str = "rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,\
    truncate,ftruncate,fallocate,fsync,fdatasync,write,writev,pwrite64,copy_file_range,sendfile,\
    fchmod,fchmodat,chmod,fchown,fchownat,chown,utimensat,mkdir,mkdirat";

/// More calls than any of these runs makes.
const ENOUGH: usize = 1000;

/// The one that mails, in scenarios with mail.
const MAIL: [&str; 2] = ["-m", "{out}/mailer"];

/// What a scenario leaves: the logs without times, and how often postrotate ran.
struct End {
    logs: Tree,
    signals: usize,
}

fn end(scene: &Scene) -> End {
    let signals = fs::read_to_string(scene.out_path("signals")).unwrap_or_default();
    End { logs: scene.logs().timeless(), signals: signals.lines().count() }
}

/// Runs the scenario undisturbed, and then killed at every step.
fn survives(scene: impl Fn() -> Scene, signals: usize) {
    when::steady_day();
    let undisturbed = scene().run(MAIL).quiet();
    let wanted = end(&undisturbed);
    assert_eq!(wanted.signals, signals, "the scenario is as it should be");

    for n in 1..=ENOUGH {
        let mut scene = scene();
        let inject = format!("inject={CHANGES}:signal=SIGKILL:when={n}");
        let trace = format!("trace={CHANGES}");
        let args = ["-qq", "-o", "{out}/trace", "-e", &trace, "-e", &inject, program()];
        let args = args.into_iter().chain(["-m", "{out}/mailer", "-s", "{state}", "{config}"]);
        let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
        let run = scene.start("strace", args).end();
        let whole = run.status().code() == Some(0);
        if !whole && run.status().signal() != Some(9) {
            scene.ended(run).fail(&format!("step {n}: neither killed nor done"));
        }
        let before = Tree::of(scene.root());
        let scene = scene.ended(run).run(MAIL);
        let found = end(&scene);
        let scene = scene.status(0);
        let told = || format!("killed at step {n}; the disk was then\n{before:?}\n");
        if found.logs != wanted.logs {
            scene.fail(&format!("{}wanted\n{:?}", told(), wanted.logs));
        }
        if found.signals < signals {
            scene.fail(&format!("{}postrotate ran {} times", told(), found.signals));
        }
        let leftover: Vec<_> = fs::read_dir(scene.root().join("var"))
            .expect("var")
            .map(|e| e.expect("entry").file_name().into_string().expect("UTF-8"))
            .filter(|name| name.starts_with("state") && name != "state")
            .collect();
        if !leftover.is_empty() {
            scene.fail(&format!("{}the state's directory has {leftover:?}", told()));
        }
        if whole {
            // The trace has no call any more at which the run could have been killed.
            assert!(n > 5, "only {n} steps: is the run traced?");
            return;
        }
    }
    panic!("a run has more than {ENOUGH} steps");
}

const SIGNAL: &str = "postrotate\necho hup >> {out}/signals\nendscript\n";

/// A log that is due, with three old versions, of which the oldest has to go.
fn numbered(directives: &str, endings: [&str; 3]) -> Scene {
    let mut scene = Scene::new()
        .config(&format!("{{dir}}/*.log {{\ndaily\nrotate 3\n{directives}\n{SIGNAL}}}\n"))
        .log("a.log", "line 7\nline 8\nline 9\n")
        .mode(0o640)
        .owner(1, 2)
        .state("a.log", when::days_ago(2));
    let contents = ["line 5\nline 6\n", "line 3\nline 4\n", "line 2\n"];
    for (slot, (ending, content)) in endings.iter().zip(contents).enumerate() {
        scene = scene.file(&format!("a.log.{}{ending}", slot + 1), content);
    }
    scene
}

const PLAIN: [&str; 3] = ["", "", ""];
const PACKED: [&str; 3] = [".gz", ".gz", ".gz"];

#[test]
fn create_with_numbers_survives_being_killed() {
    survives(|| numbered("create", PLAIN), 1);
}

#[test]
fn compression_survives_being_killed() {
    survives(|| numbered("create\ncompress", PACKED), 1);
}

#[test]
fn delayed_compression_survives_being_killed() {
    survives(|| numbered("create\ncompress\ndelaycompress", ["", ".gz", ".gz"]), 1);
}

#[test]
fn copytruncate_survives_being_killed() {
    survives(|| numbered("copytruncate", PLAIN), 1);
}

#[test]
fn copytruncate_with_compression_survives_being_killed() {
    survives(|| numbered("copytruncate\ncompress", PACKED), 1);
}

/// Its last part stays, so the kill may fall between the cut and the journal's line about it.
#[test]
fn copytruncate_of_a_log_in_use_survives_being_killed() {
    let text: Vec<String> = (0..2000).map(|n| format!("line {n}\n")).collect();
    let text = text.concat();
    survives(
        || {
            let scene = numbered("copytruncate", PLAIN).log("a.log", &text);
            let open = fs::OpenOptions::new().append(true).open(scene.log_path("a.log"));
            // Held to the end of the test, as by a writer that never closes it.
            std::mem::forget(open.expect("open"));
            scene
        },
        1,
    );
}

#[test]
fn dates_survive_being_killed() {
    survives(
        || {
            Scene::new()
                .config(&format!(
                    "{{dir}}/a.log {{\ndaily\nrotate 2\ndateext\ncreate\ncompress\n{SIGNAL}}}\n"
                ))
                .log("a.log", "line 3\n")
                .file("a.log-20200101.gz", "line 1\n")
                .file("a.log-20200102.gz", "line 2\n")
                .state("a.log", when::days_ago(2))
        },
        1,
    );
}

#[test]
fn shared_scripts_with_three_logs_survive_being_killed() {
    survives(
        || {
            let mut scene = Scene::new().config(&format!(
                "{{dir}}/*.log {{\ndaily\nrotate 1\nsharedscripts\ncreate\n{SIGNAL}}}\n"
            ));
            for name in ["a.log", "b.log", "c.log"] {
                scene = scene
                    .log(name, &format!("{name} line 2\n"))
                    .file(&format!("{name}.1"), &format!("{name} line 1\n"))
                    .state(name, when::days_ago(2));
            }
            scene
        },
        1,
    );
}

#[test]
fn mail_survives_being_killed() {
    survives(
        || {
            let scene = numbered("create\ncompress\nmail root@x", PACKED);
            let path = scene.out_path("mailer");
            let script =
                "#!/bin/sh\ntest \"$(cat)\" = 'line 2' || exit 1\necho yes > {dir}/mailed\n";
            fs::write(&path, scene.expand(script)).expect("write");
            set_mode(&path, 0o755);
            scene
        },
        1,
    );
}

#[test]
fn a_killed_run_is_finished_by_the_user_that_su_named_then() {
    let tell = "#!/bin/sh\ngrep -E '^Uid' /proc/$$/status | tr -s '\\t ' ' '\n";
    let block = |su: &str| {
        format!(
            "{{dir}}/sub/a.log {{\nrotate 1\nmissingok\n{su}\ncompress\ncompresscmd {{dir}}/tell\n\
             compressext .told\npostrotate\ntest -e {{out}}/once || {{ touch {{out}}/once; \
             kill -9 $PPID; }}\nendscript\n}}\n"
        )
    };
    let mut scene = Scene::new()
        .config(&block("su daemon daemon"))
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "x\n")
        .owner(1, 1)
        .bytes("tell", tell.as_bytes())
        .mode(0o755);
    let args = scene.expand("-s {state} -f {config}");
    let killed = scene.start(program(), args.split(' ')).end();
    assert_eq!(killed.status().signal(), Some(9));
    // The block says something else by now; the plan does not.
    scene
        .config(&block(""))
        .run([])
        .status(0)
        .expect_files([("tell", tell), ("sub/a.log.1.told", "Uid: 1 1 1 1\n")]);
}
