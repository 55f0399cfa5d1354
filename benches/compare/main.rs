//! Compares this program with Debian's logrotate, whole run by whole run, and prints a table:
//!
//! ```text
//! cargo bench --bench compare -- --quick       a few minutes, a tenth of the size
//! cargo bench --bench compare -- --full        an hour or more: one run of logrotate takes a minute
//! ```
//!
//! `--only TEXT`: the rows with that text; `--runs N` (3); `--dir DIR`: where the files are made (the
//! directory for temporary files); `--theirs PROGRAM` (`/usr/sbin/logrotate`). It needs root, as a real
//! run does, about 6 GB, and a machine that does nothing else.
#![expect(clippy::disallowed_methods, reason = "a benchmark arranges files and runs programs")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints a table")]

mod bare;
mod measure;
mod rows;
mod work;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use measure::{Cost, median};
use rows::{ROWS, Row, Wanted};
use work::{Side, Site, Work};

/// The work of a quick comparison is so much smaller.
const QUICK: usize = 10;

struct Options {
    quick: bool,
    runs: usize,
    only: Option<String>,
    dir: PathBuf,
    theirs: PathBuf,
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|word| word == measure::AS_PARENT).is_some() {
        return finish(measure::as_parent(args).map(|text| println!("{text}")));
    }
    if args.next_if(|word| word == bare::AS_PROTOTYPE).is_some() {
        return finish(bare::run(args));
    }
    match options(args) {
        Ok(Some(options)) => finish(compare(&options)),
        // `cargo bench` alone asks for the other benchmarks.
        Ok(None) => {
            println!("`cargo bench --bench compare -- --quick` (or `--full`) compares whole runs");
            ExitCode::SUCCESS
        }
        Err(cause) => finish(Err(cause)),
    }
}

fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        quick: false,
        runs: 3,
        only: None,
        dir: std::env::temp_dir(),
        theirs: "/usr/sbin/logrotate".into(),
    };
    let mut wanted = false;
    while let Some(word) = args.next() {
        let mut value = || args.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--bench" => {}
            "--quick" => (options.quick, wanted) = (true, true),
            "--full" => wanted = true,
            "--runs" => options.runs = value()?.parse().map_err(|e| format!("--runs: {e}"))?,
            "--only" => options.only = Some(value()?),
            "--dir" => options.dir = value()?.into(),
            "--theirs" => options.theirs = value()?.into(),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(wanted.then_some(options))
}

/// Prints the table.
fn compare(options: &Options) -> Result<(), String> {
    let root = tempfile::Builder::new().prefix("compare-").tempdir_in(&options.dir);
    let root = root.map_err(|e| format!("{}: {e}", options.dir.display()))?;
    println!("{}\n", machine(options));
    println!(
        "| work | logrotate | logrotate-rs | ratio | required | bare prototype | memory, MB |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for row in ROWS.iter().filter(|row| options.takes(row.name)) {
        println!("{}", line(row, options, root.path())?);
    }
    for row in ROWS.iter().filter(|row| row.grows && options.takes("growth")) {
        println!("{}", growth(row, options, root.path())?);
    }
    if options.takes("system calls") {
        println!("{}", system_calls(options, root.path())?);
    }
    Ok(())
}

impl Options {
    fn takes(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|text| name.contains(text.as_str()))
    }

    fn program(&self, side: Side) -> &Path {
        match side {
            Side::Ours => Path::new(env!("CARGO_BIN_EXE_logrotate-rs")),
            Side::Theirs => &self.theirs,
            Side::Bare => Path::new("/proc/self/exe"),
        }
    }

    fn scaled(&self, work: Work) -> Work {
        let scale = if self.quick { QUICK } else { 1 };
        match work.logs {
            // One large log becomes a smaller one.
            1 => Work { bytes: work.bytes / scale as u64, ..work },
            logs => Work { logs: logs / scale, ..work },
        }
    }
}

/// One row: both programs in turn, each time on files of its own.
fn line(row: &Row, options: &Options, root: &Path) -> Result<String, String> {
    let work = options.scaled(row.work);
    let (mut seconds, mut memory, mut sizes) = ([const { Vec::new() }; 3], [0.0_f64; 3], [0; 3]);
    for _ in 0..options.runs {
        for (index, side) in [Side::Ours, Side::Theirs, Side::Bare].into_iter().enumerate() {
            let site = Site::new(root, work, side);
            let Cost { seconds: took, megabytes } = once(&site, row, options)?;
            seconds[index].push(took);
            memory[index] = memory[index].max(megabytes);
            sizes[index] = site.size_of(row.ending).map_err(|e| e.to_string())?;
            site.clear().map_err(|e| e.to_string())?;
        }
    }
    let [ours, theirs, bare] = seconds.map(|mut all| median(&mut all));
    let required = match row.wanted {
        Wanted::Faster(1.0) => "not slower".into(),
        Wanted::Faster(times) => format!("{times} times faster"),
        Wanted::Share(share) => format!("at most {share} of its time"),
    };
    #[expect(clippy::cast_precision_loss, reason = "a ratio of sizes")]
    let size = match sizes {
        [ours, theirs, _] if !row.ending.is_empty() && theirs > 0 => {
            format!(", output {:.1} %", 100.0 * ours as f64 / theirs as f64)
        }
        _ => String::new(),
    };
    let name = row.name.replace("{n}", &thousands(work.logs));
    let name = name.replace("{mib}", &(work.bytes >> 20).to_string());
    Ok(format!(
        "| {name} | {} | {} | {:.1}{size} | {required} | {} ({:.1}) | {:.1} / {:.1} |",
        shown(theirs),
        shown(ours),
        theirs / ours,
        shown(bare),
        theirs / bare,
        memory[1],
        memory[0],
    ))
}

/// A run on fresh files; what changes nothing is run several times.
fn once(site: &Site<'_>, row: &Row, options: &Options) -> Result<Cost, String> {
    site.arrange().map_err(|e| format!("cannot make the files: {e}"))?;
    let program = options.program(site.side());
    let dir = site.dir().display().to_string();
    let args = match site.side() {
        Side::Bare => vec![bare::AS_PROTOTYPE.into(), format!("{:?}", row.bare), dir],
        Side::Ours | Side::Theirs => site.args(),
    };
    if row.times > 1 {
        measure::run(program, &args, 1)?;
    }
    measure::run(program, &args, row.times)
}

/// How the time of this program grows with the number of logs: the exponent.
fn growth(row: &Row, options: &Options, root: &Path) -> Result<String, String> {
    let (few, many) = if options.quick { (1_000, 10_000) } else { (1_000, 100_000) };
    let mut took = Vec::new();
    for logs in [few, many] {
        let site = Site::new(root, Work { logs, ..row.work }, Side::Ours);
        let mut all = Vec::new();
        for _ in 0..options.runs {
            all.push(once(&site, row, options)?.seconds);
        }
        site.clear().map_err(|e| e.to_string())?;
        took.push(median(&mut all));
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
    let exponent = (took[1] / took[0]).ln() / (many as f64 / few as f64).ln();
    Ok(format!(
        "| growth from {} to {} logs: {} | | {} to {} | exponent {exponent:.2} | at most 1.1 | | |",
        thousands(few),
        thousands(many),
        row.name.replace("{n} ", ""),
        shown(took[0]),
        shown(took[1]),
    ))
}

/// The system calls of a run with one log that is not due.
fn system_calls(options: &Options, root: &Path) -> Result<String, String> {
    let mut counts = Vec::new();
    for side in [Side::Theirs, Side::Ours] {
        let site = Site::new(root, rows::ONE_LOG, side);
        site.arrange().map_err(|e| e.to_string())?;
        let trace = root.join("trace");
        let run = Command::new("strace")
            .env_remove("LD_LIBRARY_PATH")
            .args(["-qq", "-f", "-o"])
            .arg(&trace)
            .arg(options.program(side))
            .args(site.args())
            .status();
        counts.push(match run {
            Ok(status) if status.success() => {
                let trace = std::fs::read_to_string(&trace).map_err(|e| e.to_string())?;
                trace.lines().count().to_string()
            }
            _ => "no strace".into(),
        });
        site.clear().map_err(|e| e.to_string())?;
    }
    Ok(format!(
        "| one log, nothing due: system calls | {} | {} | | at most 120 | | |",
        counts[0], counts[1]
    ))
}

fn shown(seconds: f64) -> String {
    match seconds {
        s if s < 0.01 => format!("{:.2} ms", s * 1000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s => format!("{s:.2} s"),
    }
}

fn thousands(number: usize) -> String {
    let text = number.to_string();
    let split = text.len().saturating_sub(3);
    if split == 0 { text } else { format!("{},{}", &text[..split], &text[split..]) }
}

/// What it was measured on.
fn machine(options: &Options) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let output = |program: &Path, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").to_owned()
    };
    let dir = options.dir.display().to_string();
    format!(
        "{} on {} cores ({}), Linux {}, {}; medians of {}",
        output(&options.theirs, &["--version"]),
        std::thread::available_parallelism().map_or(1, usize::from),
        cpu.trim_start_matches([' ', '\t', ':']),
        read("/proc/sys/kernel/osrelease").trim(),
        output(Path::new("stat"), &["-f", "-c", "%T", &dir]),
        options.runs,
    )
}
