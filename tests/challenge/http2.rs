//! The same over HTTP/2.

use crate::browser::AGENT;
use crate::common::h2::{Answer, H2, request};
use crate::common::{Weir, eventually, listening};
use crate::nosy_origin;
use weir::flood::state::FloodState;

fn ask(client: &mut H2, method: &str, path: &str, cookies: &[&str]) -> Answer {
    let mut headers = vec![("x-forwarded-for", "192.0.2.1"), ("user-agent", AGENT), ("accept", "text/html")];
    headers.extend(cookies.iter().map(|c| ("cookie", *c)));
    client.ask(request(method, path, &headers), b"").unwrap()
}

#[test]
fn a_browser_passes_and_its_cookie_stays_here() {
    let (origin, seen) = nosy_origin();
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    weir.pin(FloodState::Attack);
    let mut client = H2::connect(weir.http);
    eventually("the attack is known", || ask(&mut client, "GET", "/", &[]).status == 307);
    seen.lock().unwrap().clear();
    let first = ask(&mut client, "GET", "/page?x", &[]);
    assert_eq!((first.status, first.header("location")), (307, "/.well-known/weir/c?/page?x"));
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("weir="));
    let without = ask(&mut client, "GET", "/.well-known/weir/c?/page?x", &[]);
    assert_eq!(without.status, 403);
    assert!(without.text().contains("allow cookies"));
    let back = ask(&mut client, "GET", "/.well-known/weir/c?/page?x", &[&cookie]);
    assert_eq!((back.status, back.header("location")), (307, "/page?x"));
    // A browser may send each cookie as a field of its own.
    let answer = ask(&mut client, "GET", "/page?x", &["a=1", &cookie, "b=2"]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(*seen.lock().unwrap(), ["a=1; b=2"]);
    let head = ask(&mut client, "HEAD", "/page", &[]);
    assert_eq!((head.status, head.body.len()), (307, 0));
}

#[test]
fn the_page_of_a_proof_of_work_comes_whole() {
    let (origin, _) = nosy_origin();
    let more = "[flood.challenge]\nform = \"proof-of-work\"\n";
    let weir = Weir::start(&listening(origin.address, "h2c = true", more));
    weir.pin(FloodState::Attack);
    let mut client = H2::connect(weir.http);
    eventually("the attack is known", || ask(&mut client, "GET", "/", &[]).status == 429);
    let page = ask(&mut client, "GET", "/page", &[]);
    assert_eq!(page.header("content-length"), page.body.len().to_string());
    assert!(page.text().contains("data-problem=\"") && page.text().trim_end().ends_with("</script>"));
    assert_eq!(ask(&mut client, "POST", "/.well-known/weir/pow?x&1", &[]).status, 403);
}
