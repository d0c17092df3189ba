// SPDX-License-Identifier: Apache-2.0
//! A JSON writer: just enough for reports, into anything that takes text.

use crate::scribe::{Scribe, Shape};
use core::fmt::{self, Display, Write};

/// Writes one JSON document, putting commas where they belong.
pub struct Json<'a> {
    out: &'a mut dyn Write,
    needs_comma: bool,
    /// A bit for each thing that is open, the innermost lowest: whether it is an array. No document is 32 deep.
    arrays: u32,
    result: fmt::Result,
}

impl<'a> Json<'a> {
    /// Begins a document.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, needs_comma: false, arrays: 0, result: Ok(()) }
    }

    /// Ends it.
    ///
    /// # Errors
    /// The writer's.
    pub fn end(self) -> fmt::Result {
        self.result
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.result = self.result.and_then(|()| self.out.write_fmt(text));
    }

    fn key(&mut self, key: &str) {
        if core::mem::replace(&mut self.needs_comma, true) {
            self.put(format_args!(","));
        }
        if !key.is_empty() {
            self.quoted(&key);
            self.put(format_args!(":"));
        }
    }

    fn quoted(&mut self, value: &dyn Display) {
        self.put(format_args!("\""));
        self.result = self.result.and_then(|()| write!(Escaped(self.out), "{value}"));
        self.put(format_args!("\""));
    }

    /// Writes `key: value` of what looks in JSON as it does anywhere.
    pub fn plain(&mut self, key: &str, value: &dyn Display) {
        self.key(key);
        self.put(format_args!("{value}"));
    }
}

impl Scribe for Json<'_> {
    fn text(&mut self, key: &str, value: &dyn Display) {
        self.key(key);
        self.quoted(value);
    }

    fn count(&mut self, key: &str, value: u64) {
        self.plain(key, &value);
    }

    fn number(&mut self, key: &str, value: i64) {
        self.plain(key, &value);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.plain(key, &value);
    }

    fn null(&mut self, key: &str) {
        self.plain(key, &"null");
    }

    fn open(&mut self, key: &str, shape: Shape) {
        let is_array = shape == Shape::Array;
        self.plain(key, if is_array { &"[" } else { &"{" });
        self.arrays = self.arrays << 1 | u32::from(is_array);
        self.needs_comma = false;
    }

    fn close(&mut self) {
        self.needs_comma = false;
        self.put(format_args!("{}", if self.arrays & 1 == 1 { "]" } else { "}" }));
        self.arrays >>= 1;
        self.needs_comma = true;
    }
}

/// What stands between quotes.
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' => self.0.write_str("\\\"")?,
                '\\' => self.0.write_str("\\\\")?,
                c if (c as u32) < 0x20 => write!(self.0, "\\u{:04x}", c as u32)?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn commas_and_quotes_stand_where_json_wants_them() {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |json| {
            json.text("name", &"a\"b\\c\n");
            json.open("list", Shape::Array);
            json.number("", -1);
            json.table("", |json| json.flag("x", true));
            json.open("", Shape::Array);
            json.close();
            json.tables("", &[1, 2], |json, n| json.count("n", *n));
            json.close();
            json.maybe_count("none", None);
        });
        assert_eq!(json.end(), Ok(()));
        assert_eq!(
            out,
            r#"{"name":"a\"b\\c\u000a","list":[-1,{"x":true},[],[{"n":1},{"n":2}]],"none":null}"#
        );
    }
}
