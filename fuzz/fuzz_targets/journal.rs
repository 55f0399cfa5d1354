//! Any text as a journal: see `check` in `src/execute/lines.rs`, which knows its lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| logrotate_rs::execute::check_journal_text(text));
