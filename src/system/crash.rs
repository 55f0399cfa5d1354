//! For tests: something happens before an effect. The process dies (here: panics), the effect fails,
//! or somebody else is quicker, so that a loop can visit every place where a run can be cut off.

use std::cell::RefCell;

use nix::errno::Errno;

/// What happens before an effect, which is told by its name.
type Hook = Box<dyn FnMut(&'static str) -> Result<(), Errno>>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// What the panic says, so that a test can tell it from a real one.
pub const DEATH: &str = "killed by the test";

/// From now on, until [`disarm`], `hook` is called before each effect of this thread.
pub fn before_each(hook: impl FnMut(&'static str) -> Result<(), Errno> + 'static) {
    HOOK.set(Some(Box::new(hook)));
}

/// Lets `effects` more effects of this thread happen, then dies before the next.
pub fn after(effects: u32) {
    let mut left = effects;
    before_each(move |_| match left.checked_sub(1) {
        Some(rest) => {
            left = rest;
            Ok(())
        }
        None => std::panic::panic_any(DEATH),
    });
}

/// Nothing happens any more.
pub fn disarm() {
    HOOK.set(None);
}

/// Called before each effect. The hook is taken out meanwhile: its own effects are its own.
pub(super) fn point(effect: &'static str) -> Result<(), Errno> {
    let Some(mut hook) = HOOK.take() else { return Ok(()) };
    let result = hook(effect);
    HOOK.set(Some(hook));
    result
}
