//! Points in time as RFC 3339 writes them: written in UTC with milliseconds, read with any offset.

/// `nanos` nanoseconds after 1970 began, such as `2024-02-29T12:00:00.250Z`.
pub fn from_unix_nanos(nanos: u64) -> String {
    let (seconds, millis) = (nanos / 1_000_000_000, nanos / 1_000_000 % 1_000);
    let (year, month, day) = civil(seconds / 86_400);
    let (h, m, s) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: usize, digits: usize, mut number: u64| {
        for place in (at..at + digits).rev() {
            text[place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    // A log writes this for every request: formatting would take ten times as long.
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, h);
    put(14, 2, m);
    put(17, 2, s);
    put(20, 3, millis);
    // Digits and signs: it can't fail.
    std::str::from_utf8(&text).unwrap_or_default().to_owned()
}

/// Milliseconds after 1970 began of `text`, such as `2024-02-29T12:00:00.25Z` or `2024-02-29T14:00:00+02:00`. The colon
/// of the offset may be missing, and a time without any is taken for UTC: so loggers write them, RFC 3339 does not.
pub fn to_unix_ms(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok()
    };
    let bytes = text.as_bytes();
    let at = |i: usize, wanted: &[u8]| bytes.get(i).is_some_and(|b| wanted.contains(b));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (h, m, s) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let marks = at(4, b"-/") && at(7, b"-/") && at(10, b"Tt ") && at(13, b":") && at(16, b":");
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !marks || !in_range || h > 23 || m > 59 || s > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let fraction = rest.strip_prefix('.').map_or(0, |f| f.bytes().take_while(u8::is_ascii_digit).count());
    let millis = rest.bytes().skip(1).take(fraction).chain(*b"000").take(3);
    let millis = millis.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let offset = minutes(rest.get(if fraction > 0 { fraction + 1 } else { 0 }..)?)?;
    let ms = ((days(year, month, day) * 24 + h) * 60 + m) * 60_000 + s * 1_000 + millis;
    ms.checked_add_signed(-offset * 60_000)
}

/// What an offset such as `+02:00`, `-0700` or `Z` comes to.
fn minutes(offset: &str) -> Option<i64> {
    if matches!(offset, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, digits) = (offset.get(..1)?, offset.get(1..)?.replacen(':', "", 1));
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let minutes = number / 100 * 60 + number % 100;
    match sign {
        "+" => Some(minutes),
        "-" => Some(-minutes),
        _ => None,
    }
}

/// The day counted from 1970-01-01; the reverse of `civil`.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - (month <= 2) as u64;
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are taken to begin in March, so that a leap day is a year's last; 400 years have 146,097 days.
const fn civil(days: u64) -> (u64, u64, u64) {
    let since_year_0 = days + 719_468;
    let (era, of_era) = (since_year_0 / 146_097, since_year_0 % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + (month <= 2) as u64, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_are_written_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_208_000, "2024-02-29T12:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(from_unix_nanos(seconds * 1_000_000_000), text);
            assert_eq!(to_unix_ms(text), Some(seconds * 1_000));
        }
        assert_eq!(from_unix_nanos(1_250_999_999), "1970-01-01T00:00:01.250Z");
        assert_eq!(to_unix_ms("1970-01-01T00:00:01.250Z"), Some(1_250));
        for text in ["", "1969-12-31T00:00:00.000Z", "now", "0000-01-00T00:00:00.000Z", "äääääääääääää"] {
            assert_eq!(to_unix_ms(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_other_forms_of_it() {
        for days in 0..60_000 {
            let ms = days * 86_400_000 + days * 1_234 % 86_400_000;
            assert_eq!(to_unix_ms(&from_unix_nanos(ms * 1_000_000)), Some(ms));
        }
        let noon = Some(1_709_208_000_000);
        for text in
            ["2024-02-29T14:00:00+02:00", "2024-02-29T05:00:00.0-0700", "2024/02/29 12:00:00", "2024-02-29T12:00:00z"]
        {
            assert_eq!(to_unix_ms(text), noon, "{text}");
        }
        assert_eq!(to_unix_ms("2024-02-29T12:00:00.0129999Z"), noon.map(|ms| ms + 12));
        for bad in [
            "",
            "2024-02-29",
            "1969-12-31T23:59:59Z",
            "2024-02-29T12:00:00+2",
            "2024-02-29T12:00:00 UTC",
            "2024-13-01T00:00:00Z",
            "1970-01-01T00:00:00+01:00",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:0é",
        ] {
            assert_eq!(to_unix_ms(bad), None, "{bad}");
        }
    }
}
