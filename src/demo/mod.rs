//! Layer 3: the built-in demo service, an origin with a capacity it really has.

mod page;
mod routes;
mod workers;

pub use workers::Capacity;

use anyhow::Context;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

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
    let (tell, told) = std::sync::mpsc::channel();
    // All on that thread: the caller may be inside a runtime, which could neither run nor drop another one.
    let serve = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        let listening = runtime.block_on(async { listen() });
        let listener = match listening.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((addr, listener)) => {
                drop(tell.send(Ok(addr)));
                listener
            }
            Err(error) => return drop(tell.send(Err(error))),
        };
        if let Err(error) = runtime.block_on(async { axum::serve(listener, routes::router(capacity)).await }) {
            tracing::error!(%error, "the demo service has ended");
        }
    };
    std::thread::Builder::new().name("demo".to_owned()).spawn(serve).context("no thread for the demo service")?;
    let addr = told.recv().context("the demo service has not started")?;
    Ok(Demo { addr: addr.context("the demo service can't listen on 127.0.0.1")? })
}

fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.listen(BACKLOG)
}
