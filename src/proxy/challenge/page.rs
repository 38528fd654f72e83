//! The pages of the challenge: constant but for the problem, so that a hash in the policy allows their script.

use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

/// The page of a proof of work, cut where the problem and its difficulty belong.
pub(super) static WORK: LazyLock<[String; 3]> = LazyLock::new(|| {
    // Cut before the script is in: that has words in braces of its own.
    let page = include_str!("work.html");
    let (front, rest) = page.split_once("{problem}").unwrap_or((page, ""));
    let (middle, back) = rest.split_once("{difficulty}").unwrap_or((rest, ""));
    [front, middle, back].map(dressed)
});

/// The page for a browser that keeps no cookies.
pub(super) static FAILED: LazyLock<String> = LazyLock::new(|| dressed(include_str!("failed.html")));

/// Content-Security-Policy of both: their own style and script, and requests to this site only.
pub(super) static CSP: LazyLock<String> = LazyLock::new(|| {
    let [style, script] = [STYLE, SCRIPT].map(|text| base64(digest(&SHA256, text.as_bytes()).as_ref()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
});

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("work.js");

fn dressed(page: &str) -> String {
    page.replace("{style}", STYLE).replace("{script}", SCRIPT)
}

/// Base64 with padding (RFC 4648, 4), as a policy wants its hashes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_in_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn pages_are_whole() {
        assert!(WORK.iter().all(|part| !part.is_empty()) && !FAILED.is_empty());
        assert!(WORK[0].ends_with("data-problem=\"") && WORK[1].ends_with("data-difficulty=\""));
        assert!(WORK[2].contains(SCRIPT) && WORK[0].contains(STYLE) && FAILED.contains(STYLE));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"), "it would end its element");
        assert!(!CSP.contains("unsafe"));
    }
}
