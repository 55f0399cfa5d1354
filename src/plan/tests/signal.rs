//! Who is told, and when.

use super::*;
use crate::config::policy::{SignalTo, Signalled};
use crate::units::SignalName;

/// A policy of `rotate 2` that sends HUP.
fn signalling(to: Signalled) -> Policy {
    let signal = Some(Rc::new(SignalTo { signal: SignalName("SIGHUP".into()), to }));
    Policy { signal, ..keep(2) }
}

fn with_script(mut policy: Policy, shared: bool) -> Policy {
    let post_rotate = Some(Setting::default(b"x".to_vec()));
    policy.scripts = Rc::new(Scripts { shared, post_rotate, ..Scripts::default() });
    policy
}

#[test]
fn the_signal_goes_out_between_the_move_and_postrotate() {
    let policy = compressed(with_script(signalling(Signalled::Writers), false), false);
    assert_eq!(
        one(&policy, &[]),
        [
            "rename a a.1",
            "SIGHUP a.1",
            "PostRotate 2",
            "compress a.1",
            "publish a.1.gz",
            "remove a.1"
        ]
    );
}

#[test]
fn with_sharedscripts_it_goes_out_once_when_all_logs_have_moved() {
    let logs = || vec![subject("/d/a", &[]), subject("/d/b", &[])];
    for (to, last) in [
        (Signalled::Writers, "SIGHUP a.1 b.1 for all"),
        (Signalled::PidFile("/run/x".into()), "SIGHUP /run/x for all"),
    ] {
        let policy = with_script(signalling(to), true);
        let steps = told(&planned(&policy, logs()));
        let expected =
            ["rename a a.1 for all", "rename b b.1 for all", last, "PostRotate 1 for all"];
        assert_eq!(steps, expected);
    }
}

#[test]
fn a_log_that_is_copied_stays_with_its_writers_so_only_a_pid_file_is_followed() {
    for (to, signalled) in [(Signalled::Writers, 0), (Signalled::PidFile("/run/x".into()), 1)] {
        let mut policy = signalling(to);
        let copy_truncate = MethodSettings { copy_truncate: true, ..MethodSettings::default() };
        policy.method = Rc::new(copy_truncate);
        let built = planned(&policy, vec![subject("/d/a", &[])]);
        let sent = told(&built).iter().filter(|step| step.starts_with("SIGHUP")).count();
        assert_eq!(
            (sent, built.remarks.iter().any(|r| r.contains("SIGHUP"))),
            (signalled, signalled == 0)
        );
    }
}

#[test]
fn renamecopy_asks_for_the_writers_of_the_log_that_was_put_aside() {
    let mut policy = signalling(Signalled::Writers);
    policy.method = Rc::new(MethodSettings { rename_copy: true, ..MethodSettings::default() });
    assert_eq!(one(&policy, &[])[..2], ["rename a a.tmp", "SIGHUP a.tmp"]);
}
