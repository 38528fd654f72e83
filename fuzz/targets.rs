//! What is fuzzed: one function a parser, which panics where the parser breaks a promise.
//!
//! `tests/fuzz_smoke.rs` runs them on stable Rust in every `make test`; `fuzz_targets/` hands the same functions to
//! libFuzzer for `make fuzz`. To add one: a function and a line of `ALL` here, a file in `fuzz_targets/`, a `[[bin]]`
//! in Cargo.toml and at least one file in `corpus/NAME/`.

use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv6Addr};
use std::str::from_utf8;
use std::sync::LazyLock;
use weir::access::{cidr_set::CidrSet, list_file};
use weir::base::clock::Time;
use weir::base::units::{Bytes, Rate, Share, parse_byte_rate, parse_duration, show_duration};
use weir::client::key::ClientKey;
use weir::client::{address, cloudfront, forwarded, proxy_protocol};
use weir::control::aviatrix::{frames, report};
use weir::control::guardduty::finding;
use weir::flood::challenge::Challenge;
use weir::flood::history::{self, Sizes};
use weir::proxy::gate::{chunked, head};
use weir::report::gather::{Gather, Sampling};
use weir::report::{compose, findings::Findings, html, line, markdown};

/// A fuzz target: a name, what it does with an input, and how many mutations a short run tries.
pub(crate) type Target = (&'static str, fn(&[u8]), u32);

/// All targets.
#[allow(dead_code, reason = "libFuzzer's binaries each use one function only")]
pub(crate) const ALL: &[Target] = &[
    ("client_key", client_key, 20_000),
    ("client_address", client_address, 20_000),
    ("proxy_protocol", proxy_protocol, 20_000),
    ("list_file", list_file, 10_000),
    ("config", config, 2_000),
    ("quantity", quantity, 20_000),
    ("request_head", request_head, 20_000),
    ("cookie", cookie, 20_000),
    ("chunked_body", chunked_body, 20_000),
    ("history_file", history_file, 5_000),
    ("history_contents", history_contents, 5_000),
    ("finding", finding, 20_000),
    ("incident", incident, 3_000),
    ("gateway_line", gateway_line, 20_000),
];

/// Any address and any prefix length: keys are stable, and a network holds its clients.
pub(crate) fn client_key(input: &[u8]) {
    let Some((address, rest)) = input.split_first_chunk::<16>() else { return };
    let Some(&[client, ipv4, ipv6]) = rest.first_chunk::<3>() else { return };
    let key = ClientKey::new(IpAddr::V6(Ipv6Addr::from(*address)), client);
    assert_eq!(ClientKey::new(key.address(), client), key, "the key of a key's address is that key");
    let network = key.prefix(ipv4, ipv6);
    assert_eq!(network.prefix(ipv4, ipv6), network, "a network is its own network");
    assert_eq!(network.ipv4().is_some(), key.ipv4().is_some() && network.bits() >> 32 == 0xffff);
    assert_eq!(key.to_string().parse::<IpAddr>().unwrap(), key.address());
}

/// X-Forwarded-For and CloudFront-Viewer-Address: an untrusted peer's word is never believed, and what is found is
/// never a trusted proxy unless all of the list is.
pub(crate) fn client_address(input: &[u8]) {
    let peer = IpAddr::from([10, 0, 0, 1]);
    let trusted = |a: IpAddr| matches!(a, IpAddr::V4(v4) if v4.octets()[0] == 10);
    let values: Vec<&[u8]> = input.split(|b| *b == b'\n').collect();
    let found = forwarded::from_right(values.iter().copied(), trusted, peer);
    assert!(found.source != forwarded::Source::Header || !trusted(found.address));
    let doubted = forwarded::from_right(values.iter().copied(), |_| false, peer);
    assert_eq!((doubted.address, doubted.source), (peer, forwarded::Source::Peer));
    cloudfront::viewer_address(Some(input), trusted, peer);
    assert_eq!(cloudfront::viewer_address(Some(input), |_| false, peer).address, peer);
    if let Some(address) = address::parse(input) {
        assert_eq!(address::parse(address.to_string().as_bytes()), Some(address));
    }
}

/// The PROXY protocol: a header lies inside the input, and one that is cut short is never taken for a whole one.
pub(crate) fn proxy_protocol(input: &[u8]) {
    use proxy_protocol::Parsed;
    if let Parsed::Done { len, source } = proxy_protocol::parse(input) {
        assert!(len <= input.len() && len <= proxy_protocol::MAX_LEN);
        assert_eq!(proxy_protocol::parse(&input[..len]), Parsed::Done { len, source });
        for cut in 0..len {
            assert_eq!(proxy_protocol::parse(&input[..cut]), Parsed::Partial, "cut at {cut}");
        }
    }
}

/// List files: every network that was read is found in the set.
pub(crate) fn list_file(input: &[u8]) {
    let list = list_file::parse(input);
    let set = CidrSet::build(list.nets.iter().copied());
    for net in &list.nets {
        assert!(set.contains(net.addr()) && set.contains(net.broadcast()), "{net} is not in the set");
    }
}

/// Config files: refused with faults or read, never a panic.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = from_utf8(input) else { return };
    if let Err(faults) = weir::config::load_str(text, "fuzz.toml") {
        assert!(!faults.list.is_empty(), "a refused config names its faults");
        assert!(!faults.to_string().is_empty());
    }
}

/// Quantities: what is read and written again is the same quantity.
pub(crate) fn quantity(input: &[u8]) {
    let Ok(text) = from_utf8(input) else { return };
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&show_duration(duration)).unwrap(), duration);
    }
    let _ = parse_byte_rate(text);
    if let Ok(rate) = text.parse::<Rate>() {
        assert!(rate.count > 0);
        assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate);
    }
    if let Ok(share) = text.parse::<Share>() {
        assert!(share <= Share::ALL);
        assert_eq!(share.to_string().parse::<Share>().unwrap(), share);
    }
    if let Ok(bytes) = text.parse::<Bytes>() {
        assert_eq!(bytes.to_string().parse::<Bytes>().unwrap(), bytes);
    }
}

/// Request heads: a whole head lies inside the input, holds no line break, and is whole at no shorter length.
pub(crate) fn request_head(input: &[u8]) {
    let mut fields: head::Fields<'_> = [MaybeUninit::uninit(); head::MAX_HEADERS];
    let head::Parsed::Whole(whole) = head::parse(input, &mut fields, 64) else { return };
    assert!(whole.len <= input.len() && whole.headers.len() <= 64);
    assert!(!whole.method.is_empty() && !whole.target.contains(char::is_whitespace));
    for header in whole.headers {
        assert!(!header.value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "a field hides a line break");
    }
    let len = whole.len;
    let mut fields: head::Fields<'_> = [MaybeUninit::uninit(); head::MAX_HEADERS];
    assert!(matches!(head::parse(&input[..len - 1], &mut fields, 64), head::Parsed::Partial | head::Parsed::Bad(_)));
}

/// Chunked bodies: bytes one by one come to the same end as all at once.
pub(crate) fn chunked_body(input: &[u8]) {
    let mut whole = chunked::Scanner::default();
    let at_once = whole.advance(input);
    let mut slow = chunked::Scanner::default();
    let mut taken = 0;
    let mut fault = false;
    for byte in input {
        match slow.advance(std::slice::from_ref(byte)) {
            Ok(n) => taken += n,
            Err(_) => fault = true,
        }
        if fault || slow.is_over() {
            break;
        }
    }
    assert_eq!(at_once.is_err(), fault);
    if let Ok(n) = at_once {
        assert_eq!((n, whole.is_over()), (taken, slow.is_over()));
    }
}

/// Messages of GuardDuty's queue: a finding has few, different addresses and words that can be logged; what is told of
/// any message is short and printable.
pub(crate) fn finding(input: &[u8]) {
    use finding::{MAX_ADDRESSES, Message};
    let Ok(text) = from_utf8(input) else { return };
    let excerpt = finding::excerpt(text);
    assert!(excerpt.chars().count() <= 160 && !excerpt.contains(char::is_control));
    match finding::read(text, 40) {
        Ok(Message::Finding(found)) => {
            assert!(!found.addresses.is_empty() && found.addresses.len() <= MAX_ADDRESSES && found.severity >= 40);
            assert!(found.addresses.iter().enumerate().all(|(n, a)| !found.addresses[..n].contains(a)));
            let words = [&found.id, &found.kind, &found.created_at, &found.updated_at];
            assert!(words.iter().all(|w| (1..=128).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_graphic())));
        }
        Ok(Message::Passed(why)) => assert!(!why.is_empty()),
        Err(why) => assert!(!why.is_empty()),
    }
}

/// Syslog of Aviatrix gateways: pieces of a stream make no difference, and all that is kept of a line is short,
/// printable and not from the future.
pub(crate) fn gateway_line(input: &[u8]) {
    use frames::{Frame, Frames};
    const MOST: usize = 2_048;
    let cut = |size: usize| {
        let (mut frames, mut found) = (Frames::new(MOST), Vec::new());
        let mut each = |frame: Frame<'_>| match frame {
            Frame::Whole(line) => found.push(Some(line.to_vec())),
            Frame::TooLong => found.push(None),
        };
        input.chunks(size).for_each(|piece| frames.push(piece, &mut each));
        frames.end(&mut each);
        found
    };
    let found = cut(usize::MAX);
    assert!(found == cut(7), "the stream's pieces show");
    let short = |text: &str, most: usize| text.chars().count() <= most && !text.contains(char::is_control);
    for line in found.iter().flatten() {
        assert!(line.len() <= MOST);
        match report::read(&String::from_utf8_lossy(line), 1 << 41) {
            report::Said::Report(report) => {
                assert!(short(&report.what, report::MAX_TEXT) && short(&report.gateway, report::MAX_NAME));
                assert!(report.at <= 1 << 41 && report.port != Some(0));
            }
            report::Said::Passed(kind) => assert!(!kind.is_empty()),
            report::Said::Unknown(kind) => assert!(!kind.is_empty() && short(&kind, report::MAX_NAME)),
        }
    }
}

/// Room and time that a history is read with.
const HISTORY: (Sizes, u64, Time) =
    (Sizes { clients: 24, net24: 8, net16: 8 }, 1_750_000_000, Time::from_nanos(1 << 50));

/// A history file, whole: read or refused.
pub(crate) fn history_file(input: &[u8]) {
    let (sizes, unix_zero, now) = HISTORY;
    let _ = history::read(&mut &*input, sizes, unix_zero, now);
}

/// A history file's contents, so that no checksum is in the way: never more entries than there is room for, and a
/// history that works.
pub(crate) fn history_contents(input: &[u8]) {
    let (sizes, unix_zero, now) = HISTORY;
    let Ok(history) = history::unpack(&mut &*input, sizes, unix_zero, now) else { return };
    let filled = history.filled();
    assert!(filled.clients <= 24 && filled.credited <= filled.clients && filled.net24 <= 8 && filled.net16 <= 8);
    let client = ClientKey::new([192, 0, 2, 1].into(), 64);
    history.good(client, now);
    history.known(history.locate(client), now);
}

/// Cookie fields, one a line: none is valid but the one that was issued, nothing of weir's own goes on, and no text is
/// solved work.
pub(crate) fn cookie(input: &[u8]) {
    use weir::flood::challenge::{Proof, WORK, without_ours};
    static CHALLENGE: LazyLock<Challenge> = LazyLock::new(|| {
        let loaded = weir::config::load_str("[origin]\naddresses = [\"192.0.2.1:80\"]\ncapacity = \"1/s\"\n", "f.toml");
        Challenge::new(&loaded.unwrap().settings.flood.challenge)
    });
    const NOW: u64 = 1_750_000_000;
    let client = ClientKey::new(IpAddr::from([192, 0, 2, 7]), 64);
    let fields = || input.split(|b| *b == b'\n');
    let proof = CHALLENGE.proof(fields(), client, NOW);
    assert!(!matches!(proof, Proof::Valid { .. }), "nobody was given this");
    let kept = without_ours(fields());
    assert_eq!(CHALLENGE.proof([&kept[..]].into_iter(), client, NOW), Proof::None, "a cookie of ours goes on");
    let token = CHALLENGE.issue(client, WORK, NOW, 1);
    let good = [b"__Host-weir=", token.as_str().as_bytes(), b"; ", input].concat();
    assert_eq!(CHALLENGE.proof([&good[..]].into_iter(), client, NOW), Proof::Valid { id: 1, strength: WORK });
    let (problem, nonce) = input.split_at(input.len().min(36));
    assert!(!CHALLENGE.is_solved(problem, nonce, client, NOW), "nobody was asked this");
}

/// Lines of a log: a report of them can be made, however little sense they make, and nothing in it is more than text.
pub(crate) fn incident(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let sampling = Sampling { forwarded: 0.01, refused_per_second: 100.0, is_told: true };
    let mut gather = Gather::new(1_709_208_000_000, 1_709_211_600_000, sampling);
    for text in text.lines() {
        match line::parse(text) {
            Ok((at, line)) => gather.add(at, &line),
            Err(why) => gather.fault("line", &why),
        }
    }
    let document = compose(&Findings::new(&gather));
    let (page, text) = (html::render(&document), markdown::render(&document));
    let tricky = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!page.contains(tricky) && !text.contains(tricky));
    assert!(!page.contains("<script") && page.ends_with("</html>\n"));
}
