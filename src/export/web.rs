// SPDX-License-Identifier: Apache-2.0
//! What is to be known of HTTP without a socket: addresses, who may be told secrets, how long to stay away, and the
//! requests of a scraper.

use crate::units::Micros;
use alloc::format;
use alloc::string::String;

/// An address: `http://host:port/path?query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is `https`.
    pub is_secure: bool,
    /// Name or address, in brackets with IPv6, and the port if one was given.
    pub host: String,
    /// What is behind it, with its slash; without one at the end.
    pub path: String,
}

impl Url {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HOW: &str = "write for example http://192.0.2.7:8086 or https://example.org/path";
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(format!("is not an address; {HOW}"))?;
        let is_secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(format!("only http and https are known; {HOW}")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if host.contains('@') {
            return Err("has a password in it, which logs would show; there are options for it".into());
        }
        let port = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(None) => return Err(format!("has a [ without ]; {HOW}")),
            Some(Some((_, behind))) => behind.strip_prefix(':').or(behind.is_empty().then_some("80")),
            None => Some(host.split_once(':').map_or("80", |(_, port)| port)),
        };
        if host.is_empty() || port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return Err(format!("has no host, or a port that is none; {HOW}"));
        }
        if path.contains('#') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has a character that must be written as % and two digits".into());
        }
        Ok(Self { is_secure, host: host.into(), path: path.trim_end_matches('/').into() })
    }

    /// The part of it that may be told: the path of a webhook is often its secret.
    pub fn shown(&self) -> String {
        format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.host)
    }

    /// All of it, with more behind the path.
    pub fn with(&self, more: &str) -> String {
        format!("{}{}{more}", self.shown(), self.path)
    }
}

/// A value in a query.
pub fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Base 64, for a name and a password.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let word =
            three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for n in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * n) & 63) as usize).copied().unwrap_or(b'=');
            out.push(char::from(if n > three.len() { b'=' } else { digit }));
        }
    }
    out
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3) as seen from `now`, in seconds since 1970.
pub fn retry_after(text: &str, now: u64) -> Option<Micros> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Micros(seconds.saturating_mul(1_000_000)));
    }
    // Wed, 21 Oct 2015 07:28:00 GMT
    let mut words = text.split_once(", ")?.1.split([' ', ':']);
    let mut next = || words.next();
    let day: u64 = next()?.parse().ok()?;
    let name = next()?;
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names.iter().position(|known| *known == name)? as u64 + 1;
    let year: u64 = next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut clock = [0u64; 3];
    for part in &mut clock {
        *part = next()?.parse().ok().filter(|part| *part < 61)?;
    }
    let [hours, minutes, seconds] = clock;
    // Days since 1970, after Howard Hinnant's `days_from_civil`.
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day.checked_sub(1)?;
    let era = shifted / 400;
    let of_era = shifted % 400;
    let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)?;
    let at = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    Some(Micros(at.saturating_sub(now) * 1_000_000))
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Done,
    /// This will never be taken: what was sent is at fault.
    Refused(String),
    /// It is more than the server takes at once.
    TooLarge,
    /// Not now: with what the server asked for, and why.
    Later(Option<Micros>, String),
}

/// What the status of an answer means; `said` is what the server says of it, `retry_after` and `location` are headers.
pub fn outcome(status: u16, said: &str, retry_after: Option<Micros>, location: Option<&str>) -> Outcome {
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let said = said.trim();
    let why = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
    match status {
        200..=299 => Outcome::Done,
        // Followed, a password could go to another host, and a POST becomes a GET.
        300..=399 => {
            let to = location.and_then(|to| Url::parse(to).ok()).map(|to| format!(" to {}", to.shown()));
            let to = to.unwrap_or_default();
            Outcome::Later(
                None,
                format!(
                    "HTTP {status}: redirected{to}, which is not followed; put the address it should be into option 'url'"
                ),
            )
        }
        413 => Outcome::TooLarge,
        // Nothing is wrong with the data: it is the settings, of the server or here, and they can be mended.
        401 | 403 | 404 | 407 => {
            Outcome::Later(retry_after, format!("{why}; are url, token, org and bucket right?"))
        }
        408 | 425 | 429 | 500..=599 => Outcome::Later(retry_after, why),
        _ => Outcome::Refused(why),
    }
}

/// Why there is no connection by TLS, for people: rustls speaks to programmers, and of a router's clock it knows nothing.
pub fn untrusted(said: &str, ca_file: Option<&str>) -> String {
    let Some(why) = said.strip_prefix("invalid peer certificate: ") else {
        let is_plain = said.contains("InvalidContentType");
        return if is_plain { "it does not speak TLS; is it http://?".into() } else { said.into() };
    };
    let why = match why {
        "UnknownIssuer" => match ca_file {
            Some(path) => format!("none of those in {path} has signed it"),
            None => "none of the usual authorities has signed it; the file of one's own goes into option 'ca_file'".into(),
        },
        _ if why.contains("CaUsedAsEndEntity") => "it is an authority's own; have it sign another one for the server".into(),
        _ if why.contains("UnsupportedCertVersion") => "it is of an old version; X.509 v3 with subjectAltName is wanted".into(),
        _ if why.contains("xpired") => "it has expired, by the clock here".into(),
        _ if why.contains("ot valid yet") || why.contains("NotValidYet") => "it is not valid yet, by the clock here".into(),
        _ => why.into(),
    };
    format!("the server's certificate is not believed: {why}")
}

/// What somebody who connects wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The metrics; whether gzip may be used.
    Metrics(bool),
    /// What there is here.
    Root,
    /// Something that there is not.
    Nothing,
    /// Something else than to read.
    Method,
    /// No HTTP.
    Nonsense,
}

/// Reads a request whose headers are whole; `None`: more has to come.
pub fn asked(bytes: &[u8]) -> Option<Asked> {
    let is_whole =
        bytes.windows(4).any(|four| four == b"\r\n\r\n") || bytes.windows(2).any(|two| two == b"\n\n");
    if !is_whole {
        return None;
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return Some(Asked::Nonsense) };
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Some(Asked::Nonsense);
    };
    if !version.starts_with("HTTP/1.") {
        return Some(Asked::Nonsense);
    }
    if method != "GET" {
        return Some(Asked::Method);
    }
    let takes_gzip = lines.any(|line| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        let is_gzip = |one: &str| one.trim().eq_ignore_ascii_case("gzip");
        name.eq_ignore_ascii_case("accept-encoding") && value.split(',').any(is_gzip)
    });
    Some(match path.split('?').next().unwrap_or_default() {
        "/metrics" => Asked::Metrics(takes_gzip),
        "/" => Asked::Root,
        _ => Asked::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_only_its_host_is_shown() {
        for (text, shown, whole) in [
            ("http://a", "http://a", "http://a/x"),
            ("https://a.example:8086/", "https://a.example:8086", "https://a.example:8086/x"),
            (
                "http://[2001:db8::1]:80/hook/SECRET",
                "http://[2001:db8::1]:80",
                "http://[2001:db8::1]:80/hook/SECRET/x",
            ),
            ("http://[::1]/p?q=1", "http://[::1]", "http://[::1]/p?q=1/x"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.shown().as_str(), url.with("/x").as_str()), (shown, whole));
        }
        for text in [
            "",
            "a",
            "ftp://a",
            "http://",
            "http:///x",
            "http://a:0",
            "http://a:x",
            "http://[::1",
            "http://[::1]8",
            "http://u:p@a",
            "http://a/ b",
            "http://a/#x",
            "http://ä",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_may_ask_for_seconds_or_a_date() {
        assert_eq!(retry_after(" 120 ", 0), Some(Micros::secs(120)));
        let date = "Mon, 30 Nov 2026 21:04:05 GMT";
        assert_eq!(retry_after(date, 1_796_072_640), Some(Micros::secs(5)));
        assert_eq!(retry_after(date, 1_796_072_650), Some(Micros(0)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_479), Some(Micros::secs(1)));
        for text in
            ["", "-1", "soon", "Mon, 30 Foo 2026 21:04:05 GMT", "Mon, 00 Jan 1970 00:00:00 GMT", "Mon, 30"]
        {
            assert_eq!(retry_after(text, 0), None, "{text}");
        }
    }

    #[test]
    fn an_answer_is_done_or_tells_whose_fault_it_is() {
        let of = |status| outcome(status, "no\nbucket", None, Some("https://b/SECRET"));
        assert_eq!(of(204), Outcome::Done);
        assert_eq!(of(400), Outcome::Refused("HTTP 400: no bucket".into()));
        assert_eq!(of(413), Outcome::TooLarge);
        assert_eq!(
            outcome(503, "", Some(Micros(7)), None),
            Outcome::Later(Some(Micros(7)), "HTTP 503".into())
        );
        for status in [301, 401, 404, 429, 500] {
            let Outcome::Later(_, why) = of(status) else { panic!("{status}") };
            assert!(why.starts_with(&format!("HTTP {status}: ")) && !why.contains("SECRET"), "{why}");
        }
    }

    #[test]
    fn why_a_certificate_is_not_believed_is_said_for_people() {
        for (said, ca_file, wanted) in [
            ("UnknownIssuer", Some("/ca.pem"), "none of those in /ca.pem has signed it"),
            (
                "UnknownIssuer",
                None,
                "none of the usual authorities has signed it; the file of one's own goes into option 'ca_file'",
            ),
            ("Expired", None, "it has expired, by the clock here"),
            (
                "certificate expired: verification time 1796072645 (UNIX), but certificate is not valid after 1795986245 (86400 seconds ago)",
                None,
                "it has expired, by the clock here",
            ),
            (
                "certificate not valid yet: verification time 7 (UNIX), but certificate is not valid before 1795986245 (1795986238 seconds in future)",
                None,
                "it is not valid yet, by the clock here",
            ),
            (
                "Other(OtherError(CaUsedAsEndEntity))",
                None,
                "it is an authority's own; have it sign another one for the server",
            ),
            ("certificate not valid for name \"a\"", None, "certificate not valid for name \"a\""),
        ] {
            let wanted = format!("the server's certificate is not believed: {wanted}");
            assert_eq!(untrusted(&format!("invalid peer certificate: {said}"), ca_file), wanted);
        }
        assert_eq!(
            untrusted("received corrupt message of type InvalidContentType", None),
            "it does not speak TLS; is it http://?"
        );
        assert_eq!(untrusted("broken pipe", None), "broken pipe");
    }

    #[test]
    fn a_scraper_gets_metrics_and_nobody_else_anything() {
        for (text, wanted) in [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", Some(Asked::Metrics(false))),
            ("GET /metrics?x=1 HTTP/1.1\r\naccept-ENCODING: br, GZIP\r\n\r\n", Some(Asked::Metrics(true))),
            ("GET / HTTP/1.0\n\n", Some(Asked::Root)),
            ("GET /../etc HTTP/1.1\r\n\r\n", Some(Asked::Nothing)),
            ("POST /metrics HTTP/1.1\r\n\r\n", Some(Asked::Method)),
            ("GET /metrics\r\n\r\n", Some(Asked::Nonsense)),
            ("GET /metrics HTTP/1.1\r\n", None),
        ] {
            assert_eq!(asked(text.as_bytes()), wanted, "{text:?}");
        }
        assert_eq!(asked(b"\xff\xff\r\n\r\n"), Some(Asked::Nonsense));
    }

    #[test]
    fn texts_are_written_as_queries_and_passwords_want_them() {
        assert_eq!(percent("a b&c=ü/~"), "a%20b%26c%3D%C3%BC%2F~");
        for (text, wanted) in
            [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("user:pa>s", "dXNlcjpwYT5z")]
        {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
    }
}
