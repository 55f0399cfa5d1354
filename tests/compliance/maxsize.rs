//! `maxsize N` (compat RD-9).

use super::rotates;
use crate::scene::when::{days_ago, midnight, steady};

#[test]
fn a_log_above_it_is_due_before_its_time() {
    steady();
    assert!(rotates("daily\nmaxsize 1", midnight(0)));
}

#[test]
fn a_log_of_exactly_that_size_waits() {
    steady();
    assert!(!rotates("daily\nmaxsize 2", midnight(0)));
}

#[test]
fn a_small_log_rotates_at_its_time() {
    assert!(rotates("daily\nmaxsize 1M", days_ago(1)));
}

#[test]
fn minsize_and_minage_do_not_hold_it_back() {
    steady();
    assert!(rotates("daily\nmaxsize 1\nminsize 1M\nminage 5", midnight(0)));
}
