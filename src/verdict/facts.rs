//! What is known of a request when it is decided.

use super::policy::MAX_HEADER_KEYS;
use super::reason::Reason;
use crate::client::key::ClientKey;
use crate::flood::challenge::Proof;
use std::net::IpAddr;

/// A request method, as far as limits tell methods apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// OPTIONS.
    Options,
    /// Any other.
    Other,
}

impl Method {
    /// The method of this token; methods are case-sensitive (RFC 9110, 9.1).
    pub fn parse(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// Whether it changes nothing (GET and HEAD; RFC 9110, 9.2.1).
    pub const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    /// This method's bit in a mask.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What is known of a request when it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The client's whole address, for lists.
    pub address: IpAddr,
    /// The client's key, for limits.
    pub client: ClientKey,
    /// Method.
    pub method: Method,
    /// Path without its query, normalised (RFC 3986, 6.2.2).
    pub path: &'a [u8],
    /// Whether there is a query.
    pub query: bool,
    /// User-Agent; empty where there is none.
    pub user_agent: &'a [u8],
    /// What the client's cookie says.
    pub proof: Proof,
    /// It carries a header whose senders are never challenged.
    pub declared: bool,
    /// It asks for a path of weir's own.
    pub own: bool,
    /// A hash of each header value that some limit counts by; `None` where the header is absent.
    pub header_keys: [Option<u128>; MAX_HEADER_KEYS],
    /// What the protocol check found wrong, if anything.
    pub fault: Option<Reason>,
}

impl<'a> Facts<'a> {
    /// A plain request without anything special.
    pub fn new(address: IpAddr, client: ClientKey, method: Method, path: &'a [u8]) -> Self {
        Self {
            address,
            client,
            method,
            path,
            query: false,
            user_agent: b"",
            proof: Proof::None,
            declared: false,
            own: false,
            header_keys: [None; MAX_HEADER_KEYS],
            fault: None,
        }
    }
}
