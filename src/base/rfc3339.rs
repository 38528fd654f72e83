//! Points in time as RFC 3339 writes them, in UTC with milliseconds.

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

/// Milliseconds after 1970 began of what [`from_unix_nanos`] wrote.
pub fn to_unix_ms(text: &str) -> Option<u64> {
    let number = |at: usize, digits: usize| text.get(at..at + digits)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (h, m, s, millis) = (number(11, 2)?, number(14, 2)?, number(17, 2)?, number(20, 3)?);
    // Years begin in March, as below.
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    let of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let days = (year * 365 + year / 4 - year / 100 + year / 400 + of_year).checked_sub(719_468)?;
    Some((days * 86_400 + h * 3_600 + m * 60 + s) * 1_000 + millis)
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
}
