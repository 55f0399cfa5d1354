//! Facts that hold for our program and not for the reference.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::theirs;

/// Runs a test that the reference cannot pass, for the reason with this id: a defect of compat.md
/// (`B-04`), a difference of 3.21 (`D-2`), or a row of `docs/differences.md`.
///
/// With the reference under test, passing it is the failure: the id is wrong or out of date.
pub fn differs(id: &str, test: impl FnOnce()) {
    assert!(!id.is_empty(), "a difference has an id");
    if !theirs() {
        return test();
    }
    let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
    assert!(!passed, "the reference passes this test, although it is marked as different ({id})");
}
