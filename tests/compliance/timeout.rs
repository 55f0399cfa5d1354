//! `timeout`: how long a script may take. A directive of our own.

use crate::scene::{Scene, differs};

const TEXT: &str = "a\n";

/// A forced run with a script in a block with these directives.
fn run(directives: &str, script: &str) -> Scene {
    let config =
        format!("{{dir}}/a.log {{\ncreate\nrotate 2\n{directives}\n{script}\nendscript\n}}");
    Scene::new().config(&config).log("a.log", TEXT).run(["-f"])
}

#[test]
fn a_script_over_its_timeout_is_ended_and_has_failed() {
    differs("timeout", || {
        run("timeout 300ms", "postrotate\nsleep 5\necho late >{out}/late")
            .status(1)
            .stderr_line(
                "error: error running non-shared postrotate script for {dir}/a.log of '{dir}/a.log': \
                 child did not terminate normally: it was ended after its timeout of 300ms",
            )
            .expect_no_out("late")
            .expect_files([("a.log", ""), ("a.log.1", TEXT)]);
    });
}

#[test]
fn a_prerotate_over_its_timeout_keeps_the_log_where_it_is() {
    differs("timeout", || {
        run("timeout 300ms", "prerotate\nsleep 5").status(1).expect_files([("a.log", TEXT)]);
    });
}

/// The process group of the script, and of the program.
const GROUPS: &str = "ps -o pgid= -p $$,$PPID | tr -d ' ' | sort -u | wc -l";

#[test]
fn a_script_with_a_timeout_has_a_process_group_of_its_own_and_no_other_script_has() {
    differs("timeout", || {
        for (directives, groups) in [("timeout 50s", "2\n"), ("timeout none", "1\n")] {
            run(directives, &format!("postrotate\n{GROUPS} >{{out}}/groups"))
                .quiet()
                .expect_out("groups", groups);
        }
    });
}

#[test]
fn a_script_over_its_timeout_gets_term_and_all_that_it_has_started_ends_with_it() {
    differs("timeout", || {
        let script = "postrotate\ntrap 'echo term >{out}/term; exit 0' TERM\n\
                      sleep 8 & echo $! >{out}/helper\nwait";
        let scene = run("timeout 300ms", script)
            .status(1)
            .stderr_has("it was ended after its timeout of 300ms")
            .expect_out("term", "term\n");
        let number = std::fs::read_to_string(scene.out_path("helper")).expect("a number");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", number.trim()));
        let goes_on = stat.is_ok_and(|stat| !stat.contains(") Z "));
        assert!(!goes_on, "the helper goes on");
    });
}

#[test]
fn what_a_script_with_a_timeout_prints_goes_where_it_goes_without() {
    differs("timeout", || {
        run("timeout 50s", "postrotate\necho out; echo err >&2")
            .status(0)
            .stdout_has("out\n")
            .expect_stderr("err\n");
    });
}

#[test]
fn a_daemon_lives_on_if_its_script_ended_in_time() {
    differs("timeout", || {
        let start = "postrotate\nsleep 8 >/dev/null 2>&1 &\necho $! >{out}/daemon";
        let scene = run("timeout 50s", start).quiet();
        let number = std::fs::read_to_string(scene.out_path("daemon")).expect("a number");
        let daemon = nix::unistd::Pid::from_raw(number.trim().parse().expect("a number"));
        let sent = nix::sys::signal::kill(daemon, nix::sys::signal::Signal::SIGKILL);
        sent.expect("the daemon lives");
    });
}

#[test]
fn a_block_may_have_another_timeout_than_the_rest() {
    differs("timeout", || {
        let script = "postrotate\nsleep 1\necho $1 >>{out}/done\nendscript";
        let config = format!(
            "timeout 200ms\ncreate\nrotate 1\n{{dir}}/a.log {{\n{script}\n}}\n\
             {{dir}}/b.log {{\ntimeout none\n{script}\n}}\n{{dir}}/c.log {{\ntimeout 1m\n{script}\n}}"
        );
        let scene = Scene::new().config(&config);
        let scene = scene.log("a.log", TEXT).log("b.log", TEXT).log("c.log", TEXT);
        scene.run(["-f"]).status(1).expect_out("done", "{dir}/b.log\n{dir}/c.log\n");
    });
}

#[test]
fn a_value_that_is_no_time_drops_the_block() {
    differs("timeout", || {
        for value in ["soon", "0s", "8d", "3"] {
            run(&format!("timeout {value}"), "postrotate")
                .status(1)
                .stderr_has(&format!("bad timeout '{value}'"))
                .expect_files([("a.log", TEXT)]);
        }
    });
}
