//! What kind of request this is, by its method, path and agent: the little that a flood can't change without
//! changing what it does to the origin.

use crate::base::sync::{AtomicU64, Ordering};
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
    /// Whether the origin works for it: anything but an asset.
    pub const fn is_hard(self) -> bool {
        !matches!(self, Self::Asset)
    }

    /// Whether a browser shows it as a page, so that its reader can be asked to prove itself.
    pub const fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::Login | Self::Search)
    }
}

/// The class of a path that no config names, read without a query.
pub fn of_path(path: &[u8]) -> Class {
    let last = memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..]);
    if let Some(dot) = memchr::memrchr(b'.', last)
        && let Some(class) = of_ending(&last[dot + 1..])
    {
        return class;
    }
    let mut parts = path.split(|b| *b == b'/').filter(|part| (3..=14).contains(&part.len()));
    parts.find_map(of_part).unwrap_or(Class::Page)
}

/// What files with this ending are.
fn of_ending(ending: &[u8]) -> Option<Class> {
    let mut lower = [0; 5];
    let lower = lower.get_mut(..ending.len())?;
    lower.copy_from_slice(ending);
    lower.make_ascii_lowercase();
    match &*lower {
        b"css" | b"js" | b"mjs" | b"map" | b"png" | b"jpg" | b"jpeg" | b"gif" | b"ico" | b"svg" | b"webp" | b"avif"
        | b"bmp" | b"woff" | b"woff2" | b"ttf" | b"otf" | b"eot" | b"swf" | b"mp4" | b"webm" | b"mp3" | b"ogg"
        | b"pdf" | b"xbm" | b"mpg" => Some(Class::Asset),
        b"xml" | b"txt" | b"json" | b"rss" | b"atom" => Some(Class::Machine),
        _ => None,
    }
}

/// What lies below a folder of this name.
fn of_part(part: &[u8]) -> Option<Class> {
    match part {
        b"feed" | b"rss" | b"atom" | b"wp-json" | b"wp-cron.php" | b"admin-ajax.php" | b"graphql" => {
            Some(Class::Machine)
        }
        b"search" | b"Search" => Some(Class::Search),
        _ => None,
    }
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
        Self { browser: is_browser(text), hash: fold(hash(text)) }
    }
}

/// Agents seen before, so that each is looked through once in a while and not at every request. Fixed memory; an agent
/// that shares its cell with another is looked through again.
pub struct Agents(Box<[AtomicU64; CELLS]>);

const CELLS: usize = 4_096;

impl Default for Agents {
    fn default() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; CELLS]))
    }
}

impl Agents {
    /// As [`Agent::of`].
    pub fn read(&self, text: &[u8]) -> Agent {
        let text = &text[..text.len().min(MOST)];
        let whole = hash(text);
        let cell = &self.0[whole as usize % CELLS];
        // Relaxed, both: a cell is whole in its one word and publishes nothing else.
        let seen = cell.load(Ordering::Relaxed);
        if seen != 0 && seen >> 1 == whole >> 1 {
            return Agent { browser: seen & 1 == 1, hash: fold(whole) };
        }
        let browser = is_browser(text);
        cell.store(whole & !1 | u64::from(browser), Ordering::Relaxed);
        Agent { browser, hash: fold(whole) }
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

/// Multiply and fold over words of eight bytes: agents are only told apart by it, in cells that others share.
fn hash(text: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mix = |hash: u64, word: [u8; 8]| {
        let product = u128::from(hash ^ u64::from_le_bytes(word)) * u128::from(ODD);
        product as u64 ^ (product >> 64) as u64
    };
    mix(words.iter().fold(text.len() as u64 ^ ODD, |hash, word| mix(hash, *word)), last)
}

const fn fold(hash: u64) -> u32 {
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
        let agents = Agents::default();
        for n in 0..10_000 {
            let text = format!("{} {}", if n % 2 == 0 { "Mozilla/5.0" } else { "agent" }, n % 5_000);
            assert_eq!(agents.read(text.as_bytes()), Agent::of(text.as_bytes()));
        }
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
