//! One block: which of its logs are due (compat 5.2). What happens to them: [`super::handling`].

use crate::config::policy::{LogBlock, Naming, ScriptKind};
use crate::event::{Event, Observer};
use crate::execute::{Await, HeldUp, Perform};
use crate::names::{LogPath, Shown};
use crate::plan::naming::Stem;
use crate::schedule::Verdict;
use crate::state::State;
use crate::system::identity;
use crate::units::Identity;

use super::handling::Handling;
use super::{Work, World, fold, su};

/// Handles a block; gives whether all went well.
pub(super) fn handle(
    work: &Work<'_>,
    world: &mut World<'_>,
    state: &mut State,
    perform: &mut dyn Perform,
    observer: &mut dyn Observer,
) -> bool {
    let mut all_well = true;
    let (block, any_logs) = (&*work.block, !work.logs.is_empty());
    observer.observe(&Event::BlockStarted { block, forced: world.forced, any_logs });
    if !any_logs {
        return true;
    }
    let switch = match su::enter(&block.policy, observer) {
        Ok(switch) => switch,
        Err(fault) => {
            observer.observe(&Event::Error(&fault));
            return false;
        }
    };
    if work.logs.iter().any(|log| perform.is_under_way(log.path.as_path())) {
        all_well &= catch_up(Await::All, world, state, perform, observer);
    }
    let (mut due, refused) = decide_all(work, world, state, observer);
    due.retain(|one| {
        let held_up = perform.held_up(&one.log);
        match &held_up {
            None => {}
            Some(HeldUp::Copy) => {
                let note = format!("{} is not rotated before its last version is copied", one.log);
                // Whoever forces a rotation is there to see that it does not happen.
                let event = if world.forced { Event::Note(&note) } else { Event::Debug(&note) };
                observer.observe(&event);
            }
            Some(HeldUp::Configuration(file)) => {
                let file = Shown::path(file);
                let note = format!(
                    "{} is not rotated before a run that reads {file} without an error has finished \
                     what an earlier one has left",
                    one.log
                );
                observer.observe(&Event::Note(&note));
            }
        }
        held_up.is_none()
    });
    let mut failed = refused;
    if due.is_empty() {
        nothing_due(block, observer);
    } else {
        let handling = Handling::of(work, world, state, perform, observer);
        failed |= !handling.rotate_all(&due, refused);
    }
    let failed = failed || !all_well;
    if let Some(line) = switch {
        observer.observe(&Event::Debug(&line));
    }
    !failed
}

/// Takes in what has been under way: keeps the listings in step with it, and its records. Gives whether it
/// went well.
pub(super) fn catch_up(
    awaited: Await,
    world: &World<'_>,
    state: &mut State,
    perform: &mut dyn Perform,
    observer: &mut dyn Observer,
) -> bool {
    let mut all_well = true;
    for (plan, outcome) in perform.ended(awaited, observer) {
        world.follow(&plan, &outcome);
        fold(&outcome, state);
        all_well &= !outcome.failed;
    }
    all_well
}

/// A log that is due, and whose ids rotate it.
#[derive(Clone)]
pub(super) struct Due {
    pub log: LogPath,
    pub identity: Option<Identity>,
}

/// Whether no log, and no version of one, can be taken for a version of another: all are in one directory, and
/// what their versions' names begin with is not what another's begins with.
pub(super) fn are_apart(due: &[Due], naming: &Naming) -> bool {
    let dir = due.first().map(|one| one.log.dir().as_os_str());
    let mut stems: Vec<_> = due.iter().map(|one| Stem::of(one.log.name(), naming).base).collect();
    stems.sort_unstable();
    due.iter().all(|one| Some(one.log.dir().as_os_str()) == dir)
        && stems.windows(2).all(|pair| matches!(pair, [one, next] if !next.starts_with(one)))
}

/// The logs that are due, and whether one cannot be looked after.
fn decide_all(
    work: &Work<'_>,
    world: &mut World<'_>,
    state: &mut State,
    observer: &mut dyn Observer,
) -> (Vec<Due>, bool) {
    let policy = &work.block.policy;
    let (mut due, mut refused) = (Vec::new(), false);
    for matched in &work.logs {
        let decided = su::identity(policy, &matched.path, &world.dirs).and_then(|identity| {
            let _lowered = identity::assume_if(identity)?;
            Ok((world.decide(matched, policy, identity, state), identity))
        });
        let (decision, identity) = match decided {
            Ok(decided) => decided,
            Err(fault) => {
                observer.observe(&Event::Error(&fault));
                refused = true;
                continue;
            }
        };
        observer.observe(&Event::Decided { block: &work.block, decision: &decision });
        match decision.verdict {
            Verdict::Rotate(_) if !su::is_settled(policy, identity) => {
                observer.observe(&Event::Error(&su::changed(&decision.log)));
                refused = true;
            }
            Verdict::Rotate(_) => due.push(Due { log: decision.log, identity }),
            Verdict::Refuse(_) => refused = true,
            Verdict::Skip(_) => {}
        }
    }
    (due, refused)
}

fn nothing_due(block: &LogBlock, observer: &mut dyn Observer) {
    let scripts = &block.policy.scripts;
    let mut kinds = vec![ScriptKind::FirstAction];
    if scripts.shared {
        kinds.extend([ScriptKind::PreRotate, ScriptKind::PostRotate]);
    }
    kinds.push(ScriptKind::LastAction);
    for kind in kinds {
        if scripts.get(kind).is_some() {
            observer.observe(&Event::ScriptNotRun(kind));
        }
    }
}
