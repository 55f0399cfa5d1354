//! Noise: nothing panics, everything ends soon, nothing is rotated by accident.

use proptest::prelude::*;

use super::*;

/// Reads something large. A quadratic step would take hours, so that the test would not pass unnoticed.
fn large(unit: &str, length: usize) -> Config {
    read(unit.repeat(length / unit.len()))
}

#[test]
fn large_hostile_files_are_read_in_linear_time_and_with_few_words() {
    let units = [
        "x\n",
        "x",
        " ",
        "\n",
        "\0",
        "/",
        "/\n",
        "{",
        "}",
        "/a{",
        "/a{b}\n",
        "/a{x\n/\n",
        "/a {\nrotate x\n",
        "/a {} ",
        "daily ",
        "daily\nweekly\n",
        "size\n",
        "/a {\nprerotate\n",
        "# ",
        "\"",
        "\\",
        "/a\n#{\n",
        "rotate ",
        "/a{\n/b\n/c\n",
    ];
    for unit in units {
        let config = large(unit, 1 << 20);
        assert!(config.diagnostics().count() <= 2100, "{unit:?}");
        for finding in config.diagnostics() {
            assert!(finding.message.len() < 11_000, "{unit:?}");
        }
    }
}

#[test]
fn ten_thousand_nested_braces_are_only_errors() {
    let config = read(format!("/a {}{}\n", "{".repeat(10_000), "}".repeat(10_000)));
    assert!(config.failed() && config.blocks.is_empty());
}

#[test]
fn noise_in_global_scope_rotates_nothing() {
    for text in [
        &b"\x7fELF\x02\x01\x01\0\0\0"[..],
        b"\0\0\0/var/log/x {\n}\n",
        b"PK\x03\x04/etc {\n}\n",
        b"\x1f\x8b\x08\0/x {}",
    ] {
        let config = read(text);
        assert!(config.failed(), "{text:?}");
        assert_eq!(names(&config), [""; 0], "{text:?}");
    }
}

#[test]
fn a_nul_ends_a_value_and_spoils_a_name_list() {
    assert_eq!(counts(&read(b"rotate 3\x0012\n/a {\n}\n")), [KeepCount::Last(3)]);
    let config = read(b"/a\0b {\n}\n");
    assert_eq!(findings(&config), ["F:1 missing '{' after log files definition"]);
}

#[test]
fn a_pattern_that_is_too_long_is_left_out_alone() {
    let config = read(format!("/{} /b {{\n}}\n", "a".repeat(2048)));
    assert_eq!(findings(&config), ["F:1 glob too long (2049 > 2048)"]);
    assert_eq!(config.blocks[0].patterns.len(), 1);
}

#[test]
fn what_is_not_shown_is_counted_and_keeps_its_weight() {
    let config = read(format!("{}rotate x\n", "foo\n".repeat(5000)));
    let all = findings(&config);
    assert_eq!(all.len(), 1001);
    assert_eq!(
        all.last().map(String::as_str),
        Some(
            "F:5001 4001 findings in this file are not shown; the last one is: bad rotation count 'x'"
        )
    );
    assert!(config.failed());
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        proptest::sample::select(vec![
            "/a ",
            "{",
            "}",
            "\n",
            "daily",
            "rotate 5",
            "rotate",
            " ",
            "=",
            "prerotate\n",
            "endscript",
            "include /dev/null",
            "\"",
            "'",
            "\\",
            "#",
            "size 5k",
            "create 0640 root root",
            "every 5m",
            "tabooext + .x",
            "\r\n",
            "su x",
            "errors ",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_shown_safely(
        fragments in proptest::collection::vec(fragment(), 0..40)
    ) {
        let config = read(fragments.concat());
        for block in &config.blocks {
            prop_assert!(!block.patterns.is_empty());
            prop_assert!(block.span.start < block.span.end);
        }
        for finding in config.diagnostics() {
            if let Some(span) = &finding.span {
                prop_assert!(span.start <= span.end && span.range().end <= span.file.bytes().len());
            }
        }
    }
}
