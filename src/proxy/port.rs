//! From which of its ports a client came. Only for requests that get a record.

use super::edge::Peer;
use crate::client::{address, cloudfront, forwarded};
use crate::config::settings::AddressFrom;
use std::net::IpAddr;

/// The port of the client at `address`, 0 where nobody told it: the connection's own, or what stands beside the address
/// where the config says that it is read.
pub(super) fn of_client<'h>(
    peer: &Peer,
    from: AddressFrom,
    client: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'h [u8]>,
    viewer: impl DoubleEndedIterator<Item = &'h [u8]>,
) -> u16 {
    let told = match from {
        AddressFrom::Peer => None,
        AddressFrom::ProxyProtocol => peer.proxied.map(|source| source.port()),
        AddressFrom::XForwardedFor if peer.trusted => forwarded::port_of(forwarded, client),
        AddressFrom::CloudFrontViewerAddress if peer.trusted => viewer.last().and_then(cloudfront::viewer_port),
        AddressFrom::XForwardedFor | AddressFrom::CloudFrontViewerAddress => None,
    };
    told.unwrap_or(if client == peer.address { peer.port } else { address::NO_PORT })
}
