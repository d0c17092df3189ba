// SPDX-License-Identifier: Apache-2.0
//! A JSON writer: just enough for reports, into anything that takes text.

use core::fmt::{self, Write};

/// Writes one JSON document, putting commas where they belong.
pub struct Json<'a, W: Write> {
    out: &'a mut W,
    needs_comma: bool,
}

impl<'a, W: Write> Json<'a, W> {
    /// Begins a document.
    pub fn new(out: &'a mut W) -> Self {
        Self { out, needs_comma: false }
    }

    fn separate(&mut self) -> fmt::Result {
        if core::mem::replace(&mut self.needs_comma, true) { self.out.write_char(',') } else { Ok(()) }
    }

    fn key(&mut self, key: &str) -> fmt::Result {
        self.separate()?;
        if key.is_empty() {
            return Ok(());
        }
        text(self.out, key)?;
        self.out.write_char(':')
    }

    /// Writes `key: value` of a number or boolean; in an array the key is empty.
    pub fn plain(&mut self, key: &str, value: impl fmt::Display) -> fmt::Result {
        self.key(key)?;
        write!(self.out, "{value}")
    }

    /// Writes `key: "value"`.
    pub fn text(&mut self, key: &str, value: &str) -> fmt::Result {
        self.key(key)?;
        text(self.out, value)
    }

    /// Writes `key: value`, or `null`.
    pub fn maybe(&mut self, key: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        match value {
            Some(value) => self.plain(key, value),
            None => self.plain(key, "null"),
        }
    }

    /// Writes `key: {…}`.
    pub fn object(&mut self, key: &str, inside: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        self.nest(key, '{', inside, '}')
    }

    /// Writes `key: […]`.
    pub fn array(&mut self, key: &str, inside: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        self.nest(key, '[', inside, ']')
    }

    fn nest(
        &mut self,
        key: &str,
        open: char,
        inside: impl FnOnce(&mut Self) -> fmt::Result,
        close: char,
    ) -> fmt::Result {
        self.key(key)?;
        self.out.write_char(open)?;
        self.needs_comma = false;
        inside(self)?;
        self.needs_comma = true;
        self.out.write_char(close)
    }
}

fn text(out: &mut impl Write, value: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            c if (c as u32) < 0x20 => write!(out, "\\u{:04x}", c as u32)?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn commas_and_quotes_stand_where_json_wants_them() {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        json.object("", |json| {
            json.text("name", "a\"b\\c\n")?;
            json.array("list", |json| {
                json.plain("", 1)?;
                json.object("", |json| json.plain("x", true))?;
                json.array("", |_| Ok(()))
            })?;
            json.maybe("none", None::<u8>)
        })
        .expect("a String takes everything");
        assert_eq!(out, r#"{"name":"a\"b\\c\u000a","list":[1,{"x":true},[]],"none":null}"#);
    }
}
