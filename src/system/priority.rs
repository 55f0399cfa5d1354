//! How much a thread stands back behind others.

use nix::libc;

/// By so much is a thread nicer that works in the background: a third of the time, where others want it
/// all.
const NICER: i32 = 5;

/// `ioprio_set`: this thread, and the class of what is served only when nobody else asks.
const WHO_PROCESS: libc::c_int = 1;
const CLASS_IDLE: libc::c_int = 3;
const CLASS_SHIFT: libc::c_int = 13;

/// Lets this thread, and those that it will start, stand back. It cannot be taken back. What the system
/// refuses is no loss.
pub fn lower() {
    let _ = rustix::process::nice(NICER);
}

/// Lets the disk serve this thread, and those that it will start, only when it is idle; or as usual.
#[expect(unsafe_code, reason = "no well-kept crate has a safe call for I/O classes")]
pub fn idle_disk(idle: bool) {
    let class = if idle { CLASS_IDLE << CLASS_SHIFT } else { 0 };
    // SAFETY: it takes three integers and touches no memory of ours. A refusal changes nothing.
    unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, class) };
}
