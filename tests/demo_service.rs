//! The demo service over real HTTP.

#![allow(clippy::unwrap_used)] // A test may fail by panicking; clippy's own exemption misses helpers.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use weir::demo::{self, Capacity};

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent()
}

fn start() -> SocketAddr {
    demo::start(Capacity::default()).unwrap().addr
}

fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let mut response = agent().get(format!("http://{addr}{path}")).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn post(addr: SocketAddr, path: &str, body: &[u8]) -> (u16, Value) {
    let mut response = agent().post(format!("http://{addr}{path}")).send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_json().unwrap_or(Value::Null))
}

fn json_of((status, body): (u16, String)) -> (u16, Value) {
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn every_path_answers() {
    let addr = start();
    let (status, page) = get(addr, "/");
    assert_eq!(status, 200);
    for path in ["/profile", "/search", "/login", "/upload", "/download", "/slow", "/echo", "/ws", "/health", "/stats"]
    {
        assert!(page.contains(path), "{path} is not on the page");
    }
    assert_eq!(get(addr, "/health"), (200, "ok\n".to_owned()));
    assert_eq!(json_of(get(addr, "/profile")).1["user"], "demo");
    assert_eq!(json_of(get(addr, "/search?q=weir")).1["results"], json!(["weir 1", "weir 2", "weir 3"]));
    assert_eq!(json_of(get(addr, "/slow?ms=1")), (200, json!({ "waited_ms": 1 })));
    assert_eq!(get(addr, "/slow?ms=no").0, 400);
    assert_eq!(get(addr, "/nothing").0, 404);
    assert_eq!(json_of(get(addr, "/stats")).1["totals"]["served"], 2);
}

#[test]
fn an_upload_is_counted_and_summed() {
    let addr = start();
    assert_eq!(post(addr, "/upload", b"123456789"), (200, json!({ "bytes": 9, "crc32": "cbf43926" })));
    assert_eq!(post(addr, "/upload", &vec![7; 5 << 20]).1["bytes"], 5 << 20);
}

#[test]
fn a_download_has_the_size_asked_for() {
    let addr = start();
    for (size, bytes) in [("0", 0), ("1", 1), ("100KiB", 100 << 10), ("3MiB", 3 << 20)] {
        let mut response = agent().get(format!("http://{addr}/download?size={size}")).call().unwrap();
        assert_eq!(response.headers()["content-length"], bytes.to_string());
        assert_eq!(response.body_mut().read_to_vec().unwrap().len(), bytes);
    }
    for size in ["65MiB", "-1", "1GiB", "18446744073709551615MiB", "%C3%A9", "MiB"] {
        assert_eq!(get(addr, &format!("/download?size={size}")).0, 400, "{size}");
    }
    assert_eq!(get(addr, "/download").1.len(), 1 << 20);
}

#[test]
fn only_the_right_password_logs_in() {
    let addr = start();
    for (body, status) in [
        (r#"{"password":"open-sesame"}"#, 200),
        ("user=demo&password=open-sesame", 200),
        (r#"{"password":"guess"}"#, 401),
        ("password=guess&password=open-sesame", 401),
        ("", 401),
        ("[1]", 401),
    ] {
        assert_eq!(post(addr, "/login", body.as_bytes()).0, status, "{body}");
    }
    assert_eq!(post(addr, "/login", &[b'x'; 5000]).0, 413);
}

#[test]
fn echo_shows_what_arrived() {
    let addr = start();
    let url = format!("http://{addr}/echo?a=1&b=2");
    let mut response = agent().put(url).header("x-test", "yes").send("hello").unwrap();
    let echo: Value = response.body_mut().read_json().unwrap();
    assert_eq!(
        (&echo["method"], &echo["path"], &echo["query"], &echo["bytes"]),
        (&json!("PUT"), &json!("/echo"), &json!("a=1&b=2"), &json!(5))
    );
    assert!(echo["headers"].as_array().unwrap().contains(&json!(["x-test", "yes"])));
}

#[test]
fn an_upgraded_connection_echoes() {
    let addr = start();
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"GET /ws HTTP/1.1\r\nHost: demo\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("upgrade: echo\r\n"), "{head}");
    stream.write_all(b"there and back").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    assert_eq!(back, "there and back");
    assert_eq!(get(addr, "/ws").0, 426);
}

#[test]
fn an_overload_shows_as_waiting_and_then_as_503() {
    // One worker: two of three requests at once have to wait, longer than the patience for the third.
    let work = Duration::from_millis(400);
    let capacity = Capacity { workers: 1, light: work, patience: work.mul_f64(1.5), ..Capacity::default() };
    let addr = demo::start(capacity).unwrap().addr;
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let requests: Vec<_> = (0..8).map(|_| scope.spawn(|| get(addr, "/profile").0)).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[7]), (200, 503), "{statuses:?}");
    let served = statuses.iter().filter(|&&status| status == 200).count();
    let totals = json_of(get(addr, "/stats")).1["totals"].clone();
    assert_eq!((&totals["served"], &totals["rejected"]), (&json!(served), &json!(8 - served)));
    assert!(totals["queued"].as_u64().unwrap() >= 1, "{totals}");
    // It recovers by itself.
    assert_eq!(get(addr, "/health").0, 200);
    assert_eq!(get(addr, "/profile").0, 200);
}

#[test]
fn hostile_bytes_do_not_end_it() {
    let addr = start();
    for bytes in [
        b"\x00\xff\xfe\r\n\r\n".as_slice(),
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\n\r\n",
        b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nshort",
        b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /search?q=%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\nX: \xff\xfe\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage",
    ] {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // Whatever the answer, a reset included: it comes.
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{bytes:?}");
        }
        assert_eq!(get(addr, "/health").0, 200);
    }
}
