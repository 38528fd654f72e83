//! The live page after its connection broke: the seconds in between are there, and what it costs on the wire.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::browser::Browser;
use common::origin::Origin;
use common::{Weir, config};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Between the browser and weir: passes bytes on, and can be cut.
struct Relay {
    address: SocketAddr,
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Relay {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, open) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Some(vec![]))));
        let kept: Arc<Mutex<Option<Vec<TcpStream>>>> = open.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut open = kept.lock().unwrap();
                let Some(open) = open.as_mut() else { continue };
                let server = TcpStream::connect(server).unwrap();
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let mut bytes = [0; 16 << 10];
                        while let Ok(n @ 1..) = from.read(&mut bytes) {
                            if to.write_all(&bytes[..n]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.extend([client, server]);
            }
        });
        Self { address, open }
    }

    /// Breaks every connection; no other gets through.
    fn cut(&self) {
        let open = self.open.lock().unwrap().take();
        open.into_iter().flatten().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    fn mend(&self) {
        *self.open.lock().unwrap() = Some(vec![]);
    }
}

const LAST: &str = "import('/page/series.js').then((series) => series.last)";

#[test]
fn a_gap_is_filled_and_the_first_view_is_small() {
    let Some(mut browser) = Browser::start(1400, 1000) else { return };
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let relay = Relay::to(weir.admin);
    browser.open(&format!("http://{}/", relay.address));
    browser.until("the page is live", "document.querySelector('#link').textContent === 'live'");
    browser.until("an event came", "document.querySelector('#phase').textContent === 'serving'");
    let bytes: f64 =
        browser.events("Network.dataReceived").iter().map(|e| e["encodedDataLength"].as_f64().unwrap()).sum();
    println!("first view: {bytes} bytes of bodies");
    assert!((20_000.0..100_000.0).contains(&bytes), "{bytes}");
    relay.cut();
    browser.until("it is noticed", "document.querySelector('#link').textContent.startsWith('connecting again')");
    let seen = browser.eval(LAST).as_u64().unwrap();
    let newest = || {
        let text = weir.ask("/api/timeline").1;
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["at"].as_array().unwrap().last().unwrap().as_u64()
    };
    common::eventually("some seconds went by", || newest().unwrap() >= seen + 3);
    relay.mend();
    browser.until("the page is live again", "document.querySelector('#link').textContent === 'live'");
    common::eventually("the newest second is there", || browser.eval(LAST).as_u64().unwrap() >= seen + 3);
    let all = browser.eval("import('/page/series.js').then((series) => series.columns(['offered'])[0])");
    let all: Vec<u64> = all.as_array().unwrap().iter().map(|second| second.as_u64().unwrap()).collect();
    let after: Vec<u64> = all.into_iter().filter(|second| (seen..=seen + 3).contains(second)).collect();
    assert_eq!(after, (seen..=seen + 3).collect::<Vec<_>>());
}
