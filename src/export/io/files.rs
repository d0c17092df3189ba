// SPDX-License-Identifier: Apache-2.0
//! Files: the configuration, secrets, and what we tell of ourselves.

use crate::export::config::Secret;
#[cfg(feature = "export-tls")]
use crate::export::limits::CERTIFICATES;
use crate::export::limits::SECRET;
use crate::io::files::{meaning, read_bounded};
use std::io;
use std::path::Path;

/// Why something failed, in words alone.
pub fn why(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => meaning(number),
        None => error.to_string(),
    }
}

/// A file of certificates, which may be larger than a configuration.
///
/// # Errors
/// What is wrong with it, with its name.
#[cfg(feature = "export-tls")]
pub fn certificates(path: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let mut pem = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(CERTIFICATES as u64 + 1).read_to_end(&mut pem))
        .map_err(|error| format!("cannot read {path}: {}", why(&error)))?;
    if read > CERTIFICATES {
        return Err(format!(
            "{path} is larger than {} KiB, so it is not only certificates",
            CERTIFICATES / 1024
        ));
    }
    Ok(pem)
}

/// A file as text.
///
/// # Errors
/// What is wrong with it, with its name.
pub fn text(path: &str) -> Result<String, String> {
    let told = |why: String| format!("cannot read {path}: {why}");
    let bytes = read_bounded(Path::new(path)).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::PermissionDenied => "; user weir must be able to: chgrp weir FILE; chmod 640 FILE",
            _ => "",
        };
        told(format!("{}{help}", why(&error)))
    })?;
    String::from_utf8(bytes).map_err(|_| told("it is not text (UTF-8)".into()))
}

/// What a secret is.
///
/// # Errors
/// Its file cannot be read, or holds no secret.
pub fn secret(secret: &Secret) -> Result<Option<String>, String> {
    match secret {
        Secret::None => Ok(None),
        Secret::Text(text) => Ok(Some(text.clone())),
        Secret::File(path) => {
            let text = text(path)?;
            let line = text.trim();
            if line.is_empty() || line.len() > SECRET || line.chars().any(char::is_control) {
                return Err(format!("{path} is not one line with a secret in it"));
            }
            Ok(Some(line.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_file_is_one_line_and_is_never_quoted() {
        let path = std::env::temp_dir().join(format!("weir-secret-{}", std::process::id()));
        let name = path.to_string_lossy().into_owned();
        let of = |text: &str| {
            std::fs::write(&path, text).expect("written");
            secret(&Secret::File(name.clone()))
        };
        assert_eq!(of(" hush\n"), Ok(Some("hush".into())));
        for text in ["", "\n", "hush\nhush", &"hush".repeat(2000)] {
            let why = of(text).expect_err("no secret");
            assert!(!why.contains("hush"), "{why}");
        }
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(
            secret(&Secret::File(name.clone())),
            Err(format!("cannot read {name}: No such file or directory"))
        );
    }
}
