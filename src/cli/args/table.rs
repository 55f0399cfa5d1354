//! The options, one row each: the reader of the command line, `--usage` and `--help` all go by it.

/// An option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionRow {
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// Its long name, without dashes.
    pub long: &'static str,
    /// What it does.
    pub effect: Effect,
    /// What `--help` says about it.
    pub about: &'static str,
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It turns something on; a value is an error (compat CLI-2).
    Switch(Switch),
    /// It takes a value.
    Value {
        /// What is set.
        target: Target,
        /// The word for the value in `--usage` and `--help`.
        word: &'static str,
    },
    /// It ends the reading of the command line at once (compat CLI-6).
    Answer(Answer),
}

/// What an option without a value turns on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Dry run, and the debug messages.
    Debug,
    /// Every log is due.
    Force,
    /// No lock on the state file.
    SkipLock,
    /// Wait for the lock.
    WaitForLock,
    /// The debug messages.
    Verbose,
}

/// What an option with a value sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The mail program; the last one counts (compat CLI-3).
    Mail,
    /// The state file; the last one counts (compat CLI-3).
    State,
    /// One more place that gets the messages.
    Log,
}

/// A question about the program itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Version and built-in defaults.
    Version,
    /// The options, one a line.
    Help,
    /// The options in short form.
    Usage,
}

/// The options of the program, in the order of `--help` (compat 1.1).
pub const OPTIONS: &[OptionRow] = &[
    switch(Some('d'), "debug", Switch::Debug, "Show what would be done, and change nothing"),
    switch(Some('f'), "force", Switch::Force, "Rotate every log, due or not"),
    value('m', "mail", Target::Mail, "command", "Program that sends mail"),
    value('s', "state", Target::State, "statefile", "Keep the times of rotations in this file"),
    switch(None, "skip-state-lock", Switch::SkipLock, "Run without a lock on the state file"),
    switch(None, "wait-for-state-lock", Switch::WaitForLock, "Wait until another run has ended"),
    switch(Some('v'), "verbose", Switch::Verbose, "Say what is done, and why"),
    value('l', "log", Target::Log, "logfile", "Also send messages to this file or to syslog"),
    answer(None, "version", Answer::Version, "Print the version and the built-in defaults"),
];

/// The options that `--help` puts under a heading of their own.
pub const HELP_OPTIONS: &[OptionRow] = &[
    answer(Some('?'), "help", Answer::Help, "Print these lines"),
    answer(None, "usage", Answer::Usage, "Print the options in short form"),
];

/// All options.
pub fn rows() -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS.iter().chain(HELP_OPTIONS)
}

/// The option with this letter.
pub fn by_letter(letter: char) -> Option<&'static OptionRow> {
    rows().find(|row| row.short == Some(letter))
}

/// The option with this long name, which cannot be shortened (compat CLI-1).
pub fn by_name(name: &str) -> Option<&'static OptionRow> {
    rows().find(|row| row.long == name)
}

const fn switch(
    short: Option<char>,
    long: &'static str,
    what: Switch,
    about: &'static str,
) -> OptionRow {
    OptionRow { short, long, effect: Effect::Switch(what), about }
}

const fn value(
    short: char,
    long: &'static str,
    target: Target,
    word: &'static str,
    about: &'static str,
) -> OptionRow {
    OptionRow { short: Some(short), long, effect: Effect::Value { target, word }, about }
}

const fn answer(
    short: Option<char>,
    long: &'static str,
    what: Answer,
    about: &'static str,
) -> OptionRow {
    OptionRow { short, long, effect: Effect::Answer(what), about }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_options_share_a_name_or_a_letter() {
        let names: HashSet<_> = rows().map(|row| row.long).collect();
        assert_eq!(names.len(), rows().count());
        let letters: Vec<_> = rows().filter_map(|row| row.short).collect();
        assert_eq!(letters.iter().collect::<HashSet<_>>().len(), letters.len());
    }

    #[test]
    fn every_option_is_found_by_its_names() {
        for row in rows() {
            assert_eq!(by_name(row.long), Some(row));
            assert!(row.short.is_none_or(|letter| by_letter(letter) == Some(row)), "{}", row.long);
        }
    }
}
