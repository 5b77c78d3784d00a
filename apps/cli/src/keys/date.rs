//! Days.

use super::fault::KeyFault;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day of the Gregorian calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: i32,
    pub month: u8,
    pub day: u8,
}

/// Days since the first of January 1970, by this machine's clock.
pub fn today() -> Result<u32, KeyFault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = since.map_err(|_| KeyFault::Clock)?.as_secs() / 86_400;
    u32::try_from(days).map_err(|_| KeyFault::Clock)
}

impl Date {
    /// The day that is `days` after the first of January 1970.
    pub fn after_epoch(days: u32) -> Self {
        // Years begin in March here, so that a leap day is a year's last; 400 years are 146097 days, and the first
        // of March of the year 0 is 719468 days before 1970.
        let days = i64::from(days) + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = match month {
            0..10 => (month + 3, 0),
            _ => (month - 9, 1),
        };
        Self {
            year: (era * 400 + year + next) as i32,
            month: month as u8,
            day: day as u8,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (days, date) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_778, "2026-11-21"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Date::after_epoch(days).to_string(), date);
        }
    }
}
