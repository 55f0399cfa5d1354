//! `signal`: who is told that the logs have moved.

use crate::config::policy::{Method, SignalTo, Signalled};
use crate::names::AnyPath;

use super::sequence::Sequence;
use super::step::{Action, Expect, Place, Recipient, Scope, SignalCall, Why};

impl Sequence<'_> {
    /// The signal goes out when all logs of its scope have moved, and before `postrotate`, which it
    /// stands for: it fails as one does.
    pub(super) fn signal(&mut self) {
        let policy = self.request.policy;
        let Some(wanted) = &policy.signal else { return };
        if policy.scripts.shared {
            let moved = self.newest_of(|_| true);
            self.push_signal(wanted, moved, Scope::Block);
            return;
        }
        for (index, _) in self.numbered_subjects() {
            let moved = self.newest_of(|of| of == index);
            self.push_signal(wanted, moved, self.scope(index));
        }
    }

    /// Adds the step, unless no log has moved (they were old versions, and are no logs any more).
    fn push_signal(&mut self, wanted: &SignalTo, moved: Vec<Place>, scope: Scope) {
        let method = self.request.policy.method.method();
        if moved.is_empty() && matches!(method, Method::Move | Method::RenameCopy) {
            return;
        }
        let to = match &wanted.to {
            Signalled::PidFile(path) => Recipient::PidFile(AnyPath(path.clone())),
            Signalled::Writers if matches!(method, Method::Move | Method::RenameCopy) => {
                Recipient::Writers(moved)
            }
            Signalled::Writers => {
                let remark = format!(
                    "{} is sent to nobody: a log that is copied stays with its writers",
                    wanted.signal
                );
                self.remarks.push(remark);
                return;
            }
        };
        let call = SignalCall { signal: wanted.signal.clone(), to };
        self.draft.push(Action::Signal(call), Expect::Nothing, scope, Why::Signal);
    }

    /// Where the logs are that have just moved: these, by their index.
    fn newest_of(&self, wanted: impl Fn(u32) -> bool) -> Vec<Place> {
        let places = self.parked.iter().zip(&self.newest);
        (0..)
            .zip(places)
            .filter(|&(index, _)| wanted(index))
            .filter_map(|(_, (parked, newest))| parked.as_ref().or(newest.as_ref()).cloned())
            .collect()
    }
}
