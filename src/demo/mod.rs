//! Layer 3: the built-in demo service, an origin with a capacity it really has.

mod page;
mod routes;
mod workers;

pub use workers::Capacity;

use anyhow::Context;
use std::net::SocketAddr;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A demo service that runs until the process ends.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// Where it listens, on loopback.
    pub addr: SocketAddr,
}

/// Starts the demo service on a thread of its own, at a free port.
pub fn start(capacity: Capacity) -> anyhow::Result<Demo> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the demo service")?;
    let listener = runtime
        .block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            socket.listen(BACKLOG)
        })
        .context("the demo service can't listen on 127.0.0.1")?;
    let addr = listener.local_addr().context("the demo service has no address")?;
    let serve = move || {
        if let Err(error) = runtime.block_on(async { axum::serve(listener, routes::router(capacity)).await }) {
            tracing::error!(%error, "the demo service has ended");
        }
    };
    std::thread::Builder::new().name("demo".to_owned()).spawn(serve).context("no thread for the demo service")?;
    Ok(Demo { addr })
}
