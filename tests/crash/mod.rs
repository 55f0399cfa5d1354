//! A run that is interrupted at any moment is made good by the next one.
//!
//! The program is traced, and dies with all its children before its N-th call that changes a file,
//! for N = 1, 2, ... until a run ends by itself: so every state that the disk goes through is tried.
//! Then two ordinary runs must leave the very tree that undisturbed runs leave: no line missing,
//! none twice, no broken archive, no temporary, the right versions, and the daemon got its signal.
//!
//! `LOGROTATE_RS_CRASH=full` tries every point of every scenario; otherwise a sample is tried: see
//! [`sample`].
#![cfg(target_arch = "x86_64")]

mod ahead;
mod errors;
mod journal;
mod power;
mod sample;
mod scenario;
mod signal;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use crate::scene::trace::Fate;
use crate::scene::{Scene, Tree, TreeEntry, program, when};
use sample::Sample;
use scenario::{End, OPTIONS, Scenario, Setup};

/// What two undisturbed runs leave, and at how many points the first can be interrupted.
fn undisturbed(scenario: &Scenario) -> (End, usize) {
    let mut points = 0;
    let setup = scenario.set_up().with(|scene, far| {
        let scene = scene.run_traced(&OPTIONS, &[far], |change| {
            points = points.max(change.number);
            Fate::Happens
        });
        assert_eq!(scenario.unexpected(scene.stderr()), Vec::<&str>::new());
        let scene = scene.status(0).run(OPTIONS).status(0);
        assert_eq!(scenario.unexpected(scene.stderr()), Vec::<&str>::new());
        scene
    });
    let end = setup.end();
    assert_eq!(end.signals, 1, "{scenario:?} is as it should be");
    (end, points)
}

/// The scenario, dead before its `point`-th change; and what was said then.
fn killed(scenario: &Scenario, point: usize) -> (Setup, &'static str) {
    let mut call = "nothing";
    let setup = scenario.set_up().with(|scene, far| {
        scene.run_traced(&OPTIONS, &[far], |change| {
            if change.number == point {
                call = change.call;
                return Fate::Death;
            }
            Fate::Happens
        })
    });
    (setup, call)
}

fn survives_death_at(scenario: &Scenario, point: usize, wanted: &End) {
    let (setup, call) = killed(scenario, point);
    let before = Tree::of(setup.scene.root());
    let setup = setup.with(|scene, _| scene.run(OPTIONS).status(0).run(OPTIONS).status(0));
    let found = setup.end();
    let told = || format!("{scenario:?}\nkilled at change {point}, {call}; then\n{before:?}\n");
    if found.logs != wanted.logs || found.far != wanted.far {
        let far = format!("{:?}\nand elsewhere\n{:?}", wanted.logs, wanted.far);
        setup.scene.fail(&format!("{}wanted\n{far}\nfound elsewhere\n{:?}", told(), found.far));
    }
    if found.signals < wanted.signals {
        setup.scene.fail(&format!("{}postrotate ran {} times", told(), found.signals));
    }
    if !setup.left_over().is_empty() {
        setup.scene.fail(&format!("{}left beside the state: {:?}", told(), setup.left_over()));
    }
}

/// Of a scenario that was chosen, so many moments are tried: what it leaves undisturbed costs two runs
/// to find out.
const OF_ONE: usize = 4;

/// Tries the moments of these scenarios that the sample asks for, all or some; each with what two
/// undisturbed runs leave.
fn at_moments(
    what: &str,
    mut sample: Sample,
    scenarios: &[Scenario],
    mut try_at: impl FnMut(&Scenario, &End, usize, &mut Sample),
) {
    when::steady_day();
    let end = |scenario| {
        let (wanted, last) = undisturbed(scenario);
        assert!(last > 5, "only {last} changes: is the run traced?");
        (wanted, last)
    };
    if sample.is_full() {
        for scenario in scenarios {
            let (wanted, last) = end(scenario);
            for point in 1..=last {
                try_at(scenario, &wanted, point, &mut sample);
                sample.count();
            }
        }
    }
    while !sample.is_full() && sample.goes_on() {
        let scenario = &scenarios[sample.number(scenarios.len())];
        let (wanted, last) = end(scenario);
        for _ in 0..OF_ONE {
            if sample.goes_on() {
                let point = 1 + sample.number(last);
                try_at(scenario, &wanted, point, &mut sample);
                sample.count();
            }
        }
    }
    sample.report(what);
}

fn survives(method: usize) {
    let what = scenario::METHODS[method].0;
    let scenarios = scenario::all(method);
    at_moments(what, Sample::of(method as u64), &scenarios, |scenario, wanted, point, _| {
        survives_death_at(scenario, point, wanted);
    });
}

/// Not a sample: every single point of what most people have.
#[test]
fn create_survives_being_killed_at_every_change() {
    when::steady_day();
    let common = |s: &Scenario| {
        s.naming == "numbered" && s.packing != "delaycompress" && s.shape == "one log"
    };
    for scenario in scenario::all(0).into_iter().filter(common) {
        let (wanted, last) = undisturbed(&scenario);
        for point in 1..=last {
            survives_death_at(&scenario, point, &wanted);
        }
    }
}

#[test]
fn renamecopy_survives_being_killed() {
    survives(7);
}

#[test]
fn create_survives_being_killed() {
    survives(0);
}

#[test]
fn copytruncate_survives_being_killed() {
    survives(1);
}

#[test]
fn copy_survives_being_killed() {
    survives(2);
}

/// Its last part stays, so the kill may fall between the cut and the journal's line about it.
#[test]
fn copytruncate_of_a_log_in_use_survives_being_killed() {
    survives(6);
}

/// The log's head is not that of its copy, which has no gap.
#[test]
fn copytruncate_of_a_log_with_a_gap_survives_being_killed() {
    survives(8);
}

/// Not a sample: what is kept between the runs is the mark alone.
#[test]
fn copytruncate_of_a_log_with_a_gap_survives_being_killed_at_every_change() {
    when::steady_day();
    let simple = |s: &Scenario| s.packing == "plain" && s.shape == "one log";
    for scenario in scenario::all(8).into_iter().filter(simple) {
        let (wanted, last) = undisturbed(&scenario);
        let has_gap = |(name, file): (&PathBuf, &TreeEntry)| {
            name.as_path() != Path::new("a.log") && file.content.contains(&0)
        };
        assert!(!wanted.logs.0.iter().any(has_gap), "no version has a gap");
        for point in 1..=last {
            survives_death_at(&scenario, point, &wanted);
        }
    }
}

#[test]
fn olddir_survives_being_killed() {
    survives(3);
}

#[test]
fn copytruncate_to_another_file_system_survives_being_killed() {
    survives(4);
}

#[test]
fn copy_to_another_file_system_survives_being_killed() {
    survives(5);
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

#[test]
fn mail_survives_being_killed() {
    when::steady_day();
    let compress = |s: &Scenario| s.shape == "mail" && s.packing == "compress";
    let scenario = scenario::all(0).into_iter().find(compress).expect("there is one");
    let (wanted, last) = undisturbed(&scenario);
    assert!(wanted.logs.files().contains(&Path::new("mailed")), "it is as it should be");
    for point in (1..=last).step_by(9) {
        survives_death_at(&scenario, point, &wanted);
    }
}

/// At every write and every sync of `shred` itself, in both files that it overwrites.
#[test]
fn shred_survives_being_killed() {
    when::steady_day();
    let shape = |s: &Scenario| s.shape == "shred" && s.packing == "compress";
    let scenario = scenario::all(0).into_iter().find(shape).expect("there is one");
    let (wanted, _) = undisturbed(&scenario);
    let mut points = Vec::new();
    drop(scenario.set_up().with(|scene, far| {
        scene.run_traced(&OPTIONS, &[far], |change| {
            if !change.own {
                points.push(change.number);
            }
            Fate::Happens
        })
    }));
    assert!(points.len() > 6, "only {} changes: is `shred` traced?", points.len());
    for point in points {
        survives_death_at(&scenario, point, &wanted);
    }
}
