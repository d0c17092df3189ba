// SPDX-License-Identifier: Apache-2.0
//! A document as values in values, whether it came as JSON or as fields of the bus.
//!
//! RFC 8259, with whole numbers alone: what the daemon tells has no others. A fraction is cut off.

use super::limits::DEPTH;
use crate::ubus::{Fields, Value};
use alloc::string::String;
use alloc::vec::Vec;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Nothing, or what is not understood.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// Values without names.
    List(Vec<Tree>),
    /// Values with names, in their order.
    Table(Vec<(String, Tree)>),
}

static NULL: Tree = Tree::Null;

impl Tree {
    /// What has this name in a table; [`Tree::Null`] if there is none.
    pub fn get(&self, name: &str) -> &Tree {
        match self {
            Self::Table(fields) => {
                fields.iter().rfind(|(key, _)| key == name).map_or(&NULL, |(_, value)| value)
            }
            _ => &NULL,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number that is not negative; yes is 1.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Flag(flag) => Some(u64::from(*flag)),
            _ => None,
        }
    }

    /// The values of a list; of anything else none.
    pub fn list(&self) -> &[Tree] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    /// The fields of a table; of anything else none.
    pub fn table(&self) -> &[(String, Tree)] {
        match self {
            Self::Table(fields) => fields,
            _ => &[],
        }
    }

    /// From fields of the bus.
    pub fn of_fields(fields: Fields<'_>) -> Self {
        Self::Table(fields.map(|field| (field.name.into(), Self::of_value(field.value, DEPTH))).collect())
    }

    fn of_value(value: Value<'_>, depth: usize) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.into()),
            Value::Number(number) => Self::Number(number),
            Value::Flag(flag) => Self::Flag(flag),
            Value::Table(fields) if depth > 0 => Self::Table(
                fields.map(|field| (field.name.into(), Self::of_value(field.value, depth - 1))).collect(),
            ),
            Value::Array(fields) if depth > 0 => {
                Self::List(fields.map(|field| Self::of_value(field.value, depth - 1)).collect())
            }
            Value::Null | Value::Table(_) | Value::Array(_) | Value::Double(_) | Value::Malformed => {
                Self::Null
            }
        }
    }

    /// From JSON.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    pub fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(DEPTH).map_err(|why| (parser.at, why))?;
        parser.blank();
        if parser.at < text.len() { Err((parser.at, "something stands behind the end")) } else { Ok(value) }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte if it is the next that is not blank.
    fn takes(&mut self, byte: u8) -> bool {
        self.blank();
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn word(&mut self, word: &str, value: Tree) -> Result<Tree, &'static str> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err("no JSON value begins like this");
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Tree, &'static str> {
        let inside = depth.checked_sub(1).ok_or("too many values in each other")?;
        self.blank();
        match self.peek().ok_or("a value is missing")? {
            b'n' => self.word("null", Tree::Null),
            b't' => self.word("true", Tree::Flag(true)),
            b'f' => self.word("false", Tree::Flag(false)),
            b'"' => self.quoted().map(Tree::Text),
            b'[' => {
                self.at += 1;
                let mut values = Vec::new();
                if self.takes(b']') {
                    return Ok(Tree::List(values));
                }
                loop {
                    values.push(self.value(inside)?);
                    if self.takes(b']') {
                        return Ok(Tree::List(values));
                    }
                    if !self.takes(b',') {
                        return Err("a comma or ] is missing");
                    }
                }
            }
            b'{' => {
                self.at += 1;
                let mut fields = Vec::new();
                if self.takes(b'}') {
                    return Ok(Tree::Table(fields));
                }
                loop {
                    self.blank();
                    if self.peek() != Some(b'"') {
                        return Err("a name in quotes is missing");
                    }
                    let name = self.quoted()?;
                    if !self.takes(b':') {
                        return Err("a colon is missing");
                    }
                    fields.push((name, self.value(inside)?));
                    if self.takes(b'}') {
                        return Ok(Tree::Table(fields));
                    }
                    if !self.takes(b',') {
                        return Err("a comma or } is missing");
                    }
                }
            }
            _ => self.number(),
        }
    }

    fn digits(&mut self) -> Result<&str, &'static str> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let digits = self.text.get(from..self.at).unwrap_or_default();
        if digits.is_empty() { Err("no JSON value begins like this") } else { Ok(digits) }
    }

    fn number(&mut self) -> Result<Tree, &'static str> {
        let from = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let digits = self.digits()?;
        if digits.len() > 1 && digits.starts_with('0') {
            return Err("a number begins with 0");
        }
        let whole = self.text.get(from..self.at).unwrap_or_default().parse().ok();
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut is_whole = true;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // What is too large, or written with an exponent, is not one of the daemon's.
        Ok(whole.filter(|_| is_whole).map_or(Tree::Null, Tree::Number))
    }

    fn quoted(&mut self) -> Result<String, &'static str> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let c = rest.chars().next().ok_or("a closing quote is missing")?;
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escaped()?),
                c if c < ' ' => return Err("a control character stands in a text"),
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, &'static str> {
        let c = self.peek().ok_or("a closing quote is missing")?;
        self.at += 1;
        Ok(match c {
            b'"' | b'\\' | b'/' => char::from(c),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or('\u{fffd}'));
                }
                if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u")) {
                    return Ok('\u{fffd}');
                }
                self.at += 2;
                let second = self.hex()?.wrapping_sub(0xdc00);
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second & 0x3ff))
                    .filter(|_| second < 0x400)
                    .unwrap_or('\u{fffd}')
            }
            _ => return Err("there is no such escape"),
        })
    }

    fn hex(&mut self) -> Result<u32, &'static str> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        number.ok_or("four hexadecimal digits are missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let tree = Tree::parse(
            r#" {"a":[1,-2,3.9,1e3,99999999999999999999],"b":{"c":null,"d":true},"e":"\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00 ü","e2":"","a2":[],"t":{}} "#,
        )
        .expect("JSON");
        assert_eq!(
            tree.get("a").list(),
            [Tree::Number(1), Tree::Number(-2), Tree::Number(3), Tree::Null, Tree::Null]
        );
        assert_eq!(tree.get("e").text(), Some("\"\\/\u{8}\u{c}\n\r\tü😀 ü"));
        assert_eq!((tree.get("b").get("d").count(), tree.get("b").get("c")), (Some(1), &Tree::Null));
        assert_eq!(
            (tree.get("a2").list(), tree.get("t").table(), tree.get("zebra")),
            (&[][..], &[][..], &Tree::Null)
        );
    }

    #[test]
    fn what_is_no_json_is_refused_and_says_where() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            (r#"{"a"}"#, 4),
            (r#"{"a":1,}"#, 7),
            ("[1 2]", 3),
            ("01", 2),
            ("1 2", 2),
            ("\"a", 2),
            ("\"a\nb\"", 3),
            (r#""\x""#, 3),
            (r#""\u12g4""#, 7),
            ("nul", 0),
            ("-", 1),
            ("1.", 2),
        ] {
            assert_eq!(Tree::parse(text).map_err(|(at, _)| at), Err(at), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Tree::parse(&deep).map_err(|(_, why)| why), Err("too many values in each other"));
        for lone in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#] {
            assert_eq!(Tree::parse(lone), Ok(Tree::Text("\u{fffd}".into())), "{lone}");
        }
    }
}
