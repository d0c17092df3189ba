// SPDX-License-Identifier: Apache-2.0
//! HTTP by `ureq`: one connection that is kept, a limit for everything, and no redirect is ever followed.

use super::files::why;
use super::outlet::Attempt;
use crate::export::gzip;
use crate::export::limits::ANSWER;
use crate::export::web::{Outcome, outcome, retry_after, untrusted};
use crate::io::clock;
use crate::units::Micros;
use std::io::Read;
use std::time::Duration;
use ureq::Agent;
use ureq::http::HeaderMap;

/// How long a connection may take; the rest of the time is for the answer.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nobody uses: longer than most intervals, shorter than what firewalls forget.
const KEPT: Duration = Duration::from_secs(90);

/// Where Debian's ca-certificates and OpenWrt's ca-bundle are.
#[cfg(feature = "export-tls")]
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Somebody who is sent things.
pub struct Http {
    agent: Agent,
    request: Request,
}

/// What is always the same.
pub struct Request {
    /// The whole address.
    pub url: String,
    /// PUT in place of POST.
    pub is_put: bool,
    /// Headers, secrets among them.
    pub headers: Vec<(String, String)>,
    /// Whether large bodies are packed.
    pub gzip: bool,
    /// How long it may take.
    pub timeout: Micros,
    /// The file of certificates to believe.
    pub ca_file: Option<String>,
}

/// Who we say we are.
pub const AGENT: &str = concat!("weir-export/", env!("CARGO_PKG_VERSION"));

impl Http {
    /// Will send there.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(request: Request) -> Result<Self, String> {
        let timeout = Duration::from_micros(request.timeout.0);
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // What the environment says is nobody's choice here.
            .proxy(None)
            .user_agent(AGENT)
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(KEPT)
            .max_response_header_size(16 * 1024)
            .input_buffer_size(4 * 1024)
            .output_buffer_size(8 * 1024);
        #[cfg(feature = "export-tls")]
        let builder = builder.tls_config(tls(request.ca_file.as_deref())?);
        Ok(Self { agent: Agent::new_with_config(builder.build()), request })
    }

    /// Sends a body.
    pub fn send(&self, body: &str) -> Attempt {
        let packed = if self.request.gzip { gzip::pack(body.as_bytes()) } else { None };
        let bytes = packed.as_deref().unwrap_or(body.as_bytes());
        let saved = body.len() - bytes.len();
        let url = &self.request.url;
        let mut request = if self.request.is_put { self.agent.put(url) } else { self.agent.post(url) };
        for (name, value) in &self.request.headers {
            request = request.header(name, value);
        }
        if packed.is_some() {
            request = request.header("Content-Encoding", "gzip");
        }
        let outcome = match request.send(bytes) {
            Err(error) => Outcome::Later(None, told(&error, self.request.ca_file.as_deref())),
            Ok(mut response) => {
                // All of a short answer, so that the connection can be used again. An answer that breaks off has
                // said what counts before.
                let mut said = Vec::new();
                let _ = response.body_mut().as_reader().take(ANSWER as u64).read_to_end(&mut said);
                let headers = response.headers();
                let asked =
                    header(headers, "retry-after").and_then(|text| retry_after(text, clock::wall().0));
                let said = String::from_utf8_lossy(&said);
                outcome(response.status().as_u16(), &said, asked, header(headers, "location"))
            }
        };
        Attempt { outcome, saved }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Why there was no answer. No address is in it, as it may hold a secret.
fn told(error: &ureq::Error, ca_file: Option<&str>) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server hung up".into()
        }
        // What the system says has a number; without one it is said by TLS.
        ureq::Error::Io(error) if error.raw_os_error().is_none() => untrusted(&error.to_string(), ca_file),
        ureq::Error::Io(error) => why(error),
        ureq::Error::Timeout(what) => format!("no answer in time ({what})"),
        ureq::Error::HostNotFound => "nobody knows this host".into(),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            "the address or a header is not as HTTP wants it".into()
        }
        error => error.to_string(),
    }
}

/// Whose certificates are believed: those of the file, else the system's, else those that are built in.
#[cfg(feature = "export-tls")]
fn tls(ca_file: Option<&str>) -> Result<ureq::tls::TlsConfig, String> {
    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
    let system = Some(AUTHORITIES).filter(|path| std::path::Path::new(path).exists());
    let Some(path) = ca_file.or(system) else { return Ok(TlsConfig::default()) };
    let pem = super::files::certificates(path)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("{path} has no certificate in it (PEM)"));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}
