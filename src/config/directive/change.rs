//! How a log is rotated: method, new log, scripts, mail, removal, identity.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::Argument::{None as Bare, Raw, Script, Value};
use super::Directive::{self, Switch as Set};
use super::signal::signal;
use super::{Row, Switch, needs, row};
use crate::config::policy::{RotateAs, ScriptKind, Writers};
use crate::config::value::{self, Bad, Reading, printable, shown, unsigned};
use crate::units::{Identity, Mode};

pub(super) const ROWS: &[Row] = &[
    row("copy", Bare(|| Set(Switch::Copy, true)), "The log is copied and stays as it is."),
    row("nocopy", Bare(|| Set(Switch::Copy, false)), "The log is moved."),
    row(
        "copytruncate",
        Bare(|| Set(Switch::CopyTruncate, true)),
        "The log is copied, then emptied in place.",
    ),
    row(
        "nocopytruncate",
        Bare(|| Set(Switch::CopyTruncate, false)),
        "The log is not emptied in place.",
    ),
    row(
        "renamecopy",
        Bare(|| Set(Switch::RenameCopy, true)),
        "The log is renamed, and copied after postrotate.",
    ),
    row(
        "norenamecopy",
        Bare(|| Set(Switch::RenameCopy, false)),
        "The log is not renamed and copied.",
    ),
    row("create", Raw(create), "A new log is made, with this mode, owner and group."),
    row("nocreate", Bare(|| Set(Switch::Create, false)), "No new log is made."),
    row(
        "writers",
        Value(needs("writers"), writers),
        "What becomes of a rotated log that is still written.",
    ),
    row(
        "sharedscripts",
        Bare(|| Set(Switch::SharedScripts, true)),
        "prerotate and postrotate run once for all logs of the block.",
    ),
    row(
        "nosharedscripts",
        Bare(|| Set(Switch::SharedScripts, false)),
        "prerotate and postrotate run for each log.",
    ),
    row(
        "signal",
        Value(needs("signal"), signal),
        "Sends a signal to whoever must open the log anew.",
    ),
    row("nosignal", Bare(|| Directive::Signal(None)), "Sends no signal."),
    row("firstaction", Script(ScriptKind::FirstAction), "Runs once before all logs of the block."),
    row("prerotate", Script(ScriptKind::PreRotate), "Runs before a log is rotated."),
    row("postrotate", Script(ScriptKind::PostRotate), "Runs after a log was rotated."),
    row("lastaction", Script(ScriptKind::LastAction), "Runs once after all logs of the block."),
    row("preremove", Script(ScriptKind::PreRemove), "Runs before an old version is removed."),
    row("timeout", Value(needs("timeout"), timeout), "How long a script may take."),
    row("mail", Value(needs("mail"), mail), "Mails what is removed to this address."),
    row("nomail", Bare(|| Directive::Mail(None)), "Mails nothing."),
    row("mailfirst", Bare(|| Set(Switch::MailFirst, true)), "Mails the newest old version."),
    row(
        "maillast",
        Bare(|| Set(Switch::MailFirst, false)),
        "Mails the version that is about to expire.",
    ),
    row("shred", Bare(|| Set(Switch::Shred, true)), "What is removed is overwritten first."),
    row("noshred", Bare(|| Set(Switch::Shred, false)), "What is removed is not overwritten."),
    row(
        "shredcycles",
        Value(needs("shred cycles"), |text, _| {
            unsigned(text, "bad-shred-cycles", "shred cycles").map(Directive::ShredCycles)
        }),
        "How often what is removed is overwritten.",
    ),
    row("su", Raw(su), "The user and group that rotate; `auto` is the directory's owner."),
];

/// A part that is not given is that of the `su` around (compat CFG-91, CFG-94).
fn su(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let usage =
        "write `su USER GROUP`, or `su auto` for the owner and group of the log's directory";
    let bad = |message: &str| Bad::new("bad-su", message).with_hint(usage);
    let words = value::plain_words(text).ok_or_else(|| bad("invalid arguments for su"))?;
    let around = match reading.rotate_as {
        RotateAs::User(identity) => Some(identity),
        RotateAs::Invoker | RotateAs::DirectoryOwner => None,
    };
    let identity = match words[..] {
        [b"auto"] => return Ok(Directive::RotateAs(RotateAs::DirectoryOwner)),
        [] => around.ok_or_else(|| bad("no user for su"))?,
        [user] => {
            let uid = value::user(user, reading.accounts)?;
            Identity { uid, gid: around.ok_or_else(|| bad("no group for su"))?.gid }
        }
        [user, group] => {
            let gid = value::group(group, reading.accounts)?;
            Identity { uid: value::user(user, reading.accounts)?, gid }
        }
        _ => return Err(bad("extra arguments for su")),
    };
    Ok(Directive::RotateAs(RotateAs::User(identity)))
}

/// A script that takes a week is as good as one without a limit.
const LONGEST_SCRIPT: Duration = Duration::from_secs(7 * 86_400);

fn timeout(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    const UNITS: &[(&str, u64)] =
        &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    if text == b"none" {
        return Ok(Directive::Timeout(None));
    }
    let limit = value::duration(text, UNITS).map(Duration::from_millis);
    match limit.filter(|limit| !limit.is_zero() && *limit <= LONGEST_SCRIPT) {
        Some(limit) => Ok(Directive::Timeout(Some(limit))),
        None => Err(Bad::new("bad-timeout", format!("bad timeout '{}'", shown(text))).with_hint(
            "write a number and its unit: `timeout 30s`, `500ms`, `5m`, `1h`, up to `7d`, or `timeout none`",
        )),
    }
}

/// A longer wait would only keep other logs waiting.
const LONGEST_WAIT: u32 = 60_000;

fn writers(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let bad = || {
        Bad::new("bad-writers", format!("bad writers '{}'", shown(text))).with_hint(
            "write `writers wait 1s` (or `500ms`, up to a minute), `writers ignore` or `writers error`",
        )
    };
    let wait = |text: &str| {
        let time = value::duration(text.as_bytes(), &[("ms", 1), ("s", 1000)])?;
        u32::try_from(time).ok().filter(|&time| time <= LONGEST_WAIT).map(Writers::Wait)
    };
    let words: Vec<&str> =
        std::str::from_utf8(text).map_err(|_| bad())?.split_whitespace().collect();
    match words[..] {
        ["ignore"] => Some(Writers::Ignore),
        ["error"] => Some(Writers::Error),
        ["wait", duration] => wait(duration),
        _ => None,
    }
    .map(Directive::Writers)
    .ok_or_else(bad)
}

fn create(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let (mode, owner) = mode_and_owner("create", text, reading)?;
    Ok(Directive::Create { mode, owner })
}

/// What is not given is `None`; user and group come together.
type ModeAndOwner = (Option<Mode>, Option<(u32, u32)>);

/// The arguments of `create` and `createolddir` (compat CFG-90 to CFG-93).
pub(super) fn mode_and_owner(
    name: &str,
    text: &[u8],
    reading: &mut Reading<'_>,
) -> Result<ModeAndOwner, Bad> {
    let usage =
        format!("write `{name}`, `{name} MODE`, `{name} OWNER GROUP` or `{name} MODE OWNER GROUP`");
    let bad = |kind: &str| {
        Bad::new("bad-create", format!("{kind} arguments for {name}")).with_hint(&usage)
    };
    let words = value::plain_words(text).ok_or_else(|| bad("invalid"))?;
    let (mode, owner) = match words[..] {
        [] => (None, None),
        [mode] => (Some(mode), None),
        [user, group] => (None, Some((user, group))),
        [mode, user, group] => (Some(mode), Some((user, group))),
        _ => return Err(bad("extra")),
    };
    let mode = mode.map(value::mode).transpose()?;
    let owner = owner
        .map(|(user, group)| {
            let gid = value::group(group, reading.accounts)?;
            Ok((value::user(user, reading.accounts)?, gid))
        })
        .transpose()
        .map_err(|bad: Bad| bad.with_hint(&usage))?;
    Ok((mode, owner))
}

fn mail(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let address = printable(text, "bad-mail", "mail address").map_err(|bad| {
        bad.with_hint("one address, without blanks; an alias of the mail system may name several")
    })?;
    Ok(Directive::Mail(Some(OsString::from_vec(address.to_vec()))))
}

#[cfg(test)]
mod tests {
    use crate::config::directive::{Argument, Directive, find};
    use crate::config::policy::{RotateAs, Writers};
    use crate::config::value::Reading;
    use crate::system::SystemAccounts;

    #[test]
    fn writers_takes_a_wait_of_up_to_a_minute_or_a_word() {
        let Some(Argument::Value(_, read)) = find(b"writers").map(|row| row.argument) else {
            panic!("writers takes a value");
        };
        for (text, expected) in [
            ("wait 1s", Some(Writers::Wait(1000))),
            ("wait  250ms", Some(Writers::Wait(250))),
            ("wait 0s", Some(Writers::Wait(0))),
            ("wait 60s", Some(Writers::Wait(60_000))),
            ("ignore", Some(Writers::Ignore)),
            ("error", Some(Writers::Error)),
            ("wait", None),
            ("wait 1", None),
            ("wait s", None),
            ("wait +1s", None),
            ("wait 61s", None),
            ("wait 99999999s", None),
            ("ignore it", None),
        ] {
            let rotate_as = RotateAs::Invoker;
            let mut reading = Reading { accounts: &SystemAccounts, debug: Vec::new(), rotate_as };
            let found = read(text.as_bytes(), &mut reading).ok();
            assert_eq!(found, expected.map(Directive::Writers), "{text}");
        }
    }
}
