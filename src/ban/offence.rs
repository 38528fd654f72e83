//! What a client can do wrong.

/// A kind of offence. The order is that of [`Offence::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Offence {
    /// Refused by a limit of its own, or while banned.
    Refused,
    /// Answered 4xx by the origin.
    ClientError,
    /// Asked for a path that no client has a reason to ask for.
    Honeypot,
    /// Sent what is no request, or an ambiguous one; reset more streams than is borne.
    Protocol,
    /// Failed to log in.
    Login,
    /// Dripped a head or a body, or read an answer, until a deadline cut it off.
    Slow,
    /// Accused by a finding of AWS GuardDuty, or by a report of an Aviatrix gateway.
    Finding,
}

impl Offence {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Refused, Self::ClientError, Self::Honeypot, Self::Protocol, Self::Login, Self::Slow, Self::Finding];

    /// The code in logs, metrics, the file and the config (there with `_`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "refusals",
            Self::ClientError => "client-errors",
            Self::Honeypot => "honeypot",
            Self::Protocol => "protocol",
            Self::Login => "login",
            Self::Slow => "slow",
            Self::Finding => "finding",
        }
    }

    /// In words, after a number.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Refused => "refused requests",
            Self::ClientError => "answers 4xx",
            Self::Honeypot => "requests for a honeypot path",
            Self::Protocol => "malformed requests",
            Self::Login => "failed logins",
            Self::Slow => "requests cut off as too slow",
            Self::Finding => "findings",
        }
    }

    /// The offence of this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.code() == code)
    }
}
