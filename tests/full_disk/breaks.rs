//! A disk that breaks while a run works on it: the kernel makes the file system read-only.

use super::{
    METHODS, inode, is_full, is_made_good, is_told, lay_out, nothing_is_lost, undisturbed,
};
use crate::scene::trace::Fate;
use crate::scene::{Breaker, Scene, when};

/// What the system says about a file system that it does not trust any more.
pub(super) const CAUSES: [&str; 2] = ["Read-only file system", "Input/output error"];

/// A run whose disk breaks before the `point`-th change, and what that would have been; `None` if it did not come
/// so far.
pub(super) fn run_until_it_breaks(
    scene: Scene,
    breaker: &Breaker,
    point: usize,
) -> Option<(Scene, &'static str)> {
    let mut call = None;
    let scene = scene.run_traced(&[], &[], |change| {
        if change.number == point {
            call = Some(change.call);
            breaker.break_down();
        }
        Fate::Happens
    });
    call.map(|call| (scene, call))
}

/// The disk breaks before the `point`-th change; gives whether the run came so far.
fn breaks_at(method: (&str, &str), point: usize) -> bool {
    let wanted = undisturbed(method.1);
    let scene = lay_out(method.1, &[]);
    scene.disk().sync();
    let (inode, breaker) = (inode(&scene), scene.disk().breaker());
    let Some((scene, call)) = run_until_it_breaks(scene, &breaker, point) else { return false };
    let told = format!("{}, broken at change {point}, {call}", method.0);
    nothing_is_lost(&scene, true, &told);
    is_told(&scene, &told, &CAUSES);
    scene.disk().repair();
    nothing_is_lost(&scene, true, &told);
    is_made_good(scene, &wanted, inode, &told);
    true
}

#[test]
fn a_disk_that_breaks_in_mid_run_costs_nothing_and_the_next_run_makes_up_for_it() {
    when::steady_day();
    for (number, method) in METHODS.into_iter().enumerate() {
        if is_full() {
            let points = (1..1000).take_while(|&point| breaks_at(method, point)).count();
            println!("{}: broken at {points} points", method.0);
            assert!(points > 5, "is the run traced?");
        } else {
            // Another point for each of them.
            assert!(breaks_at(method, number + 2));
        }
    }
}
