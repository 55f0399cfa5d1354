//! Being asked to end: TERM and INT.
//!
//! The handlers note the signal and nothing else. What may take long looks here from time to time and
//! ends in an orderly way; what must not be interrupted does not look.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nix::libc;
use nix::sys::signal::Signal;

/// The signals that ask us to end.
const SIGNALS: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// The signal that came last and that nobody has looked at yet.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// The signal that asked first.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// Takes notice of the signals from now on, instead of dying of them. One that we were started to
/// ignore (INT in a shell's background job) stays ignored.
pub fn listen() {
    CAME.get_or_init(|| {
        let came = Arc::new(AtomicUsize::new(0));
        for signal in SIGNALS.into_iter().filter(|&signal| !is_ignored(signal)) {
            let number = signal as i32;
            // It fails for signals that cannot be caught only, and these can.
            let value = signal as usize;
            drop(signal_hook::flag::register_usize(number, Arc::clone(&came), value));
        }
        came
    });
}

/// The name of the signal that asked us to end, if one did.
pub fn requested() -> Option<&'static str> {
    let came = CAME.get()?;
    if FIRST.load(Ordering::SeqCst) == 0 {
        let signal = came.swap(0, Ordering::SeqCst);
        let _ = FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }
    let first = FIRST.load(Ordering::SeqCst);
    SIGNALS.into_iter().find(|&signal| signal as usize == first).map(Signal::as_str)
}

/// Whether we were asked once more since it was noticed: whoever asks is in a hurry.
pub(super) fn requested_again() -> bool {
    requested().is_some() && CAME.get().is_some_and(|came| came.load(Ordering::SeqCst) != 0)
}

#[expect(unsafe_code, reason = "no crate has a safe call that only asks")]
fn is_ignored(signal: Signal) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is changed (the new action is null), the present one is written into `now`, which
    // is large enough and, being zeroed integers and pointers, a value whatever happens.
    let now = unsafe {
        libc::sigaction(signal as i32, ptr::null(), now.as_mut_ptr());
        now.assume_init()
    };
    now.sa_sigaction == libc::SIG_IGN
}
