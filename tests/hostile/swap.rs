//! Names are exchanged as fast as possible while root rotates.

use super::ATTACKER;
use super::attacker::Attacker;
use super::ground::Ground;
use crate::scene::theirs;

/// What is exchanged for what, and who rotates.
struct Way {
    name: &'static str,
    /// The directive that says who.
    su: &'static str,
    what: What,
    /// The mode of the directory of the logs.
    mode: u32,
}

enum What {
    /// The directory of the logs, for a link to root's.
    Directory,
    /// A directory above it, likewise; that of the logs is root's own.
    Ancestor,
    /// The log and its version, for links to root's files.
    Links,
    /// The same for hard links, as where the kernel does not forbid them.
    HardLinks,
}

const WAYS: [Way; 7] = [
    Way { name: "the directory", su: "", what: What::Directory, mode: 0o755 },
    Way { name: "an ancestor", su: "", what: What::Ancestor, mode: 0o755 },
    Way { name: "su daemon", su: "su daemon daemon", what: What::Directory, mode: 0o755 },
    Way { name: "su root", su: "su root root", what: What::Directory, mode: 0o777 },
    Way { name: "su auto", su: "su auto", what: What::Directory, mode: 0o755 },
    Way { name: "the log, links", su: "", what: What::Links, mode: 0o755 },
    Way { name: "the log, hard links", su: "", what: What::HardLinks, mode: 0o755 },
];

/// How many runs for a method in each way.
fn runs() -> usize {
    let wanted = std::env::var("LOGROTATE_RS_HOSTILE").ok();
    wanted.map_or(100_usize.div_ceil(WAYS.len()), |n| n.parse().expect("a number of runs"))
}

/// The damage that one run does.
fn run(ground: &mut Ground, way: &Way) -> Vec<String> {
    let owner = if matches!(way.what, What::Ancestor) { 0 } else { ATTACKER };
    ground.set_up(owner, way.mode);
    let both = [("a.log", "x"), ("a.log.1", "y")];
    let (place, pairs): (_, &[_]) = match way.what {
        What::Directory => {
            ground.link("app/link", "outside/logs");
            ("area/app", &[("logs", "link")])
        }
        What::Ancestor => {
            ground.link("link", "outside");
            ("area", &[("app", "link")])
        }
        What::Links => {
            ground.link("app/logs/x", "outside/logs/a.log");
            ground.link("app/logs/y", "outside/logs/a.log.1");
            ("area/app/logs", &both)
        }
        What::HardLinks => {
            ground.hard_link("app/logs/x", "outside/logs/a.log");
            ground.hard_link("app/logs/y", "outside/logs/a.log.1");
            ("area/app/logs", &both)
        }
    };
    ground.remember();
    let attacker = Attacker::start(&ground.root().join(place), pairs);
    ground.rotate();
    drop(attacker);
    ground.damage()
}

fn nothing_outside_is_touched(method: &str, directives: &str) {
    let (mut rotated, mut damaged, mut first) = (0, 0, String::new());
    for way in &WAYS {
        let mut ground = Ground::new(&format!("rotate 2\n{directives}\n{}", way.su));
        let (mut here, mut done) = (0, 0);
        for _ in 0..runs() {
            let damage = run(&mut ground, way);
            done += usize::from(ground.has_rotated());
            if !damage.is_empty() {
                here += 1;
                if first.is_empty() {
                    first = format!("{}: {damage:#?}\n{}", way.name, ground.said());
                }
            }
        }
        println!("{method}, {}: {} runs, {done} rotated, {here} did damage", way.name, runs());
        (rotated, damaged) = (rotated + done, damaged + here);
    }
    if theirs() {
        println!("{method}: {damaged} of {} runs did damage", runs() * WAYS.len());
        assert!(damaged > 0 || runs() < 100, "these attacks prove nothing");
        return;
    }
    assert_eq!(damaged, 0, "{method}, {first}");
    assert!(rotated > 0, "no log was rotated");
}

#[test]
fn create_touches_nothing_outside() {
    nothing_outside_is_touched("create", "create 0644 daemon daemon");
}

#[test]
fn compress_touches_nothing_outside() {
    nothing_outside_is_touched("compress", "compress");
}

#[test]
fn copy_touches_nothing_outside() {
    nothing_outside_is_touched("copy", "copy");
}

#[test]
fn copytruncate_touches_nothing_outside() {
    nothing_outside_is_touched("copytruncate", "copytruncate");
}

#[test]
fn renamecopy_touches_nothing_outside() {
    nothing_outside_is_touched("renamecopy", "renamecopy");
}

#[test]
fn dateext_touches_nothing_outside() {
    nothing_outside_is_touched("dateext", "dateext\ncreate 0644 daemon daemon");
}

#[test]
fn olddir_touches_nothing_outside() {
    nothing_outside_is_touched("olddir", "olddir old\ncreateolddir 0755 daemon daemon");
}

#[test]
fn mail_touches_nothing_outside() {
    nothing_outside_is_touched("mail", "rotate 0\nmail somebody@example.org");
}

#[test]
fn shred_touches_nothing_outside() {
    nothing_outside_is_touched("shred", "rotate 1\nshred\nshredcycles 1");
}
