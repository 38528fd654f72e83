//! What a person who has just started weir gets to read.

use super::App;
use crate::config::settings::OriginAddress;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where weir listens, the live page, and what to try.
pub fn banner(app: &App) -> String {
    let mut text = String::from("\nweir is up\n\n");
    let mut line = |head: &str, what: String| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {head:<10} {what}");
    };
    for address in &app.http {
        line("listens", format!("http://{}", reachable(*address)));
    }
    for address in &app.https {
        line("listens", format!("https://{}", reachable(*address)));
    }
    let settings = app.settings();
    let demo = settings.origin.addresses.contains(&OriginAddress::Demo);
    let origin: Vec<String> = app.edge.pool.endpoints().iter().map(|e| e.addr.to_string()).collect();
    line("origin", if demo { format!("the built-in demo service ({})", origin.join(", ")) } else { origin.join(", ") });
    line("live page", format!("http://{}/", reachable(app.admin())));
    if let Some(address) = app.http.first().filter(|_| demo) {
        let url = format!("http://{}", reachable(*address));
        let _ = write!(
            text,
            "\nTry, in another terminal:\n\n  \
             curl -i {url}/profile\n  \
             curl -i --data-binary @Cargo.lock {url}/upload\n  \
             for i in $(seq 12); do curl -s -o /dev/null -w '%{{http_code}} ' -d 'password=guess' {url}/login; done   \
             # the last are refused\n\n\
             Stop with Ctrl-C. Change a limit in the config: it takes effect within a second.\n"
        );
    }
    text
}

/// An address that a person can type: loopback where weir listens everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    }
    address
}
