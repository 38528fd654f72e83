//! A flood at a fixed rate, evenly paced: `flood ADDRESS RATE SECONDS CONNECTIONS`. Every connection is another client,
//! with one request under way at most; what finds no free connection is skipped and counted. Prints JSON.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long to sleep when nothing is due: short, so that the requests come evenly and not in bursts.
const NAP: Duration = Duration::from_micros(20);
/// Seconds that it may lag behind and catch up.
const LAG: f64 = 0.001;

/// One client.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    waiting: bool,
}

/// What was answered.
#[derive(Default)]
struct Count {
    refused: u64,
    passed: u64,
}

impl Client {
    fn connect(address: &str, number: usize) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let client = format!("198.19.{}.{}", number / 250, number % 250 + 1);
        let request = format!("GET / HTTP/1.1\r\nHost: bench.test\r\nX-Forwarded-For: {client}\r\n\r\n");
        Ok(Self { stream, request: request.into(), answer: Vec::with_capacity(4096), waiting: false })
    }

    /// Whether it can send again: takes in the answer where one is awaited.
    fn free(&mut self, count: &mut Count) -> std::io::Result<bool> {
        if !self.waiting {
            return Ok(true);
        }
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.answer.extend_from_slice(&bytes[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(e),
        }
        if !complete(&self.answer) {
            return Ok(false);
        }
        let refused = self.answer.starts_with(b"HTTP/1.1 429");
        *(if refused { &mut count.refused } else { &mut count.passed }) += 1;
        self.answer.clear();
        self.waiting = false;
        Ok(true)
    }

    fn send(&mut self) -> std::io::Result<()> {
        self.waiting = true;
        self.stream.write_all(&self.request)
    }
}

/// Whether `answer` is a whole one: a head, and as many bytes as its Content-Length says.
fn complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let name = b"content-length:";
    let at = answer[..end].windows(name.len()).position(|w| w.eq_ignore_ascii_case(name));
    let digits = at.map_or(&[][..], |at| answer[at + name.len()..end].trim_ascii_start());
    let digits = digits.iter().take_while(|b| b.is_ascii_digit());
    answer.len() >= end + 4 + digits.fold(0, |n, d| n * 10 + usize::from(d - b'0'))
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse::<f64>().ok()).filter(|n| *n > 0.0);
    let (Some(address), Some(rate), Some(seconds), Some(clients)) = (args.first(), number(1), number(2), number(3))
    else {
        eprintln!("usage: flood ADDRESS RATE SECONDS CONNECTIONS");
        std::process::exit(64);
    };
    let clients: Result<Vec<_>, _> = (0..clients as usize).map(|i| Client::connect(address, i)).collect();
    let mut clients = clients?;
    let mut count = Count::default();
    let (mut sent, mut skipped, mut next) = (0u64, 0u64, 0);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let due = (begin.elapsed().as_secs_f64() * rate) as u64;
        // What the machine itself kept us from sending must not come as a burst.
        skipped += (due - sent - skipped).saturating_sub((LAG * rate) as u64);
        if sent + skipped >= due {
            std::thread::sleep(NAP);
            continue;
        }
        // The one that sent longest ago has most likely been answered.
        next = (next + 1) % clients.len();
        if clients[next].free(&mut count)? {
            clients[next].send()?;
            sent += 1;
        } else {
            skipped += 1;
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let Count { refused, passed } = count;
    println!(
        r#"{{"sent": {sent}, "skipped": {skipped}, "refused": {refused}, "passed": {passed}, "seconds": {seconds:.3}}}"#
    );
    Ok(())
}
