//! The history on disk: written whole, put in place at once, and read as if a stranger had written it.
//!
//! ```text
//! magic 8 · version 2 · one zstd frame of:
//!   unix seconds when saved 8 · seeds 3×8 · lines of each level 3×4
//!   for each level, for each line: a bit for each filled slot 1 · the filled slots' words 8 each
//!   CRC-32 of all that 4
//! ```
//!
//! Numbers are little-endian. The seeds are a part, as fingerprints depend on them.

use super::entry::{Entry, STEP};
use super::level::{Level, MAX_SLOTS};
use super::{History, Sizes};
use crate::base::clock::Time;
use crate::limit::memory::SLOTS;
use crate::limit::seeds::Seeds;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"weirhist";
const VERSION: u16 = 1;
/// Fast: fingerprints can't be compressed, and stamps are alike whatever the level.
const ZSTD_LEVEL: i32 = 1;
/// The most that zstd may look back, as a power of two: a bound on its memory. Level 1 uses 2^19.
const ZSTD_WINDOW: u32 = 21;
const BUFFER: usize = 64 << 10;

/// Why a history file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read, or is no proper zstd.
    #[error("{0}")]
    Read(#[source] io::Error),
    /// It is something else.
    #[error("it does not begin as a history file does")]
    Foreign,
    /// It was written by another version of weir.
    #[error("its format is version {0}; this weir reads version {VERSION}")]
    Version(u16),
    /// It says something that can't be.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too early"),
            _ => Self::Read(error),
        }
    }
}

impl History {
    /// Writes all to `path` with mode 0600, through a temporary file beside it, so that a crash leaves the old or the
    /// new file and no other. How many bytes it took.
    ///
    /// # Errors
    /// When the folder or the disk does not bear it; the old file is then as it was.
    pub fn save(&self, path: &Path, now: Time) -> io::Result<u64> {
        let temporary = beside(path, ".tmp");
        // One that a crash left; and what is created anew is no link to elsewhere.
        let _ = fs::remove_file(&temporary);
        let saved = self.write_new(&temporary, now).and_then(|bytes| {
            fs::rename(&temporary, path)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(bytes)
        });
        if saved.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        saved
    }

    /// Reads what [`save`](Self::save) wrote. `unix_zero` is as for [`new`](Self::new).
    ///
    /// Where `sizes` are others than those saved, every entry goes to all lines that its key may now belong to: the
    /// key itself is not known, but the line tells the leading bits of its hash. In a larger table the copies that
    /// nobody asks for are over after 28 days.
    ///
    /// Entries age by the wall clock. Where that was set back and the file comes from the future, its scale is
    /// shifted so that it was saved just now: nobody becomes older, or better known, by that.
    ///
    /// # Errors
    /// When the file is missing, damaged, or no history.
    pub fn load(path: &Path, sizes: Sizes, unix_zero: u64, now: Time) -> Result<Self, LoadError> {
        let mut file = BufReader::new(File::open(path)?);
        let history = read(&mut file, sizes, unix_zero, now)?;
        match file.read(&mut [0])? {
            0 => Ok(history),
            _ => Err(LoadError::Damaged("something follows its end")),
        }
    }

    /// [`load`](Self::load), or an empty history with these seeds where there is no file. A file that can't be used is
    /// set aside as `<name>.damaged-<unix time>`; the message tells the operator.
    pub fn open(path: &Path, sizes: Sizes, seeds: Seeds, unix_zero: u64, now: Time) -> (Self, Option<String>) {
        let message = match Self::load(path, sizes, unix_zero, now) {
            Ok(history) => return (history, None),
            Err(LoadError::Read(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(set_aside(path, &error, unix_zero.saturating_add(now.nanos() / super::NANOS))),
        };
        (Self::new(sizes, seeds, unix_zero), message)
    }

    fn write_new(&self, path: &Path, now: Time) -> io::Result<u64> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        let zstd = zstd::Encoder::new(&mut file, ZSTD_LEVEL)?;
        let mut out = BufWriter::with_capacity(BUFFER, Checked::new(zstd));
        self.pack(&mut out, now)?;
        let Checked { inner: mut zstd, sum } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        zstd.write_all(&sum.finalize().to_le_bytes())?;
        zstd.finish()?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }

    fn pack(&self, out: &mut impl Write, now: Time) -> io::Result<()> {
        let step = self.advance(now);
        let saved = self.unix_seconds(now).max(step * STEP);
        out.write_all(&saved.to_le_bytes())?;
        for word in self.seeds.words() {
            out.write_all(&word.to_le_bytes())?;
        }
        for level in &self.levels {
            out.write_all(&(level.lines() as u32).to_le_bytes())?;
        }
        for words in self.levels.iter().flat_map(Level::words) {
            let filled = words.iter().enumerate().map(|(slot, &word)| u8::from(word != 0) << slot);
            out.write_all(&[filled.sum()])?;
            for word in words.iter().filter(|&&word| word != 0) {
                out.write_all(&word.to_le_bytes())?;
            }
        }
        Ok(())
    }
}

/// A history from a file's bytes, but for what may follow them. In the open for fuzzing alone, as [`unpack`].
///
/// # Errors
/// When they are damaged, or no history.
pub fn read(file: &mut impl BufRead, sizes: Sizes, unix_zero: u64, now: Time) -> Result<History, LoadError> {
    if bytes(file)? != *MAGIC {
        return Err(LoadError::Foreign);
    }
    let version = u16::from_le_bytes(bytes(file)?);
    if version != VERSION {
        return Err(LoadError::Version(version));
    }
    let mut zstd = zstd::Decoder::with_buffer(file)?.single_frame();
    zstd.window_log_max(ZSTD_WINDOW)?;
    let mut contents = Checked::new(BufReader::with_capacity(BUFFER, zstd));
    let history = unpack(&mut contents, sizes, unix_zero, now)?;
    let Checked { inner: mut rest, sum } = contents;
    if u32::from_le_bytes(bytes(&mut rest)?) != sum.finalize() {
        return Err(LoadError::Damaged("its checksum does not match"));
    }
    match rest.read(&mut [0])? {
        0 => Ok(history),
        _ => Err(LoadError::Damaged("it goes on behind its checksum")),
    }
}

/// A history from a file's contents once they are decompressed, without their checksum. In the open for fuzzing alone.
///
/// # Errors
/// When they are cut short or say something that can't be.
pub fn unpack(contents: &mut impl Read, sizes: Sizes, unix_zero: u64, now: Time) -> Result<History, LoadError> {
    let saved = u64::from_le_bytes(bytes(contents)?) / STEP;
    let mut word = || bytes(contents).map(u64::from_le_bytes);
    let seeds = Seeds::from_words([word()?, word()?, word()?]);
    let mut lines = || bytes(contents).map(u32::from_le_bytes);
    let old_lines = [lines()?, lines()?, lines()?];
    if old_lines.iter().any(|&lines| lines == 0 || lines > MAX_SLOTS / SLOTS as u32) {
        return Err(LoadError::Damaged("it has no lines, or too many"));
    }
    let history = History::new(sizes, seeds, unix_zero);
    let (at, now) = (now, history.advance(now));
    let back = saved.saturating_sub(now);
    for (level, old) in history.levels.iter().zip(old_lines.map(u64::from)) {
        let new = level.lines() as u64;
        for line in 0..old {
            // The lines that the keys of the old one fall into: one or two, or more where the table has grown.
            let (from, to) = (line * new / old, ((line + 1) * new - 1) / old);
            let [filled] = bytes(contents)?;
            for _ in 0..filled.count_ones() {
                let word = u64::from_le_bytes(bytes(contents)?);
                // None where it is over, and where it is nonsense: that harms nobody.
                let entry = Entry::unpack(word, saved).and_then(|entry| entry.shifted(back).at(now));
                let Some(entry) = entry else { continue };
                for line in from..=to {
                    level.place(line as usize, &entry, now);
                }
            }
        }
    }
    history.sweep(at);
    Ok(history)
}

/// Renames what can't be used and says so.
fn set_aside(path: &Path, error: &LoadError, unix: u64) -> String {
    let aside = beside(path, &format!(".damaged-{unix}"));
    let fate = match fs::rename(path, &aside) {
        Ok(()) => format!("it is set aside as {}", aside.display()),
        Err(e) => format!("it can't be set aside as {} ({e}) and will be overwritten", aside.display()),
    };
    format!("the history {} can't be used: {error}; {fate}, and weir starts knowing nobody", path.display())
}

/// `path` with something behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The next `N` bytes.
fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Passes bytes on and sums them up.
struct Checked<T> {
    inner: T,
    sum: crc32fast::Hasher,
}

impl<T> Checked<T> {
    fn new(inner: T) -> Self {
        Self { inner, sum: crc32fast::Hasher::new() }
    }
}

impl<T: Read> Read for Checked<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sum.update(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Checked<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.sum.update(&buffer[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
