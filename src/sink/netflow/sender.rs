//! The thread that sends datagrams. It never waits for the collector: what the system does not take at once is lost.

use super::export::{Exporter, MAX_DATAGRAM};
use super::flow::Flow;
use super::{Selected, Shared};
use crate::base::clock;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often the sender looks after templates and itself when nothing comes.
const IDLE: Duration = Duration::from_millis(500);

/// For how long a socket that could not be had is not asked for again.
const RETRY: Duration = Duration::from_secs(1);

/// How often a lasting error is said.
const SAY_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Sender {
    shared: Arc<Shared>,
    exporter: Exporter,
    selected: Selected,
    socket: Option<UdpSocket>,
    tried: Option<Instant>,
    said: Option<Instant>,
    flows: Vec<Flow>,
    /// Flows of the datagram sent last: that nobody was there is only told afterwards.
    unsure: Option<u64>,
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, exporter: Exporter, selected: Selected) -> Self {
        Self { shared, exporter, selected, socket: None, tried: None, said: None, flows: vec![], unsure: None }
    }

    pub(super) fn run(mut self) {
        loop {
            // Acquire: pairs with the Release in `stop`: what was handed over before it is sent.
            let last = self.shared.stop.load(Ordering::Acquire);
            let idle = self.round();
            if last {
                self.settle();
                self.shared.news().ended = true;
                self.shared.ended.notify_all();
                return;
            }
            if idle {
                std::thread::park_timeout(IDLE);
            }
        }
    }

    /// Sends what waits; true if there is nothing left.
    fn round(&mut self) -> bool {
        self.settle();
        let room = super::CAPACITY - self.flows.len();
        let shared = self.shared.clone();
        self.flows.extend(std::iter::from_fn(|| shared.waiting.pop()).take(room));
        let mut datagram = Vec::with_capacity(MAX_DATAGRAM);
        let (mut done, mut selection) = (0, (self.selected)());
        // Relaxed: a lone counter.
        selection.without += self.shared.lost.load(Ordering::Relaxed);
        loop {
            let now = clock::unix_nanos(clock::now()) / 1_000_000;
            let taken = self.exporter.datagram(&self.flows[done..], selection, now, &mut datagram);
            if datagram.is_empty() {
                break;
            }
            self.send(&datagram, taken as u64);
            done += taken;
        }
        self.flows.clear();
        self.shared.waiting.is_empty()
    }

    fn send(&mut self, datagram: &[u8], flows: u64) {
        let sent = match self.socket() {
            None => return self.shared.lose(flows),
            Some(socket) => socket.send(datagram),
        };
        // An error of the datagram before: this one did not go out.
        let sent = match sent {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                self.refused(&error);
                self.socket.as_ref().map_or(Ok(0), |socket| socket.send(datagram))
            }
            sent => sent,
        };
        self.sure();
        match sent {
            Ok(_) => self.unsure = Some(flows),
            Err(error) => {
                self.shared.lose(flows);
                self.say(&error);
                if error.kind() != ErrorKind::WouldBlock {
                    self.socket = None;
                }
            }
        }
    }

    /// Finds out what became of the datagram sent last.
    fn settle(&mut self) {
        let error = self.socket.as_ref().and_then(|socket| socket.take_error().ok().flatten());
        match error {
            Some(error) => self.refused(&error),
            None => self.sure(),
        }
    }

    fn refused(&mut self, error: &io::Error) {
        self.shared.lose(self.unsure.take().unwrap_or(0));
        self.say(error);
    }

    fn sure(&mut self) {
        if let Some(flows) = self.unsure.take() {
            // Relaxed: a lone counter.
            self.shared.sent.fetch_add(flows, Ordering::Relaxed);
            self.shared.news().failing = None;
        }
    }

    fn socket(&mut self) -> Option<&UdpSocket> {
        if self.socket.is_none() && self.tried.is_none_or(|at| at.elapsed() >= RETRY) {
            self.tried = Some(Instant::now());
            match open(self.shared.collector) {
                Ok(socket) => self.socket = Some(socket),
                Err(error) => self.say(&error),
            }
        }
        self.socket.as_ref()
    }

    fn say(&mut self, error: &io::Error) {
        let mut news = self.shared.news();
        let since = news.failing.as_ref().map_or_else(Instant::now, |(_, since)| *since);
        news.failing = Some((error.to_string(), since));
        drop(news);
        if self.said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(collector = %self.shared.collector, %error, "netflow: flows are being lost; requests go on");
        }
    }
}

fn open(collector: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match collector {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(collector)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
