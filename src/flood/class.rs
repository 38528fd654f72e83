//! What kind of request this is, by its method, path and agent: the little that a flood can't change without
//! changing what it does to the origin.

use crate::base::units::Share;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A page, or anything else that is read.
    Page,
    /// What a page is made of: scripts, pictures, fonts.
    Asset,
    /// A login.
    Login,
    /// A search, which costs the origin more than a page.
    Search,
    /// What programs read: feeds, site maps, robots.txt, APIs that are declared exempt.
    Machine,
    /// What changes something.
    Action,
}

impl Class {
    /// All.
    pub const ALL: [Self; 6] = [Self::Page, Self::Asset, Self::Login, Self::Search, Self::Machine, Self::Action];

    /// One word for people.
    pub const fn name(self) -> &'static str {
        ["page", "asset", "login", "search", "machine", "action"][self as usize]
    }

    /// Whether the origin works for it: anything but an asset.
    pub const fn is_hard(self) -> bool {
        !matches!(self, Self::Asset)
    }

    /// Whether a browser shows it as a page, so that its reader can be asked to prove itself.
    pub const fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::Login | Self::Search)
    }
}

/// Endings of paths of what pages are made of.
const ASSETS: &[&[u8]] = &[
    b"css", b"js", b"mjs", b"map", b"png", b"jpg", b"jpeg", b"gif", b"ico", b"svg", b"webp", b"avif", b"bmp", b"woff",
    b"woff2", b"ttf", b"otf", b"eot", b"swf", b"mp4", b"webm", b"mp3", b"ogg", b"pdf", b"xbm", b"mpg",
];

/// Endings of paths of what programs read.
const MACHINES: &[&[u8]] = &[b"xml", b"txt", b"json", b"rss", b"atom"];

/// Parts of paths of what programs read.
const MACHINE_PARTS: &[&[u8]] = &[b"feed", b"rss", b"atom", b"wp-json", b"wp-cron.php", b"admin-ajax.php", b"graphql"];

/// The class of a path that no config names, read without a query.
pub fn of_path(path: &[u8]) -> Class {
    let last = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
    if let Some(dot) = last.iter().rposition(|b| *b == b'.') {
        let ending = &last[dot + 1..];
        if ending.len() <= 5 {
            let is = |known: &&[u8]| ending.eq_ignore_ascii_case(known);
            if ASSETS.iter().any(|known| is(known)) {
                return Class::Asset;
            }
            if MACHINES.iter().any(|known| is(known)) {
                return Class::Machine;
            }
        }
    }
    let mut parts = path.split(|b| *b == b'/').filter(|part| !part.is_empty());
    if parts.clone().any(|part| MACHINE_PARTS.contains(&part)) {
        return Class::Machine;
    }
    if parts.any(|part| part.eq_ignore_ascii_case(b"search")) { Class::Search } else { Class::Page }
}

/// Who says to be asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Whether it claims to be a browser with a person before it.
    pub browser: bool,
    /// Tells agents apart.
    pub hash: u32,
}

/// Words by which programs declare themselves, in lower case.
const PROGRAMS: &[&[u8]] = &[
    b"bot",
    b"crawl",
    b"spider",
    b"slurp",
    b"preview",
    b"fetch",
    b"monitor",
    b"scan",
    b"feed",
    b"http://",
    b"https://",
];

/// How much of an agent is looked at.
const MOST: usize = 256;

impl Agent {
    /// Reads a User-Agent.
    pub fn of(text: &[u8]) -> Self {
        let text = &text[..text.len().min(MOST)];
        Self { browser: is_browser(text), hash: hash(text) }
    }
}

fn is_browser(text: &[u8]) -> bool {
    text.starts_with(b"Mozilla/") && !contains_any(text, PROGRAMS)
}

/// One pass over the text for all words, whatever their case.
fn contains_any(text: &[u8], words: &[&[u8]]) -> bool {
    (0..text.len()).any(|at| {
        let first = text[at] | 0x20;
        words.iter().any(|word| {
            first == word[0] && text.len() - at >= word.len() && text[at..at + word.len()].eq_ignore_ascii_case(word)
        })
    })
}

/// FNV-1a over words of four bytes: agents are only told apart by it, in cells that others share.
fn hash(text: &[u8]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for chunk in text.chunks(4) {
        let word = chunk.iter().fold(0u64, |word, b| word << 8 | u64::from(*b));
        hash = (hash ^ word).wrapping_mul(0x100_0000_01b3);
        hash ^= hash >> 29;
    }
    (hash >> 32) as u32 ^ hash as u32
}

/// Whether a client with these bits is among `share` of all: the same clients each time the salt is the same.
pub fn among(bits: u128, salt: u64, share: Share) -> bool {
    place(bits, salt) < f64::from(share.0) / f64::from(Share::ALL.0)
}

/// A client's place in a lottery of this salt: from 0 to 1, the same each time.
pub fn place(bits: u128, salt: u64) -> f64 {
    let mut x = bits as u64 ^ (bits >> 64) as u64 ^ salt;
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ x >> 31) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fall_into_classes() {
        for (path, class) in [
            ("/", Class::Page),
            ("/2016/03/a-story/", Class::Page),
            ("/about.html", Class::Page),
            ("/style.CSS", Class::Asset),
            ("/a.b/c", Class::Page),
            ("/wp-content/font.woff2", Class::Asset),
            ("/robots.txt", Class::Machine),
            ("/blog/feed/", Class::Machine),
            ("/feeding-birds/", Class::Page),
            ("/Search", Class::Search),
            ("", Class::Page),
            (".", Class::Page),
        ] {
            assert_eq!(of_path(path.as_bytes()), class, "{path}");
        }
    }

    #[test]
    fn agents_declare_themselves() {
        let browser = |text: &str| Agent::of(text.as_bytes()).browser;
        assert!(browser("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"));
        assert!(!browser("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"), "gone since 2013");
        assert!(!browser("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"));
        assert!(!browser("Mozilla/5.0 (compatible; AhrefsBOT/5.0)"));
        assert!(!browser("curl/8.5.0"));
        assert!(!browser(""));
    }

    #[test]
    fn agents_are_told_apart_and_stay_themselves() {
        let mut seen = std::collections::HashSet::new();
        for n in 0..10_000 {
            seen.insert(Agent::of(format!("agent/{n}").as_bytes()).hash);
        }
        assert!(seen.len() > 9_990);
        assert_eq!(Agent::of(b"curl/8.5.0"), Agent::of(b"curl/8.5.0"));
    }

    #[test]
    fn a_share_of_clients_is_that_share_and_grows_by_whole_clients() {
        let count = |share| (0..100_000u128).filter(|n| among(0xffff_0000_0000 | n, 9, Share(share))).count();
        let (quarter, half) = (count(2_500), count(5_000));
        assert!((24_000..26_000).contains(&quarter) && (49_000..51_000).contains(&half), "{quarter} {half}");
        assert!((0..1_000u128).all(|n| !among(n, 9, Share(2_500)) || among(n, 9, Share(5_000))));
        assert_eq!((count(0), count(10_000)), (0, 100_000));
    }
}
