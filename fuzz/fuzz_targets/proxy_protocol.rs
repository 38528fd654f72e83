//! Any bytes at the start of a connection: no panic, bounded waiting, and an answer that more bytes do not change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir::client::proxy_protocol::{MAX_LEN, Parsed, parse};

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes);
    match whole {
        Parsed::Partial => assert!(bytes.len() < MAX_LEN),
        Parsed::Done { len, .. } => {
            assert!(len <= bytes.len());
            assert_eq!(parse(&bytes[..len]), whole);
            assert_eq!(parse(&bytes[..len - 1]), Parsed::Partial);
        }
        Parsed::Invalid(_) => {}
    }
    let longer = [bytes, b"x"].concat();
    assert!(whole == Parsed::Partial || parse(&longer) == whole);
});
