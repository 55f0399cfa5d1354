//! Built-in defaults of the command line (compat D-3). A package may choose its own: each is read
//! from an environment variable of its name when the program is built.

/// The state file if no `-s` names one: `LOGROTATE_STATE_FILE`.
pub const STATE_FILE: &str = match option_env!("LOGROTATE_STATE_FILE") {
    Some(path) => path,
    None => "/var/lib/logrotate/status",
};

/// The mail program if no `-m` names one: `LOGROTATE_MAIL_COMMAND`.
pub const MAIL_COMMAND: &str = match option_env!("LOGROTATE_MAIL_COMMAND") {
    Some(command) => command,
    None => "/usr/bin/mail",
};

pub use crate::config::policy::UNCOMPRESS_COMMAND;
