//! Real daemons are rotated under load: what was sent is what is in the files, each line once, and each
//! version is compressed by the run that made it, without a note.
//!
//! They are started here, with configurations of their own. `LOGROTATE_RS_DAEMONS=20` rotates each as
//! often; a few times otherwise.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::scene::{Running, Scene};
use crate::story::Newsup;

/// What Debian's configuration of each has but for the script: there it is a service.
const BLOCK: &str = "{dir}/*.log {\ndaily\nmissingok\nrotate 99\ncompress\nnotifempty\n\
    sharedscripts\nwriters wait 30s\n";

fn rotations() -> usize {
    match std::env::var("LOGROTATE_RS_DAEMONS") {
        Ok(number) => number.parse().expect("a number of rotations"),
        Err(_) => 3,
    }
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A daemon that was started by hand; it ends with its test.
struct Daemon(Option<Running>);

impl Daemon {
    /// Starts it and waits until its socket and its pid file are there.
    fn start(scene: &mut Scene, program: &str, args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(|arg| scene.expand(arg)).collect();
        let mut running = scene.start(program, args);
        until("the daemon does not start", || {
            let ready = ["socket", "pid"].iter().all(|name| scene.out_path(name).exists());
            if !ready && !running.goes_on() {
                let errors = fs::read_to_string(scene.log_path("error.log")).unwrap_or_default();
                panic!("{program} has ended: {errors}");
            }
            ready
        });
        Self(Some(running))
    }

    /// Ends it in good order, by a signal.
    fn end(mut self, scene: &Scene, signal: &str) {
        let pid = fs::read_to_string(scene.out_path("pid")).expect("pid");
        let told = Command::new("kill").args([signal, pid.trim()]).status().expect("kill");
        assert!(told.success());
        if let Some(running) = self.0.take() {
            running.end();
        }
    }
}

impl Drop for Daemon {
    /// A test has failed. Killed at once, nginx would leave its workers behind.
    fn drop(&mut self) {
        let Some(mut running) = self.0.take() else { return };
        let pid = running.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let patience = Instant::now();
        while running.goes_on() && patience.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        running.kill();
    }
}

/// Somebody who sends numbered lines without a pause until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    senders: Vec<thread::JoinHandle<()>>,
}

impl Load {
    /// Several senders; each makes its own way of sending first.
    fn start<S: FnMut(u64)>(senders: usize, make: impl Fn() -> S + Send + Clone + 'static) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let senders = (0..senders).map(|_| {
            let (stop, sent, make) = (Arc::clone(&stop), Arc::clone(&sent), make.clone());
            thread::spawn(move || {
                let mut next = make();
                while !stop.load(Ordering::Relaxed) {
                    next(sent.fetch_add(1, Ordering::Relaxed));
                }
            })
        });
        let senders = senders.collect();
        Self { stop, sent, senders }
    }

    /// Waits for so many more lines.
    fn more(&self, lines: u64) {
        let before = self.sent.load(Ordering::Relaxed);
        until("nothing is sent", || self.sent.load(Ordering::Relaxed) >= before + lines);
    }

    /// How many lines were sent.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().expect("a sender");
        }
        self.sent.load(Ordering::Relaxed)
    }
}

/// Rotates under load, and lets each run be followed by some lines.
fn rotate(mut scene: Scene, load: &Load) -> Scene {
    for number in 1..=rotations() {
        load.more(500);
        scene = scene.run(["-f"]).quiet();
        for version in 1..=number {
            let name = format!("load.log.{version}.gz");
            assert!(scene.log_path(&name).exists(), "{name} after {number} rotations");
        }
    }
    load.more(100);
    scene
}

/// The numbers 0 to `sent`, and no others, are in the log and its versions, each once.
fn account(scene: &Scene, sent: u64) {
    let mut found: BTreeMap<u64, usize> = BTreeMap::new();
    for entry in fs::read_dir(scene.log_path("")).expect("directory") {
        let path: PathBuf = entry.expect("entry").path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("load.log")) {
            continue;
        }
        for line in lines(&path).lines() {
            let number = line.parse().unwrap_or_else(|_| panic!("{}: {line:?}", path.display()));
            *found.entry(number).or_default() += 1;
        }
    }
    let missing: Vec<u64> = (0..sent).filter(|number| !found.contains_key(number)).collect();
    let wrong: Vec<_> = found.iter().filter(|&(&n, &times)| times != 1 || n >= sent).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "of {sent}: lost {missing:?}, wrong {wrong:?}");
    println!("{sent} lines sent, {} found, each once", found.len());
}

fn lines(path: &Path) -> String {
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let output = Command::new(if packed { "zcat" } else { "cat" }).arg(path).output();
    String::from_utf8(output.expect("cat").stdout).expect("UTF-8")
}

fn script(signal: &str) -> String {
    format!("postrotate\nkill -{signal} \"$(cat {{out}}/pid)\"\nendscript")
}

#[test]
fn nginx_loses_no_request_with_a_script_or_with_signal() {
    let nginx = "daemon off;\npid {out}/pid;\nerror_log {dir}/error.log;\nuser www-data;\n\
        worker_processes 2;\nevents { }\nhttp {\nlog_format number $arg_n;\n\
        access_log {dir}/load.log number;\nkeepalive_requests 1000000;\n\
        client_body_temp_path {out}/a; proxy_temp_path {out}/b; fastcgi_temp_path {out}/c;\n\
        uwsgi_temp_path {out}/d; scgi_temp_path {out}/e;\n\
        server { listen unix:{out}/socket; location / { return 204; } }\n}\n";
    for told in
        [script("USR1"), "signal USR1 writers".into(), "signal USR1 pidfile {out}/pid".into()]
    {
        let config = format!("{BLOCK}create 0640 www-data adm\n{told}\n}}");
        let mut scene =
            Scene::new().config(&config).config_file("nginx.conf", nginx).log("load.log", "");
        let args = ["-c", "{etc}/nginx.conf", "-e", "{dir}/error.log"];
        let daemon = Daemon::start(&mut scene, "/usr/sbin/nginx", &args);
        let socket = scene.out_path("socket");
        let load = Load::start(2, move || {
            let mut stream = UnixStream::connect(&socket).expect("connect");
            move |number| {
                let request = format!("GET /?n={number} HTTP/1.1\r\nHost: x\r\n\r\n");
                stream.write_all(request.as_bytes()).expect("request");
                let (mut answer, mut piece) = (Vec::new(), [0; 512]);
                while !answer.ends_with(b"\r\n\r\n") {
                    let length = stream.read(&mut piece).expect("answer");
                    assert!(length > 0, "nginx has hung up");
                    answer.extend_from_slice(&piece[..length]);
                }
                assert!(answer.starts_with(b"HTTP/1.1 204"), "{answer:?}");
            }
        });
        let scene = rotate(scene, &load);
        let sent = load.end();
        daemon.end(&scene, "-QUIT");
        account(&scene, sent);
    }
}

#[test]
fn rsyslog_loses_no_line_with_a_script_or_with_signal() {
    let rsyslog = "global(workDirectory=\"{out}\")\n\
        module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
        input(type=\"imuxsock\" Socket=\"{out}/socket\" RateLimit.Interval=\"0\")\n\
        template(name=\"number\" type=\"string\" string=\"%msg:R,ERE,1,BLANK:([0-9]+)--end%\\n\")\n\
        if $programname == \"load\" then \
        action(type=\"omfile\" file=\"{dir}/load.log\" template=\"number\")\n";
    for told in [script("HUP"), "signal HUP writers".into(), "signal HUP pidfile {out}/pid".into()]
    {
        let config = format!("{BLOCK}create\n{told}\n}}");
        let mut scene =
            Scene::new().config(&config).config_file("rsyslog.conf", rsyslog).log("load.log", "");
        let args = ["-n", "-f", "{etc}/rsyslog.conf", "-i", "{out}/pid"];
        let daemon = Daemon::start(&mut scene, "/usr/sbin/rsyslogd", &args);
        let socket = scene.out_path("socket");
        let load = Load::start(1, move || {
            let sender = UnixDatagram::unbound().expect("socket");
            sender.connect(&socket).expect("connect");
            move |number| {
                // Who sends faster than it is read waits.
                sender.send(format!("<13>load: {number}").as_bytes()).expect("send");
            }
        });
        let scene = rotate(scene, &load);
        let sent = load.end();
        let last = (sent - 1).to_string();
        until("rsyslog does not write", || {
            let log = fs::read_to_string(scene.log_path("load.log")).unwrap_or_default();
            log.lines().last() == Some(&last)
        });
        daemon.end(&scene, "-TERM");
        account(&scene, sent);
    }
}

#[test]
fn a_collector_loses_no_line_stopped_and_started_or_with_signal() {
    // It waits for its signals (sigwait), so that nobody can tell that it would not die of one; the
    // collector of `examples/collector` handles them.
    let signal = "NEWSUP/user.log\n{\nrotate 1008\ndaily\nmissingok\ncreate\nsignal HUP pidfile NEWSUP/newsup.pid\n}\n";
    for config in ["newsup.conf", "newsup-every-10m.conf", "newsup-signal.conf"] {
        let mut newsup = Newsup::start();
        let text = signal.replace("NEWSUP", &newsup.dir().display().to_string());
        fs::write(newsup.dir().join("newsup-signal.conf"), text).expect("write");
        for _ in 0..rotations() {
            newsup.run(&["-f"], config);
            newsup.scene(Scene::quiet);
            newsup.wait_for_lines();
        }
        assert_eq!(newsup.account(), rotations());
    }
}
