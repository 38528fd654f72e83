//! The kinds of value that a config holds: how each is read, how it is told to people and to editors.

use super::section::article;
use crate::base::units::{self, Bytes, QuantityError, Rate, Share};
use serde_json::{Value as Json, json};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// How one kind of value is read.
type Read<T> = Box<dyn Fn(&Spanned<DeValue<'_>>) -> Result<T, Vec<Problem>>>;

/// One kind of value.
pub(super) struct Kind<T> {
    /// For the reference: "duration, 1s to 10m".
    pub(super) words: String,
    /// For a message: `a duration such as "10s"`.
    pub(super) want: String,
    /// For editors.
    pub(super) schema: Json,
    read: Read<T>,
}

/// What is wrong with a value or with one element of it.
pub(super) struct Problem {
    /// Where below the key: "" or "[3]".
    pub(super) below: String,
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl<T: 'static> Kind<T> {
    /// A kind whose values are single TOML values; `read` says what is wrong, reading on after the value.
    pub(super) fn scalar(
        words: impl Into<String>,
        want: impl Into<String>,
        schema: Json,
        read: impl Fn(&DeValue<'_>) -> Result<T, String> + 'static,
    ) -> Self {
        let whole = move |value: &Spanned<DeValue<'_>>| {
            let problem = |message| vec![Problem { below: String::new(), span: value.span(), message }];
            read(value.get_ref()).map_err(problem)
        };
        Self { words: words.into(), want: want.into(), schema, read: Box::new(whole) }
    }

    /// A kind written as a string.
    pub(super) fn string(
        words: impl Into<String>,
        want: impl Into<String>,
        schema: Json,
        read: impl Fn(&str) -> Result<T, String> + 'static,
    ) -> Self {
        let want = want.into();
        let wanted = want.clone();
        Self::scalar(words, want, schema, move |value| match value {
            DeValue::String(text) => read(text),
            DeValue::Integer(_) | DeValue::Float(_) => Err(format!("is a bare number; write {wanted}")),
            other => Err(format!("is {}; write {wanted}", article(other))),
        })
    }
}

impl<T> Kind<T> {
    /// A kind that looks at the elements of a value by itself.
    pub(super) fn compound(words: String, want: String, schema: Json, read: Read<T>) -> Self {
        Self { words, want, schema, read }
    }

    /// Reads one value, or says everything that is wrong with it.
    pub(super) fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<T, Vec<Problem>> {
        (self.read)(value)
    }
}

/// `true` or `false`.
pub(super) fn flag() -> Kind<bool> {
    Kind::scalar("true or false", "true or false", json!({"type": "boolean"}), |value| match value {
        DeValue::Boolean(flag) => Ok(*flag),
        other => Err(format!("is {}; write true or false", article(other))),
    })
}

/// A whole number.
pub(super) fn whole<N: TryFrom<u64> + 'static>(range: RangeInclusive<u64>) -> Kind<N> {
    let (least, most) = range.into_inner();
    let want = format!("a whole number from {least} to {most}");
    let message = want.clone();
    let schema = json!({"type": "integer", "minimum": least, "maximum": most});
    Kind::scalar(format!("whole number, {least} to {most}"), want, schema, move |value| match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|n| (least..=most).contains(n))
            .and_then(|n| N::try_from(n).ok())
            .ok_or_else(|| format!("is out of range; write {message}")),
        DeValue::Float(_) => Err(format!("is not a whole number; write {message}")),
        other => Err(format!("is {}; write {message}", article(other))),
    })
}

/// A duration from `least` to `most`, both as they are written.
pub(super) fn duration(least: &'static str, most: &'static str) -> Kind<Duration> {
    let bound = |text| units::parse_duration(text).unwrap_or_default();
    let range = bound(least)..=bound(most);
    quantity(
        "duration",
        "a duration such as \"10s\"",
        units::DURATION_PATTERN,
        least,
        most,
        range,
        units::parse_duration,
    )
}

/// A size from `least` to `most`, both as they are written.
pub(super) fn size(least: &'static str, most: &'static str) -> Kind<Bytes> {
    let bound = |text: &str| text.parse().unwrap_or(Bytes(0));
    let range = bound(least)..=bound(most);
    quantity("size", "a size such as \"32KiB\"", units::BYTES_PATTERN, least, most, range, str::parse)
}

/// Bytes a second.
pub(super) fn byte_rate(least: &'static str, most: &'static str) -> Kind<Bytes> {
    let bound = |text| units::parse_byte_rate(text).unwrap_or(Bytes(0));
    let range = bound(least)..=bound(most);
    let want = "bytes a second such as \"1KiB/s\"";
    quantity("bytes a second", want, units::BYTE_RATE_PATTERN, least, most, range, units::parse_byte_rate)
}

/// So many a second, a minute, an hour or a day.
pub(super) fn rate() -> Kind<Rate> {
    let schema = json!({"type": "string", "pattern": units::RATE_PATTERN});
    let want = "a rate such as \"10/s\" or \"30/m\"";
    Kind::string("rate, 1/d to 100000/s", want, schema, |text| text.parse().map_err(|e: QuantityError| e.to_string()))
}

/// A share of all.
pub(super) fn share() -> Kind<Share> {
    let schema = json!({"type": "string", "pattern": units::SHARE_PATTERN});
    let want = "a share such as \"25%\"";
    Kind::string("share, 0% to 100%", want, schema, |text| text.parse().map_err(|e: QuantityError| e.to_string()))
}

fn quantity<T: PartialOrd + 'static>(
    name: &str,
    want: &str,
    pattern: &str,
    least: &'static str,
    most: &'static str,
    range: RangeInclusive<T>,
    parse: impl Fn(&str) -> Result<T, QuantityError> + 'static,
) -> Kind<T> {
    let schema = json!({"type": "string", "pattern": pattern});
    let noun = if name.starts_with("bytes") { name.to_owned() } else { format!("a {name}") };
    Kind::string(format!("{name}, {least} to {most}"), want, schema, move |text| {
        let value = parse(text).map_err(|e| e.to_string())?;
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(format!("is out of range; write {noun} from {least} to {most}"))
        }
    })
}

/// One of a few words.
pub(super) fn choice<T: Clone + 'static>(choices: &'static [(&'static str, T)]) -> Kind<T> {
    let quoted: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    let want = match quoted.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        all => all.join(""),
    };
    let message = want.clone();
    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
    Kind::string(want.clone(), want, json!({"enum": words}), move |text| {
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| value.clone()).ok_or_else(|| format!("is none of the choices; write {message}"))
    })
}

/// A list of one kind.
pub(super) fn list<T: 'static>(of: Kind<T>) -> Kind<Vec<T>> {
    let words = format!("list, each: {}", of.words);
    let want = format!("a list in [ ], each element {}", of.want);
    let message = want.clone();
    let schema = json!({"type": "array", "items": of.schema});
    Kind::compound(
        words,
        want,
        schema,
        Box::new(move |value| match value.get_ref() {
            DeValue::Array(items) => {
                let mut good = Vec::new();
                let mut problems = Vec::new();
                for (i, item) in items.iter().enumerate() {
                    match of.read(item) {
                        Ok(value) => good.push(value),
                        Err(bad) => {
                            problems
                                .extend(bad.into_iter().map(|p| Problem { below: format!("[{i}]{}", p.below), ..p }));
                        }
                    }
                }
                if problems.is_empty() { Ok(good) } else { Err(problems) }
            }
            other => {
                let message = format!("is {}; write {message}", article(other));
                Err(vec![Problem { below: String::new(), span: value.span(), message }])
            }
        }),
    )
}

/// A list of one kind, or a single one without the brackets.
pub(super) fn one_or_list<T: 'static>(one: Kind<T>, each: Kind<T>) -> Kind<Vec<T>> {
    let many = list(each);
    let words = format!("{}, or a list of such", one.words);
    let want = format!("{}, or a list of such", one.want);
    let schema = json!({"anyOf": [one.schema.clone(), many.schema.clone()]});
    let read = move |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::Array(_) => many.read(value),
        _ => one.read(value).map(|value| vec![value]),
    };
    Kind::compound(words, want, schema, Box::new(read))
}
