//! Any bytes in the headers that name a client, and in a list file: nothing panics, and who is not trusted is never
//! believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;
use weir::access::list_file;
use weir::client::{address, cloudfront, forwarded};

fuzz_target!(|bytes: &[u8]| {
    let trusted = |a: IpAddr| matches!(a, IpAddr::V4(v4) if v4.octets()[0] == 10);
    let (proxy, stranger) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([203, 0, 113, 9]));
    if let Some(found) = address::parse(bytes) {
        assert_eq!(address::parse(found.to_string().as_bytes()), Some(found));
    }
    let fields = || bytes.split(|&b| b == b'\n');
    forwarded::from_right(fields(), trusted, proxy);
    assert_eq!(forwarded::from_right(fields(), trusted, stranger).address, stranger);
    cloudfront::viewer_address(Some(bytes), trusted, proxy);
    assert_eq!(cloudfront::viewer_address(Some(bytes), trusted, stranger).address, stranger);
    let list = list_file::parse(bytes);
    assert!(list.nets.len() + list.faults.len() <= fields().count());
});
