//! `yearly` (compat RD-13).

use super::rotates;
use crate::scene::when::{just_before, steady, this_year};

#[test]
fn a_log_of_last_year_is_due() {
    steady();
    assert!(rotates("yearly", just_before(this_year())));
}

#[test]
fn a_log_of_this_year_is_not_due() {
    steady();
    assert!(!rotates("yearly", this_year()));
}
