//! Good configurations.

use super::*;

#[test]
fn a_block_starts_as_a_copy_of_the_settings_before_it() {
    let config = read("rotate 3\n/a {\n}\n/b { rotate 4\n}\nrotate 5\naddextension .x\n/c { }\n");
    assert_eq!(findings(&config), [""; 0]);
    assert_eq!(names(&config), ["/a", "/b", "/c"]);
    assert_eq!(counts(&config), [3, 4, 5].map(KeepCount::Last));
    let naming = |i: usize| config.blocks[i].policy.naming.add_extension.clone();
    assert_eq!((naming(0), naming(2)), (None, Some(b".x".to_vec())));
}

#[test]
fn every_setting_reaches_the_policy() {
    let config = read(
        "/a {\n size 5k\n minsize 1\n maxsize 2\n minage 3\n maxage 4\n rotate -1\n start 5\n missingok\n \
         notifempty\n ignoreduplicates\n allowhardlink\n create 0600 root root\n copytruncate copy\n \
         olddir ~/old\n createolddir 0700 root root\n dateext\n dateformat  -%Y\n dateyesterday datehourago\n extension .e\n \
         compress delaycompress\n compresscmd /usr/bin/xz\n compressoptions -9 'a b'\n sharedscripts\n \
         prerotate\n  x }\n endscript\n}\n",
    );
    assert_eq!(findings(&config), [""; 0]);
    let policy = &config.blocks[0].policy;
    assert_eq!(policy.criteria.trigger.value, Trigger::Size(ByteSize(5120)));
    let sizes = [&policy.criteria.min_size, &policy.criteria.max_size];
    assert_eq!(sizes.map(|s| s.as_ref().map(|s| s.value.0)), [Some(1), Some(2)]);
    assert_eq!(policy.criteria.min_age.as_ref().map(|d| d.value.0), Some(3));
    assert_eq!(policy.retention.max_age.as_ref().map(|d| d.value.0), Some(4));
    assert_eq!(policy.retention.count.value, KeepCount::All);
    let selection = &policy.selection;
    assert!(selection.missing_ok && selection.skip_empty);
    assert!(selection.ignore_duplicates && selection.allow_hard_links);
    let create = &policy.create;
    assert!(create.enabled);
    assert_eq!((create.mode, create.uid, create.gid), (Some(Mode(0o600)), Some(0), Some(0)));
    assert!(policy.method.copy && policy.method.copy_truncate);
    let naming = &policy.naming;
    assert_eq!(naming.old_dir.as_ref().map(|d| d.value.clone()), Some("/home/me/old".into()));
    let made = &naming.create_old_dir;
    assert!(made.enabled);
    assert_eq!((made.mode, made.uid, made.gid), (Some(Mode(0o700)), Some(0), Some(0)));
    assert!(naming.dated && naming.yesterday && naming.hour_ago && naming.start == 5);
    assert_eq!(naming.date_format.as_ref().map(|f| f.value.as_slice()), Some(&b"-%Y"[..]));
    let compression = &policy.compression;
    assert!(compression.enabled && compression.delayed);
    assert_eq!(compression.extension, b".xz");
    assert_eq!(compression.options, ["-9", "a b"]);
    assert!(policy.scripts.shared);
    assert_eq!(
        policy.scripts.pre_rotate.as_ref().map(|s| s.value.as_slice()),
        Some(&b"\n  x }\n"[..])
    );
}

#[test]
fn su_takes_what_it_leaves_out_from_the_su_around() {
    let config = read(
        "/a {\n}\nsu root root\n/b {\n}\n/c {\n su auto\n}\n/d {\n su\n}\n/e {\n su root\n}\n\
         /f {\n su auto\n}\n",
    );
    assert_eq!(findings(&config), [""; 0]);
    let root = RotateAs::User(Identity { uid: 0, gid: 0 });
    let auto = RotateAs::DirectoryOwner;
    let expected = [RotateAs::Invoker, root, auto, root, root, auto];
    assert_eq!(config.blocks.iter().map(|b| b.policy.rotate_as).collect::<Vec<_>>(), expected);
}

#[test]
fn every_interval_is_understood() {
    for (text, expected) in [
        ("hourly", Interval::Hourly),
        ("daily", Interval::Daily),
        ("weekly", Interval::Weekly(0)),
        ("weekly 7 ", Interval::Weekly(7)),
        ("monthly 03", Interval::Monthly(3)),
        ("yearly", Interval::Yearly),
        ("minutes = 10", Interval::Minutes(10)),
        ("minutely", Interval::Slots(SlotLength::Minutes(1))),
        ("every 10m", Interval::Slots(SlotLength::Minutes(10))),
        ("every 6h", Interval::Slots(SlotLength::Hours(6))),
        ("every=2d", Interval::Slots(SlotLength::Days(2))),
        ("every 1w", Interval::Slots(SlotLength::Weeks(1))),
    ] {
        let config = read(format!("/a {{\n{text}\n}}\n"));
        let triggers: Vec<_> =
            config.blocks.iter().map(|b| b.policy.criteria.trigger.value).collect();
        assert_eq!(triggers, [Trigger::Every(expected)], "{text}: {:?}", findings(&config));
    }
}

#[test]
fn a_bare_create_and_one_with_a_mode_keep_the_owner_set_before() {
    let config =
        read("create 0640 root root\n/a {\n nocreate\n create\n}\n/b {\n create 0600\n}\n");
    let create = |i: usize| {
        let c = &config.blocks[i].policy.create;
        (c.enabled, c.mode, c.uid)
    };
    assert_eq!(create(0), (true, Some(Mode(0o640)), Some(0)));
    assert_eq!(create(1), (true, Some(Mode(0o600)), Some(0)));
}

#[test]
fn a_zero_limit_switches_an_outer_one_off() {
    let config = read("minsize 5\nmaxage 5\n/a {\n minsize 0\n maxage 0\n}\n");
    let policy = &config.blocks[0].policy;
    assert!(policy.criteria.min_size.is_none() && policy.retention.max_age.is_none());
}

#[test]
fn names_are_split_and_know_their_places() {
    let config = read("/a 'b c'\n # not this {\n\t\"/d\"  {\n}\n");
    let block = &config.blocks[0];
    let words: Vec<_> = block.patterns.iter().map(|p| &*p.value).collect();
    assert_eq!(words, [&b"/a"[..], b"b c", b"/d"]);
    let places: Vec<_> = block.patterns.iter().filter_map(|p| p.place.as_ref()).collect();
    assert_eq!(places.iter().map(|p| p.line()).collect::<Vec<_>>(), [1, 1, 3]);
    assert_eq!(places[2].bytes(), b"/d");
    assert_eq!(*block.pattern_text, *b"/a 'b c'\n \n\t\"/d\"");
    assert_eq!(block.span.bytes().last(), Some(&b'}'));
}

#[test]
fn directives_without_argument_share_a_line() {
    let config = read("/a { daily missingok compress # text\n}\n/b{notifempty }\n");
    assert_eq!(findings(&config), [""; 0]);
    assert!(config.blocks[0].policy.compression.enabled);
    assert!(config.blocks[1].policy.selection.skip_empty);
}

#[test]
fn a_missing_brace_at_the_end_of_the_file_is_accepted() {
    for text in ["/a {", "/a {\n daily", "/a {\n rotate 3", "/a {\n daily\n"] {
        let config = read(text);
        assert_eq!((names(&config), findings(&config)), (vec!["/a".into()], vec![]), "{text}");
    }
}

#[test]
fn text_behind_endscript_goes_on_in_the_same_line() {
    let config =
        read("/a {\n postrotate x\n y\n endscript;daily\n firstaction\n endscript}\n/b {\n}\n");
    assert_eq!(findings(&config), [""; 0]);
    assert_eq!(names(&config), ["/a", "/b"]);
    let policy = &config.blocks[0].policy;
    assert_eq!(policy.criteria.trigger.value, Trigger::Every(Interval::Daily));
    assert_eq!(
        policy.scripts.post_rotate.as_ref().map(|s| s.value.as_slice()),
        Some(&b" x\n y\n"[..])
    );
    assert_eq!(policy.scripts.first_action.as_ref().map(|s| s.value.as_slice()), Some(&b"\n"[..]));
}

#[test]
fn a_later_interval_overrides_an_earlier_one_with_a_note() {
    let config = read("daily\n/a {\n weekly 1\n weekly 2\n size 5\n}\nhourly\n");
    let notes: Vec<_> = config
        .notices
        .iter()
        .filter_map(|n| match n {
            crate::config::Notice::Debug(line) => Some(line.as_str()),
            crate::config::Notice::Diagnostic(_) => None,
        })
        .collect();
    assert_eq!(
        notes,
        [
            "note: 'weekly' overrides previously specified 'daily'",
            "note: 'size' overrides previously specified 'weekly'",
        ]
    );
}
