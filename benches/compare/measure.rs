//! Measures whole processes, by the system's own account of them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What a run took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// From its start to its end, in seconds.
    pub seconds: f64,
    /// The most memory that it, or a process that it waited for, had at once, in MB.
    pub megabytes: f64,
}

/// The word that makes this program the parent of a single run: the system accounts for the children
/// of a process all together.
pub const AS_PARENT: &str = "--as-parent";

/// Runs a program in a process of its own that does nothing else, so many times; gives the median
/// time and the highest memory.
pub fn run(program: &Path, args: &[String], times: usize) -> Result<Cost, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(own)
        .args([AS_PARENT, &times.to_string()])
        .arg(program)
        .args(args)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(megabytes))) => Ok(Cost { seconds, megabytes }),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The other side of [`run`]: `TIMES PROGRAM ARGUMENTS`.
pub fn as_parent(mut args: impl Iterator<Item = String>) -> Result<String, String> {
    let times = args.next().and_then(|n| n.parse().ok()).ok_or("how often?")?;
    let program = args.next().ok_or("what?")?;
    let args: Vec<String> = args.collect();
    let mut seconds = Vec::new();
    for _ in 0..times {
        let mut command = Command::new(&program);
        command.args(&args).env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
        // Where cargo looks for libraries is none of the program's doing.
        command.env_remove("LD_LIBRARY_PATH");
        command.stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().map_err(|e| format!("{program}: {e}"))?;
        seconds.push(start.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("{program} {args:?}: {status}"));
        }
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    #[expect(clippy::cast_precision_loss, reason = "kilobytes of memory")]
    let megabytes = usage.max_rss() as f64 / 1024.0;
    Ok(format!("{} {megabytes}", median(&mut seconds)))
}

/// The middle one; of an even number the upper of the two.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
