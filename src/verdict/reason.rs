//! Every way a request can end, in one table: the status, the code in logs and metrics, the words for people.

use Class::{Fault, Forward, Gone, Own, Refuse};

/// What kind of ending a reason is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Went to the origin.
    Forward,
    /// Turned away by weir.
    Refuse,
    /// Admitted, but the origin failed.
    Fault,
    /// The client left.
    Gone,
    /// Answered by weir itself, as was asked.
    Own,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The code in logs, metrics, replies and `weir why`.
    pub code: &'static str,
    /// The status a client gets; 0 where there is no reply.
    pub status: u16,
    /// What kind of ending it is.
    pub class: Class,
    /// One line for people.
    pub text: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $class:ident, $text:literal;)*) => {
        /// Why a request ended as it did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $text] $name),* }

        /// All rows, in the order of [`Reason`].
        static ROWS: &[Row] = &[$(Row { code: $code, status: $status, class: $class, text: $text }),*];

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];
        }
    };
}

reasons! {
    Forwarded = "forwarded", 200, Forward, "passed on to the origin";
    AllowList = "allow-list", 200, Forward, "passed on: the client is on the allow list";
    Ban = "ban", 403, Refuse, "the client is banned";
    DenyList = "deny-list", 403, Refuse, "the client is on the deny list";
    Limit = "limit", 429, Refuse, "the client is over a limit";
    ClientInFlight = "client-in-flight", 429, Refuse, "the client has too many requests in flight";
    OriginCapacity = "origin-capacity", 503, Refuse, "the origin's capacity is used up";
    OriginInFlight = "origin-in-flight", 503, Refuse, "too many requests are in flight to the origin";
    Challenge = "challenge", 429, Refuse, "the client is to prove that it is a browser";
    ChallengeFailed = "challenge-failed", 403, Refuse, "the client brought back no cookie, or no proof";
    ChallengePassed = "challenge-passed", 307, Own, "the client has proven itself, and is sent back to its page";
    Probe = "probe", 307, Own, "the client is asked for a cookie, and passes without it too";
    ProbeFailed = "probe-failed", 307, Own, "the client brought back no cookie, and passes all the same";
    FloodClient = "flood-client", 429, Refuse, "a flood is on, and the client is over what one may send in it";
    FloodPages = "flood-pages", 429, Refuse, "a flood is on, and the client is over the pages one may load in it";
    FloodLogins = "flood-logins", 503, Refuse, "a flood is on, and unknown clients' logins and other writes have used up their share";
    FloodAgents = "flood-agents", 503, Refuse, "a flood is on, and programs have used up their share";
    FloodNewcomers = "flood-newcomers", 503, Refuse, "a flood is on, and unknown clients have used up their share";
    FloodNetworks = "flood-networks", 503, Refuse, "a flood is on, and networks known only from afar have used up their share";
    FloodCostly = "flood-costly", 503, Refuse, "the origin is near its cap, and this request costs it many times the usual";
    Overload = "overload", 503, Refuse, "more people than the origin can serve; others are served whole first";
    BadRequest = "bad-request", 400, Refuse, "the request is malformed";
    LengthConflict = "length-conflict", 400, Refuse, "the request's length is ambiguous (request smuggling)";
    MethodNotAllowed = "method-not-allowed", 405, Refuse, "the method is not passed on";
    HeaderTooLarge = "header-too-large", 431, Refuse, "the request head is too large";
    HeaderTimeout = "header-timeout", 408, Refuse, "the request head took too long";
    BodyTooLarge = "body-too-large", 413, Refuse, "the request body is too large";
    BodyTooSlow = "body-too-slow", 408, Refuse, "the request body came too slowly";
    ReaderTooSlow = "reader-too-slow", 0, Refuse, "the client took the answer too slowly";
    ConnectionShed = "connection-shed", 0, Refuse, "the connection only waited when others needed the room";
    UnsupportedVersion = "unsupported-version", 505, Refuse, "the HTTP version is not supported";
    ConnectionLimit = "connection-limit", 0, Refuse, "too many connections are open";
    ClientConnections = "client-connections", 0, Refuse, "the client has too many connections open";
    ProxyProtocol = "proxy-protocol", 0, Refuse, "the connection did not begin with a PROXY protocol header";
    OriginUnavailable = "origin-unavailable", 503, Fault, "the origin has no endpoint";
    OriginConnect = "origin-connect", 502, Fault, "no connection to the origin";
    OriginTimeout = "origin-timeout", 504, Fault, "the origin did not answer in time";
    OriginBroken = "origin-broken", 502, Fault, "the origin's answer was broken or cut short";
    Internal = "internal", 500, Fault, "weir itself failed";
    ClientGone = "client-gone", 499, Gone, "the client left before the answer was whole";
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// This reason's row.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The code in logs, metrics, replies and `weir why`.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The status a client gets; 0 where there is no reply.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// What kind of ending it is.
    pub fn class(self) -> Class {
        self.row().class
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_fit_labels() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reason::COUNT);
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }

    #[test]
    fn refusals_carry_a_client_error_or_unavailable() {
        for r in Reason::ALL.iter().filter(|r| r.class() == Class::Refuse) {
            assert!(matches!(r.status(), 0 | 400..=499 | 503 | 505), "{r:?}");
        }
    }
}
