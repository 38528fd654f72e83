//! Secrets: where they stand, and what keys are made of them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What begins a place that is an environment variable.
const ENV: &str = "env:";
/// The most that is read of one.
const MAX_BYTES: usize = 64 << 10;

/// Where a secret stands: in a file or, as ECS hands them over, in an environment variable. It shows the place and
/// never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// Read whenever it is needed, so that it can be changed.
    File(PathBuf),
    /// The name of a variable, whose value stays for the life of the process.
    Env(String),
}

impl SecretPlace {
    /// The variable that `text` names as `env:NAME`; none where it is a path.
    ///
    /// # Errors
    /// Where no variable can have that name.
    pub fn env(text: &str) -> Option<Result<Self, String>> {
        let name = text.strip_prefix(ENV)?;
        let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        let good = begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Some(if good {
            Ok(Self::Env(name.to_owned()))
        } else {
            Err("names no environment variable; write env:NAME, of letters, digits and _".to_owned())
        })
    }

    /// The place that `text` names, for a command line: `env:NAME`, or a path.
    ///
    /// # Errors
    /// Where no variable can have that name.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::env(text).unwrap_or_else(|| Ok(Self::File(text.into())))
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) => None,
        }
    }

    /// What stands there, as it is.
    ///
    /// # Errors
    /// Where nothing does, or more than a secret can be.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let bytes = match self {
            Self::File(path) => {
                let mut bytes = Vec::new();
                File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
                bytes
            }
            Self::Env(name) => match std::env::var_os(name) {
                Some(value) => value.into_vec(),
                None => return Err(io::Error::new(io::ErrorKind::NotFound, "no such environment variable")),
            },
        };
        if bytes.len() > MAX_BYTES {
            let why = format!("is longer than {MAX_BYTES} bytes, the most that a secret may have");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(bytes)
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Env(name) => write!(f, "{ENV}{name}"),
        }
    }
}

/// A secret that keys are made of. It shows its place and never itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    place: SecretPlace,
    bytes: [u8; 32],
}

impl Secret {
    /// The secret `bytes`, read from `place`.
    pub const fn new(place: SecretPlace, bytes: [u8; 32]) -> Self {
        Self { place, bytes }
    }

    /// Where it was read.
    pub const fn place(&self) -> &SecretPlace {
        &self.place
    }

    /// The secret itself; not for any log.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_variable() {
        assert_eq!(SecretPlace::parse("a/b"), Ok(SecretPlace::File("a/b".into())));
        assert_eq!(SecretPlace::parse("env:A_1"), Ok(SecretPlace::Env("A_1".into())));
        for wrong in ["env:", "env:1A", "env:A-B", "env:A=B", "env:\0"] {
            assert!(SecretPlace::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(SecretPlace::Env("A".into()).to_string(), "env:A");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let missing = SecretPlace::Env("WEIR_TEST_OF_A_VARIABLE_THAT_NOBODY_SETS".into()).read().unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(!SecretPlace::Env("PATH".into()).read().unwrap().is_empty());
        assert!(SecretPlace::File("absent".into()).read().is_err());
        // Without an end: no more is read than a secret may have.
        let endless = SecretPlace::File("/dev/zero".into()).read().unwrap_err();
        assert_eq!(endless.kind(), io::ErrorKind::InvalidData);
    }
}
