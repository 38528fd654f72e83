//! Path normalisation (RFC 3986, 6.2.2 and 5.2.4), so that `//login`, `/%6Cogin` and `/x/../login` meet the limit
//! of `/login`. Only for matching: the origin gets the path as it came.

use smallvec::SmallVec;

/// A normalised path; short ones live on the stack.
pub type Buffer = SmallVec<[u8; 256]>;

/// The path of a request target, without query and fragment. `buffer` holds it where it had to be rewritten.
pub fn normalise<'a>(target: &'a [u8], buffer: &'a mut Buffer) -> &'a [u8] {
    let path = path_of(target);
    if is_normal(path) {
        return path;
    }
    rewrite(path, buffer);
    buffer
}

/// The path part of an origin-form or absolute-form target (RFC 9112, 3.2).
fn path_of(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    let target = &target[..end];
    if target.first() == Some(&b'/') {
        return target;
    }
    let Some(scheme) = target.windows(3).position(|w| w == b"://") else { return target };
    let authority = &target[scheme + 3..];
    authority.iter().position(|b| *b == b'/').map_or(b"/", |slash| &authority[slash..])
}

/// Nothing to rewrite: no escapes, no empty or dot segments.
fn is_normal(path: &[u8]) -> bool {
    let mut previous = 0;
    for &b in path {
        if b == b'%' || b == b'\\' || b == b';' || (previous == b'/' && matches!(b, b'/' | b'.')) {
            return false;
        }
        previous = b;
    }
    true
}

fn rewrite(path: &[u8], out: &mut Buffer) {
    let mut rest = path;
    let mut segment = Buffer::new();
    loop {
        let end = split(rest, &mut segment);
        match segment.as_slice() {
            b"" | b"." => {}
            b".." => {
                let parent = out.iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(parent);
            }
            name => {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
        match end {
            Some(next) => rest = next,
            None => break,
        }
    }
    let trailing = matches!(segment.as_slice(), b"" | b"." | b"..");
    if out.is_empty() || trailing {
        out.push(b'/');
    }
}

/// Decodes one segment into `segment`, its `;parameters` dropped; what follows its slash, if there is one.
fn split<'a>(rest: &'a [u8], segment: &mut Buffer) -> Option<&'a [u8]> {
    segment.clear();
    let mut parameters = false;
    let mut at = 0;
    while at < rest.len() {
        let (byte, width) = decode(&rest[at..]);
        at += width;
        match byte {
            b'/' | b'\\' => return Some(&rest[at..]),
            b';' => parameters = true,
            _ if parameters => {}
            _ => segment.push(byte),
        }
    }
    None
}

fn decode(rest: &[u8]) -> (u8, usize) {
    if let [b'%', high, low, ..] = rest
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        return (high << 4 | low, 3);
    }
    (rest[0], 1)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(target: &str) -> String {
        let mut buffer = Buffer::new();
        String::from_utf8_lossy(normalise(target.as_bytes(), &mut buffer)).into_owned()
    }

    #[test]
    fn disguises_of_one_path_are_one_path() {
        for disguise in [
            "/login",
            "/login?next=/",
            "//login",
            "/./login",
            "/x/../login",
            "/%6cogin",
            "/%6Cogin",
            "/login#top",
            "/%2e/login",
            "/x/%2E%2e/login",
            "/login;jsessionid=1",
            "http://host/login",
            "/..//login",
            "/\\login",
        ] {
            assert_eq!(normal(disguise), "/login", "{disguise}");
        }
    }

    #[test]
    fn different_paths_stay_different() {
        assert_eq!(normal("/"), "/");
        assert_eq!(normal("/login/"), "/login/");
        assert_eq!(normal("/a//b/./c/"), "/a/b/c/");
        assert_eq!(normal("/a/b/.."), "/a/");
        assert_eq!(normal("/%zz%"), "/%zz%");
        assert_eq!(normal("*"), "*");
        assert_eq!(normal("http://host"), "/");
        assert_eq!(normal("/.well-known/x"), "/.well-known/x");
    }

    proptest! {
        #[test]
        fn never_longer_and_the_same_when_done_twice(target in "/[a-z/.%;\\\\0-9]{0,60}") {
            let mut buffer = Buffer::new();
            let once = normalise(target.as_bytes(), &mut buffer).to_vec();
            prop_assert!(once.len() <= target.len() + 1);
            // What was an escape is part of the path now; read as a target once more, it would mean something else.
            if !once.iter().any(|b| b"%;\\?#".contains(b)) {
                let mut buffer = Buffer::new();
                prop_assert_eq!(normalise(&once, &mut buffer).to_vec(), once);
            }
        }
    }
}
