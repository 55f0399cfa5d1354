//! The same work by a bare prototype: what this machine could do at best.
//!
//! It makes the calls that change something and those that find the files, one after the other, and nothing
//! else: it decides nothing, checks nothing, keeps no journal and no state, and waits for no disk. Neither
//! program can be expected to come near it; it tells how much of a row's time is the kernel's, or zlib's.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use libdeflater::{CompressionLvl, Compressor};

/// The word that makes this program the prototype: it is followed by a [`Bare`] and a directory.
pub const AS_PROTOTYPE: &str = "--as-prototype";

/// What the prototype does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// Looks at each log.
    Look,
    /// Reads the files of the configuration too.
    Read,
    /// Renames each log to a dated name, and removes the oldest version if there are any.
    Date,
    /// Moves the old versions of each on, renames it, and removes what is one too many.
    Shift,
    /// Nothing.
    Nothing,
    /// Compresses each with libdeflate, a piece at a time, on all cores, at the level that stands for gzip -6.
    Gzip,
    /// Compresses each with libzstd likewise.
    Zstd,
    /// Copies each, syncs the copy and cuts the log.
    Cut,
    /// Renames each and starts a shell for it.
    Script,
}

const ALL: [Bare; 9] = [
    Bare::Look,
    Bare::Read,
    Bare::Date,
    Bare::Shift,
    Bare::Nothing,
    Bare::Gzip,
    Bare::Zstd,
    Bare::Cut,
    Bare::Script,
];

type Done = std::io::Result<()>;

/// The other side of [`AS_PROTOTYPE`].
pub fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let word = args.next().unwrap_or_default();
    let what = ALL.into_iter().find(|what| format!("{what:?}") == word).ok_or("what?")?;
    let dir = PathBuf::from(args.next().ok_or("where?")?);
    act(what, &dir).map_err(|e| format!("{word} in {}: {e}", dir.display()))
}

fn act(what: Bare, site: &Path) -> Done {
    if what == Bare::Nothing {
        return Ok(());
    }
    if what == Bare::Read {
        for config in files(&site.join("include"), "")? {
            fs::read(config)?;
        }
        fs::read(site.join("config"))?;
    }
    let dir = site.join("logs");
    // As both programs do, in the directory: the kernel then has one name to look for, not a path.
    std::env::set_current_dir(&dir)?;
    let names = files(Path::new("."), ".log")?;
    if matches!(what, Bare::Gzip | Bare::Zstd) {
        return compress(&names, what);
    }
    let has_old = names
        .first()
        .is_some_and(|name| Path::new(&format!("{}-20260101", name.display())).exists());
    for name in names {
        let name = name.display();
        let log = fs::symlink_metadata(name.to_string())?;
        match what {
            Bare::Date => {
                fs::rename(name.to_string(), format!("{name}-20261231"))?;
                if has_old {
                    fs::remove_file(format!("{name}-20260101"))?;
                }
            }
            Bare::Shift => shift(&name.to_string())?,
            Bare::Cut => cut(&name.to_string(), log.size())?,
            Bare::Script => {
                fs::rename(name.to_string(), format!("{name}.1"))?;
                Command::new("/bin/sh").args(["-c", "true"]).status()?;
            }
            Bare::Look | Bare::Read | Bare::Nothing | Bare::Gzip | Bare::Zstd => {}
        }
    }
    Ok(())
}

/// The files in a directory, sorted.
fn files(dir: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if dir.exists() {
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            if name.to_string_lossy().ends_with(ending) {
                files.push(dir.join(name));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Keeps five.
fn shift(name: &str) -> Done {
    let full = Path::new(&format!("{name}.5")).exists();
    if full {
        for old in (1..=5).rev() {
            fs::rename(format!("{name}.{old}"), format!("{name}.{}", old + 1))?;
        }
    }
    fs::rename(name, format!("{name}.1"))?;
    if full { fs::remove_file(format!("{name}.6")) } else { Ok(()) }
}

fn cut(name: &str, length: u64) -> Done {
    let (mut from, mut to) = (File::open(name)?, File::create_new(format!("{name}.1"))?);
    std::io::copy(&mut (&mut from).take(length), &mut to)?;
    to.sync_data()?;
    OpenOptions::new().write(true).open(name)?.set_len(0)
}

/// The piece that is compressed at once.
const PIECE: u64 = 8 << 20;

/// The pieces are members and stand in any order: who would unpack them?
fn compress(names: &[PathBuf], what: Bare) -> Done {
    let mut pieces = Vec::new();
    for name in names {
        let length = fs::metadata(name)?.len();
        pieces.extend((0..length.div_ceil(PIECE)).map(|piece| (name, piece * PIECE)));
    }
    let next = AtomicUsize::new(0);
    let work = || -> Done {
        let mut deflate = Compressor::new(CompressionLvl::new(5).unwrap_or_default());
        while let Some((name, start)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            let log = File::open(name)?;
            let length = (log.metadata()?.len() - start).min(PIECE);
            let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
            log.read_exact_at(&mut text, *start)?;
            let packed = if what == Bare::Zstd {
                zstd::bulk::compress(&text, 3)?
            } else {
                let mut packed = vec![0; deflate.gzip_compress_bound(text.len())];
                let length = deflate.gzip_compress(&text, &mut packed);
                packed.truncate(length.map_err(std::io::Error::other)?);
                packed
            };
            let to = format!("{}.packed", name.display());
            OpenOptions::new().create(true).append(true).open(to)?.write_all(&packed)?;
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let ended: Done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    });
    ended?;
    names.iter().try_for_each(fs::remove_file)
}
