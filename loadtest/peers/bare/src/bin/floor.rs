//! The floor under every refusal: receives what is there and sends 400 bytes, without a look at them: `floor LISTEN`.
//!
//! Two system calls a request and one for many, as a server on epoll must make; what is above it is a proxy's own.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};

const LISTENER: Token = Token(usize::MAX);
const REPLY: &str = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 346\r\n\r\n";

fn main() -> std::io::Result<()> {
    let Some(Ok(address)) = std::env::args().nth(1).map(|a| a.parse()) else {
        eprintln!("usage: floor LISTEN");
        std::process::exit(64);
    };
    let reply = format!("{REPLY}{}", "x".repeat(346));
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut streams, mut request) = (Vec::<Option<TcpStream>>::new(), [0; 8192]);
    loop {
        if let Err(e) = poll.poll(&mut events, None)
            && e.kind() != ErrorKind::Interrupted
        {
            return Err(e);
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut streams)?;
            } else if let Some(slot) = streams.get_mut(event.token().0)
                && !slot.as_mut().is_none_or(|stream| serve(stream, &mut request, reply.as_bytes()))
            {
                *slot = None;
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, streams: &mut Vec<Option<TcpStream>>) -> std::io::Result<()> {
    while let Ok((mut stream, _)) = listener.accept() {
        stream.set_nodelay(true)?;
        let free = streams.iter().position(Option::is_none).unwrap_or(streams.len());
        poll.registry().register(&mut stream, Token(free), Interest::READABLE)?;
        if free == streams.len() {
            streams.push(None);
        }
        streams[free] = Some(stream);
    }
    Ok(())
}

/// One request; false if the client is gone.
fn serve(stream: &mut TcpStream, request: &mut [u8], reply: &[u8]) -> bool {
    match stream.read(request) {
        Ok(0) => false,
        Ok(_) => stream.write(reply).is_ok(),
        Err(e) => e.kind() == ErrorKind::WouldBlock,
    }
}
