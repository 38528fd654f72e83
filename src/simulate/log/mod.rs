//! Access logs as input: combined, AWS ALB, TSV with a header line, JSON lines; plain, gzip or zstd.
//!
//! A bad line is counted and remembered by its number, never fatal; memory stays bounded whatever the file holds.

mod alb;
mod combined;
mod fields;
mod json;
pub mod lines;
pub mod time;
mod tsv;

use lines::{Lines, Raw};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// The longest line that is read; a longer one is a fault.
pub const MAX_LINE: usize = 64 * 1024;
/// How many faults are kept with their text; the rest is only counted.
pub const MAX_FAULTS_KEPT: usize = 10;
/// The longest name of a client.
const MAX_CLIENT: usize = 255;

/// One request of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When, in seconds since 1970.
    pub t: f64,
    /// Who, as written: an address, a host name, a session id or `-`.
    pub client: String,
    /// Method, as written.
    pub method: String,
    /// Target without scheme, authority and query.
    pub path: String,
    /// Whether the target had a query, which is dropped.
    pub has_query: bool,
    /// Status of the response; 0 where the log has none.
    pub status: u16,
    /// Bytes of the response; 0 where the log has none.
    pub bytes: u64,
    /// User agent; empty where the request had none.
    pub user_agent: String,
    /// How long the origin took, where the log says so (AWS ALB only).
    pub took: Option<Duration>,
    /// What somebody says this request is (TSV and JSON only).
    pub label: Option<String>,
    /// Whether this client would pass a challenge, where the log says so (TSV and JSON only).
    pub challenge: Option<bool>,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Common or combined log format (Apache, nginx).
    Combined,
    /// Access log of an AWS Application Load Balancer.
    Alb,
    /// One JSON object a line.
    Json,
    /// Tab-separated values under a header line that names the columns.
    Tsv,
}

impl FromStr for Format {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "combined" => Ok(Self::Combined),
            "alb" => Ok(Self::Alb),
            "json" => Ok(Self::Json),
            "tsv" => Ok(Self::Tsv),
            _ => Err(format!("unknown log format \"{s}\": expected combined, alb, json or tsv")),
        }
    }
}

/// Why a log can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file can't be read on.
    #[error("line {line}: {source}")]
    Io {
        /// The last line that was begun.
        line: u64,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// The first line is of no known format.
    #[error("line {line}: not a line of a combined, ALB, JSON or TSV log (a TSV log begins with a header line)")]
    Unknown {
        /// The first line with any text.
        line: u64,
    },
    /// A TSV log whose header lacks a column.
    #[error("line {line}: the header names no column \"{column}\"; expected at least \"t\" and \"ip\"")]
    Header {
        /// The header's line.
        line: u64,
        /// What is missing.
        column: &'static str,
    },
}

/// A line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

/// The lines that could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// The first [`MAX_FAULTS_KEPT`].
    pub first: Vec<Fault>,
}

impl Faults {
    fn add(&mut self, line: u64, message: String) {
        self.count += 1;
        if self.first.len() < MAX_FAULTS_KEPT {
            self.first.push(Fault { line, message });
        }
    }
}

/// How one line is understood, once the format is known.
enum Parser {
    Combined,
    Alb,
    Json,
    Tsv(tsv::Columns),
}

impl Parser {
    /// None of a line that is about no request.
    fn parse(&self, text: &str) -> Result<Option<Line>, String> {
        let line = match self {
            Self::Combined => combined::parse(text),
            Self::Alb => alb::parse(text),
            Self::Json => match json::parse(text)? {
                Some(line) => Ok(line),
                None => return Ok(None),
            },
            Self::Tsv(columns) => columns.parse(text),
        }?;
        if line.client.is_empty() || line.client.len() > MAX_CLIENT {
            return Err(format!("client of {} bytes: expected 1 to {MAX_CLIENT}", line.client.len()));
        }
        Ok(Some(line))
    }
}

/// A log that is read line by line.
pub struct Log {
    lines: Lines,
    given: Option<Format>,
    parser: Option<Parser>,
    faults: Faults,
}

impl Log {
    /// Opens `path`, or standard input for `-`; the format is taken from the first line unless `format` names it.
    pub fn open(path: &Path, format: Option<Format>) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::new(io::stdin(), format);
        }
        Self::new(File::open(path)?, format)
    }

    /// A log from any source of bytes, as they are or compressed (gzip and zstd are known by their first bytes).
    pub fn new(source: impl Read + 'static, format: Option<Format>) -> io::Result<Self> {
        let lines = Lines::new(decompressed(source)?);
        Ok(Self { lines, given: format, parser: None, faults: Faults::default() })
    }

    /// The next request; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Line>, LogError> {
        loop {
            let number = self.lines.number() + 1;
            let text = match self.lines.next().map_err(|source| LogError::Io { line: number, source })? {
                Raw::End => return Ok(None),
                Raw::TooLong => {
                    self.faults.add(number, format!("longer than {MAX_LINE} bytes"));
                    continue;
                }
                Raw::Text(text) => text,
            };
            if text.trim().is_empty() {
                continue;
            }
            let parser = match &self.parser {
                Some(parser) => parser,
                None => {
                    let parser = parser_for(self.given, &text, number)?;
                    let is_header = matches!(parser, Parser::Tsv(_));
                    let parser = self.parser.insert(parser);
                    if is_header {
                        continue;
                    }
                    parser
                }
            };
            match parser.parse(&text) {
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                Err(message) => self.faults.add(number, message),
            }
        }
    }

    /// The number of the line that was read last, from 1.
    pub fn line_number(&self) -> u64 {
        self.lines.number()
    }

    /// The format; `None` before the first line.
    pub fn format(&self) -> Option<Format> {
        self.parser.as_ref().map(|parser| match parser {
            Parser::Combined => Format::Combined,
            Parser::Alb => Format::Alb,
            Parser::Json => Format::Json,
            Parser::Tsv(_) => Format::Tsv,
        })
    }

    /// The lines passed over so far.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// The parser of `format`, or of the format that `first`, the first line, looks like.
fn parser_for(format: Option<Format>, first: &str, line: u64) -> Result<Parser, LogError> {
    match format.or_else(|| detect(first)).ok_or(LogError::Unknown { line })? {
        Format::Combined => Ok(Parser::Combined),
        Format::Alb => Ok(Parser::Alb),
        Format::Json => Ok(Parser::Json),
        Format::Tsv => tsv::Columns::new(first).map(Parser::Tsv).map_err(|column| LogError::Header { line, column }),
    }
}

fn detect(first: &str) -> Option<Format> {
    if first.trim_start().starts_with('{') {
        Some(Format::Json)
    } else if first.contains('\t') && tsv::Columns::new(first).is_ok() {
        Some(Format::Tsv)
    } else if alb::looks_like(first) {
        Some(Format::Alb)
    } else if combined::looks_like(first) {
        Some(Format::Combined)
    } else {
        None
    }
}

/// The bytes of `source` as they are, or decompressed where they begin as gzip or zstd do.
pub fn decompressed(source: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut head = Vec::with_capacity(4);
    let mut source = BufReader::with_capacity(64 * 1024, source);
    source.by_ref().take(4).read_to_end(&mut head)?;
    let whole = io::Cursor::new(head.clone()).chain(source);
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(whole))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(BufReader::new(zstd::Decoder::with_buffer(whole)?)),
        _ => Box::new(whole),
    })
}
