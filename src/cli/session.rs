//! The two kinds of run, real and dry, chosen here once: which state file, which lock, which
//! performer. Nobody below asks which it is.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::clock::{LocalTime, Zone};
use crate::execute::{Journal, JournalError, Live, Owner, Perform, Preview, ScriptTexts};
use crate::names::{FileName, Shown};
use crate::report::{Level, Messages, Text};
use crate::run::{self, ConfiguredScripts};
use crate::state::{LockMode, State, Store, StoreEvent, read_only};
use crate::system::{Dir, Dirs, stop};

use super::args::{Args, LockChoice};

/// A run in progress.
pub(super) enum Session<'a> {
    /// Locks, changes, and remembers.
    Real {
        /// The state file.
        store: Box<Store>,
        /// Its path, for messages.
        path: &'a Path,
    },
    /// Looks only.
    Dry {
        /// The state file's path.
        path: &'a Path,
    },
}

impl<'a> Session<'a> {
    /// Takes the lock, for a real run.
    ///
    /// # Errors
    /// If the state file cannot be opened, made or locked; it has been said.
    pub(super) fn open(args: &'a Args, messages: &mut Messages) -> Result<Self, Locked> {
        let path = &args.state;
        if args.debug {
            return Ok(Self::Dry { path });
        }
        let mode = match args.lock {
            LockChoice::Normal => LockMode::Normal,
            LockChoice::Skip => LockMode::Skip,
            LockChoice::Wait => LockMode::Wait,
        };
        let store = Store::open(path, mode, &mut |event| match event {
            StoreEvent::Debug(line) => messages.say(Level::Debug, &line),
            StoreEvent::Warning(line) => messages.say(Level::Warning, &line),
        });
        match store {
            Ok(store) => Ok(Self::Real { store: Box::new(store), path }),
            Err(failure) => {
                messages.fault(&failure.fault);
                Err(Locked)
            }
        }
    }

    /// Reads the state; gives whether nothing was wrong with it. A bad line costs its log's record
    /// only.
    pub(super) fn load_state(&mut self, zone: &dyn Zone, messages: &mut Messages) -> (State, bool) {
        let (path, content) = match self {
            Self::Real { store, path } => (*path, store.load().map(Some)),
            Self::Dry { path } => (*path, read_only(path)),
        };
        let shown = Shown::path(path).to_string();
        messages.say(Level::Debug, &format!("Reading state from file: {shown}"));
        if matches!(content, Ok(None)) {
            messages.say(Level::Debug, &format!("state file {shown} does not exist"));
        }
        // The reference's own table; the line is known to those who compare outputs (compat MSG-11).
        let size = content.as_ref().map_or(0, |bytes| bytes.as_ref().map_or(0, Vec::len));
        let entries = (size / 16_000).clamp(64, 8192);
        let line = format!("Allocating hash table for state file, size {entries} entries");
        messages.say(Level::Debug, &line);
        match content {
            Ok(Some(bytes)) => {
                let (state, faults) = State::parse(&bytes, path, zone);
                for fault in &faults {
                    messages.fault(fault);
                }
                (state, faults.is_empty())
            }
            Ok(None) => (State::default(), true),
            // A dry run goes on with nothing, and its exit status stays (compat CLI-42).
            Err(fault) => {
                messages.fault(&fault);
                (State::default(), matches!(self, Self::Dry { .. }))
            }
        }
    }

    /// Makes what carries plans out. A real run first finishes what an earlier one has left, and
    /// records it; a dry run says that there is something.
    ///
    /// # Errors
    /// If the journal belongs to a run that is going on; it has been said.
    pub(super) fn performer(
        &self,
        dirs: &Rc<RefCell<Dirs>>,
        scripts: Rc<ConfiguredScripts>,
        state: &mut State,
        (now, zone): (LocalTime, &dyn Zone),
        messages: &mut Messages,
    ) -> Result<(Performer, Resumed), Locked> {
        let store = match self {
            Self::Dry { path } => {
                say_what_is_open(path, &scripts, messages);
                return Ok((Performer::Preview(Preview::new(scripts)), Resumed::Nothing));
            }
            Self::Real { store, .. } => store,
        };
        // Until here nothing has changed, and a wait for the lock is better ended at once.
        stop::listen();
        let mut resumed = Resumed::Nothing;
        let journal = match store.journal_place().map(|(dir, name)| Journal::open(dir, name)) {
            None => None,
            Some(Ok((journal, complaint))) => {
                if let Some(fault) = complaint {
                    messages.fault(&fault);
                    resumed = Resumed::Failed;
                }
                Some(journal)
            }
            Some(Err(JournalError::Locked(fault))) => {
                messages.fault(&fault);
                return Err(Locked);
            }
            Some(Err(JournalError::Unusable(fault))) => {
                messages.fault(&fault);
                resumed = Resumed::Failed;
                None
            }
        };
        let mut live = Live::new(Rc::clone(dirs), journal, scripts);
        for (_, outcome) in live.resume(&mut Text(messages)) {
            run::fold_resumed(&outcome, state, now, zone);
            if outcome.failed {
                resumed = Resumed::Failed;
            } else if resumed == Resumed::Nothing {
                resumed = Resumed::Well;
            }
        }
        Ok((Performer::Live(Box::new(live)), resumed))
    }

    /// Keeps the state for the next run, and then lets the journal go: in this order, so that a
    /// crash in between records the journal's plans again.
    pub(super) fn close(
        &mut self,
        state: &mut State,
        now: LocalTime,
        zone: &dyn Zone,
        mut performer: Performer,
        messages: &mut Messages,
    ) -> bool {
        let Self::Real { store, .. } = self else { return true };
        for dropped in state.drop_unused(now, zone) {
            let dropped = Shown::path(&dropped).to_string();
            messages.say(Level::Debug, &format!("Removing {dropped} from state file, because it does not exist and has not been rotated for one year"));
        }
        if let Performer::Live(live) = &mut performer
            && state.is_changed()
        {
            live.prepare_records(&mut Text(messages));
        }
        let stored =
            if state.is_changed() { store.replace(&state.to_bytes(zone)) } else { store.touch() };
        let closed = stored.and_then(|()| match performer {
            Performer::Live(mut live) => live.finish(),
            Performer::Preview(_) => Ok(()),
        });
        closed.inspect_err(|fault| messages.fault(fault)).is_ok()
    }
}

/// Another run is going on, or the state file cannot be locked (compat CLI-21).
#[derive(Debug)]
pub(super) struct Locked;

/// What there was to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resumed {
    /// Nothing.
    Nothing,
    /// Something, and it is finished.
    Well,
    /// Something failed, or the journal could not be used.
    Failed,
}

/// Carries out or shows.
pub(super) enum Performer {
    /// A real run.
    Live(Box<Live>),
    /// A dry run.
    Preview(Preview),
}

impl Performer {
    /// The performer, whichever it is.
    pub(super) fn get(&mut self) -> &mut dyn Perform {
        match self {
            Self::Live(live) => live.as_mut(),
            Self::Preview(preview) => preview,
        }
    }
}

/// Tells a dry run's user what a real one would finish first.
fn say_what_is_open(state: &Path, scripts: &ConfiguredScripts, messages: &mut Messages) {
    let Some((dir, name)) = journal_beside(state) else { return };
    match Journal::peek(Rc::new(dir), name) {
        Ok(plans) => {
            for open in plans.iter().filter(|open| !open.closed) {
                let whose = match scripts.owner(&open.plan) {
                    Owner::Another => {
                        format!("a run that reads {}", Shown::path(&open.plan.block.file.0))
                    }
                    Owner::Block(_) | Owner::Nobody => "a run".into(),
                };
                let logs: Vec<_> = open.plan.logs.iter().map(ToString::to_string).collect();
                if open.waiting {
                    let line = format!(
                        "{} of earlier runs was postponed; {whose} would try it again",
                        open.plan.steps.first().map_or_else(String::new, |step| {
                            step.action.source().map_or_else(String::new, |place| {
                                Shown::path(&open.plan.path(place)).to_string()
                            })
                        })
                    );
                    messages.say(Level::Note, &line);
                    continue;
                }
                let what = if logs.is_empty() { "a script".into() } else { logs.join(", ") };
                let line = format!(
                    "an interrupted run has left {what} after step {} of {}; {whose} would finish it",
                    open.ended,
                    open.plan.steps.len()
                );
                messages.say(Level::Note, &line);
            }
        }
        Err(JournalError::Locked(fault)) => messages.say(Level::Note, &fault.message),
        Err(JournalError::Unusable(fault)) => messages.fault(&fault),
    }
}

fn journal_beside(state: &Path) -> Option<(Dir, FileName)> {
    let log = crate::names::LogPath::new(state)?;
    let name = FileName::from_bytes(&[log.name().as_bytes(), b".journal"].concat())?;
    Some((Dir::open(log.dir()).ok()?, name))
}
