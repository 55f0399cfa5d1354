//! Built-in defaults of the command line (compat D-3). A package may choose its own: each is read
//! from an environment variable when the program is built; README names them.

use crate::system::lookup;

/// Where the state file is if no distribution has put it elsewhere.
const STATE_FILE: &str = "/var/lib/logrotate/status";

/// Where other distributions have it.
const OTHER_STATE_FILES: [&str; 2] =
    ["/var/lib/logrotate.status", "/var/lib/logrotate/logrotate.status"];

/// Where mail programs are.
const MAIL_COMMANDS: [&str; 2] = ["/usr/bin/mail", "/bin/mail"];

/// The state file if no `-s` names one: `LOGROTATE_STATE_FILE`, or the one that is there.
pub fn state_file() -> &'static str {
    option_env!("LOGROTATE_STATE_FILE").unwrap_or_else(|| which_state_file(is_there))
}

/// The mail program if no `-m` names one: `LOGROTATE_MAIL_COMMAND`, or the one that is there.
pub fn mail_command() -> &'static str {
    option_env!("LOGROTATE_MAIL_COMMAND").unwrap_or_else(|| which_mail_command(is_there))
}

fn is_there(path: &str) -> bool {
    lookup::kind(path.as_ref()).is_ok()
}

/// Another distribution's state file counts only if it is the only one: of several nobody knows which
/// is in use.
fn which_state_file(is_there: impl Fn(&str) -> bool) -> &'static str {
    let mut others = OTHER_STATE_FILES.into_iter().filter(|path| is_there(path));
    match (others.next(), others.next()) {
        (Some(only), None) if !is_there(STATE_FILE) => only,
        _ => STATE_FILE,
    }
}

fn which_mail_command(is_there: impl Fn(&str) -> bool) -> &'static str {
    let [first, _] = MAIL_COMMANDS;
    MAIL_COMMANDS.into_iter().find(|path| is_there(path)).unwrap_or(first)
}

pub use crate::config::policy::{COMPRESS_COMMAND, UNCOMPRESS_COMMAND};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_file_is_taken_if_it_is_the_only_one() {
        let [other, third] = OTHER_STATE_FILES;
        for (there, chosen) in [
            (&[][..], STATE_FILE),
            (&[STATE_FILE], STATE_FILE),
            (&[other], other),
            (&[third], third),
            (&[STATE_FILE, other], STATE_FILE),
            (&[other, third], STATE_FILE),
        ] {
            assert_eq!(which_state_file(|path| there.contains(&path)), chosen, "{there:?}");
        }
    }

    #[test]
    fn the_mail_program_is_the_one_that_is_there() {
        for (there, chosen) in [
            (&[][..], "/usr/bin/mail"),
            (&["/bin/mail"], "/bin/mail"),
            (&["/usr/bin/mail", "/bin/mail"], "/usr/bin/mail"),
        ] {
            assert_eq!(which_mail_command(|path| there.contains(&path)), chosen, "{there:?}");
        }
    }
}
