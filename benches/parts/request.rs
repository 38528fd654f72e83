//! From bytes to a client: the request head, its path, the client's address and key.

use super::{Part, Run, on_each};
use crate::access::cidr_set::CidrSet;
use crate::client::key::ClientKey;
use crate::client::{cloudfront, forwarded, proxy_protocol};
use crate::proxy::head::{self, MAX_HEADERS, Parsed};
use crate::proxy::normalised_len;
use std::mem::MaybeUninit;
use std::net::IpAddr;

pub(super) const PARTS: &[Part] = &[
    Part {
        name: "head, 3 fields",
        ready: || parse(b"GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n"),
    },
    Part { name: "head, a browser's behind an ALB", ready: || parse(BROWSER) },
    Part { name: "head, POST with a length", ready: || parse(POST) },
    Part { name: "head, refused (two lengths)", ready: || parse(CONFLICT) },
    Part {
        name: "path, plain",
        ready: || on_each(vec![&b"/search/results/list?q=weir&page=2"[..]], |t| normalised_len(t)),
    },
    Part {
        name: "path, rewritten",
        ready: || on_each(vec![&b"//search/./%72esults/../list;v=1?q=weir"[..]], |t| normalised_len(t)),
    },
    Part { name: "x-forwarded-for, one IPv4", ready: || x_forwarded_for("203.0.113.195") },
    Part {
        name: "x-forwarded-for, two trusted behind it",
        ready: || x_forwarded_for("192.0.2.18, 203.0.113.195, 10.20.30.40, 10.1.2.3"),
    },
    Part { name: "x-forwarded-for, one IPv6", ready: || x_forwarded_for("2001:db8:85a3:8d3:1319:8a2e:370:7348") },
    Part { name: "cloudfront-viewer-address", ready: viewer },
    Part { name: "proxy protocol v2", ready: || on_each(vec![PROXY_V2], |bytes| proxy_protocol::parse(bytes)) },
    Part { name: "client key, IPv4 and IPv6", ready: key },
];

const BROWSER: &[u8] = b"GET /search/results?q=weir&page=2 HTTP/1.1\r\n\
X-Forwarded-For: 203.0.113.195\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nHost: www.example.com\r\n\
X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://www.example.com/search\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\nUpgrade-Insecure-Requests: 1\r\n\
Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n\r\n";

const POST: &[u8] = b"POST /login HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 203.0.113.195\r\n\
User-Agent: curl/8\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 27\r\n\r\n";

const CONFLICT: &[u8] = b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n";

const PROXY_V2: [u8; 28] = *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb";

fn parse(head: &'static [u8]) -> Run {
    on_each(vec![head], |bytes| {
        let mut fields = [MaybeUninit::uninit(); MAX_HEADERS];
        match head::parse(bytes, &mut fields, 100) {
            Parsed::Whole(head) => head.headers.len(),
            Parsed::Partial => 0,
            Parsed::Bad(reason) => reason as usize,
        }
    })
}

fn trusted() -> CidrSet {
    CidrSet::build(["10.0.0.0/8", "127.0.0.0/8"].into_iter().filter_map(|net| net.parse().ok()))
}

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

fn x_forwarded_for(value: &'static str) -> Run {
    let trusted = trusted();
    on_each(vec![value], move |value| {
        let found = forwarded::from_right([value.as_bytes()].into_iter(), |a| trusted.contains(a), PEER);
        ClientKey::new(found.address, 64)
    })
}

fn viewer() -> Run {
    let trusted = trusted();
    on_each(vec!["198.51.100.10:46532"], move |value| {
        cloudfront::viewer_address(Some(value.as_bytes()), |a| trusted.contains(a), PEER).address
    })
}

fn key() -> Run {
    let addresses: [IpAddr; 2] = [[203, 0, 113, 195].into(), [0x2001, 0xdb8, 1, 2, 3, 4, 5, 6].into()];
    on_each(addresses.to_vec(), |address| ClientKey::new(*address, 64))
}
