//! The command line, read as the reference reads it (compat CLI-1 to CLI-8).
//!
//! Options take effect in the order in which they stand, also those before a mistake: the lexer is
//! clap's, but clap's parser says either what all arguments mean or what is wrong with one of them,
//! and here both are needed. Nothing is opened or printed here; what comes out is data.

pub mod defaults;
pub mod table;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap_lex::{ArgCursor, OsStrExt, ParsedArg, RawArgs, ShortFlags};

use crate::cli::args::defaults::state_file;
use crate::cli::args::table::{Answer, Effect, OptionRow, Switch, Target};
use crate::cli::exit;
use crate::cli::texts::{self, Program};

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    /// Configuration files and directories, in order; never empty (compat CLI-9).
    pub configs: Vec<PathBuf>,
    /// Dry run.
    pub debug: bool,
    /// Every log is due.
    pub force: bool,
    /// Debug messages are shown; a dry run shows them too.
    pub verbose: bool,
    /// The state file; may be empty, as given.
    pub state: PathBuf,
    /// The mail program of `-m`; may be empty, as given. Otherwise it is [`defaults::mail_command`], which looks
    /// for one: not in a run that finds nothing due.
    pub mail: Option<OsString>,
    /// How the lock on the state file is taken.
    pub lock: LockChoice,
    /// What gets the messages besides stderr. All are opened, in this order, before anything is read.
    pub log_sinks: Vec<LogSink>,
    /// How many of [`Self::log_sinks`] were named before `-d`: one that was named later does not get
    /// its warning (compat CLI-8). The last `-d` counts. 0 without `-d`.
    pub warning_before_sinks: usize,
}

/// How the lock on the state file is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockChoice {
    /// Taken; if another run holds it, this run ends.
    Normal,
    /// Not taken.
    Skip,
    /// Taken, however long another run holds it.
    Wait,
}

/// Something that gets the messages besides stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSink {
    /// A file, emptied when it is opened (compat CLI-30).
    File(PathBuf),
    /// The system's log (compat CLI-32).
    Syslog,
}

/// What a command line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Rotate logs.
    Run(Args),
    /// Say something, and end.
    Print(Printed),
}

/// An answer about the program, or what is wrong with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Printed {
    /// The text for stdout, whole lines.
    pub stdout: String,
    /// The text for stderr, whole lines; with `-d`, its warning first (compat CLI-8).
    pub stderr: String,
    /// The exit status.
    pub status: u8,
    /// What `-l` named up to here; a file is emptied all the same (compat CLI-6).
    pub log_sinks: Vec<LogSink>,
}

/// Says what a command line means. `argv` starts with the name of the program.
///
/// With `posixly_correct` the first file name ends the options (compat CLI-1).
pub fn parse(argv: Vec<OsString>, posixly_correct: bool) -> Parsed {
    let mut words = argv.into_iter();
    let program = Program::started_as(words.next().as_deref());
    let raw = RawArgs::new(words);
    let mut seen = Seen::default();
    let stop = seen.read_all(&raw, posixly_correct).err();
    seen.into_parsed(stop, &program)
}

/// Why no further argument is read.
#[derive(Debug)]
enum Stop {
    /// This argument is not understood.
    Bad(OsString),
    /// An answer is asked for.
    Answer(Answer),
}

/// What the arguments read so far have set.
#[derive(Debug, Default)]
struct Seen {
    configs: Vec<PathBuf>,
    switches: Vec<Switch>,
    state: Option<OsString>,
    mail: Option<OsString>,
    log_sinks: Vec<LogSink>,
    /// A number for each `-d`: how many sinks were named before it.
    warnings: Vec<usize>,
}

impl Seen {
    /// Reads all arguments, or those up to one that stops the reading.
    fn read_all(&mut self, raw: &RawArgs, posixly_correct: bool) -> Result<(), Stop> {
        let mut cursor = raw.cursor();
        while let Some(argument) = raw.next(&mut cursor) {
            let mut options_end = argument.is_escape();
            if let Some((name, value)) = argument.to_long() {
                self.read_long(&argument, name.ok(), value, || next_word(raw, &mut cursor))?;
            } else if let Some(flags) = argument.to_short() {
                self.read_letters(&argument, flags, || next_word(raw, &mut cursor))?;
            } else if !options_end {
                self.configs.push(argument.to_value_os().into());
                options_end = posixly_correct;
            }
            if options_end {
                self.configs.extend(raw.remaining(&mut cursor).map(PathBuf::from));
            }
        }
        Ok(())
    }

    /// Reads `--name` or `--name=value`.
    fn read_long(
        &mut self,
        argument: &ParsedArg<'_>,
        name: Option<&str>,
        value: Option<&OsStr>,
        next: impl FnOnce() -> Option<OsString>,
    ) -> Result<(), Stop> {
        let row = name.and_then(table::by_name).ok_or_else(|| bad(argument))?;
        if value.is_some() && !matches!(row.effect, Effect::Value { .. }) {
            return Err(bad(argument));
        }
        self.apply(row, argument, || value.map(OsStr::to_owned).or_else(next))
    }

    /// Reads the letters behind one dash, the last of which may take a value (compat CLI-1).
    fn read_letters(
        &mut self,
        argument: &ParsedArg<'_>,
        mut letters: ShortFlags<'_>,
        next: impl FnOnce() -> Option<OsString>,
    ) -> Result<(), Stop> {
        while let Some(letter) = letters.next_flag() {
            let row = letter.ok().and_then(table::by_letter).ok_or_else(|| bad(argument))?;
            if let Effect::Value { .. } = row.effect {
                let attached = letters.next_value_os().map(without_equals_sign);
                return self.apply(row, argument, || attached.or_else(next));
            }
            // `-d=1` is wrong as a whole: the switch does not take effect first.
            if letters.clone().next_flag() == Some(Ok('=')) {
                return Err(bad(argument));
            }
            self.apply(row, argument, || None)?;
        }
        Ok(())
    }

    /// Does what the option does. `value` is asked only if it takes one.
    fn apply(
        &mut self,
        row: &OptionRow,
        argument: &ParsedArg<'_>,
        value: impl FnOnce() -> Option<OsString>,
    ) -> Result<(), Stop> {
        match row.effect {
            Effect::Answer(answer) => return Err(Stop::Answer(answer)),
            Effect::Switch(switch) => self.turn_on(switch),
            Effect::Value { target, .. } => {
                self.set(target, value().ok_or_else(|| bad(argument))?);
            }
        }
        Ok(())
    }

    fn turn_on(&mut self, switch: Switch) {
        if switch == Switch::Debug {
            self.warnings.push(self.log_sinks.len());
        }
        self.switches.push(switch);
    }

    fn is_on(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    fn set(&mut self, target: Target, value: OsString) {
        match target {
            Target::Mail => self.mail = Some(value),
            Target::State => self.state = Some(value),
            Target::Log if value == "syslog" => self.log_sinks.push(LogSink::Syslog),
            Target::Log => self.log_sinks.push(LogSink::File(value.into())),
        }
    }

    /// Says what was read. The missing configuration is noticed before the two lock options (compat CLI-4).
    fn into_parsed(self, stop: Option<Stop>, program: &Program) -> Parsed {
        let none = String::new;
        let (stdout, stderr, status) = match stop {
            Some(Stop::Bad(argument)) => (none(), texts::bad_argument(&argument), exit::USAGE),
            Some(Stop::Answer(Answer::Version)) => (program.version(), none(), exit::DONE),
            Some(Stop::Answer(Answer::Help)) => (program.help(), none(), exit::DONE),
            Some(Stop::Answer(Answer::Usage)) => (program.usage(), none(), exit::DONE),
            None if self.configs.is_empty() => (none(), program.no_configuration(), exit::FAILED),
            None if self.is_on(Switch::SkipLock) && self.is_on(Switch::WaitForLock) => {
                (none(), texts::LOCK_OPTIONS_EXCLUDE_EACH_OTHER.into(), exit::FAILED)
            }
            None => return Parsed::Run(self.into_args()),
        };
        let warning = format!("warning: {}\n\n", texts::DEBUG_WARNING);
        let stderr = warning.repeat(self.warnings.len()) + &stderr;
        Parsed::Print(Printed { stdout, stderr, status, log_sinks: self.log_sinks })
    }

    fn into_args(self) -> Args {
        let debug = self.is_on(Switch::Debug);
        Args {
            debug,
            force: self.is_on(Switch::Force),
            verbose: self.is_on(Switch::Verbose) || debug,
            lock: if self.is_on(Switch::SkipLock) {
                LockChoice::Skip
            } else if self.is_on(Switch::WaitForLock) {
                LockChoice::Wait
            } else {
                LockChoice::Normal
            },
            configs: self.configs,
            state: self.state.unwrap_or_else(|| state_file().into()).into(),
            mail: self.mail,
            warning_before_sinks: self.warnings.last().copied().unwrap_or(0),
            log_sinks: self.log_sinks,
        }
    }
}

/// A mistake is named by the whole argument, also in a bundle of letters (compat CLI-2).
fn bad(argument: &ParsedArg<'_>) -> Stop {
    Stop::Bad(argument.to_value_os().to_owned())
}

/// The next argument as a value, whatever it looks like.
fn next_word(raw: &RawArgs, cursor: &mut ArgCursor) -> Option<OsString> {
    raw.next_os(cursor).map(OsStr::to_owned)
}

/// In `-s=FILE` the sign belongs to neither.
fn without_equals_sign(attached: &OsStr) -> OsString {
    attached.strip_prefix("=").unwrap_or(attached).to_owned()
}

#[cfg(test)]
mod tests;
