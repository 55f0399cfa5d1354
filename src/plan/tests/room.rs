//! What goes early where there is little room.

use super::*;

const AMPLE: Room = Room { bytes: 1 << 30, files: 1000 };

/// A log and versions of a mebibyte each.
fn large(versions: &[(&str, i64)]) -> Subject {
    let mut subject = subject("/d/a", versions);
    subject.facts.size = 1 << 20;
    for version in &mut subject.versions {
        version.facts.size = 1 << 20;
    }
    subject
}

fn in_room(policy: &Policy, versions: &[(&str, i64)], room: Room) -> Vec<String> {
    told(&planned_in(policy, vec![large(versions)], Some(room)))
}

#[test]
fn with_room_the_version_that_is_not_kept_goes_last() {
    let two = [("a.1", 1), ("a.2", 2)];
    let last = ["rename a.2 a.3", "rename a.1 a.2", "rename a a.1", "remove a.3"];
    assert_eq!(in_room(&keep(2), &two, AMPLE), last);
    // A rename needs nothing but what the journal and the state take.
    assert_eq!(in_room(&keep(2), &two, Room { bytes: 64 << 10, ..AMPLE }), last);
}

#[test]
fn without_room_it_goes_first_where_it_is() {
    let two = [("a.1", 1), ("a.2", 2)];
    // If it has to stay it still makes way.
    let first = ["remove a.2 alone", "rename a.2 a.3", "rename a.1 a.2", "rename a a.1"];
    for room in [Room { bytes: 60 << 10, ..AMPLE }, Room { files: 7, ..AMPLE }] {
        assert_eq!(in_room(&keep(2), &two, room), first, "{room:?}");
    }
    let dates = [("a-20260101", 100), ("a-20260102", 99)];
    let room = Room { bytes: 0, ..AMPLE };
    assert_eq!(
        in_room(&dated(keep(2)), &dates, room),
        ["remove a-20260101 alone", "rename a a-20260506"]
    );
}

#[test]
fn a_compressed_form_may_need_as_much_as_the_log() {
    let policy = compressed(keep(1), false);
    let lines = |bytes| in_room(&policy, &[("a.1.gz", 1)], Room { bytes, ..AMPLE });
    assert_eq!(lines(2 << 20).last().map(String::as_str), Some("remove a.2.gz"));
    assert_eq!(lines(1 << 20)[0], "remove a.1.gz alone");
}

#[test]
fn a_version_past_its_age_goes_once() {
    let mut policy = keep(1);
    let (count, max_age) =
        (Setting::default(KeepCount::Last(1)), Some(Box::new(Setting::default(Days(3)))));
    policy.retention = Rc::new(Retention { count, max_age });
    let room = Room { bytes: 0, ..AMPLE };
    let steps = in_room(&policy, &[("a.1", 9)], room);
    assert_eq!(steps.iter().filter(|step| step.starts_with("remove a.1")).count(), 1, "{steps:?}");
}
