//! The command line: the whole story of a run on one page.

pub mod args;
pub mod exit;
mod output;
mod session;
pub mod texts;

use std::cell::{LazyCell, RefCell};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use crate::clock::{Remembering, Zone};
use crate::config;
use crate::report::Text;
use crate::run::{self, ConfiguredScripts, World};
use crate::system::{Dirs, SystemAccounts, identity, log_copy, process, walk};

use args::defaults::mail_command;
use args::{Args, Parsed};
use session::{Resumed, Session};

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    log_copy::keep_inherited_descriptors_from_children();
    if identity::has_borrowed_rights() {
        return ExitCode::from(output::print(&args::Printed {
            stderr: texts::BORROWED_RIGHTS.to_owned(),
            status: exit::FAILED,
            ..args::Printed::default()
        }));
    }
    let argv = std::env::args_os().collect();
    ExitCode::from(match args::parse(argv, process::posixly_correct()) {
        Parsed::Run(wanted) => rotate(&wanted),
        Parsed::Print(text) => output::print(&text),
    })
}

/// One run, stage by stage; gives the exit status.
fn rotate(args: &Args) -> u8 {
    let zone = &Remembering::new(chrono::Local);
    let mut messages = output::messages(args);
    walk::hold_ways();

    let config = Rc::new(config::load(&args.configs, &SystemAccounts, messages.wants_debug()));
    let mut well = output::say_config(&config, &mut messages);
    let dirs = Rc::new(RefCell::new(Dirs::default()));
    let find = || run::find(&config.blocks, &mut dirs.borrow_mut(), &SystemAccounts);
    let (mut work, mut index, findings) = find();
    well &= output::say_findings(&findings, &mut messages);

    let Ok(mut session) = Session::open(args, &mut messages) else { return exit::LOCKED };
    // After the lock: whoever waited for it must not work with the time at which the wait began.
    let now = zone.at(process::now());
    let (mut state, read) = session.load_state(zone, &mut messages);
    well &= read;

    let scripts = Rc::new(ConfiguredScripts::of(Rc::clone(&config)));
    let Ok((mut performer, resumed)) =
        session.performer(&dirs, scripts, &mut state, (now, zone), &mut messages)
    else {
        return exit::LOCKED;
    };
    well &= resumed != Resumed::Failed;
    if resumed != Resumed::Nothing {
        // A log that was missing in the middle of its rotation is back. What is wrong with the
        // patterns has been said.
        (work, index, _) = find();
    }

    // Looked for if something is to be rotated: most runs have nothing to do.
    let mail_program = LazyCell::new(|| match &args.mail {
        Some(mail) => PathBuf::from(mail),
        None => mail_command().into(),
    });
    let mut world = World {
        dirs,
        index: RefCell::new(index),
        zone,
        now,
        forced: args.force,
        mail_program: &|| mail_program.as_path(),
        check_parents: process::started_by_root(),
    };
    let observer = &mut Text(&mut messages);
    well &= run::all(&work, &mut world, &mut state, performer.get(), observer);

    well &= session.close(&mut state, now, zone, performer, &mut messages);
    // The process ends: the system takes memory and locks back at once, we would piece by piece.
    std::mem::forget((work, world, state, session));
    std::mem::forget(config);
    if well { exit::DONE } else { exit::FAILED }
}
