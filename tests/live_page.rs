//! The live page in a real browser, before a weir that lets requests through and refuses others.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::browser::Browser;
use common::client::{Client, get};
use common::load::Load;
use common::origin::Origin;
use common::{Weir, config};
use serde_json::{Value, json};
use std::path::Path;
use weir::flood::state::FloodState;

const TOKEN: &str = "0123456789abcdef0123";
const HOSTILE: &str = "<img src=x onerror=pwned=1><script>pwned=1</script>";

/// A weir with a token, and a limit that is not enforced yet.
fn guarded(origin: &Origin) -> Weir {
    let limit =
        "[[limit]]\nname = \"login\"\nmatch = { path = \"/login\" }\nrate = \"1/h\"\nburst = 1\nenforce = \"0.01%\"\n";
    let text = config(origin.address, limit).replace("[admin]\n", "[admin]\ntoken_file = \"token\"\n");
    Weir::start_with(&text, &[("token", TOKEN.as_bytes())])
}

/// Shows the page, with the token.
fn opened(browser: &mut Browser, weir: &Weir) {
    browser.open(&format!("http://{}/", weir.admin));
    browser.until("the token is asked for", "!document.querySelector('#ask').hidden");
    browser.eval("document.querySelector('#token').focus()");
    browser.write(TOKEN);
    browser.press("Enter");
    live(browser);
}

fn live(browser: &mut Browser) {
    browser.until("the page is live", "document.querySelector('#link').textContent === 'live'");
    browser.until("there are figures", "/^[0-9]/.test(document.querySelector('#now-offered').textContent)");
}

fn ask_as(weir: &Weir, client: &str, path: &str) -> u16 {
    Client::connect(weir.http).ask(get(path, &format!("X-Forwarded-For: {client}\r\n"))).status
}

#[test]
fn it_moves_in_an_attack_and_scrolls_back_without_an_error() {
    let Some(mut browser) = Browser::start(1400, 1300) else { return };
    let origin = Origin::echo();
    let limits = "[[limit]]\nname = \"per-client\"\nrate = \"2/s\"\nburst = 5\nmatch = { path = \"/login*\" }\n";
    let weir = Weir::start(&config(origin.address, &format!("{limits}[lists]\ndeny = [\"203.0.113.0/24\"]\n")));
    let load = Load::start(weir.http, 1);
    browser.open(&format!("http://{}/", weir.admin));
    live(&mut browser);
    browser.until("requests are forwarded", "parseFloat(document.querySelector('#now-forwarded').textContent) > 0");
    assert!(browser.eval("document.querySelector('#state').textContent").as_str().unwrap().contains("normal"));
    for _ in 0..20 {
        let mut client = Client::connect(weir.http);
        let fields = format!("X-Forwarded-For: 203.0.113.9\r\nUser-Agent: {HOSTILE}\r\n");
        assert_eq!(client.ask(get("/%3Cb%3E", &fields)).status, 403);
    }
    browser.until("refusals show", "document.querySelector('#recent').textContent.includes('deny-list')");
    let text = browser.eval("document.querySelector('#recent').textContent");
    assert!(text.as_str().unwrap().contains(HOSTILE), "{text}");
    assert_eq!(
        browser.eval("[window.pwned, document.images.length, document.querySelectorAll('main script').length]"),
        json!([null, 0, 0])
    );
    weir.pin(FloodState::Attack);
    browser.until("the attack is named", "document.querySelector('#state').textContent.includes('attack')");
    browser.until("its title says so", "document.title.startsWith('ATTACK')");
    let drawn = "document.querySelectorAll('#charts canvas').length";
    assert_eq!(browser.eval(drawn), 3);
    scrolls(&mut browser);
    // No token is configured: a page may act neither by its buttons nor by a request of its own.
    assert_eq!(browser.eval("document.querySelector('#ban-form').checkVisibility()"), false);
    let status = "fetch('/api/bans/pause', {method: 'POST'}).then((answer) => answer.status)";
    let before = browser.errors();
    assert_eq!(before, Vec::<String>::new());
    assert_eq!(browser.eval(status), 403);
    load.stop();
}

/// Back through the hour by buttons and keys, and live again.
fn scrolls(browser: &mut Browser) {
    let pressed = "document.querySelector('#live').getAttribute('aria-pressed')";
    let range = "document.querySelector('#range').textContent";
    assert_eq!(browser.eval(pressed), "true");
    browser.eval("document.querySelector('#back').click()");
    assert_eq!(browser.eval(pressed), "false");
    let first = browser.eval(range);
    assert!(first.as_str().unwrap().contains("ago"), "{first}");
    browser.eval("document.querySelector('#charts').focus()");
    browser.press("ArrowLeft");
    let second = browser.eval(range);
    browser.press("+");
    let third = browser.eval(range);
    assert!(first != second && second != third, "{first} {second} {third}");
    // It stays where it is while time goes on.
    let now = "import('/page/series.js').then((series) => series.last)";
    let then = browser.eval(now).as_u64().unwrap();
    browser.until("time goes on", &format!("document.querySelector('#range').textContent !== {third}"));
    assert!(browser.eval(now).as_u64().unwrap() > then);
    assert_eq!(browser.eval(pressed), "false");
    browser.press("End");
    assert_eq!(browser.eval(pressed), "true");
    browser.eval("document.querySelector('#table-box').open = true");
    browser.until("the table is filled", "document.querySelectorAll('#minutes tr th').length > 0");
}

#[test]
fn with_the_token_bans_are_made_and_lifted_and_limits_enforced() {
    let Some(mut browser) = Browser::start(1400, 1300) else { return };
    let origin = Origin::echo();
    let weir = guarded(&origin);
    browser.open(&format!("http://{}/", weir.admin));
    browser.until("the token is asked for", "!document.querySelector('#ask').hidden");
    assert_eq!(browser.eval("document.querySelector('#main').hidden"), true);
    browser.eval("document.querySelector('#token').value = 'a-wrong-token-of-some-length'");
    browser.eval("document.querySelector('#ask button').click()");
    browser.until("it is refused", "!document.querySelector('#wrong').hidden");
    opened(&mut browser, &weir);
    assert_eq!(browser.eval("[localStorage.length, document.cookie, sessionStorage.length]"), json!([0, "", 1]));
    ban_and_unban(&mut browser, &weir);
    enforcement(&mut browser, &weir);
}

fn ban_and_unban(browser: &mut Browser, weir: &Weir) {
    assert_eq!(ask_as(weir, "192.0.2.7", "/"), 200);
    browser.eval("document.querySelector('#ban-address').focus()");
    browser.write("192.0.2.7");
    browser.eval(&format!("document.querySelector('#ban-reason').value = {}", json!(HOSTILE)));
    browser.press("Enter");
    browser.until("the ban is listed", "document.querySelector('#bans').textContent.includes('192.0.2.7')");
    assert_eq!(ask_as(weir, "192.0.2.7", "/"), 403);
    let row = browser.eval("document.querySelector('#bans').textContent");
    assert!(row.as_str().unwrap().contains(HOSTILE), "{row}");
    assert_eq!(browser.eval("window.pwned"), Value::Null);
    // The same request without the token.
    let bare = "fetch('/api/bans/192.0.2.7', {method: 'DELETE'}).then((answer) => answer.status)";
    assert_eq!(browser.eval(bare), 401);
    browser.eval("document.querySelector('#bans button').focus()");
    browser.press("Enter");
    browser.until("it is lifted", "document.querySelector('#bans').textContent.includes('nobody')");
    assert_eq!(ask_as(weir, "192.0.2.7", "/"), 200);
}

fn enforcement(browser: &mut Browser, weir: &Weir) {
    let refused = || (0..3).any(|_| ask_as(weir, "198.51.100.7", "/login") == 429);
    assert!(!refused());
    browser.until(
        "what it would refuse is counted",
        "Number(document.querySelector('#limits tr').children[7].textContent) >= 2",
    );
    let slide = "(() => { const input = document.querySelector('#limits input'); input.value = '100'; input.dispatchEvent(new Event('input')); return input.nextSibling.textContent })()";
    assert_eq!(browser.eval(slide), "100 %");
    browser.eval("document.querySelector('#limits .slider button').click()");
    browser.until("it is said", "document.querySelector('#limit-said').textContent.includes('until the next reload')");
    assert!(refused());
    browser.until(
        "the difference shows",
        "document.querySelector('#limits').textContent.includes('differs from the config (0.01 %)')",
    );
    let changes = weir.reload().unwrap();
    assert_eq!(changes, ["limit[login].enforce: 100% -> 0.01% (it was set by hand)"]);
    assert!(!refused());
    browser.until("the reload shows", "document.querySelector('#changed').textContent.includes('it was set by hand')");
    browser.until("the slider went back", "document.querySelector('#limits output').textContent === '0.01 %'");
}

#[test]
fn it_fits_a_phone_in_dark_and_light() {
    let Some(mut browser) = Browser::start(375, 800) else { return };
    let origin = Origin::echo();
    let weir = guarded(&origin);
    let fits = "document.documentElement.scrollWidth <= innerWidth";
    browser.open(&format!("http://{}/", weir.admin));
    browser.until("the token is asked for", "!document.querySelector('#ask').hidden");
    assert_eq!(browser.eval(fits), true);
    opened(&mut browser, &weir);
    ask_as(&weir, "203.0.113.9, ".repeat(3).trim_end_matches(", "), &format!("/{}", "x".repeat(300)));
    for width in [375, 800, 3840] {
        browser.size(width, 800);
        browser.until("nothing is wider than the window", fits);
    }
    let ground = "getComputedStyle(document.body).backgroundColor";
    let mut grounds = vec![];
    for scheme in ["light", "dark"] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.call("Emulation.setEmulatedMedia", features);
        grounds.push(browser.eval(ground));
    }
    assert_ne!(grounds[0], grounds[1]);
    // By hand: dark, then light, while the system says dark.
    for expected in [1, 0] {
        browser.eval("document.querySelector('#theme').click()");
        assert_eq!(browser.eval(ground), grounds[expected]);
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn all_of_it_is_reached_by_keys_and_named_for_a_screen_reader() {
    let Some(mut browser) = Browser::start(1400, 1300) else { return };
    let origin = Origin::echo();
    let weir = guarded(&origin);
    opened(&mut browser, &weir);
    browser.eval("document.querySelector('#ban-address').focus()");
    browser.write("192.0.2.7");
    browser.press("Enter");
    browser.until("the ban is listed", "document.querySelector('#bans button') !== null");
    browser.eval("document.activeElement.blur(); scrollTo(0, 0); getSelection().removeAllRanges()");
    let mut reached = vec![];
    for _ in 0..60 {
        browser.press("Tab");
        let at = browser.eval(
            "(() => { const e = document.activeElement; const style = getComputedStyle(e);
               return [e.id || e.textContent || e.type, e === document.body || style.outlineStyle !== 'none'] })()",
        );
        assert_eq!(at[1], true, "no focus is to be seen at {at}");
        reached.push(at[0].as_str().unwrap().to_owned());
    }
    for wanted in ["Skip to the figures", "theme", "live", "span-900", "charts", "Unban", "ban-address", "range"] {
        assert!(reached.iter().any(|name| name == wanted), "{wanted} is not among {reached:?}");
    }
    named(&mut browser);
}

/// What assistive technology is told.
fn named(browser: &mut Browser) {
    let told =
        "[...document.querySelectorAll('[role=img]')].some((c) => c.ariaLabel.includes('In the last minute shown'))";
    browser.until("a chart is told in words", told);
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<&Value> = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true).collect();
    let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let name = |node: &Value| node["name"]["value"].as_str().unwrap_or_default().trim().to_owned();
    let controls = ["button", "slider", "textbox", "link", "table", "image", "region", "toolbar", "group", "heading"];
    for node in nodes.iter().filter(|node| controls.contains(&role(node).as_str())) {
        assert!(!name(node).is_empty(), "a {} has no name: {node}", role(node));
    }
    for wanted in ["banner", "main", "contentinfo", "status", "slider", "table", "image"] {
        assert!(nodes.iter().any(|node| role(node) == wanted), "there is no {wanted}");
    }
    let levels = browser.eval("[...document.querySelectorAll('h1,h2,h3')].filter((h) => h.checkVisibility()).map((h) => Number(h.tagName[1]))");
    let levels: Vec<u64> = levels.as_array().unwrap().iter().map(|l| l.as_u64().unwrap()).collect();
    assert!(levels[0] == 1 && levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
    let charts = nodes.iter().filter(|node| role(node) == "image").map(|node| name(node)).collect::<Vec<_>>();
    assert!(charts.iter().any(|text| text.contains("In the last minute shown")), "{charts:?}");
    assert_eq!(browser.eval("document.querySelectorAll('[aria-live]').length"), 1);
    // Only where it is asked for: axe-core, by its file.
    if let Some(axe) = std::env::var_os("WEIR_AXE") {
        browser.eval(&std::fs::read_to_string(Path::new(&axe)).unwrap());
        let found = browser
            .eval("axe.run().then((r) => r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`))");
        assert_eq!(found, json!([]));
    }
}
