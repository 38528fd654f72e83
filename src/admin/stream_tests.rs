//! The live stream over real connections: one event a second for all, gaps filled, viewers bounded.

use super::feed::VIEWERS;
use super::testing::{Fixed, TOKEN};
use super::{Admin, Token};
use crate::control::status::Phase;
use crate::control::timeline::{Field, Sample};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Viewer(BufReader<TcpStream>);

impl Viewer {
    fn connect(admin: &Admin, fields: &str) -> Self {
        let mut stream = TcpStream::connect(admin.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request =
            format!("GET /api/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next line that begins so, without its beginning.
    fn line(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended before {beginning:?}");
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    fn status(&mut self) -> u16 {
        self.line("HTTP/1.1 ")[..3].parse().unwrap()
    }
}

fn start() -> (Arc<Fixed>, Admin) {
    let source = Arc::new(Fixed::new(Phase::Serving, vec![]));
    let admin = Admin::start(([127, 0, 0, 1], 0).into(), Some(Token::new(TOKEN).unwrap()), source.clone()).unwrap();
    (source, admin)
}

fn second(at: u32) -> Sample {
    let mut sample = Sample::blank(at);
    sample.set(Field::Offered, f64::from(at));
    sample
}

#[test]
fn every_second_is_told_to_all_who_watch_and_a_gap_is_filled_first() {
    let (source, admin) = start();
    (1..=9).for_each(|at| source.timeline.add(second(at)));
    let mut fresh = Viewer::connect(&admin, "");
    assert!(fresh.status() == 200 && fresh.line("content-type: ") == "text/event-stream");
    let mut back = Viewer::connect(&admin, "Last-Event-ID: 6\r\n");
    assert_eq!((back.status(), back.line("event: ")), (200, "missed".into()));
    let missed: serde_json::Value = serde_json::from_str(&back.line("data: ")).unwrap();
    assert_eq!(missed["at"], serde_json::json!([7, 8, 9]));
    source.timeline.add(second(10));
    for viewer in [&mut fresh, &mut back] {
        // The second before may be told late, to whoever watches by then.
        if viewer.line("id: ") != "10" {
            assert_eq!(viewer.line("id: "), "10");
        }
        let event: serde_json::Value = serde_json::from_str(&viewer.line("data: ")).unwrap();
        assert_eq!(event["sample"][0], 10);
        assert_eq!(event["picture"]["status"]["version"], "0.1.0");
        assert_eq!(event["picture"]["bans"]["bans"][0]["network"], "192.0.2.7");
    }
}

#[test]
fn viewers_are_bounded_one_that_takes_nothing_holds_up_nobody_and_a_place_is_free_again() {
    let (source, admin) = start();
    let mut viewers: Vec<Viewer> = (0..VIEWERS).map(|_| Viewer::connect(&admin, "")).collect();
    viewers.iter_mut().for_each(|viewer| assert_eq!(viewer.status(), 200));
    let mut late = Viewer::connect(&admin, "");
    assert_eq!(late.status(), 503);
    // Nobody but the last reads.
    let mut last = viewers.pop().unwrap();
    for at in 1..=100 {
        source.timeline.add(second(at));
        let got: u32 = last.line("id: ").parse().unwrap();
        assert_eq!(got, at);
    }
    drop(viewers);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Viewer::connect(&admin, "").status() != 200 {
        assert!(Instant::now() < deadline, "no place is free");
        std::thread::sleep(Duration::from_millis(20));
    }
}
