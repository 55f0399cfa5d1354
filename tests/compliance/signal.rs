//! `signal`, `nosignal`: programs are told that their log has moved. Directives of our own.
//!
//! The daemons here are shells, which cannot handle a signal that whoever started the tests ignores, as
//! `nohup` does HUP: so it is USR1.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::scene::{Running, Scene, differs, set_mode};

/// A daemon that opens the logs in `$@` anew on USR1, and says so in `{out}/told`.
const DAEMON: &str = "#!/bin/sh\nopen() { for log; do exec 3>>\"$log\"; exec 4>&3; done; }\n\
    trap 'open \"$@\"; echo hup >> {out}/told' USR1\nopen \"$@\"\necho $$ > {out}/pid.new\n\
    mv {out}/pid.new {out}/pid\nwhile :; do sleep 0.01; done\n";

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A daemon that ends with its test, however that ends.
struct Daemon(Option<Running>);

impl Daemon {
    fn lives(&mut self) -> bool {
        self.0.as_mut().is_some_and(Running::goes_on)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(daemon) = self.0.take() {
            daemon.kill();
        }
    }
}

/// Logs with a daemon that writes them.
fn with_daemon(config: &str, script: &str, logs: &[&str]) -> (Daemon, Scene) {
    let mut scene = Scene::new().config(config);
    for log in logs {
        scene = scene.log(log, "before\n");
    }
    let program = scene.out_path("daemon");
    fs::write(&program, scene.expand(script)).expect("write");
    set_mode(&program, 0o755);
    let logs: Vec<_> = logs.iter().map(|log| scene.log_path(log)).collect();
    let daemon = Daemon(Some(scene.start(program.to_str().expect("UTF-8"), logs)));
    until("the daemon does not start", || scene.out_path("pid").exists());
    (daemon, scene)
}

/// How often the daemon has been told; asked once it has been told at least once.
fn told(scene: &Scene) -> usize {
    let text = || fs::read_to_string(scene.out_path("told")).unwrap_or_default();
    until("nobody was told", || !text().is_empty());
    // One more would come at once.
    std::thread::sleep(Duration::from_millis(50));
    text().lines().count()
}

fn block(directives: &str) -> String {
    format!("{{dir}}/*.log {{\ncreate\nrotate 3\n{directives}\n}}")
}

#[test]
fn the_writers_of_the_log_open_it_anew_and_it_is_compressed_in_the_same_run() {
    differs("signal", || {
        let config = block("compress\nwriters wait 30s\nsignal USR1 writers");
        let (daemon, scene) = with_daemon(&config, DAEMON, &["a.log"]);
        let scene = scene.run(["-f"]).quiet().expect_file("a.log.1.gz", "before\n");
        assert_eq!(told(&scene), 1);
        drop(daemon);
    });
}

#[test]
fn the_process_of_a_pid_file_gets_it_by_name_or_by_number() {
    differs("signal", || {
        for signal in ["USR1", "SIGUSR1", "usr1", "10"] {
            let config = block(&format!("signal {signal} pidfile {{out}}/pid"));
            let (daemon, scene) = with_daemon(&config, DAEMON, &["a.log"]);
            let scene = scene.run(["-f"]).quiet().expect_file("a.log.1", "before\n");
            assert_eq!(told(&scene), 1, "{signal}");
            drop(daemon);
        }
    });
}

#[test]
fn with_sharedscripts_a_process_gets_it_once_for_all_logs_of_the_block() {
    differs("signal", || {
        for (shared, times) in [("sharedscripts", 1), ("nosharedscripts", 2)] {
            let config = block(&format!("{shared}\nsignal USR1 pidfile {{out}}/pid"));
            let (daemon, scene) = with_daemon(&config, DAEMON, &["a.log", "b.log"]);
            let scene = scene.run(["-f"]).quiet();
            // A second one may come while the first is handled: two that wait count as one.
            let told = told(&scene);
            drop(daemon);
            assert!(told <= times && told > 0, "{shared}: {told}");
        }
        let config = block("sharedscripts\nsignal USR1 writers");
        let (daemon, scene) = with_daemon(&config, DAEMON, &["a.log", "b.log"]);
        let scene = scene.run(["-f", "-v"]).status(0);
        drop(daemon);
        assert_eq!(scene.stderr().matches("SIGUSR1 was sent to process ").count(), 1);
    });
}

#[test]
fn who_would_die_of_it_is_named_and_does_not_get_it() {
    differs("signal", || {
        let deaf = "#!/bin/sh\nexec 3>>\"$1\"\necho $$ > {out}/pid\nexec sleep 60\n";
        let config = block("compress\nwriters wait 0s\nsignal USR1 writers");
        let (mut daemon, scene) = with_daemon(&config, deaf, &["a.log"]);
        let scene = scene.run(["-f"]);
        assert!(daemon.lives());
        scene
            .status(0)
            .stderr_has("writes {dir}/a.log.1 and gets no SIGUSR1: it does not handle it")
            .expect_file("a.log.1", "before\n");
    });
}

#[test]
fn a_shell_whose_output_is_the_log_keeps_its_command_from_being_signalled() {
    differs("signal", || {
        let shell = "#!/bin/sh\nexec >>\"$1\"\n(trap 'exit 9' USR1\n\
            while kill -0 $$; do sleep 0.01 >/dev/null; done) &\n\
            echo $$ > {out}/pid\nwait\n";
        let (daemon, scene) = with_daemon(&block("signal USR1 writers"), shell, &["a.log"]);
        let scene = scene.run(["-f"]).status(0);
        // It was not ended by it.
        let said = scene.stderr().to_owned();
        let pid = said
            .lines()
            .find(|line| line.contains("it belongs to its parent"))
            .and_then(|line| line.split_whitespace().nth(2))
            .unwrap_or_else(|| panic!("{said}"));
        let ended = std::process::Command::new("kill").args(["-9", pid]).status();
        drop(daemon);
        assert!(ended.expect("kill").success(), "it was alive");
        scene.stderr_has("it does not handle it");
    });
}

/// A run with a pid file, and no daemon.
fn with_pid_file(text: &str) -> Scene {
    let config = block("signal USR1 pidfile {out}/pid\npostrotate\necho > {out}/ran\nendscript");
    let scene = Scene::new().config(&config).log("a.log", "before\n");
    fs::write(scene.out_path("pid"), text).expect("write");
    set_mode(&scene.out_path("pid"), 0o644);
    scene
}

/// The log is rotated and recorded; its postrotate script is not run.
fn fails_with(scene: Scene, cause: &str) {
    let message =
        format!("error: cannot send SIGUSR1 to the process of pid file {{out}}/pid: {cause}");
    scene
        .run(["-f"])
        .status(1)
        .stderr_has(&message)
        .expect_files([("a.log", ""), ("a.log.1", "before\n")])
        .expect_recorded_now("a.log")
        .expect_no_out("ran");
}

#[test]
fn a_pid_file_that_names_nobody_is_an_error_and_the_log_stays_rotated() {
    differs("signal", || {
        let mut gone = std::process::Command::new("true").spawn().expect("true");
        let pid = gone.id();
        gone.wait().expect("wait");
        for (text, cause) in [
            ("", "it is empty".to_owned()),
            ("nobody\n", "'nobody' is not the number of a process".to_owned()),
            ("-1\n", "'-1' is not the number of a process".to_owned()),
            ("0\n", "'0' is not the number of a process".to_owned()),
            ("1\n", "process 1 is never signalled by a pid file".to_owned()),
            (&format!("{pid}\n"), format!("there is no process {pid}")),
        ] {
            fails_with(with_pid_file(text), &cause);
        }
        let missing = with_pid_file("").then(|s| fs::remove_file(s.out_path("pid")).expect("gone"));
        fails_with(missing, "No such file or directory");
    });
}

#[test]
fn who_may_write_a_pid_file_may_not_have_root_signal_somebody_else() {
    differs("signal", || {
        let ours = format!("{}\n", std::process::id());
        let given = |path: &Path| std::os::unix::fs::chown(path, Some(1), None).expect("chown");
        let file = with_pid_file(&ours).then(|s| given(&s.out_path("pid")));
        fails_with(file, "user 1 may write to it, and process ");
        let directory = with_pid_file(&ours).then(|s| given(&s.out_path("")));
        fails_with(directory, "user 1 may write to it, and process ");
        let everybody = with_pid_file(&ours).then(|s| set_mode(&s.out_path("pid"), 0o666));
        fails_with(everybody, "several users may write to {out}/pid");
    });
}

#[test]
fn a_daemon_that_wrote_its_own_pid_file_gets_its_signal() {
    differs("signal", || {
        let mut scene =
            Scene::new().config(&block("signal USR1 pidfile {out}/pid")).log("a.log", "x\n");
        std::os::unix::fs::chown(scene.out_path(""), Some(1), Some(1)).expect("chown");
        let text = "echo $$ > \"$0.new\"; mv \"$0.new\" \"$0\"; exec sleep 60";
        let pid = scene.out_path("pid");
        let args = ["--reuid=1", "--regid=1", "--clear-groups", "sh", "-c", text].map(Into::into);
        let args = args.into_iter().chain([pid.into_os_string()]);
        let mut daemon = Daemon(Some(scene.start("setpriv", args)));
        until("the daemon does not start", || scene.out_path("pid").exists());
        let scene = scene.run(["-f"]).quiet();
        let ended = daemon.0.take().expect("it was started").end();
        let by = std::os::unix::process::ExitStatusExt::signal(&ended.status());
        assert_eq!(by, Some(10), "it does not handle USR1, and was not asked whether it does");
        drop(scene);
    });
}

#[test]
fn with_su_it_is_sent_with_the_rights_of_whoever_started_the_program() {
    differs("signal", || {
        let config =
            "{dir}/sub/a.log {\nsu daemon daemon\nrotate 1\nmissingok\nsignal USR1 writers\n}";
        let scene = Scene::new().config(config).dir("sub").owner(1, 1).log("sub/a.log", "x\n");
        let program = scene.out_path("daemon");
        fs::write(&program, scene.expand(DAEMON)).expect("write");
        set_mode(&program, 0o755);
        let log = scene.log_path("sub/a.log");
        let mut scene = scene;
        // Root's, as a web server's first process is.
        let daemon = Daemon(Some(scene.start(program.to_str().expect("UTF-8"), [log])));
        until("the daemon does not start", || scene.out_path("pid").exists());
        let scene = scene.run(["-f"]).quiet();
        assert_eq!(told(&scene), 1);
        drop(daemon);
    });
}

#[test]
fn a_dry_run_says_who_would_get_it_and_sends_nothing() {
    differs("signal", || {
        let config = block("signal USR1 writers");
        let (daemon, scene) = with_daemon(&config, DAEMON, &["a.log"]);
        let scene = scene.run(["-d", "-f"]);
        drop(daemon);
        scene
            .status(0)
            .stderr_has("sending SIGUSR1 to the writers of {dir}/a.log.1\n")
            .expect_no_out("told");
    });
}

#[test]
fn nosignal_takes_back_what_was_said_before() {
    differs("signal", || {
        let config = format!("signal USR1 pidfile {{out}}/pid\n{}", block("nosignal"));
        Scene::new().config(&config).log("a.log", "x\n").run(["-f"]).quiet();
    });
}

#[test]
fn a_value_that_names_no_signal_or_nobody_drops_the_block() {
    differs("signal", || {
        for (value, message) in [
            ("HUPP writers", "unknown signal 'HUPP'"),
            ("USR1", "bad signal 'USR1'"),
            ("USR1 pidfile run/pid", "the pid file 'run/pid' is no absolute path"),
            ("KILL writers", "no program can handle SIGKILL"),
        ] {
            Scene::new()
                .config(&block(&format!("signal {value}")))
                .log("a.log", "x\n")
                .run(["-f"])
                .status(1)
                .stderr_has(message)
                .expect_files([("a.log", "x\n")]);
        }
    });
}
