//! Sending a signal to whoever must open a log anew.
//!
//! What is not told of its signal is told about: nobody is left out in silence.

use crate::event::{Event, Observer};
use crate::execute::site::{Effect, Result, Site};
use crate::fault::Fault;
use crate::names::{AnyPath, Shown};
use crate::plan::step::{Expect, Place, Recipient, SignalCall};
use crate::system::file::{self, Access, Held, Refused};
use crate::system::holders::{self, Sought};
use crate::system::pid_file::{self, PidFileError};
use crate::system::signal::Target;
use crate::system::status::Status;
use crate::system::{Errno, Words, lease};
use crate::units::SignalName;

/// Sends a signal; a step that has nobody to send it to is done.
pub(super) fn signal(
    site: &Site<'_>,
    call: &SignalCall,
    observer: &mut dyn Observer,
) -> Result<Effect> {
    match &call.to {
        Recipient::PidFile(path) => to_pid_file(&call.signal, path, observer)?,
        Recipient::Writers(files) => to_writers(site, &call.signal, files, observer)?,
    }
    Ok(Effect::done(None))
}

fn to_pid_file(signal: &SignalName, path: &AnyPath, observer: &mut dyn Observer) -> Result<()> {
    let failed = |cause: &str| {
        let path = Shown::path(&path.0);
        Fault::new(format!("cannot send {signal} to the process of pid file {path}: {cause}"))
    };
    let found = pid_file::read(&path.0).map_err(|error| {
        let hint = match &error {
            PidFileError::WritableByMany(_) => Some(format!("chmod go-w {}", Shown::path(&path.0))),
            PidFileError::First => {
                Some("where the daemon is process 1, write `signal ... writers`".into())
            }
            PidFileError::Unreadable(_) | PidFileError::NoNumber(_) => None,
        };
        Fault { hint, ..failed(&error.to_string()) }
    })?;
    let pid = found.pid;
    let gone = || failed(&format!("there is no process {pid}"));
    let target = Target::take(pid).map_err(|errno| told(errno, &gone, &failed))?;
    // From here on the number cannot come to mean another process that would get the signal.
    let status = Status::of(pid);
    if status.as_ref().is_some_and(|status| status.has_ended) {
        return Err(gone());
    }
    let shown = shown(pid, status.as_ref());
    if let Some(writer) = found.writer
        && !status.is_some_and(|status| status.belongs_to(writer))
    {
        return Err(failed(&format!("user {writer} may write to it, and {shown} is not theirs")));
    }
    target.send(signal).map_err(|errno| told(errno, &gone, &failed))?;
    observer.observe(&Event::Debug(&format!("{signal} was sent to {shown}")));
    Ok(())
}

fn told(errno: Errno, gone: &dyn Fn() -> Fault, failed: &dyn Fn(&str) -> Fault) -> Fault {
    match errno {
        Errno::ESRCH => gone(),
        other => Fault { errno: Some(other as i32), ..failed(&other.words()) },
    }
}

/// A process that writes a log which has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Writer {
    pid: u32,
    status: Status,
}

/// What is done about a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// It gets the signal.
    Signal,
    /// Its parent, which writes too, gets the signal and knows best.
    LeftToParent,
    /// It gets none; its parent, which writes too, gets none either.
    ChildOf(u32),
    /// It gets none, since it would not handle it.
    DoesNotHandle,
}

/// Who of the writers gets the signal: the ones that handle it, and whose parent is not a writer too. A
/// child has its descriptor from its parent, be that a shell, which has nothing to open anew, or a
/// daemon, which tells its workers itself.
fn choose(writers: &[Writer], signal: &SignalName) -> Vec<Choice> {
    let parent_of =
        |writer: &Writer| writers.iter().find(|other| other.pid == writer.status.parent);
    let choice = |writer: &Writer| {
        let Some(parent) = parent_of(writer) else {
            let handles = writer.status.handles(signal);
            return if handles { Choice::Signal } else { Choice::DoesNotHandle };
        };
        // Who stands at the top; as many steps as there are writers lead there.
        let top = writers.iter().fold(parent, |top, _| parent_of(top).unwrap_or(top));
        if top.status.handles(signal) { Choice::LeftToParent } else { Choice::ChildOf(parent.pid) }
    };
    writers.iter().map(choice).collect()
}

fn to_writers(
    site: &Site<'_>,
    signal: &SignalName,
    files: &[Place],
    observer: &mut dyn Observer,
) -> Result<()> {
    let mut sought = Sought::default();
    let mut shown_files = Vec::new();
    for place in files {
        if seek(site, place, &mut sought)? {
            shown_files.push(site.shown(place));
        }
    }
    if sought.is_empty() {
        observer.observe(&Event::Debug(&format!("{signal} is sent to nobody: nobody writes")));
        return Ok(());
    }
    let what = match &shown_files[..] {
        [one] => one.clone(),
        _ => "the rotated logs".into(),
    };
    let failed =
        |cause: &str| Fault::new(format!("cannot send {signal} to the writers of {what}: {cause}"));
    let holders = holders::of_any(&sought)
        .map_err(|errno| failed(&format!("cannot look at /proc: {}", errno.words())))?;
    let writers: Vec<Writer> = holders
        .into_iter()
        .filter(|holder| holder.writes)
        .filter_map(|holder| Some(Writer { pid: holder.pid, status: Status::of(holder.pid)? }))
        .collect();
    let mut fault = None;
    for (writer, choice) in writers.iter().zip(choose(&writers, signal)) {
        let shown = shown(writer.pid, Some(&writer.status));
        let not_sent = |why: &str| format!("{shown} writes {what} and gets no {signal}: {why}");
        match choice {
            Choice::Signal => match send(writer.pid, signal, &sought) {
                Ok(true) => {
                    observer.observe(&Event::Debug(&format!("{signal} was sent to {shown}")));
                }
                // It has ended, or has let go of the file by itself.
                Ok(false) => {}
                Err(errno) => {
                    let cause = format!("{shown}: {}", errno.words());
                    let error = Fault { errno: Some(errno as i32), ..failed(&cause) };
                    // All but the last are told here, the last by whoever carries the plan out.
                    if let Some(earlier) = fault.replace(error) {
                        observer.observe(&Event::Error(&earlier));
                    }
                }
            },
            Choice::LeftToParent => {
                observer.observe(&Event::Debug(&not_sent("its parent is told")));
            }
            Choice::ChildOf(parent) => {
                let why = format!("it belongs to its parent, process {parent}, which writes too");
                observer.observe(&Event::Note(&not_sent(&why)));
            }
            Choice::DoesNotHandle => {
                observer.observe(&Event::Note(&not_sent("it does not handle it")));
            }
        }
    }
    fault.map_or(Ok(()), Err)
}

/// Adds a file to what is sought, unless it is known that nobody writes it, or it is gone.
fn seek(site: &Site<'_>, place: &Place, sought: &mut Sought) -> Result<bool> {
    let wanted = site.wanted(place, Expect::Made, true);
    let dir = site.dir(place)?;
    let facts = match file::open(&dir, &place.name, Access::Read, &wanted) {
        // The cheap question first: it looks at no process.
        Ok((file, facts)) if lease::is_written(&file) != Ok(false) => facts,
        // Who may not read it can still tell which file it is.
        Err(Refused::System(_)) => {
            match Held::take(&dir, &place.name).and_then(|held| Ok(held.facts()?)) {
                Ok(facts) if wanted.check(&facts).is_ok() => facts,
                _ => return Ok(false),
            }
        }
        _ => return Ok(false),
    };
    sought.add(&facts.id);
    Ok(true)
}

/// Signals a process if it is still the one that writes: a number may have gone to another.
fn send(pid: u32, signal: &SignalName, sought: &Sought) -> std::result::Result<bool, Errno> {
    let sent = Target::take(pid).and_then(|target| {
        let still = holders::look_at(pid, sought)?.is_some_and(|holder| holder.writes);
        let handles = still && Status::of(pid).is_some_and(|status| status.handles(signal));
        if handles { target.send(signal).map(|()| true) } else { Ok(false) }
    });
    if sent == Err(Errno::ESRCH) { Ok(false) } else { sent }
}

/// A process, for messages.
fn shown(pid: u32, status: Option<&Status>) -> String {
    match status {
        Some(status) => format!("process {pid} ({})", Shown(status.command.as_bytes())),
        None => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::signal::named;

    /// A process of this number, with this parent, that handles USR1 or nothing.
    fn writer(pid: u32, parent: u32, handles: bool) -> Writer {
        let caught = if handles { "0200" } else { "0000" };
        let text =
            format!("Name:\tx\nState:\tS\nPPid:\t{parent}\nUid:\t0 0 0 0\nSigCgt:\t{caught}\n");
        Writer { pid, status: Status::parse(&text).expect("a status") }
    }

    #[test]
    fn the_topmost_writer_gets_the_signal_if_it_handles_it() {
        use Choice::{ChildOf, DoesNotHandle, LeftToParent, Signal};
        let usr1 = named("USR1").expect("a signal");
        let (yes, no) = (true, false);
        for (case, writers, choices) in [
            ("a daemon", vec![writer(5, 1, yes)], vec![Signal]),
            ("one that would die of it", vec![writer(5, 1, no)], vec![DoesNotHandle]),
            ("two daemons", vec![writer(5, 1, yes), writer(6, 1, yes)], vec![Signal, Signal]),
            (
                "a master, a worker and its child",
                vec![writer(5, 1, yes), writer(6, 5, yes), writer(7, 6, no)],
                vec![Signal, LeftToParent, LeftToParent],
            ),
            (
                "a shell that has its output in the log, and its command",
                vec![writer(5, 1, no), writer(6, 5, yes)],
                vec![DoesNotHandle, ChildOf(5)],
            ),
        ] {
            assert_eq!(choose(&writers, &usr1), choices, "{case}");
        }
    }
}
