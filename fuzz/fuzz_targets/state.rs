//! Any text as a state file: what was understood is written so that it is understood again, to the second.
#![no_main]

use chrono::Datelike;
use chrono_tz::Europe::Berlin;
use libfuzzer_sys::fuzz_target;
use logrotate_rs::state::State;

fuzz_target!(|text: &[u8]| {
    let (state, _) = State::parse(text, "state", &Berlin);
    let written = state.to_bytes(&Berlin);
    let (again, faults) = State::parse(&written, "state", &Berlin);
    assert_eq!(faults, [], "{}", String::from_utf8_lossy(&written));
    assert!(!again.is_changed(), "what we wrote is what we would write");
    assert_eq!(again.to_bytes(&Berlin), written);
    assert!(state.paths().eq(again.paths()));
    for path in state.paths() {
        let (before, after) = (state.get(path, &Berlin), again.get(path, &Berlin));
        // Times outside of these years are moved to the nearest that logrotate reads.
        if before.is_some_and(|time| (1971..=2100).contains(&time.date().year())) {
            assert_eq!(before, after, "{}", path.display());
        }
    }
    // A record that is set is the last word about its log, and touches no other.
    let mut state = again;
    let paths: Vec<_> = state.paths().map(ToOwned::to_owned).collect();
    if let (Some(path), Some(time)) =
        (paths.first(), paths.last().and_then(|p| state.get(p, &Berlin)))
    {
        state.set(path, time);
        let (read, faults) = State::parse(&state.to_bytes(&Berlin), "state", &Berlin);
        assert_eq!(faults, []);
        assert_eq!(read.len(), paths.len());
        if (1971..=2100).contains(&time.date().year()) {
            assert_eq!(read.get(path, &Berlin), Some(time));
        }
    }
});
