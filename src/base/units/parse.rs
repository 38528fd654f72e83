//! Reading and writing quantities; every text that is written here is read back as the same quantity.

use super::{Bytes, Rate, Share};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Why a text is not the quantity it should be; reads on after the text itself: `"10"` `has no unit; …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuantityError(String);

/// How a duration is written, as a regular expression.
pub const DURATION_PATTERN: &str = "^[0-9]+(ms|s|m|h|d)$";
/// How a number of bytes is written, as a regular expression.
pub const BYTES_PATTERN: &str = "^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB)$";
/// How a rate of bytes is written, as a regular expression.
pub const BYTE_RATE_PATTERN: &str = "^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB)/s$";
/// How a rate is written, as a regular expression.
pub const RATE_PATTERN: &str = "^[0-9]+/(s|sec|second|m|min|minute|h|hour|d|day)$";
/// How a share is written, as a regular expression.
pub const SHARE_PATTERN: &str = "^[0-9]+(\\.[0-9]{1,2})?%$";

/// The highest rate a second that weir counts.
pub const MAX_RATE_PER_SECOND: u64 = 100_000;

const DURATIONS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1000),
    ("B", 1),
];
const PERIODS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

/// Reads a duration such as "500ms", "10s", "1m", "2h" or "1d".
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    scaled(text, &DURATIONS, "a duration such as \"10s\"", "ms, s, m, h and d").map(Duration::from_millis)
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that loses nothing.
pub fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if Duration::from_millis(millis as u64) != duration {
        return format!("{duration:?}"); // finer than a config can say: only measurements get here
    }
    match DURATIONS.iter().find(|(_, factor)| millis != 0 && millis.is_multiple_of(u128::from(*factor))) {
        Some((unit, factor)) => format!("{}{unit}", millis / u128::from(*factor)),
        None => "0s".to_owned(),
    }
}

/// Reads a rate of bytes such as "1KiB/s"; the answer is bytes a second.
pub fn parse_byte_rate(text: &str) -> Result<Bytes, QuantityError> {
    const WANT: &str = "bytes a second such as \"1KiB/s\"";
    match text.strip_suffix("/s") {
        Some(size) => scaled(size, &SIZES, WANT, "B/s, KB/s, KiB/s, MB/s, MiB/s, GB/s and GiB/s").map(Bytes),
        None => Err(QuantityError(format!("is not a rate of bytes; write {WANT}"))),
    }
}

/// Splits `text` into a whole number and a unit, and multiplies.
fn scaled(text: &str, units: &[(&str, u64)], want: &str, names: &str) -> Result<u64, QuantityError> {
    let (digits, unit) = split(text);
    if digits.is_empty() {
        return Err(QuantityError(format!("does not begin with a number; write {want}")));
    }
    if unit.is_empty() {
        return Err(QuantityError(format!("has no unit; write {want}")));
    }
    if unit.starts_with(['.', ',']) {
        return Err(QuantityError(format!("is not a whole number of a unit; write {want}")));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(QuantityError(format!("has the unknown unit \"{unit}\"; the units are {names}")));
    };
    let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(*factor));
    number.ok_or_else(|| QuantityError(format!("is too large a number; write {want}")))
}

/// The leading digits, and what follows.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

impl FromStr for Bytes {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        scaled(text, &SIZES, "a size such as \"32KiB\"", "B, KB, KiB, MB, MiB, GB and GiB").map(Self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = SIZES.iter().find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        let (unit, factor) = unit.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl FromStr for Rate {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        const WANT: &str = "a rate such as \"10/s\" or \"30/m\"";
        let (digits, rest) = split(text);
        if digits.is_empty() {
            return Err(QuantityError(format!("does not begin with a whole number; write {WANT}")));
        }
        if rest.is_empty() {
            return Err(QuantityError(format!("has no period; write {WANT}")));
        }
        let Some(unit) = rest.strip_prefix('/') else {
            return Err(QuantityError(format!("is not a rate; write {WANT}")));
        };
        let short = match unit {
            "sec" | "second" => "s",
            "min" | "minute" => "m",
            "hour" => "h",
            "day" => "d",
            other => other,
        };
        let Some((_, seconds)) = PERIODS.iter().find(|(name, _)| *name == short) else {
            return Err(QuantityError(format!("has the unknown period \"{unit}\"; the periods are s, m, h and d")));
        };
        match digits.parse::<u32>() {
            Ok(0) => Err(QuantityError("would let nothing through; the lowest rate is \"1/d\"".to_owned())),
            Ok(count) if u64::from(count) <= MAX_RATE_PER_SECOND * seconds => {
                Ok(Self { count, period: Duration::from_secs(*seconds) })
            }
            _ => Err(QuantityError("is too high; the highest rate is \"100000/s\"".to_owned())),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PERIODS.iter().find(|(_, seconds)| self.period == Duration::from_secs(*seconds)) {
            Some((unit, _)) => write!(f, "{}/{unit}", self.count),
            None => write!(f, "{} in {}", self.count, show_duration(self.period)),
        }
    }
}

impl FromStr for Share {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        const WANT: &str = "a share such as \"25%\" or \"0.5%\"";
        let (whole, rest) = split(text);
        if whole.is_empty() {
            return Err(QuantityError(format!("does not begin with a number; write {WANT}")));
        }
        let Some(rest) = rest.strip_suffix('%') else {
            return Err(QuantityError(format!("has no unit; write {WANT}")));
        };
        let hundredths = match rest.strip_prefix('.') {
            None if rest.is_empty() => Some(0),
            Some(d) if d.len() == 1 => d.parse::<u32>().ok().map(|n| n * 10),
            Some(d) if d.len() == 2 && d.bytes().all(|b| b.is_ascii_digit()) => d.parse().ok(),
            Some(d) if d.len() > 2 && d.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(QuantityError("is finer than a hundredth of a percent; write at most two decimals".into()));
            }
            _ => None,
        };
        let Some(hundredths) = hundredths else {
            return Err(QuantityError(format!("is not a number with a unit; write {WANT}")));
        };
        let all = whole.parse::<u32>().ok().and_then(|n| n.checked_mul(100)).and_then(|n| n.checked_add(hundredths));
        match all.and_then(|n| u16::try_from(n).ok()) {
            Some(n) if n <= Self::ALL.0 => Ok(Self(n)),
            _ => Err(QuantityError("is more than all; the largest share is \"100%\"".to_owned())),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, cents) if cents % 10 == 0 => write!(f, "{whole}.{}%", cents / 10),
            (whole, cents) => write!(f, "{whole}.{cents:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        assert_eq!(parse_duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse_duration("2h").unwrap(), Duration::from_secs(7200));
        assert_eq!("32KiB".parse(), Ok(Bytes(32_768)));
        assert_eq!("10MB".parse(), Ok(Bytes(10_000_000)));
        assert_eq!("30/m".parse(), Ok(Rate { count: 30, period: Duration::from_secs(60) }));
        assert_eq!("1/day".parse::<Rate>(), "1/d".parse());
        assert_eq!("30/min".parse::<Rate>(), "30/m".parse());
        assert_eq!("1/d".parse(), Ok(Rate { count: 1, period: Duration::from_secs(86_400) }));
        assert_eq!("0.5%".parse(), Ok(Share(50)));
        assert_eq!(parse_byte_rate("1KiB/s"), Ok(Bytes(1024)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let say = |e: QuantityError| e.to_string();
        let duration = |t| say(parse_duration(t).unwrap_err());
        assert_eq!(duration("10"), "has no unit; write a duration such as \"10s\"");
        assert_eq!(duration("10x"), "has the unknown unit \"x\"; the units are ms, s, m, h and d");
        assert_eq!(duration("1.5s"), "is not a whole number of a unit; write a duration such as \"10s\"");
        assert_eq!(duration("-1s"), "does not begin with a number; write a duration such as \"10s\"");
        assert_eq!(duration("99999999999999999d"), "is too large a number; write a duration such as \"10s\"");
        let rate = |t: &str| say(t.parse::<Rate>().unwrap_err());
        assert_eq!(rate("10"), "has no period; write a rate such as \"10/s\" or \"30/m\"");
        assert_eq!(rate("10/w"), "has the unknown period \"w\"; the periods are s, m, h and d");
        assert_eq!(rate("0/s"), "would let nothing through; the lowest rate is \"1/d\"");
        assert_eq!(rate("100001/s"), "is too high; the highest rate is \"100000/s\"");
        assert_eq!(rate("6000001/m"), "is too high; the highest rate is \"100000/s\"");
        let share = |t: &str| say(t.parse::<Share>().unwrap_err());
        assert_eq!(share("25"), "has no unit; write a share such as \"25%\" or \"0.5%\"");
        assert_eq!(share("100.01%"), "is more than all; the largest share is \"100%\"");
        assert_eq!(share("0.123%"), "is finer than a hundredth of a percent; write at most two decimals");
        assert_eq!(share("1.+1%"), "is not a number with a unit; write a share such as \"25%\" or \"0.5%\"");
    }

    proptest! {
        #[test]
        fn durations_come_back(millis in 0..u64::MAX / 1_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }

        #[test]
        fn sizes_come_back(bytes: u64) {
            prop_assert_eq!(Bytes(bytes).to_string().parse(), Ok(Bytes(bytes)));
            prop_assert_eq!(parse_byte_rate(&format!("{}/s", Bytes(bytes))), Ok(Bytes(bytes)));
        }

        #[test]
        fn rates_come_back(count in 1..=100_000u32, period in 0..4usize) {
            let rate = Rate { count, period: Duration::from_secs(PERIODS[period].1) };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn shares_come_back(share in 0..=10_000u16) {
            prop_assert_eq!(Share(share).to_string().parse(), Ok(Share(share)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[0-9]{1,24}[smhd/.%KMGiB]{0,5}") {
            let _ = (parse_duration(&text), parse_byte_rate(&text), text.parse::<Bytes>().is_ok());
            let _ = (text.parse::<Rate>(), text.parse::<Share>());
        }
    }
}
