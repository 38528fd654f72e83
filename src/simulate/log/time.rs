//! Dates of logs as seconds since 1970.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `10/Oct/2000:13:55:36 -0700`.
pub(super) fn common(raw: &str) -> Option<f64> {
    let (date, zone) = raw.split_once(' ')?;
    let (date, clock) = date.split_once(':')?;
    let mut parts = date.split('/');
    let day = digits(parts.next()?)?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year = digits(parts.next()?)?;
    Some(days(year, month, day)? as f64 * 86_400.0 + seconds_of_day(clock)? - offset(zone)?)
}

/// `2018-07-02T22:22:48.364000Z` (RFC 3339).
pub fn rfc3339(raw: &str) -> Option<f64> {
    let (date, rest) = raw.split_once(['T', ' '])?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (digits(parts.next()?)?, digits(parts.next()?)?, digits(parts.next()?)?);
    let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    Some(days(year, month, day)? as f64 * 86_400.0 + seconds_of_day(clock)? - offset(zone)?)
}

fn digits(raw: &str) -> Option<i64> {
    (!raw.is_empty() && raw.len() <= 4 && raw.bytes().all(|b| b.is_ascii_digit())).then(|| raw.parse().ok())?
}

/// `13:55:36` or `13:55:36.25`; 60 stands for a leap second.
fn seconds_of_day(raw: &str) -> Option<f64> {
    let mut parts = raw.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next()?;
    if !second.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let second: f64 = second.parse().ok()?;
    (hour < 24 && minute < 60 && second < 61.0).then_some(hour as f64 * 3_600.0 + minute as f64 * 60.0 + second)
}

/// `Z`, `+0200` or `+02:00`, in seconds.
fn offset(raw: &str) -> Option<f64> {
    if matches!(raw, "Z" | "z") {
        return Some(0.0);
    }
    let sign = match raw.bytes().next()? {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let rest = raw.get(1..)?.replace(':', "");
    let minutes = if rest.len() == 4 { digits(&rest)? } else { return None };
    Some(sign * (minutes / 100 * 3_600 + minutes % 100 * 60) as f64)
}

/// Days from 1970-01-01 to this day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(common("01/Jan/1970:00:00:00 +0000"), Some(0.0));
        assert_eq!(common("10/Oct/2000:13:55:36 -0700"), Some(971_211_336.0));
        assert_eq!(rfc3339("2018-07-02T22:22:48.250000Z"), Some(1_530_570_168.25));
        assert_eq!(rfc3339("2016-02-29T12:00:00+02:00"), Some(1_456_740_000.0));
    }

    #[test]
    fn nonsense_is_no_date() {
        for raw in ["", "10/Foo/2000:13:55:36 -0700", "10/Oct/2000:25:55:36 -0700", "1/1/1:1:1:-1 +0000", "é/é:é é"]
        {
            assert_eq!(common(raw), None, "{raw}");
        }
        for raw in ["", "2018-13-02T00:00:00Z", "2018-07-02T22:22:48", "2018-07-02T22:22:NaNZ", "+-T+Z"] {
            assert_eq!(rfc3339(raw), None, "{raw}");
        }
    }
}
