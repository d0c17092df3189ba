// SPDX-License-Identifier: Apache-2.0
//! https:// where TLS is not built in: the system's `uclient-fetch`, which every OpenWrt has, with its own TLS library.
//!
//! It takes headers and addresses on its command line alone (uclient-fetch.c: no file, no environment), so that other users
//! see them in the list of processes; it follows redirects, with the headers. `config` refuses that for anything secret
//! unless option `visible_secret` takes it into account. The body goes by a file that is ours alone.

use super::http::Request;
use super::outlet::Attempt;
use crate::export::gzip;
use crate::export::web::{Outcome, outcome};
use crate::io::clock;
use crate::units::Micros;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Its name; where it is, PATH says.
const PROGRAM: &str = "uclient-fetch";
/// How much longer than it was told it may take.
const GRACE: Micros = Micros::secs(2);
/// How often it is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Somebody who is sent things by another program.
pub struct Fetch {
    request: Request,
    body: PathBuf,
}

impl Fetch {
    /// Will send there, with bodies in this file.
    pub fn new(request: Request, body: PathBuf) -> Self {
        Self { request, body }
    }

    /// Sends a body.
    pub fn send(&self, body: &str) -> Attempt {
        let packed = if self.request.gzip { gzip::pack(body.as_bytes()) } else { None };
        let bytes = packed.as_deref().unwrap_or(body.as_bytes());
        let saved = body.len() - bytes.len();
        let sent = self.write(bytes).and_then(|()| self.fetch(packed.is_some()));
        let _ = fs::remove_file(&self.body);
        let later =
            |error: &io::Error| Outcome::Later(None, format!("{PROGRAM}: {}", super::files::why(error)));
        Attempt { outcome: sent.unwrap_or_else(|error| later(&error)), saved }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _ = fs::remove_file(&self.body);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.body)?.write_all(bytes)
    }

    fn arguments(&self, is_packed: bool) -> Vec<OsString> {
        let Request { headers, timeout, ca_file, is_put, url, .. } = &self.request;
        let mut all: Vec<OsString> = vec!["-T".into(), timeout.0.div_ceil(1_000_000).to_string().into()];
        all.extend(["-Y", "off", "-O", "/dev/null"].map(OsString::from));
        all.push(format!("--user-agent={}", super::http::AGENT).into());
        all.extend(headers.iter().map(|(name, value)| format!("--header={name}: {value}").into()));
        if is_packed {
            all.push("--header=Content-Encoding: gzip".into());
        }
        all.extend(ca_file.iter().map(|path| format!("--ca-certificate={path}").into()));
        let mut body = OsString::from(if *is_put { "--body-file=" } else { "--post-file=" });
        body.push(&self.body);
        if *is_put {
            all.push("--method=PUT".into());
        }
        all.extend([body, url.into()]);
        all
    }

    fn fetch(&self, is_packed: bool) -> io::Result<Outcome> {
        let mut child = Command::new(PROGRAM)
            .args(self.arguments(is_packed))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let end = clock::now() + self.request.timeout + GRACE;
        // What it says fits into a pipe: some lines.
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if clock::now() >= end {
                child.kill()?;
                child.wait()?;
                return Ok(Outcome::Later(None, format!("{PROGRAM}: no answer in time")));
            }
            std::thread::sleep(PAUSE);
        };
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            stderr.take(4096).read_to_end(&mut said)?;
        }
        Ok(understood(status.code(), &String::from_utf8_lossy(&said)))
    }
}

/// What its end means. What it says has the address in it, which may be a secret, so only what is known is told on.
fn understood(code: Option<i32>, said: &str) -> Outcome {
    if code == Some(0) {
        return Outcome::Done;
    }
    let status = said.lines().find_map(|line| line.strip_prefix("HTTP error ")?.trim().parse().ok());
    if let Some(status) = status {
        return outcome(status, "", None, None);
    }
    let why = match code {
        Some(4) => "no connection, or it broke off",
        Some(5) => "the certificate is not believed",
        _ if said.contains("SSL support not available") => {
            "there is no TLS library: install libustream-mbedtls and ca-bundle"
        }
        _ => "failed",
    };
    Outcome::Later(None, format!("{PROGRAM}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_end_is_understood_and_the_address_is_told_nobody() {
        let later = |why: &str| Outcome::Later(None, format!("uclient-fetch: {why}"));
        let said = "Downloading 'https://a/SECRET'\nConnecting to 192.0.2.7:443\n";
        for (code, more, wanted) in [
            (0, "", Outcome::Done),
            (8, "HTTP error 400\n", Outcome::Refused("HTTP 400".into())),
            (8, "HTTP error 503\n", Outcome::Later(None, "HTTP 503".into())),
            (4, "Connection error: Connection failed\n", later("no connection, or it broke off")),
            (5, "Connection error: Invalid SSL certificate\n", later("the certificate is not believed")),
            (1, "", later("failed")),
        ] {
            assert_eq!(understood(Some(code), &format!("{said}{more}")), wanted, "{code}");
        }
    }

    #[test]
    fn arguments_are_a_list_that_no_shell_reads() {
        let request = Request {
            url: "https://a/b".into(),
            is_put: false,
            headers: vec![("X".into(), "$(reboot) 'a'".into())],
            gzip: true,
            timeout: Micros::ms(1500),
            ca_file: None,
        };
        let arguments = Fetch::new(request, "/run/body".into()).arguments(true);
        let wanted = [
            "-T",
            "2",
            "-Y",
            "off",
            "-O",
            "/dev/null",
            "--header=X: $(reboot) 'a'",
            "--post-file=/run/body",
            "https://a/b",
        ];
        for one in wanted {
            assert!(arguments.iter().any(|argument| argument == one), "{one}");
        }
    }
}
