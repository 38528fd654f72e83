//! A load: threads with kept connections, each going elsewhere when it is told `Connection: close`.

use super::client::{Client, get};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests on their way until told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// `threads` threads that ask for `/` until told to stop or until nobody listens any more. Addresses differ.
    pub fn start(address: SocketAddr, threads: usize) -> Self {
        let (stop, done): (Arc<AtomicBool>, Arc<AtomicU64>) = Default::default();
        let threads = (0..threads).map(|n| {
            let (stop, done) = (stop.clone(), done.clone());
            std::thread::spawn(move || run(address, n, &stop, &done))
        });
        Self { stop: stop.clone(), done: done.clone(), threads: threads.collect() }
    }

    /// Requests answered with 200 so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Stops, and says what failed.
    pub fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.ended()
    }

    /// Waits until nobody listens any more, and says what failed.
    pub fn ended(self) -> Vec<String> {
        self.threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    }
}

fn run(address: SocketAddr, n: usize, stop: &AtomicBool, done: &AtomicU64) -> Vec<String> {
    let mut failed = Vec::new();
    let from = format!("X-Forwarded-For: 198.51.100.{n}\r\n");
    while !stop.load(Ordering::SeqCst) {
        // Refused is the clean end: whoever balances loads goes elsewhere.
        let Ok(socket) = TcpStream::connect(address) else { return failed };
        socket.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let mut client = Client::over(socket);
        while !stop.load(Ordering::SeqCst) {
            let answer = client.try_ask(get("/", &from));
            match &answer {
                Some(response) if response.status == 200 => drop(done.fetch_add(1, Ordering::SeqCst)),
                Some(response) => failed.push(response.head.clone()),
                None => failed.push("no whole answer".into()),
            }
            if answer.is_none_or(|r| r.header("connection") == "close") {
                break;
            }
        }
    }
    failed
}
