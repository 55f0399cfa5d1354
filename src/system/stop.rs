//! Being asked to end: TERM and INT.
//!
//! The handlers note the signal and nothing else. What may take long looks here from time to time and
//! ends in an orderly way; what must not be interrupted does not look.

use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::Signal;

use super::handler;

/// The signals that ask us to end.
const SIGNALS: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// The signal that asked first; 0 if none has.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// Takes notice of the signals from now on, instead of dying of them. One that we were started to
/// ignore (INT in a shell's background job) stays ignored.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in SIGNALS {
            // It fails for signals that cannot be caught only, and these can.
            let _ = handler::note(signal);
        }
    });
}

/// The name of the signal that asked us to end, if one did.
pub fn requested() -> Option<&'static str> {
    if FIRST.load(Ordering::SeqCst) == 0
        && let Some(signal) = handler::take()
    {
        let _ = FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }
    let first = FIRST.load(Ordering::SeqCst);
    SIGNALS.into_iter().find(|&signal| signal as i32 == first).map(Signal::as_str)
}

/// Whether we were asked once more since it was noticed: whoever asks is in a hurry.
pub(super) fn requested_again() -> bool {
    requested().is_some() && handler::has_come()
}
