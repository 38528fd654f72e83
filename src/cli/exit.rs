//! Exit codes, as in sysexits.h.

use crate::config::Faults;
use std::fmt;
use std::io::ErrorKind;
use std::process::ExitCode;

/// What the command line is told by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// All went well.
    Ok = 0,
    /// The command was used wrongly.
    Usage = 64,
    /// An answer made no sense.
    Data = 65,
    /// An input file is missing or can't be read.
    NoInput = 66,
    /// Something that is needed can't be had: a running weir, an address to listen on.
    Unavailable = 69,
    /// weir itself failed.
    Software = 70,
    /// The system refused something.
    System = 71,
    /// Not permitted.
    NoPermission = 77,
    /// The config has a fault.
    Config = 78,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// A failure that knows its exit code.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Says what failed, if anything did, and gives the code to exit with.
pub fn report(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        // Whoever read our output has had enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => Code::Ok.into(),
        Err(error) => {
            eprintln!("weir: {error:#}");
            code(&error).into()
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}

/// The code of an error, by what it is or was caused by.
fn code(error: &anyhow::Error) -> Code {
    error.chain().find_map(known).unwrap_or(Code::Software)
}

fn known(error: &(dyn std::error::Error + 'static)) -> Option<Code> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some(failure.code);
    }
    if let Some(faults) = error.downcast_ref::<Faults>() {
        return Some(if faults.unreadable { Code::NoInput } else { Code::Config });
    }
    if let Some(error) = error.downcast_ref::<crate::admin::Error>() {
        return Some(match error {
            crate::admin::Error::Bind { .. } => Code::Unavailable,
            crate::admin::Error::Open(_) => Code::Config,
            crate::admin::Error::Start(_) => Code::System,
        });
    }
    error.downcast_ref::<std::io::Error>().map(|e| match e.kind() {
        ErrorKind::NotFound => Code::NoInput,
        ErrorKind::PermissionDenied => Code::NoPermission,
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable => Code::Unavailable,
        _ => Code::System,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_cause_decides() {
        let io = |kind: ErrorKind| Err::<(), _>(std::io::Error::from(kind)).context("while starting").unwrap_err();
        assert_eq!(code(&io(ErrorKind::NotFound)), Code::NoInput);
        assert_eq!(code(&io(ErrorKind::AddrInUse)), Code::Unavailable);
        assert_eq!(code(&Failure::new(Code::Config, "x").into()), Code::Config);
        assert_eq!(code(&anyhow::anyhow!("a surprise")), Code::Software);
    }
}
