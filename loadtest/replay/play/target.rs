//! Where the requests go: loopback, unless a host is named twice.

use anyhow::{Context, bail, ensure};
use std::net::{SocketAddr, ToSocketAddrs};

/// A proxy to send to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The Host header.
    pub(crate) host: String,
}

impl Target {
    /// The target at `url`, whose host is loopback or `allowed`.
    pub(crate) fn resolve(url: &str, allowed: Option<&str>, host: Option<&str>) -> anyhow::Result<Self> {
        let uri: http::Uri = url.parse().with_context(|| format!("target \"{url}\""))?;
        if uri.scheme_str() != Some("http") {
            bail!("target \"{url}\": expected http://HOST:PORT");
        }
        let authority = uri.authority().with_context(|| format!("target \"{url}\": expected http://HOST:PORT"))?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = (name, authority.port_u16().unwrap_or(80))
            .to_socket_addrs()
            .with_context(|| format!("target \"{url}\""))?
            .collect();
        let loopback = addresses.iter().all(|address| address.ip().is_loopback());
        ensure!(
            loopback || allowed == Some(name),
            "target \"{url}\" is not loopback: a replay is load under borrowed addresses; \
             if {name} is yours, add --allow-target {name}"
        );
        let address = *addresses.first().with_context(|| format!("target \"{url}\": no address"))?;
        Ok(Self { address, host: host.unwrap_or(authority.as_str()).to_owned() })
    }
}
