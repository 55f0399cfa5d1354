//! Signal handlers, by a single call each: most runs have nothing to do, and pay for these all the same.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::libc::c_int;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// A bit for each signal that came and that nobody has taken yet.
static CAME: AtomicU64 = AtomicU64::new(0);

extern "C" fn note_it(signal: c_int) {
    CAME.fetch_or(bit(signal), Ordering::SeqCst);
}

fn bit(signal: c_int) -> u64 {
    u32::try_from(signal).ok().and_then(|number| 1_u64.checked_shl(number)).unwrap_or(0)
}

extern "C" fn do_nothing(_: c_int) {}

/// Notes that a signal came, instead of dying of it. One that we were started to ignore stays ignored.
///
/// # Errors
/// For signals that cannot be caught.
pub fn note(signal: Signal) -> Result<(), Errno> {
    let before = set(signal, note_it)?;
    if matches!(before.handler(), SigHandler::SigIgn) {
        put_back(signal, &before)?;
        CAME.fetch_and(!bit(signal as c_int), Ordering::SeqCst);
    }
    Ok(())
}

/// Lets a signal come without effect. Our children begin with its default, which they would not if it were
/// ignored or blocked.
///
/// # Errors
/// As there.
pub fn let_pass(signal: Signal) -> Result<(), Errno> {
    set(signal, do_nothing).map(drop)
}

/// A noted signal that came, as its number; each once.
pub fn take() -> Option<i32> {
    let came = CAME.load(Ordering::SeqCst);
    let lowest = came & came.wrapping_neg();
    CAME.fetch_and(!lowest, Ordering::SeqCst);
    (lowest != 0).then(|| lowest.trailing_zeros().cast_signed())
}

/// Whether there is something to [`take`].
pub fn has_come() -> bool {
    CAME.load(Ordering::SeqCst) != 0
}

#[expect(unsafe_code, reason = "no crate has a safe call that needs only one of the system's")]
fn set(signal: Signal, handler: extern "C" fn(c_int)) -> Result<SigAction, Errno> {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: both handlers may run at any moment: one stores a number into an atomic, the other does nothing.
    unsafe { sigaction(signal, &action) }
}

#[expect(unsafe_code, reason = "as there")]
fn put_back(signal: Signal, before: &SigAction) -> Result<(), Errno> {
    // SAFETY: it was in force a moment ago.
    unsafe { sigaction(signal, before) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::raise;

    #[test]
    fn a_signal_is_noted_once_unless_it_was_ignored() {
        // Neither is of use to anybody else here.
        let (one, other) = (Signal::SIGUSR1, Signal::SIGUSR2);
        note(one).unwrap();
        raise(one).unwrap();
        assert!(has_come());
        assert_eq!((take(), take()), (Some(one as i32), None));

        let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
        put_back(other, &ignore).unwrap();
        note(other).unwrap();
        raise(other).unwrap();
        assert!(!has_come());
        let_pass(other).unwrap();
        raise(other).unwrap();
        assert!(!has_come());
    }
}
