//! Bad samples, one for each rule, so that the checker itself can fail; and good ones that it must let pass.

use super::rules::{Exceptions, private};
use super::source::Source;

const NONE: Exceptions = Exceptions { unsafe_code: &[], sleep: &[] };

/// The faults of a sample at `path`, without the file's name.
fn faults(path: &str, code: &str) -> Vec<String> {
    let source = Source::new(path, &format!("//! A sample.\n{code}"));
    super::faults(&source, &NONE).into_iter().map(|f| f.replacen(&format!("{path}:"), "", 1)).collect()
}

#[track_caller]
fn assert_bad(path: &str, code: &str, wanted: &str) {
    let found = faults(path, code);
    assert!(found.iter().any(|f| f.contains(wanted)), "{path} `{code}`: wanted {wanted:?}, found {found:?}");
}

#[track_caller]
fn assert_good(path: &str, code: &str) {
    assert_eq!(faults(path, code), Vec::<String>::new(), "{path} `{code}`");
}

#[test]
fn layers_are_held() {
    for (path, code) in [
        ("src/base/units.rs", "use crate::config::settings::Settings;"),
        ("src/config/check.rs", "use crate::limit::table::Table;"),
        ("src/limit/table.rs", "use crate::{base::units::Rate, access::geo};"),
        ("src/limit/table.rs", "fn f() { crate::client::forwarded::read() }"),
        ("src/limit/table.rs", "use super::super::access::geo;"),
        ("src/limit/mod.rs", "use super::access::geo;"),
        ("src/flood/top.rs", "use crate::limit::in_flight::InFlight;"),
        ("src/verdict/decide.rs", "use crate::proxy::gate::Gate;"),
        ("src/proxy/gate.rs", "use crate::{\n    base::{clock, units},\n    sink::{self, syslog},\n};"),
        ("src/proxy/gate.rs", "use crate::app::App;"),
        ("src/control/reload.rs", "use crate::proxy::gate::Gate;"),
        ("src/demo/mod.rs", "use crate::cli::Args;"),
        ("src/brand_new/mod.rs", "use crate::base::units::Rate;"),
    ] {
        assert_bad(path, code, "layers: ");
    }
    for (path, code) in [
        ("src/limit/table.rs", "use crate::{base::{clock::Time, units::Rate}, client::key::ClientKey};"),
        ("src/limit/table.rs", "use super::gcra::Gcra; use crate::limit::gcra;"),
        ("src/flood/top.rs", "use crate::limit::{memory::Lines, seeds::Seeds, table::Table};"),
        ("src/verdict/decide.rs", "use crate::{access::geo, client::forwarded, limit::table};"),
        ("src/control/reload.rs", "use crate::{admin, sink::syslog, verdict::policy::Policy};"),
        ("src/app.rs", "use crate::{control, proxy};"),
        (
            "src/limit/table.rs",
            "// crate::proxy is told of it in \"crate::sink\"\nconst A: &str = \"crate::proxy::x\";",
        ),
    ] {
        assert_good(path, code);
    }
}

#[test]
fn the_core_does_no_input_or_output() {
    for code in [
        "use tokio::net::TcpStream;",
        "fn f() { let _ = std::time::Instant::now(); }",
        "use crate::base::clock; fn f() -> clock::Time { clock::now() }",
        "use crate::base::clock::{Time, now};",
        "use std::net::{IpAddr, UdpSocket};",
        "fn f(s: &pingora_proxy::Session) {}",
    ] {
        assert_bad("src/limit/table.rs", code, "layers: limit ");
    }
    assert_good("src/base/clock.rs", "pub fn now() -> u64 { Instant::now().elapsed().as_nanos() as u64 }");
    assert_good("src/limit/table.rs", "fn f(now: Time) { let clock = FakeClock::new(now); clock.now(); }");
}

#[test]
fn files_open_with_a_line_and_stay_short() {
    let source = Source::new("src/limit/table.rs", "use std::fmt;\n");
    assert_eq!(super::faults(&source, &NONE).len(), 1, "a file without //! is a fault");
    assert_bad("src/limit/table.rs", &"// a line\n".repeat(400), "file length: 401 lines");
    assert_good("src/limit/table.rs", &"// a line\n".repeat(399));
}

#[test]
fn functions_stay_short() {
    let long = format!(
        "impl A {{\n    pub fn f<T>(a: [u8; 3]) -> T\n    where T: B {{\n{}    }}\n}}",
        "        g();\n".repeat(68)
    );
    assert_bad("src/limit/table.rs", &long, "3: function length: f has 71 lines");
    let fits = format!("fn f() {{\n{}}}\nfn g() {{\n{}}}\n", "    g();\n".repeat(68), "    g();\n".repeat(68));
    assert_good("src/limit/table.rs", &fits);
    let braces_in_text = "fn f() {\n    g(\"{{{\", '{', r#\"\"{\"#, b'\\'', '\\u{7b}'); // {\n}\n";
    assert_good("src/limit/table.rs", &format!("{braces_in_text}{}", "// more\n".repeat(80)));
    assert_good("src/limit/table.rs", &format!("trait A {{\n    fn f(&self);\n{}}}", "// more\n".repeat(80)));
}

#[test]
fn every_ordering_says_why() {
    let path = "src/limit/table.rs";
    assert_bad(path, "fn f() { A.load(Ordering::Relaxed); }", "2: ordering");
    assert_bad(path, "/// Relaxed is well.\nfn f() { A.load(Ordering::Relaxed); }", "3: ordering");
    assert_bad(path, "// Why.\n\n\n\nfn f() { A.load(Ordering::SeqCst); }", "6: ordering");
    assert_good(path, "fn f() { A.load(Ordering::Relaxed); } // Relaxed: a lone counter.");
    assert_good(
        path,
        "// Why.\n\n\nfn f() {\n A.cas(Ordering::AcqRel,\n Ordering::Acquire,\n Ordering::Relaxed) }"
            .replace("\n\n\nfn", "\nfn")
            .as_str(),
    );
    let far = "fn f() {\n    // Relaxed, all of them: a lone counter.\n\n\n\n\n    A.load(Ordering::Relaxed);\n}";
    assert_good(path, far);
    assert_bad(path, &far.replace("::Relaxed", "::Acquire"), "8: ordering");
    assert_bad(path, &far.replace("\n\n\n\n", "\n}\nfn g() {\n\n"), "8: ordering");
    assert_good(path, "fn f(o: Ordering) -> bool { o == Ordering::Less }");
    assert_good(path, "#[cfg(test)]\nmod tests {\n    fn f() { A.load(Ordering::Relaxed); }\n}");
    assert_bad(path, "#[cfg(test)]\nmod tests {}\nfn f() { A.load(Ordering::Relaxed); }", "4: ordering");
}

#[test]
fn tests_are_run_and_never_sleep() {
    assert_bad("tests/a.rs", "#[test]\n#[ignore]\nfn f() {}", "3: ignore");
    assert_good("tests/a.rs", "#[test]\n#[ignore = \"needs an hour: make soak\"]\nfn f() {}");
    assert_bad("tests/a.rs", "fn f() { std::thread::sleep(D); }", "2: sleep");
    let polls = "fn f() {\n    while !done() { assert!(now() < deadline); sleep(MS); }\n}";
    assert_good("tests/a.rs", polls);
    assert_bad("tests/a.rs", &format!("{polls}\nfn g() {{ sleep(MS) }}"), "5: sleep");
    assert_bad("tests/a.rs", "use tokio::time::sleep;\nasync fn f() { sleep(D).await; }", "3: sleep");
    assert_bad("src/proxy/gate.rs", "#[cfg(test)]\nmod tests {\n    fn f() { thread::sleep(D); }\n}", "4: sleep");
    assert_good("src/proxy/gate.rs", "async fn f() { tokio::time::sleep(D).await; }");
}

#[test]
fn unsafe_code_is_named() {
    assert_bad("src/limit/table.rs", "fn f() { unsafe { g() } }", "2: unsafe");
    assert_good("src/limit/table.rs", "#![deny(unsafe_code)] // unsafe is denied");
    let allowed = Exceptions { unsafe_code: &[("src/limit/table.rs", "prefetch")], sleep: &[] };
    let source = Source::new("src/limit/table.rs", "//! A.\nfn f() { unsafe { g() } }");
    assert_eq!(super::faults(&source, &allowed), Vec::<String>::new());
}

#[test]
fn private_places_and_strangers_are_found() {
    let place = format!("see {}x", concat!("/ro", "ot/"));
    // A stranger's address, put together so that this file names none.
    let stranger = format!("from {}.{} on", "8.8", "4.4");
    for bad in [place.as_str(), stranger.as_str(), &format!("http://{}.{}/", "9.9", "9.9")] {
        assert_eq!(private(bad).len(), 1, "{bad}");
    }
    for good in [
        "11.0.0.1 lies beside 10.0.0.0/8",
        "192.0.2.7:80, 10.1.2.3/8 and 127.0.0.1",
        "Chrome/120.0.0.0 Safari",
        "version 1.2.3",
        "v1.2.3.4",
    ] {
        assert_eq!(private(good), vec![], "{good}");
    }
}
