//! The value of `signal`.

use std::os::unix::ffi::OsStrExt;

use super::Directive;
use crate::config::policy::{SignalTo, Signalled};
use crate::config::value::{self, Bad, Reading, shown};
use crate::system::signal::{can_be_handled, named};
use crate::units::SignalName;

/// `SIGNAL pidfile PATH` or `SIGNAL writers`.
pub(super) fn signal(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let usage = "write `signal HUP writers`, or `signal HUP pidfile /run/NAME.pid`";
    let bad = |message: String| Bad::new("bad-signal", message).with_hint(usage);
    let invalid = || bad(format!("bad signal '{}'", shown(text)));
    let words = value::plain_words(text).ok_or_else(invalid)?;
    let (signal, to) = match words[..] {
        [signal, b"writers"] => (name(signal)?, Signalled::Writers),
        [signal, b"pidfile", path] => {
            let path = value::expand_home(path, reading);
            if !path.is_absolute() || path.as_os_str().as_bytes().contains(&0) {
                return Err(bad(format!(
                    "the pid file '{}' is no absolute path",
                    shown(path.as_os_str().as_bytes())
                )));
            }
            (name(signal)?, Signalled::PidFile(path))
        }
        _ => return Err(invalid()),
    };
    if to == Signalled::Writers && !can_be_handled(&signal) {
        return Err(bad(format!("no program can handle {signal}")));
    }
    Ok(Directive::Signal(Some(SignalTo { signal, to })))
}

fn name(word: &[u8]) -> Result<SignalName, Bad> {
    std::str::from_utf8(word).ok().and_then(named).ok_or_else(|| {
        Bad::new("unknown-signal", format!("unknown signal '{}'", shown(word)))
            .with_hint("write a name as `kill -l` does, such as HUP, or USR1, or a number")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::policy::RotateAs;
    use crate::system::SystemAccounts;

    fn read(text: &str) -> Result<SignalTo, String> {
        let rotate_as = RotateAs::Invoker;
        let mut reading = Reading { accounts: &SystemAccounts, debug: Vec::new(), rotate_as };
        match signal(text.as_bytes(), &mut reading) {
            Ok(Directive::Signal(Some(signal))) => Ok(signal),
            Ok(other) => panic!("{text}: {other:?}"),
            Err(bad) => Err(bad.message),
        }
    }

    #[test]
    fn a_signal_goes_to_writers_or_to_the_process_of_a_pid_file() {
        for (text, name, to) in [
            ("HUP writers", "SIGHUP", Signalled::Writers),
            ("SIGUSR1  writers", "SIGUSR1", Signalled::Writers),
            ("1 pidfile /run/a.pid", "SIGHUP", Signalled::PidFile("/run/a.pid".into())),
            ("KILL pidfile /run/a.pid", "SIGKILL", Signalled::PidFile("/run/a.pid".into())),
            ("USR1 pidfile \"/run/a b\"", "SIGUSR1", Signalled::PidFile("/run/a b".into())),
        ] {
            assert_eq!(read(text), Ok(SignalTo { signal: SignalName(name.into()), to }), "{text}");
        }
    }

    #[test]
    fn anything_else_says_what_is_wrong_with_it() {
        for (text, message) in [
            ("HUP", "bad signal 'HUP'"),
            ("writers", "bad signal 'writers'"),
            ("HUP writers now", "bad signal 'HUP writers now'"),
            ("HUP pidfile", "bad signal 'HUP pidfile'"),
            ("HUP pidfile \"/run/a", "bad signal 'HUP pidfile \"/run/a'"),
            ("HUP /run/a.pid", "bad signal 'HUP /run/a.pid'"),
            ("HUP pidfile run/a.pid", "the pid file 'run/a.pid' is no absolute path"),
            ("HUPP writers", "unknown signal 'HUPP'"),
            ("0 pidfile /run/a.pid", "unknown signal '0'"),
            ("KILL writers", "no program can handle SIGKILL"),
            ("9 writers", "no program can handle SIGKILL"),
            ("STOP writers", "no program can handle SIGSTOP"),
        ] {
            assert_eq!(read(text), Err(message.to_owned()), "{text}");
        }
    }
}
