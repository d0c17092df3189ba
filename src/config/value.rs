// SPDX-License-Identifier: Apache-2.0
//! The text of one value as a checked type. Each error says what is allowed, for people.

use super::options::did_you_mean;
use crate::calendar::{DAY_MINUTES, WEEKDAYS};
use crate::order;
use crate::text::{self, joined};
use crate::units::{Bytes, DeviceName, Dscp, Micros, Permille, Prefix, Rate};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// The slowest and the fastest line weir shapes.
pub const RATES: (Rate, Rate) = (Rate::kbit(64), Rate::mbit(100_000));

/// The smallest and the largest queue memory: below, not even ten packets fit; above, no router has it.
pub const SIZES: (Bytes, Bytes) = (Bytes(16 << 10), Bytes(1 << 30));

/// A user's own text within a message: in quotes, shortened, and with nothing in it that moves the cursor.
pub struct Quoted<'a>(pub &'a str);

/// More of a wrong value than this helps nobody.
const QUOTED_CHARS: usize = 40;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        for c in self.0.chars().take(QUOTED_CHARS) {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        f.write_str(if self.0.chars().nth(QUOTED_CHARS).is_some() { "…'" } else { "'" })
    }
}

const MILLION: u64 = 1_000_000;

/// A number as people write it, with up to six decimals.
struct Decimal {
    whole: u64,
    millionths: u32,
}

impl Decimal {
    /// This many times `factor`, rounded down; too much is the most there is. A thousand million is the largest factor.
    fn times(&self, factor: u64) -> u64 {
        self.whole.saturating_mul(factor).saturating_add(u64::from(self.millionths) * factor / MILLION)
    }
}

/// Splits `12.5mbit` into 12.5 and `mbit`; blanks between them are skipped.
fn number(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty() || fraction.len() > 6 {
        return None;
    }
    // Digits alone fail to parse only where they are too many: then the number is too large for any option.
    let whole = whole.parse().unwrap_or(u64::MAX);
    let scale = 10u32.pow(6 - u32::try_from(fraction.len()).ok()?);
    Some((Decimal { whole, millionths: fraction.parse::<u32>().ok()? * scale }, unit.trim()))
}

/// `80mbit`, `1.5gbit`, `80 Mbit/s`, `80000` (kbit/s).
pub fn rate(text: &str) -> Result<Rate, String> {
    let out_of_range = |hint: &str| Err(format!("must lie between {} and {}{hint}", RATES.0, RATES.1));
    let Some((number, unit)) = number(text).filter(|_| !text.contains(',')) else {
        if text.trim().strip_prefix('-').is_some_and(|rest| number(rest).is_some()) {
            return out_of_range("");
        }
        let hint = if text.contains(',') { " (write decimals with a point)" } else { "" };
        return Err(format!(
            "{} is not a speed{hint}; write for example 80mbit, 1.5gbit or 80000 (kbit/s)",
            Quoted(text)
        ));
    };
    let lower = unit.to_ascii_lowercase();
    let base = lower.strip_suffix("/s").or_else(|| lower.strip_suffix("ps")).unwrap_or(&lower);
    // A capital B at the end, or the word, is bytes; lines are sold in bits and tc's own "bps" has fooled many.
    let is_bytes =
        unit.get(..base.len()).is_some_and(|base| base.ends_with('B')) || text::find(base, "byte").is_some();
    let factor = match base {
        _ if is_bytes => {
            let text = Quoted(text);
            return Err(format!("{text} is in bytes; line speeds are in bits: write for example 80mbit"));
        }
        "" if lower.is_empty() => 1_000,
        "bit" | "bits" => 1,
        "k" | "kb" | "kbit" | "kbits" => 1_000,
        "m" | "mb" | "mbit" | "mbits" => 1_000_000,
        "g" | "gb" | "gbit" | "gbits" => 1_000_000_000,
        _ => return Err(format!("{} is not a unit of speed; write kbit, mbit or gbit", Quoted(unit))),
    };
    let rate = Rate::bits(number.times(factor));
    match (rate, unit) {
        _ if (RATES.0..=RATES.1).contains(&rate) => Ok(rate),
        (Rate::ZERO, _) => out_of_range("; a speed that is not known is left out"),
        (rate, "") if rate < RATES.0 => {
            out_of_range(&format!("; a number alone is kbit/s: did you mean {}mbit?", text.trim()))
        }
        _ => out_of_range(""),
    }
}

/// `30`, `30%`, `12.5 %`.
pub fn share(text: &str) -> Result<Permille, String> {
    match number(text).map(|(number, unit)| (number.times(MILLION), unit)) {
        Some((millionths, "" | "%")) if millionths <= 100 * MILLION && millionths % (MILLION / 10) == 0 => {
            Ok(Permille((millionths / (MILLION / 10)) as u16))
        }
        _ => Err(format!(
            "{} is not a share; write per cent between 0 and 100, at most one decimal: 12.5%",
            Quoted(text)
        )),
    }
}

/// `50ms`, `1s`, `500us`; a number alone is milliseconds.
pub fn span(text: &str, min: Micros, max: Micros) -> Result<Micros, String> {
    within(text, short(text, 1_000), "50ms, 1s or 500us", min, max)
}

/// A span that may be said in units of up to a second; a number alone counts so many microseconds.
fn short(text: &str, alone: u64) -> Option<Micros> {
    let (number, unit) = number(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => alone,
        "us" => 1,
        "ms" => 1_000,
        "s" => MILLION,
        _ => return None,
    };
    Some(Micros(number.times(factor)))
}

fn within(
    text: &str,
    span: Option<Micros>,
    examples: &str,
    min: Micros,
    max: Micros,
) -> Result<Micros, String> {
    match span {
        None => Err(format!("{} is not a span of time; write for example {examples}", Quoted(text))),
        Some(span) if span < min || span > max => Err(format!("must lie between {min} and {max}")),
        Some(span) => Ok(span),
    }
}

/// `90m`, `2h`, `7d`, and what [`span`] takes, but that a number alone is seconds, as elsewhere in UCI: spans of time that
/// are not the kernel's business.
pub fn long_span(text: &str, min: Micros, max: Micros) -> Result<Micros, String> {
    let long = [("m", 60), ("h", 3600), ("d", 86_400)].into_iter().find_map(|(unit, seconds)| {
        let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Micros((u64::from(count) * seconds).saturating_mul(MILLION)))
    });
    within(text, long.or_else(|| short(text, MILLION)), "30s, 90m or 2h", min, max)
}

/// `4mb`, `512k`, `100000`.
pub fn size(text: &str) -> Result<Bytes, String> {
    let wrong = || format!("{} is not a size; write bytes, or for example 512k or 4mb", Quoted(text));
    let (number, unit) = number(text).ok_or_else(wrong)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => 1024 * 1024,
        _ => return Err(wrong()),
    };
    let bytes = Bytes(number.times(factor));
    if (SIZES.0..=SIZES.1).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("must lie between {} and {}", SIZES.0, SIZES.1))
    }
}

/// `22:00`, `6:30`, in minutes; `24:00` is the midnight at the end of the day, and 0 as that at its begin.
pub fn clock(text: &str) -> Result<u16, String> {
    let minutes = text.split_once(':').and_then(|(hours, minutes)| {
        let is_one =
            (1..=2).contains(&hours.len()) && minutes.len() == 2 && is_number(hours) && is_number(minutes);
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        Some(hours * 60 + minutes).filter(|all| is_one && minutes < 60 && *all <= DAY_MINUTES)
    });
    let wrong = || format!("{} is not a time of the day; write for example 22:00 or 6:30", Quoted(text));
    minutes.map(|minutes| minutes % DAY_MINUTES).ok_or_else(wrong)
}

/// The bit of a day of the week.
pub fn day(text: &str) -> Result<u32, String> {
    let day = WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    day.map(|day| 1 << day).ok_or_else(|| {
        let days = joined(&WEEKDAYS, ", ");
        format!("{} is not a day of the week; write some of {days}", Quoted(text))
    })
}

/// Yes or no in any of UCI's words.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "on" | "true" | "yes" | "enabled" => Ok(true),
        "0" | "off" | "false" | "no" | "disabled" => Ok(false),
        _ => Err(format!("{} is neither yes nor no; write 1 or 0", Quoted(text))),
    }
}

/// A whole number between two others.
pub fn integer(text: &str, min: i64, max: i64) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(n) if (min..=max).contains(&n) => Ok(n),
        Ok(_) => Err(format!("{} is out of range; it must lie between {min} and {max}", Quoted(text))),
        Err(_) if is_number(text) => {
            Err(format!("{} is out of range; it must lie between {min} and {max}", Quoted(text)))
        }
        Err(_) => Err(format!("{} is not a whole number; it must lie between {min} and {max}", Quoted(text))),
    }
}

/// Whether it is digits alone, perhaps behind a minus: then only its size can be wrong.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A bit mask, `255` or `0xff`.
pub fn mask(text: &str) -> Result<u32, String> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
    let parsed = if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() };
    parsed.ok_or_else(|| format!("{} is not a bit mask of 32 bits; write for example 0xff", Quoted(text)))
}

/// The name of a network device.
pub fn device(text: &str) -> Result<DeviceName, String> {
    DeviceName::new(text).ok_or_else(|| {
        let text = Quoted(text);
        format!("{text} is not a device name: 1 to 15 characters, no blank, slash, colon or quote")
    })
}

/// A prefix such as `192.0.2.0/24` or `2001:db8::/32`; a single address stands for itself.
pub fn prefix(text: &str) -> Result<Prefix, String> {
    let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
    let wrong = || {
        let text = Quoted(text);
        format!("{text} is not an address or prefix; write for example 192.0.2.0/24 or 2001:db8::/32")
    };
    // `parse` alone would take `/+24`.
    let bits = |len: &str| len.parse::<u8>().ok().filter(|_| is_number(len)).ok_or_else(wrong);
    let len = len.map(bits).transpose()?;
    let made = match address.parse::<core::net::IpAddr>().map_err(|_| wrong())? {
        core::net::IpAddr::V4(v4) => Prefix::v4(v4.octets(), len.unwrap_or(32)),
        core::net::IpAddr::V6(v6) => Prefix::v6(v6.octets(), len.unwrap_or(128)),
    };
    made.ok_or_else(wrong)
}

/// The prefix an address is read as that has bits beyond its length, which are then not looked at.
pub fn widened(text: &str) -> Option<Prefix> {
    let prefix = prefix(text).ok()?;
    let is_cut = match text.split('/').next()?.parse().ok()? {
        core::net::IpAddr::V4(v4) => !prefix.address.starts_with(&v4.octets()),
        core::net::IpAddr::V6(v6) => prefix.address != v6.octets(),
    };
    is_cut.then_some(prefix)
}

/// The names of code points: RFC 2474, 2597, 3246, 5865, 8622 and NQB.
pub const DSCPS: &[(&str, u8)] = &[
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
        let text = Quoted(text);
        format!("{text} is not a DSCP; write a name such as EF, AF41 or CS1, or a number from 0 to 63")
    })
}

/// Names of protocols, as firewalls write them; `icmp` is that of both families.
pub const PROTOCOLS: &[(&str, &[u8])] = &[
    ("tcp", &[6]),
    ("udp", &[17]),
    ("tcpudp", &[6, 17]),
    ("icmp", &[1, 58]),
    ("icmpv6", &[58]),
    ("igmp", &[2]),
    ("gre", &[47]),
    ("esp", &[50]),
    ("ah", &[51]),
    ("dccp", &[33]),
    ("ipip", &[4]),
    ("6in4", &[41]),
    ("ospf", &[89]),
    ("pim", &[103]),
    ("l2tp", &[115]),
    ("sctp", &[132]),
    ("udplite", &[136]),
];

/// A protocol's name, or its number.
pub fn protocol_name(number: u8) -> String {
    let named = PROTOCOLS.iter().find(|(_, numbers)| *numbers == [number]);
    match number {
        1 => "icmp".into(),
        _ => named.map_or_else(|| format!("protocol {number}"), |(name, _)| (*name).into()),
    }
}

/// The name of a code point, or its number.
pub fn dscp_name(dscp: Dscp) -> String {
    let named = DSCPS.iter().find(|(_, n)| *n == dscp.get());
    named.map_or_else(|| format!("{}", dscp.get()), |(name, _)| (*name).into())
}

/// `tcp`, `icmp`, `47`.
pub fn protocols(text: &str) -> Result<Vec<u8>, String> {
    if let Some((_, numbers)) = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(numbers.to_vec());
    }
    let number = text.parse::<u8>().ok().filter(|_| is_number(text));
    number.map(|n| alloc::vec![n]).ok_or_else(|| {
        let names: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
        let hint = match text {
            "all" | "any" => Some("leave the option out to mean any; ".to_string()),
            _ => did_you_mean(text, names.iter().copied()).map(|word| format!("did you mean {word}? ")),
        };
        let hint = hint.unwrap_or_default();
        format!("{} is not a protocol; {hint}write {} or a number to 255", Quoted(text), joined(&names, ", "))
    })
}

/// `443`, `5000-5100` or `30000-`.
pub fn ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = || {
        let hint = if text.contains('/') { "; protocols have an option of their own, proto" } else { "" };
        format!("{} is not a port or range; write for example 443 or 5000-5100{hint}", Quoted(text))
    };
    let (low, high) = text.split_once(['-', ':']).unwrap_or((text, text));
    let high = if high.is_empty() && !low.is_empty() { "65535" } else { high };
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0 && is_number(text));
    match (port(low), port(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        (Some(low), Some(high)) => {
            Err(format!("the range {low}-{high} is empty: did you mean {high}-{low}?"))
        }
        _ => Err(wrong()),
    }
}

/// A bare IPv4 header.
const SHORTEST: u16 = 20;

/// `40-100`, `1000-`, `-200`, `64`: bytes of an IP packet.
pub fn length(text: &str) -> Result<(u16, u16), String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let end = |text: &str, open: u16| match text {
        "" => Some(open),
        _ => text.parse::<u16>().ok().filter(|_| is_number(text)),
    };
    match (end(low, 0), end(high, u16::MAX)) {
        (Some(low), Some(high)) if low > high => {
            Err(format!("the range {low}-{high} is empty: did you mean {high}-{low}?"))
        }
        (Some(_), Some(high)) if high < SHORTEST && text != "-" && !text.is_empty() => {
            Err(format!("no IP packet has {high} bytes or fewer: its header alone has {SHORTEST}"))
        }
        (Some(low), Some(high)) if text != "-" && !text.is_empty() => Ok((low, high)),
        _ => Err(format!(
            "{} is not a range of packet sizes; write for example 0-200 or 1000- (bytes of the IP packet)",
            Quoted(text)
        )),
    }
}

/// A code point or a range of them: `EF`, `AF41`, `8-15`; as a set of bits.
pub fn dscps(text: &str) -> Result<u64, String> {
    let (low, high) = match text.split_once('-') {
        Some((low, high)) => (dscp(low)?.get(), dscp(high)?.get()),
        None => (dscp(text)?.get(), dscp(text)?.get()),
    };
    if low > high {
        return Err(format!("the range {low}-{high} is empty: did you mean {high}-{low}?"));
    }
    Ok((low..=high).fold(0, |set, point| set | 1 << point))
}

/// Sorts ranges and joins those that touch.
pub fn join(ranges: &mut Vec<(u16, u16)>) {
    order::rising(ranges);
    let mut joined: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges.drain(..) {
        match joined.last_mut() {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            _ => joined.push((low, high)),
        }
    }
    *ranges = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    use alloc::string::ToString;

    #[test]
    fn speeds_are_understood_as_people_write_them() {
        for (text, bits) in [
            ("80mbit", 80_000_000),
            ("1.5gbit", 1_500_000_000),
            ("80000", 80_000_000),
            ("80 Mbit/s", 80_000_000),
            ("80 MBit/s", 80_000_000),
            ("80Mbps", 80_000_000),
            ("80 mbits", 80_000_000),
            ("80 Mb/s", 80_000_000),
            (" 80M ", 80_000_000),
            ("640kbit", 640_000),
            ("640 kBit", 640_000),
            ("640.5", 640_500),
            ("123456bit", 123_456),
            ("64000bit", 64_000),
            ("0.25 Gbit/s", 250_000_000),
            ("0.000064gbit", 64_000),
            ("100gbit", 100_000_000_000),
        ] {
            assert_eq!(rate(text), Ok(Rate::bits(bits)), "{text}");
        }
    }

    #[test]
    fn a_wrong_speed_is_told_what_is_allowed() {
        let range = "must lie between 64 kbit/s and 100 Gbit/s";
        for (text, part) in [
            ("fast", "'fast' is not a speed; write for example 80mbit, 1.5gbit or 80000 (kbit/s)"),
            ("1,5", "is not a speed (write decimals with a point)"),
            ("1,5mbit", "with a point"),
            ("1.5,5mbit", "with a point"),
            ("80mbit,", "with a point"),
            ("10MB/s", "'10MB/s' is in bytes; line speeds are in bits: write for example 80mbit"),
            ("10MiB/s", "in bytes"),
            ("10MBps", "in bytes"),
            ("10mbyte", "in bytes"),
            ("10parsec", "'parsec' is not a unit of speed; write kbit, mbit or gbit"),
            ("10/s", "not a unit of speed"),
            ("80mbit 20mbit", "not a unit of speed"),
            ("0", "a speed that is not known is left out"),
            ("0mbit", "a speed that is not known is left out"),
            (
                "50",
                "must lie between 64 kbit/s and 100 Gbit/s; a number alone is kbit/s: did you mean 50mbit?",
            ),
            ("2.5", "did you mean 2.5mbit?"),
            ("63kbit", range),
            ("63999bit", range),
            ("101gbit", range),
            ("-5mbit", range),
            ("99999999999999999999", range),
            ("99999999999999999999999gbit", range),
            ("1.2.3mbit", "is not a speed"),
            ("1.mbit", "is not a speed"),
            (".5mbit", "is not a speed"),
            ("1.0000000mbit", "is not a speed"),
            ("--5", "is not a speed"),
            ("", "is not a speed"),
            ("８０mbit", "is not a speed"),
        ] {
            let error = rate(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        assert_eq!(rate("101gbit").as_ref().map_err(String::as_str), Err(range), "no hint to go further up");
        assert_eq!(rate("200000000").as_ref().map_err(String::as_str), Err(range));
    }

    #[test]
    fn a_users_text_cannot_disturb_the_message_it_is_quoted_in() {
        assert_eq!(Quoted("a\nb\x1b[2J").to_string(), "'a\\nb\\u{1b}[2J'");
        assert_eq!(Quoted(&"ä".repeat(40)).to_string().chars().count(), 42);
        assert_eq!(Quoted(&"ä".repeat(41)).to_string().chars().count(), 43);
    }

    #[test]
    fn shares_are_per_cent_with_one_decimal() {
        for (text, permille) in [("30", 300), ("30%", 300), ("12.5 %", 125), ("0", 0), ("100.0%", 1000)] {
            assert_eq!(share(text), Ok(Permille(permille)), "{text}");
        }
        for text in ["100.1", "101", "12.55", "12,5", "-1", "x", "", "30 percent", "99999999999999999999"] {
            assert!(share(text).expect_err(text).contains("between 0 and 100"), "{text}");
        }
    }

    #[test]
    fn spans_are_milliseconds_where_no_unit_is_given() {
        let any = |text| span(text, Micros(100), Micros::secs(10));
        for (text, micros) in
            [("50ms", 50_000), ("1s", 1_000_000), ("50", 50_000), ("500us", 500), ("1.5 S", 1_500_000)]
        {
            assert_eq!(any(text), Ok(Micros(micros)), "{text}");
        }
        for text in ["11s", "99us", "0", "99999999999999999999s"] {
            assert_eq!(any(text), Err("must lie between 100 us and 10 s".into()), "{text}");
        }
        for text in ["1h", "soon", "", "-1ms", "1 m s"] {
            assert!(any(text).expect_err(text).contains("is not a span of time"), "{text}");
        }
    }

    #[test]
    fn a_span_of_more_days_than_there_are_is_too_long_and_nothing_overflows() {
        let any = |text| long_span(text, Micros::secs(1), Micros::secs(86_400));
        assert_eq!((any("90m"), any("1d")), (Ok(Micros::secs(5400)), Ok(Micros::secs(86_400))));
        assert_eq!((any("30"), any("1500ms")), (Ok(Micros::secs(30)), Ok(Micros::ms(1500))));
        // The second one is 57490 seconds more than 64 bits of microseconds hold.
        for text in ["2d", "213503983d", "4294967295d", "99999999999999999999s"] {
            assert_eq!(any(text), Err("must lie between 1 s and 1 d".into()), "{text}");
        }
    }

    #[test]
    fn sizes_are_bytes_in_binary_units() {
        for (text, bytes) in
            [("4mb", 4 << 20), ("512k", 512 << 10), ("100000", 100_000), ("1.5 MiB", 3 << 19)]
        {
            assert_eq!(size(text), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["16383", "1k", "1025mb", "99999999999999999999"] {
            assert!(size(text).expect_err(text).contains("between 16 KiB and 1 GiB"), "{text}");
        }
        assert!(size("4 mbit").is_err() && size("much").is_err());
    }

    #[test]
    fn yes_and_no_have_ucis_words() {
        for (yes, no) in
            [("1", "0"), ("on", "off"), ("true", "false"), ("yes", "no"), ("enabled", "disabled")]
        {
            assert_eq!((boolean(yes), boolean(no)), (Ok(true), Ok(false)));
        }
        for text in ["maybe", "", "2", "True", " 1"] {
            assert!(boolean(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_and_masks_are_told_their_bounds() {
        assert_eq!((integer("-64", -64, 256), integer("256", -64, 256)), (Ok(-64), Ok(256)));
        for text in ["257", "-65", "99999999999999999999", "-99999999999999999999"] {
            let wanted = format!("'{text}' is out of range; it must lie between -64 and 256");
            assert_eq!(integer(text, -64, 256), Err(wanted));
        }
        for text in ["1.5", "ten", "", "-", "0x10"] {
            assert!(integer(text, -64, 256).expect_err(text).contains("is not a whole number"), "{text}");
        }
        assert_eq!((mask("0xff"), mask("16"), mask("0xffffffff")), (Ok(255), Ok(16), Ok(u32::MAX)));
        for text in ["0x100000000", "4294967296", "-1", "+1", "0x", "0x+1", "", "ff"] {
            assert!(mask(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_code_point_has_a_number_and_the_named_ones_a_name() {
        for n in 0..64u8 {
            assert_eq!(dscp(&n.to_string()).map(Dscp::get), Ok(n));
            assert_eq!(dscp(&format!("{n:#x}")).map(Dscp::get), Ok(n));
        }
        for class in 0..8 {
            assert_eq!(dscp(&format!("CS{class}")).map(Dscp::get), Ok(class * 8));
        }
        for (class, drop) in [(1, 1), (1, 3), (2, 2), (3, 1), (4, 3)] {
            assert_eq!(dscp(&format!("af{class}{drop}")).map(Dscp::get), Ok(class * 8 + drop * 2));
        }
        for (name, n) in [("EF", 46), ("ef", 46), ("VA", 44), ("LE", 1), ("NQB", 45), ("BE", 0), ("DF", 0)] {
            assert_eq!(dscp(name).map(Dscp::get), Ok(n), "{name}");
        }
        for text in ["64", "0x40", "AF44", "CS8", "AF14", "", "-1", "300", "best effort"] {
            assert!(dscp(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prefixes_are_addresses_with_a_length_or_without() {
        for (text, shown) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(prefix(text).map(|prefix| prefix.to_string()), Ok(shown.into()), "{text}");
        }
        for text in
            ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "/8", "ten", "", "1.2.3.4/8/8"]
        {
            assert!(prefix(text).expect_err(text).contains("is not an address or prefix"), "{text}");
        }
    }

    #[test]
    fn device_names_are_the_kernels() {
        assert_eq!(device("pppoe-wan").map(|name| name.to_string()), Ok("pppoe-wan".into()));
        assert_eq!(device("eth0.7").map(|name| name.to_string()), Ok("eth0.7".into()));
        for text in ["", "eth 0", "sixteen-letters-", "a/b", ".."] {
            assert!(device(text).expect_err(text).contains("1 to 15 characters"), "{text}");
        }
    }

    #[test]
    fn ports_ranges_protocols_and_sizes_are_read_or_refused() {
        assert_eq!((ports("443"), ports("5000-5100")), (Ok((443, 443)), Ok((5000, 5100))));
        for bad in ["", "0", "-", "65536", "+1", "1-2-3", "a", "5100-5000", "1 - 2"] {
            assert!(ports(bad).is_err(), "{bad}");
        }
        assert_eq!(length("0-200"), Ok((0, 200)));
        assert_eq!(
            (length("1000-"), length("-64"), length("64")),
            (Ok((1000, 65535)), Ok((0, 64)), Ok((64, 64)))
        );
        for bad in ["", "-", "2-1", "x", "70000", "1-2-3"] {
            assert!(length(bad).is_err(), "{bad}");
        }
        assert_eq!(protocols("UDP"), Ok(alloc::vec![17]));
        assert_eq!((protocols("icmp"), protocols("47")), (Ok(alloc::vec![1, 58]), Ok(alloc::vec![47])));
        for bad in ["256", "-1", "+6", "", "tcp,udp", "quic"] {
            assert!(protocols(bad).is_err(), "{bad}");
        }
        assert_eq!(dscps("EF"), Ok(1 << 46));
        assert_eq!(dscps("cs1-9"), Ok(3 << 8));
        assert!(dscps("9-8").is_err() && dscps("64").is_err() && dscps("-").is_err());
        let mut ranges = alloc::vec![(30, 40), (1, 5), (6, 7), (35, 50), (9, 9)];
        join(&mut ranges);
        assert_eq!(ranges, [(1, 7), (9, 9), (30, 50)]);
        let mut ranges = alloc::vec![(1, u16::MAX), (2, 3)];
        join(&mut ranges);
        assert_eq!(ranges, [(1, u16::MAX)]);
    }
}
