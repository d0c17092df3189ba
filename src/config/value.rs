// SPDX-License-Identifier: Apache-2.0
//! The text of one value as a checked type. Each error says what is allowed, for people.

use crate::units::{Bytes, DeviceName, Dscp, Micros, Permille, Prefix, Rate};
use alloc::format;
use alloc::string::{String, ToString};

/// The slowest and the fastest line weir shapes.
pub const RATES: (Rate, Rate) = (Rate::kbit(64), Rate::mbit(100_000));

/// Splits `12.5mbit` into 12.5 as thousandths and `mbit`; blanks between them are skipped.
fn number(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty()
        || fraction.len() > 3
        || fraction.contains('.')
        || (digits.contains('.') && fraction.is_empty())
    {
        return None;
    }
    let mut thousandths: u64 = whole.parse::<u64>().ok()?.checked_mul(1000)?;
    let scale = [1000, 100, 10, 1].get(fraction.len())?;
    thousandths = thousandths.checked_add(fraction.parse::<u64>().unwrap_or(0) * scale)?;
    Some((thousandths, unit.trim()))
}

/// `80mbit`, `1.5gbit`, `80 Mbit/s`, `80000` (kbit/s).
pub fn rate(text: &str) -> Result<Rate, String> {
    let Some((thousandths, unit)) = number(text) else {
        let hint = if text.contains(',') { " (write decimals with a point)" } else { "" };
        return Err(format!(
            "'{text}' is not a speed{hint}; write for example 80mbit, 1.5gbit or 80000 (kbit/s)"
        ));
    };
    let lower = unit.to_ascii_lowercase();
    let base = lower.strip_suffix("/s").or_else(|| lower.strip_suffix("ps")).unwrap_or(&lower);
    // A capital B, or the word, is bytes; lines are sold in bits and tc's own "bps" has fooled many.
    let is_bytes = unit.contains('B') || base.contains("byte");
    let factor = match base {
        _ if is_bytes => {
            return Err(format!("'{text}' is in bytes; line speeds are in bits: write for example 80mbit"));
        }
        "" if lower.is_empty() => 1_000,
        "bit" => 1,
        "k" | "kb" | "kbit" => 1_000,
        "m" | "mb" | "mbit" => 1_000_000,
        "g" | "gb" | "gbit" => 1_000_000_000,
        _ => return Err(format!("'{unit}' is not a unit of speed; write kbit, mbit or gbit")),
    };
    let bits = u128::from(thousandths) * factor / 1000;
    let rate = Rate::bits(u64::try_from(bits).unwrap_or(u64::MAX));
    if (RATES.0..=RATES.1).contains(&rate) {
        return Ok(rate);
    }
    let hint = match (bits, unit) {
        (0, _) => "; leave the option out if the speed is not known".to_string(),
        (_, "") => format!("; a number alone is kbit/s: did you mean {}mbit?", thousandths / 1000),
        _ => String::new(),
    };
    Err(format!("must lie between {} and {}{hint}", RATES.0, RATES.1))
}

/// `30`, `30%`, `12.5 %`.
pub fn share(text: &str) -> Result<Permille, String> {
    match number(text) {
        Some((thousandths, "" | "%")) if thousandths <= 100_000 && thousandths % 100 == 0 => {
            Ok(Permille((thousandths / 100) as u16))
        }
        _ => Err(format!(
            "'{text}' is not a share; write per cent between 0 and 100, at most one decimal: 12.5%"
        )),
    }
}

/// `50ms`, `1s`, `500us`; a number alone is milliseconds.
pub fn span(text: &str, min: Micros, max: Micros) -> Result<Micros, String> {
    let factor = |unit: &str| match unit {
        "us" => Some(1u64),
        "" | "ms" => Some(1_000),
        "s" => Some(1_000_000),
        _ => None,
    };
    let span = number(text).and_then(|(thousandths, unit)| {
        Some(Micros(
            u64::try_from(u128::from(thousandths) * u128::from(factor(unit)?) / 1000).unwrap_or(u64::MAX),
        ))
    });
    match span {
        None => Err(format!("'{text}' is not a span of time; write for example 50ms, 1s or 500us")),
        Some(span) if span < min || span > max => Err(format!("must lie between {min} and {max}")),
        Some(span) => Ok(span),
    }
}

/// `4mb`, `512k`, `100000`.
pub fn size(text: &str) -> Result<Bytes, String> {
    let wrong = || format!("'{text}' is not a size; write bytes, or for example 512k or 4mb");
    let (thousandths, unit) = number(text).ok_or_else(wrong)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => 1024 * 1024,
        _ => return Err(wrong()),
    };
    let bytes = u128::from(thousandths) * factor / 1000;
    if bytes < 16_384 || bytes > u128::from(u32::MAX) {
        Err("must lie between 16k and 4095mb".into())
    } else {
        Ok(Bytes(bytes as u64))
    }
}

/// Yes or no in any of UCI's words.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "on" | "true" | "yes" | "enabled" => Ok(true),
        "0" | "off" | "false" | "no" | "disabled" => Ok(false),
        _ => Err(format!("'{text}' is neither yes nor no; write 1 or 0")),
    }
}

/// A whole number between two others.
pub fn integer(text: &str, min: i64, max: i64) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(n) if (min..=max).contains(&n) => Ok(n),
        Ok(_) => Err(format!("must lie between {min} and {max}")),
        Err(_) => Err(format!("'{text}' is not a whole number; it must lie between {min} and {max}")),
    }
}

/// A bit mask, `255` or `0xff`.
pub fn mask(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("'{text}' is not a bit mask; write for example 0xff"))
}

/// The name of a network device.
pub fn device(text: &str) -> Result<DeviceName, String> {
    DeviceName::new(text).ok_or_else(|| {
        format!("'{text}' is not a device name: 1 to 15 characters, no blank, slash, colon or quote")
    })
}

/// A prefix such as `192.0.2.0/24` or `2001:db8::/32`; a single address stands for itself.
pub fn prefix(text: &str) -> Result<Prefix, String> {
    let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
    let wrong =
        || format!("'{text}' is not an address or prefix; write for example 192.0.2.0/24 or 2001:db8::/32");
    let len = len.map(|len| len.parse::<u8>().map_err(|_| wrong())).transpose()?;
    let made = match address.parse::<core::net::IpAddr>().map_err(|_| wrong())? {
        core::net::IpAddr::V4(v4) => Prefix::v4(v4.octets(), len.unwrap_or(32)),
        core::net::IpAddr::V6(v6) => Prefix::v6(v6.octets(), len.unwrap_or(128)),
    };
    made.ok_or_else(wrong)
}

/// The names of code points: RFC 2474, 2597, 3246, 5865, 8622 and NQB.
const DSCPS: &[(&str, u8)] = &[
    ("BE", 0),
    ("DF", 0),
    ("CS0", 0),
    ("LE", 1),
    ("CS1", 8),
    ("AF11", 10),
    ("AF12", 12),
    ("AF13", 14),
    ("CS2", 16),
    ("AF21", 18),
    ("AF22", 20),
    ("AF23", 22),
    ("CS3", 24),
    ("AF31", 26),
    ("AF32", 28),
    ("AF33", 30),
    ("CS4", 32),
    ("AF41", 34),
    ("AF42", 36),
    ("AF43", 38),
    ("CS5", 40),
    ("VA", 44),
    ("NQB", 45),
    ("EF", 46),
    ("CS6", 48),
    ("CS7", 56),
];

/// A code point by name or number: `EF`, `46`, `0x2e`.
pub fn dscp(text: &str) -> Result<Dscp, String> {
    let named = DSCPS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, n)| u32::from(*n));
    let number = named.or_else(|| mask(text).ok());
    number.and_then(|n| u8::try_from(n).ok()).and_then(Dscp::new).ok_or_else(|| {
        format!("'{text}' is not a DSCP; write a name such as EF, AF41 or CS1, or a number from 0 to 63")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_understood_as_people_write_them() {
        for (text, kbit) in [
            ("80mbit", 80_000),
            ("1.5gbit", 1_500_000),
            ("80000", 80_000),
            ("80 Mbit/s", 80_000),
            ("80Mbps", 80_000),
            ("640 kbit", 640),
            ("64000bit", 64),
            ("0.25 Gbit/s", 250_000),
            ("100gbit", 100_000_000),
        ] {
            assert_eq!(rate(text), Ok(Rate::kbit(kbit)), "{text}");
        }
    }

    #[test]
    fn a_wrong_speed_is_told_what_is_allowed() {
        for (text, part) in [
            ("fast", "is not a speed"),
            ("1,5mbit", "with a point"),
            ("10MB/s", "in bytes"),
            ("10mbyte", "in bytes"),
            ("10parsec", "not a unit of speed"),
            ("0", "leave the option out"),
            ("50", "did you mean 50mbit?"),
            ("63kbit", "between 64 kbit/s and 100 Gbit/s"),
            ("101gbit", "between 64 kbit/s and 100 Gbit/s"),
            ("99999999999999999999", "is not a speed"),
            ("-5mbit", "is not a speed"),
            ("1.2.3mbit", "is not a speed"),
            ("", "is not a speed"),
        ] {
            let error = rate(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn shares_spans_sizes_and_the_rest() {
        assert_eq!(share("12.5%"), Ok(Permille(125)));
        assert!(share("101").is_err() && share("12.55").is_err() && share("x").is_err());
        let any = |text| span(text, Micros(1), Micros::secs(10));
        assert_eq!(
            (any("50ms"), any("1s"), any("50")),
            (Ok(Micros::ms(50)), Ok(Micros::secs(1)), Ok(Micros::ms(50)))
        );
        assert!(any("11s").is_err() && any("1h").is_err());
        assert_eq!(size("4mb"), Ok(Bytes(4 << 20)));
        assert_eq!((boolean("on"), boolean("0")), (Ok(true), Ok(false)));
        assert!(boolean("maybe").is_err());
        assert_eq!((mask("0xff"), mask("16")), (Ok(255), Ok(16)));
        assert_eq!(dscp("ef").map(Dscp::get), Ok(46));
        assert_eq!(dscp("0x2e").map(Dscp::get), Ok(46));
        assert!(dscp("64").is_err());
        assert_eq!(prefix("2001:db8::1/32").map(|p| p.to_string()), Ok("2001:db8::/32".into()));
        assert!(prefix("10.0.0.0/33").is_err() && prefix("ten").is_err());
    }
}
