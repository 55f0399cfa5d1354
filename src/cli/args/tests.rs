use std::os::unix::ffi::OsStringExt;

use super::*;

/// Reads `logrotate` and the words of the line; `''` stands for an empty word.
fn read(line: &str) -> Parsed {
    read_as(line, false)
}

fn read_as(line: &str, posixly_correct: bool) -> Parsed {
    let words = line.split_whitespace().map(|word| if word == "''" { "" } else { word });
    let argv = std::iter::once("logrotate").chain(words).map(OsString::from).collect();
    parse(argv, posixly_correct)
}

/// One line that holds everything that differs from the defaults; known texts go by a name.
fn told(parsed: &Parsed) -> String {
    match parsed {
        Parsed::Run(args) => told_run(args),
        Parsed::Print(printed) => told_print(printed),
    }
}

fn told_run(args: &Args) -> String {
    let mut words = vec!["run".to_owned()];
    let mut flag = |on: bool, word: &str| words.extend(on.then(|| word.to_owned()));
    flag(args.debug, "debug");
    flag(args.force, "force");
    flag(args.verbose, "verbose");
    flag(args.lock == LockChoice::Skip, "skip");
    flag(args.lock == LockChoice::Wait, "wait");
    if args.state.as_os_str() != state_file() {
        words.push(format!("state={}", args.state.display()));
    }
    if let Some(mail) = &args.mail {
        words.push(format!("mail={}", mail.display()));
    }
    words.extend(args.log_sinks.iter().map(told_sink));
    if args.debug && !args.log_sinks.is_empty() {
        words.push(format!("warned={}", args.warning_before_sinks));
    }
    words.push(":".into());
    words.extend(args.configs.iter().map(|config| format!("<{}>", config.display())));
    words.join(" ")
}

fn told_sink(sink: &LogSink) -> String {
    match sink {
        LogSink::File(path) => format!("log={}", path.display()),
        LogSink::Syslog => "syslog".into(),
    }
}

fn told_print(printed: &Printed) -> String {
    let program = Program::started_as(Some("logrotate".as_ref()));
    let mut words = vec![format!("exit {}", printed.status)];
    words.extend(printed.log_sinks.iter().map(told_sink));
    let name = |text: &str| match text {
        _ if text == program.help() => "HELP".to_owned(),
        _ if text == program.usage() => "USAGE".into(),
        _ if text == program.version() => "VERSION".into(),
        _ if text == program.no_configuration() => "NOCONFIG".into(),
        _ if text == texts::LOCK_OPTIONS_EXCLUDE_EACH_OTHER => "LOCKS".into(),
        _ => match text.strip_prefix("logrotate: bad argument ") {
            Some(rest) => format!("BAD {}", rest.trim_end_matches(": unknown error\n")),
            None => format!("{text:?}"),
        },
    };
    if !printed.stdout.is_empty() {
        words.push(format!("out {}", name(&printed.stdout)));
    }
    let mut stderr = printed.stderr.as_str();
    let warning = format!("warning: {}\n\n", texts::DEBUG_WARNING);
    while let Some(rest) = stderr.strip_prefix(warning.as_str()) {
        words.push("WARN".into());
        stderr = rest;
    }
    if !stderr.is_empty() {
        words.push(format!("err {}", name(stderr)));
    }
    words.join(" ")
}

#[track_caller]
fn rows(rows: &[(&str, &str)]) {
    for (line, expected) in rows {
        assert_eq!(told(&read(line)), *expected, "{line}");
    }
}

#[test]
fn options_and_file_names_mix_in_any_order() {
    rows(&[
        ("c", "run : <c>"),
        ("c -f", "run force : <c>"),
        ("-f c d -v e", "run force verbose : <c> <d> <e>"),
        ("c -s S -m M", "run state=S mail=M : <c>"),
        ("--skip-state-lock c", "run skip : <c>"),
        ("c --wait-for-state-lock", "run wait : <c>"),
        ("--skip-state-lock --skip-state-lock c", "run skip : <c>"),
        ("-", "run : <->"),
        ("-v - c", "run verbose : <-> <c>"),
        ("''", "run : <>"),
        ("-d c", "run debug verbose : <c>"),
        ("-ffvv c", "run force verbose : <c>"),
    ]);
}

#[test]
fn two_dashes_end_the_options() {
    rows(&[
        ("-- -d", "run : <-d>"),
        ("-v -- -d", "run verbose : <-d>"),
        ("-v c -- -d", "run verbose : <c> <-d>"),
        ("-- c -- -d", "run : <c> <--> <-d>"),
        ("-f -- --version -x", "run force : <--version> <-x>"),
        ("--", "exit 1 err NOCONFIG"),
    ]);
}

#[test]
fn the_first_file_name_ends_the_options_with_posixly_correct() {
    for (line, expected) in [
        ("c -d", "run : <c> <-d>"),
        ("- -d", "run : <-> <-d>"),
        ("c --version", "run : <c> <--version>"),
        ("-v c -- -d", "run verbose : <c> <--> <-d>"),
        ("-v -- -d -- c", "run verbose : <-d> <--> <c>"),
        ("-s S -f c -x", "run force state=S : <c> <-x>"),
        ("'' -x", "run : <> <-x>"),
        ("-x c", "exit 2 err BAD -x"),
    ] {
        assert_eq!(told(&read_as(line, true)), expected, "{line}");
    }
}

#[test]
fn a_value_follows_directly_or_behind_an_equals_sign_or_as_the_next_word() {
    rows(&[
        ("-s S c", "run state=S : <c>"),
        ("-sS c", "run state=S : <c>"),
        ("-s=S c", "run state=S : <c>"),
        ("-s==S c", "run state==S : <c>"),
        ("-s= c", "run state= : <c>"),
        ("-s=x=y c", "run state=x=y : <c>"),
        ("-sx=y c", "run state=x=y : <c>"),
        ("-s '' c", "run state= : <c>"),
        ("--state S c", "run state=S : <c>"),
        ("--state=S c", "run state=S : <c>"),
        ("--state= c", "run state= : <c>"),
        ("--state=x=y c", "run state=x=y : <c>"),
        ("-vfs S c", "run force verbose state=S : <c>"),
        ("-vfsS c", "run force verbose state=S : <c>"),
        ("-vfs=S c", "run force verbose state=S : <c>"),
        ("-state c", "run state=tate : <c>"),
        ("-log c", "run log=og : <c>"),
        ("-smv c", "run state=mv : <c>"),
        ("-mail c", "run mail=ail : <c>"),
        ("-m= c", "run mail= : <c>"),
    ]);
}

#[test]
fn a_value_may_look_like_an_option() {
    rows(&[
        ("-s -v c", "run state=-v : <c>"),
        ("-s -- c", "run state=-- : <c>"),
        ("-s --version c", "run state=--version : <c>"),
        ("-m --log", "exit 1 err NOCONFIG"),
        ("-l -x", "exit 1 log=-x err NOCONFIG"),
        ("-sm -v c", "run verbose state=m : <c>"),
    ]);
}

#[test]
fn the_last_state_file_and_mail_command_count() {
    rows(&[("-s A --state=B c", "run state=B : <c>"), ("-m A -m B c -m=C", "run mail=C : <c>")]);
}

#[test]
fn an_option_that_is_not_understood_is_named_as_it_was_typed() {
    let list = "-x -V -h -vx -xv -xd -x=3 -ex=3 -= -=x -é -vé --- ---v -v- -v-f -v--version \
        -verbose -version -help -usage --x --v --verb --Verbose --s --nope=3 --= --=x \
        --é";
    for bad in list.split(' ') {
        assert_eq!(told(&read(bad)), format!("exit 2 err BAD {bad}"));
        assert_eq!(told(&read(&format!("c {bad} -f"))), format!("exit 2 err BAD {bad}"));
    }
}

#[test]
fn a_missing_value_is_an_error() {
    let list = "-s -m -l -vs -vl --state --mail --log";
    for bad in list.split(' ') {
        assert_eq!(told(&read(&format!("c {bad}"))), format!("exit 2 err BAD {bad}"));
    }
}

#[test]
fn a_value_for_a_switch_is_an_error_before_the_switch_takes_effect() {
    let list = "-v= -v=1 -f= -d= -v=s -?=1 --debug=1 --force= --skip-state-lock=0 \
        --wait-for-state-lock= --help=3 --usage=1 --version=1";
    for bad in list.split(' ') {
        assert_eq!(told(&read(&format!("{bad} c"))), format!("exit 2 err BAD {bad}"));
    }
}

#[test]
fn no_configuration_is_noticed_before_the_two_lock_options() {
    rows(&[
        ("", "exit 1 err NOCONFIG"),
        ("-f -s S", "exit 1 err NOCONFIG"),
        ("-sa=b", "exit 1 err NOCONFIG"),
        ("-vs=", "exit 1 err NOCONFIG"),
        ("--skip-state-lock --wait-for-state-lock", "exit 1 err NOCONFIG"),
        ("--skip-state-lock --wait-for-state-lock c", "exit 1 err LOCKS"),
        ("--wait-for-state-lock c --skip-state-lock", "exit 1 err LOCKS"),
        ("-d --skip-state-lock --wait-for-state-lock c", "exit 1 WARN err LOCKS"),
        ("--skip-state-lock --wait-for-state-lock c -x", "exit 2 err BAD -x"),
    ]);
}

#[test]
fn an_answer_ends_the_reading_at_once() {
    rows(&[
        ("--help", "exit 0 out HELP"),
        ("-?", "exit 0 out HELP"),
        ("--usage", "exit 0 out USAGE"),
        ("--version", "exit 0 out VERSION"),
        ("c --version", "exit 0 out VERSION"),
        ("--version --help", "exit 0 out VERSION"),
        ("--help --version", "exit 0 out HELP"),
        ("--usage -v", "exit 0 out USAGE"),
        ("--version -x", "exit 0 out VERSION"),
        ("-x --version", "exit 2 err BAD -x"),
        ("--help -x", "exit 0 out HELP"),
        ("-x --help", "exit 2 err BAD -x"),
        ("--version c -l", "exit 0 out VERSION"),
        ("-?d", "exit 0 out HELP"),
        ("-?x", "exit 0 out HELP"),
        ("-d?", "exit 0 out HELP WARN"),
        ("-fd -?", "exit 0 out HELP WARN"),
        ("-d --usage c", "exit 0 out USAGE WARN"),
    ]);
}

#[test]
fn options_before_a_mistake_or_an_answer_take_effect() {
    rows(&[
        ("-l L --version", "exit 0 log=L out VERSION"),
        ("-l=L -?", "exit 0 log=L out HELP"),
        ("--version -l L", "exit 0 out VERSION"),
        ("--help -l L", "exit 0 out HELP"),
        ("-l L -x", "exit 2 log=L err BAD -x"),
        ("-x -l L", "exit 2 err BAD -x"),
        ("-l L", "exit 1 log=L err NOCONFIG"),
        ("--log=syslog -l L --usage", "exit 0 syslog log=L out USAGE"),
        ("-d -x", "exit 2 WARN err BAD -x"),
        ("-d -s", "exit 2 WARN err BAD -s"),
        ("-ds", "exit 2 WARN err BAD -ds"),
        ("-dvx", "exit 2 WARN err BAD -dvx"),
        ("-dv=1", "exit 2 WARN err BAD -dv=1"),
        ("-d -é", "exit 2 WARN err BAD -é"),
        ("-x -d", "exit 2 err BAD -x"),
        ("-d", "exit 1 WARN err NOCONFIG"),
        ("-d -d", "exit 1 WARN WARN err NOCONFIG"),
        ("-dd?", "exit 0 out HELP WARN WARN"),
    ]);
}

#[test]
fn a_sink_named_after_the_dry_run_does_not_get_its_warning() {
    rows(&[
        ("-l A c", "run log=A : <c>"),
        ("-l A -l B -d c", "run debug verbose log=A log=B warned=2 : <c>"),
        ("-l A -d -l B c", "run debug verbose log=A log=B warned=1 : <c>"),
        ("-d -l B c", "run debug verbose log=B warned=0 : <c>"),
        ("-d -l B -d c", "run debug verbose log=B warned=1 : <c>"),
        ("-dl B c", "run debug verbose log=B warned=0 : <c>"),
        ("-l syslog -d c", "run debug verbose syslog warned=1 : <c>"),
        ("-l SYSLOG c", "run log=SYSLOG : <c>"),
        ("-l '' c", "run log= : <c>"),
    ]);
}

#[test]
fn arguments_need_not_be_text() {
    let vector = |words: &[&[u8]]| words.iter().map(|w| OsString::from_vec(w.to_vec())).collect();
    let Parsed::Run(args) = parse(
        vector(&[b"\xff", b"-vs\xffS", b"--log=\xfe", b"-m", b"\xfd=", b"c\xff", b"\xff-x"]),
        false,
    ) else {
        panic!("not a run")
    };
    assert_eq!(args.state, PathBuf::from(OsString::from_vec(b"\xffS".to_vec())));
    assert_eq!(args.log_sinks, [LogSink::File(OsString::from_vec(b"\xfe".to_vec()).into())]);
    assert_eq!(args.mail, Some(OsString::from_vec(b"\xfd=".to_vec())));
    assert_eq!(
        args.configs,
        vector(&[b"c\xff", b"\xff-x"]).into_iter().map(PathBuf::from).collect::<Vec<_>>()
    );

    for (bad, shown) in [
        (&b"-d\xff"[..], "exit 2 WARN err BAD -d\u{fffd}"),
        (b"-\xff", "exit 2 err BAD -\u{fffd}"),
        (b"--\xff", "exit 2 err BAD --\u{fffd}"),
        (b"--\xff=x", "exit 2 err BAD --\u{fffd}=x"),
        (b"--force=\xff", "exit 2 err BAD --force=\u{fffd}"),
    ] {
        assert_eq!(told(&parse(vector(&[b"logrotate", bad]), false)), shown);
    }
}

#[test]
fn an_empty_argument_vector_names_no_configuration() {
    let Parsed::Print(printed) = parse(Vec::new(), false) else { panic!("not a text") };
    assert_eq!((printed.status, printed.stdout.as_str()), (exit::FAILED, ""));
    assert!(printed.stderr.contains("\n\nUsage: logrotate-rs [-dfv?] "));
}

proptest::proptest! {
    #[test]
    fn no_arguments_end_in_a_panic_or_an_empty_answer(
        words in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..6), 0..6),
        dashes in proptest::collection::vec(0_usize..3, 6),
        posixly_correct: bool,
    ) {
        let argv = words.iter().zip(dashes).map(|(word, dashes)| {
            OsString::from_vec([&b"--"[..dashes], word].concat())
        });
        match parse(argv.collect(), posixly_correct) {
            Parsed::Run(args) => assert!(!args.configs.is_empty()),
            Parsed::Print(printed) => assert!(!printed.stdout.is_empty() || !printed.stderr.is_empty()),
        }
    }
}
