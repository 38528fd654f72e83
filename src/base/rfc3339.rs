//! Points in time as RFC 3339 writes them, in UTC with milliseconds.

/// `nanos` nanoseconds after 1970 began, such as `2024-02-29T12:00:00.250Z`.
pub fn from_unix_nanos(nanos: u64) -> String {
    let (seconds, millis) = (nanos / 1_000_000_000, nanos / 1_000_000 % 1_000);
    let (year, month, day) = civil(seconds / 86_400);
    let (h, m, s) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{millis:03}Z")
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
        }
        assert_eq!(from_unix_nanos(1_250_999_999), "1970-01-01T00:00:01.250Z");
    }
}
