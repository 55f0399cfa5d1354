use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::clock::LocalTime;
use chrono::{DateTime, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use proptest::prelude::*;

fn at(instant: &str) -> LocalTime {
    let instant: DateTime<Utc> = instant.parse().expect(instant);
    Zone::at(&Berlin, instant)
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Reads lines below a good top line; gives what would be written, and the messages.
fn reread(lines: &[u8]) -> (String, Vec<String>) {
    let text = [VERSION_2, b"\n", lines].concat();
    let (state, faults) = State::parse(&text, "s", &Berlin);
    let written = state.to_bytes(&Berlin);
    let below = written.strip_prefix(VERSION_2).and_then(|rest| rest.strip_prefix(b"\n"));
    let below = String::from_utf8_lossy(below.expect("a top line")).into_owned();
    (below, faults.into_iter().map(|fault| fault.message).collect())
}

// The rows of the next four tests were taken from the reference's own answers.

#[test]
fn names_are_read_as_the_reference_reads_them() {
    for (line, name) in [
        (r#""/a\"b" 2026-1-2"#, r#"/a\"b"#),
        (r#""/a\\b" 2026-1-2"#, r"/a\\b"),
        (r#""/a\nb" 2026-1-2"#, r"/a\nb"),
        (r#""/a\xb" 2026-1-2"#, r"/a\\xb"),
        (r"/a\nb 2026-1-2", "/anb"),
        (r"/a\\nb 2026-1-2", r"/a\nb"),
        (r"/a\\\\nb 2026-1-2", r"/a\\nb"),
        (r#"'/a"b\"c' 2026-1-2"#, r#"/a\"b\\\"c"#),
        (r"'/a\'b' 2026-1-2", "/a'b"),
        (r#""/a\\\"b" 2026-1-2"#, r#"/a\\\"b"#),
        (r#"/y"z q"w 2026-1-2"#, "/yz qw"),
        (r"/y\ z 2026-1-2", "/y z"),
        ("  /y \t 2026-1-2 \r", "/y"),
        ("/y \"2026-1-2", "/y"),
    ] {
        let (written, faults) = reread(format!("{line}\n").as_bytes());
        assert_eq!((written, faults), (format!("\"{name}\" 2026-1-2-0:0:0\n"), vec![]), "{line}");
    }
}

#[test]
fn times_are_read_as_the_reference_reads_them() {
    for (time, written) in [
        ("2026-11-22-1:2:3", "2026-11-22-1:2:3"),
        ("2026-011-022-01:02:03", "2026-11-22-1:2:3"),
        ("2026-11-22", "2026-11-22-0:0:0"),
        ("2026-11-22-", "2026-11-22-0:0:0"),
        ("2026-11-22-5:3x", "2026-11-22-5:3:0"),
        ("2026-11-22-1:2:3+0100", "2026-11-22-1:2:3"),
        ("\"2026- 1-+2-3\"", "2026-1-2-3:0:0"),
        ("2026-2-31-1:1:1", "2026-3-3-1:1:1"),
        ("2026-2-0-1:1:1", "2026-1-31-1:1:1"),
        ("2028-2-30", "2028-3-1-0:0:0"),
        ("1900-1-1", "1900-1-1-0:0:0"),
        ("2100-12-31", "2100-12-31-0:0:0"),
        // Not as the reference, which would not read 1969 again.
        ("1970-1-0", "1970-1-1-0:0:0"),
    ] {
        let (line, faults) = reread(format!("/x {time}\n").as_bytes());
        assert_eq!((line, faults), (format!("\"/x\" {written}\n"), vec![]), "{time}");
    }
}

#[test]
fn a_bad_line_is_told_in_the_references_words_and_costs_nothing_else() {
    for (line, words) in [
        ("\"\" 2026-1-2", "bad line 3 in state file s"),
        ("   ", "bad line 3 in state file s"),
        ("/x", "bad line 3 in state file s"),
        ("/x 2026-1", "bad line 3 in state file s"),
        ("/x 2026-1-x", "bad line 3 in state file s"),
        ("/x 2026-1-2 z", "bad line 3 in state file s"),
        ("\"/x 2026-1-2", "bad line 3 in state file s"),
        ("\"/x\"2026-1-2", "bad line 3 in state file s"),
        ("/x\\", "bad line 3 in state file s"),
        ("/x\0 2026-1-2", "line 3 too long in state file s"),
        ("/x 1969-1-2", "bad year 1969 for file /x in state file s"),
        ("/x 2101-1-2", "bad year 2101 for file /x in state file s"),
        ("/x 2026-0-2", "bad month 0 for file /x in state file s"),
        ("/x 2026-13-2", "bad month 13 for file /x in state file s"),
        ("/x 2026-1-32", "bad day 32 for file /x in state file s"),
        ("/x 2026-1-2-24", "bad hour 24 for file /x in state file s"),
        ("/x 2026-1-2-3:-3", "bad minute -3 for file /x in state file s"),
        ("/x 2026-1-2-3:4:60", "bad second 60 for file /x in state file s"),
        (
            "/x 2026-1-99999999999999999999",
            "bad day 9223372036854775807 for file /x in state file s",
        ),
        ("\"/\x1b[m\" 2026-13-1", "bad month 13 for file /\\u{1b}[m in state file s"),
    ] {
        let text = format!("/a 2026-1-2\n{line}\n\n/b 2026-1-2\n");
        let (written, faults) = reread(text.as_bytes());
        assert_eq!(faults, [words], "{line:?}");
        assert_eq!(written, "\"/a\" 2026-1-2-0:0:0\n\"/b\" 2026-1-2-0:0:0\n", "{line:?}");
    }
}

#[test]
fn the_last_of_several_records_of_one_log_counts() {
    let (written, faults) = reread(b"/a 2026-1-1\n/b 2026-1-2\n/a 2026-1-3\n");
    assert_eq!(written, "\"/a\" 2026-1-3-0:0:0\n\"/b\" 2026-1-2-0:0:0\n");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_line_that_is_too_long_or_not_ended_is_used_if_it_can_be_read() {
    let long = "x".repeat(LONGEST_LINE);
    for (lines, records, words) in [
        ("/a 2026-1-2".to_owned(), 1, None),
        ("/b 2026-1-2\n/a 2026".to_owned(), 1, Some("line 3 too long in state file s")),
        (format!("/{long} 2026-1-2\n"), 1, None),
        (format!("/{long}\n"), 0, Some("line 2 too long in state file s")),
        ("/a 2026-13-2".to_owned(), 0, Some("bad month 13 for file /a in state file s")),
    ] {
        let text = [VERSION_2, b"\n", lines.as_bytes()].concat();
        let (state, faults) = State::parse(&text, "s", &Berlin);
        assert_eq!(state.len(), records);
        assert_eq!(faults.first().map(|fault| fault.message.as_str()), words);
        assert_eq!(state.is_changed(), words.is_some());
    }
}

#[test]
fn both_versions_are_read_and_version_2_is_written() {
    for (top, words, changed) in [
        ("logrotate state -- version 2\n", None, false),
        ("logrotate state -- version 1\n", None, true),
        ("logrotate state -- version 3\n", Some("bad top line in state file s"), true),
        ("logrotate state -- version 2\r\n", Some("bad top line in state file s"), true),
        ("\n", Some("bad top line in state file s"), true),
        ("/b 2026-1-1\n", Some("bad top line in state file s"), true),
    ] {
        let text = format!("{top}/a 2026-1-2\nnonsense\n");
        let text = if words.is_none() { text.replace("nonsense\n", "") } else { text };
        let (state, faults) = State::parse(text.as_bytes(), "s", &Berlin);
        assert_eq!(faults.first().map(|fault| fault.message.as_str()), words, "{top}");
        assert!(faults.len() <= 1);
        assert_eq!(state.is_changed(), changed, "{top}");
        assert!(state.get(path(b"/a"), &Berlin).is_some());
        assert_eq!(state.get(path(b"/b"), &Berlin).is_some(), top.starts_with("/b"));
        assert!(state.to_bytes(&Berlin).starts_with(b"logrotate state -- version 2\n\""));
    }
}

#[test]
fn an_empty_file_is_an_empty_state_that_is_worth_writing() {
    let (state, faults) = State::parse(b"", "s", &Berlin);
    assert_eq!((state.len(), faults, state.is_changed()), (0, vec![], true));
    assert_eq!(state.to_bytes(&Berlin), b"logrotate state -- version 2\n");
}

#[test]
fn a_state_that_only_has_its_top_line_is_not_written_again() {
    let (state, faults) = State::parse(b"logrotate state -- version 2\n", "s", &Berlin);
    assert_eq!((state.is_changed(), faults), (false, vec![]));
}

#[test]
fn a_time_in_the_repeated_hour_carries_its_offset() {
    for (instant, written) in [
        ("2026-10-25T00:30:00Z", "2026-10-25-2:30:0+0200"),
        ("2026-10-25T01:30:00Z", "2026-10-25-2:30:0+0100"),
        ("2026-10-25T02:30:00Z", "2026-10-25-3:30:0"),
        ("2026-07-01T10:11:12Z", "2026-7-1-12:11:12"),
    ] {
        let mut state = State::default();
        state.set(path(b"/a"), at(instant));
        let text = state.to_bytes(&Berlin);
        let expected = format!("logrotate state -- version 2\n\"/a\" {written}\n");
        assert_eq!(String::from_utf8_lossy(&text), expected);
        let (read, faults) = State::parse(&text, "s", &Berlin);
        assert_eq!((read.get(path(b"/a"), &Berlin), faults), (Some(at(instant)), vec![]));
        assert_eq!(read.to_bytes(&Berlin), text);
    }
}

#[test]
fn a_time_without_an_offset_is_the_earlier_one_or_the_moment_of_the_change() {
    for (time, instant) in [
        ("2026-10-25-2:30:0", "2026-10-25T00:30:00Z"),
        ("2026-10-25-2:30:0+01", "2026-10-25T00:30:00Z"),
        ("2026-10-25-2:30:0+0100 ", "2026-10-25T01:30:00Z"),
        ("2026-10-25-2:30:0+0100x", "2026-10-25T00:30:00Z"),
        ("2026-10-25-2:30:0+9999", "2026-10-25T00:30:00Z"),
        ("2026-3-29-2:30:0", "2026-03-29T01:00:00Z"),
    ] {
        let text = format!("logrotate state -- version 2\n/a {time}\n");
        let (state, _) = State::parse(text.as_bytes(), "s", &Berlin);
        assert_eq!(state.get(path(b"/a"), &Berlin), Some(at(instant)), "{time}");
    }
}

#[test]
fn a_clock_that_is_far_off_leaves_a_file_that_can_be_read() {
    for (instant, written) in
        [("1969-12-31T10:00:00Z", "1970-1-1-0:0:0"), ("2105-01-01T10:00:00Z", "2100-12-31-0:0:0")]
    {
        let mut state = State::default();
        state.set(path(b"/a"), at(instant));
        let text = state.to_bytes(&Berlin);
        assert!(String::from_utf8_lossy(&text).ends_with(&format!("\"/a\" {written}\n")));
        let (read, faults) = State::parse(&text, "s", &Berlin);
        assert_eq!((read.len(), faults), (1, vec![]));
    }
}

#[test]
fn an_offset_holds_when_the_time_zone_changes() {
    let text = b"logrotate state -- version 2\n/a 2026-10-25-2:30:0+0100\n";
    let (state, _) = State::parse(text, "s", &Tz::UTC);
    assert_eq!(state.get(path(b"/a"), &Tz::UTC), Some(at("2026-10-25T01:30:00Z")));
    assert!(state.to_bytes(&Tz::UTC).ends_with(b"\"/a\" 2026-10-25-1:30:0\n"));
}

#[test]
fn hostile_names_come_back_byte_for_byte() {
    let names: [&[u8]; 9] = [
        b"/a\"b",
        b"/a\\b",
        b"/a\\nb",
        b"/a\nb",
        b"/a b\t",
        b"/\xff\xfe",
        b"\\\"\\\\\"\n'",
        b"relative",
        b"/\r\x0b\x0c#",
    ];
    let mut state = State::default();
    for name in names {
        state.set(path(name), at("2026-07-01T10:00:00Z"));
    }
    let text = state.to_bytes(&Berlin);
    let (read, faults) = State::parse(&text, "s", &Berlin);
    assert_eq!(faults, []);
    assert_eq!(read.paths().collect::<Vec<_>>(), names.map(path));
    assert_eq!(read.to_bytes(&Berlin), text);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (state, faults) = State::parse(&bytes, "s", &Berlin);
        prop_assert_eq!(state.is_changed(), !faults.is_empty() || bytes.is_empty());
    }

    #[test]
    fn whatever_is_read_is_written_so_that_it_is_read_again(
        lines in prop::collection::vec(
            r#"["'/a-z\\ \x01-\xff]{0,8}[ ]?[12][09][0-9]{2}-[0-9]{1,2}-[0-9]{1,2}(-[0-9:+]{0,12})?\n?"#,
            0..8,
        ),
    ) {
        let text = [VERSION_2, b"\n", lines.concat().as_bytes()].concat();
        let (state, _) = State::parse(&text, "s", &Berlin);
        let written = state.to_bytes(&Berlin);
        let (again, faults) = State::parse(&written, "s", &Berlin);
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(again.to_bytes(&Berlin), written);
        prop_assert_eq!(again.len(), state.len());
    }

    #[test]
    fn records_come_back_byte_for_byte_and_second_for_second(
        records in prop::collection::hash_map(
            prop::collection::vec(1u8.., 1..12),
            // Half of them in the repeated hour.
            prop_oneof![0i64..4_102_444_800, 1_792_886_400i64..1_792_893_600],
            0..20,
        ),
    ) {
        let mut state = State::default();
        for (name, &seconds) in &records {
            let time = DateTime::from_timestamp(seconds, 0).expect("in range");
            state.set(path(name), Zone::at(&Berlin, time));
        }
        let (read, faults) = State::parse(&state.to_bytes(&Berlin), "s", &Berlin);
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(read.len(), records.len());
        for (name, &seconds) in &records {
            let found = read.get(path(name), &Berlin).map(LocalTime::seconds);
            prop_assert_eq!(found, Some(seconds));
        }
    }
}
