//! What is wrong with a config, and what is merely worth knowing: each with its place.

use std::fmt;

/// Something that keeps a config from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Key path such as `limit[1].rate`; empty where no key is meant.
    pub key: String,
    /// The value as it stands in the file.
    pub value: Option<String>,
    /// What is wrong with it, and what was expected.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(f, "{value} ")?;
        }
        f.write_str(&self.message)
    }
}

/// Every fault of one config, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file, or what stands for it.
    pub origin: String,
    /// The faults; never empty.
    pub list: Vec<Fault>,
    /// The file itself could not be read.
    pub unreadable: bool,
}

impl fmt::Display for Faults {
    /// One line a fault: `config/weir.toml:12:18: listen.header_timeout: "10" has no unit; …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.list.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            match fault.line {
                0 => write!(f, "{newline}{}: {fault}", self.origin)?,
                line => write!(f, "{newline}{}:{line}:{}: {fault}", self.origin, fault.column)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Something that an operator should know about a config that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Line, from 1; 0 where the key is not written and its default is meant.
    pub line: usize,
    /// Key path.
    pub key: String,
    /// What is worth knowing.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.key, self.message),
            line => write!(f, "line {line}: {}: {}", self.key, self.message),
        }
    }
}
