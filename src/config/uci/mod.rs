// SPDX-License-Identifier: Apache-2.0
//! The grammar of UCI files, as strict as libuci reads them: text in, sections and options out, nothing understood yet.
//!
//! `words` cuts lines into words, this file knows the three commands, `print` writes packages as the `uci` tool does.
//! The verdicts of the real tool are in `tests/uci`.

mod print;
mod words;

pub use print::{export, show};

use crate::limits;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use words::Words;

/// A file's sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// In the order of the file; a repeated section stands where it stood first.
    pub sections: Vec<Section>,
}

/// `config KIND 'NAME'` and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its type.
    pub kind: String,
    /// Its name; a generated one (`cfg01e48a`) if it has none.
    pub name: String,
    /// Whether the name is generated.
    pub is_anonymous: bool,
    /// The line it begins in.
    pub line: u32,
    /// Each once, where it stood first.
    pub options: Vec<Opt>,
}

/// One option of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    /// Its name.
    pub name: String,
    /// What it was last set to.
    pub value: Value,
    /// The line it was last set in.
    pub line: u32,
}

/// What an option holds. UCI allows any bytes but NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `option NAME 'VALUE'`.
    Text(Vec<u8>),
    /// `list NAME 'VALUE'`, once or more.
    List(Vec<Vec<u8>>),
}

impl Section {
    /// The option of this name.
    pub fn option(&self, name: &str) -> Option<&Opt> {
        self.options.iter().find(|option| option.name == name)
    }
}

impl Value {
    /// The value of an option, or the last entry of a list; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        let bytes = match self {
            Self::Text(bytes) => bytes,
            Self::List(entries) => entries.last()?,
        };
        core::str::from_utf8(bytes).ok()
    }
}

/// Why libuci would refuse the file, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// In libuci's words.
    pub reason: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The byte in libuci's buffer.
    pub byte: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parse error ({}) at line {}, byte {}", self.reason, self.line, self.byte)
    }
}

/// Reads a file.
///
/// # Errors
/// What libuci would say; a file larger than [`limits::CONFIG_BYTES`] is refused before it is read.
pub fn parse(bytes: &[u8]) -> Result<Package, ParseError> {
    if bytes.len() > limits::CONFIG_BYTES {
        return Err(ParseError { reason: "file too large for a configuration", line: 0, byte: bytes.len() });
    }
    let mut parser = Parser {
        words: Words::new(bytes),
        package: Package::default(),
        by_name: BTreeMap::new(),
        current: None,
    };
    while parser.words.next_line() {
        let result = if parser.words.is_empty() { Ok(()) } else { parser.line() };
        result.map_err(|reason| ParseError { reason, line: parser.words.line, byte: parser.words.pos })?;
    }
    Ok(parser.package)
}

/// A package being read.
struct Parser<'a> {
    words: Words<'a>,
    package: Package,
    /// Sections by name, so that a hostile file costs no more than it weighs.
    by_name: BTreeMap<String, usize>,
    /// The section options go to, and its options by name.
    current: Option<(usize, BTreeMap<String, usize>)>,
}

impl Parser<'_> {
    fn line(&mut self) -> Result<(), &'static str> {
        self.words.skip_space();
        loop {
            let Some(word) = self.words.command() else { return Ok(()) };
            match word {
                [b'#', ..] => return Ok(()),
                b"p" | b"package" => self.package()?,
                b"c" | b"config" => self.config()?,
                b"o" | b"option" => self.option(false)?,
                b"l" | b"list" => self.option(true)?,
                _ => return Err("invalid command"),
            }
        }
    }

    /// `package NAME`: checked, and otherwise without effect, for the file's name rules.
    fn package(&mut self) -> Result<(), &'static str> {
        self.words.skip_command().ok_or("package without name")?;
        self.name(true)?;
        self.end()
    }

    fn config(&mut self) -> Result<(), &'static str> {
        self.words.skip_command().ok_or("config without name")?;
        let kind = self.words.word()?;
        if self.words.text(kind).is_empty() {
            return Err("insufficient arguments");
        }
        if !self.words.text(kind).iter().all(|byte| (33..=126).contains(byte)) {
            return Err("invalid character in type field");
        }
        let name = self.words.word()?;
        if !self.words.text(name).iter().all(|byte| is_name_byte(*byte, false)) {
            return Err("invalid character in name field");
        }
        self.end()?;
        let (kind, name) = (ascii(self.words.text(kind)), ascii(self.words.text(name)));
        let at = match self.by_name.get(&name).copied().filter(|_| !name.is_empty()) {
            Some(at) => {
                if self.package.sections.get(at).is_some_and(|section| section.kind != kind) {
                    return Err("section of different type overwrites prior section with same name");
                }
                at
            }
            None => self.add_section(kind, name),
        };
        let options =
            self.package.sections.get(at).map(|section| section.options.as_slice()).unwrap_or_default();
        let by_name = options.iter().enumerate().map(|(n, option)| (option.name.clone(), n)).collect();
        self.current = Some((at, by_name));
        Ok(())
    }

    fn add_section(&mut self, kind: String, name: String) -> usize {
        let at = self.package.sections.len();
        let is_anonymous = name.is_empty();
        let name = if is_anonymous { generated_name(at + 1, &kind) } else { name };
        // Of two sections of one name the first is found, as in libuci's list.
        self.by_name.entry(name.clone()).or_insert(at);
        let line = self.words.line_for_people();
        self.package.sections.push(Section { kind, name, is_anonymous, line, options: Vec::new() });
        at
    }

    fn option(&mut self, is_list: bool) -> Result<(), &'static str> {
        if self.current.is_none() {
            return Err("option/list command found before the first section");
        }
        self.words.skip_command().ok_or("option without name")?;
        let name = self.name(false)?;
        let value = self.words.word()?;
        self.end()?;
        let (name, value) = (ascii(self.words.text(name)), self.words.text(value).to_vec());
        let line = self.words.line_for_people();
        let Some((at, by_name)) = &mut self.current else { return Ok(()) };
        let Some(section) = self.package.sections.get_mut(*at) else { return Ok(()) };
        let old = by_name.get(&name).and_then(|n| section.options.get_mut(*n));
        match (old, is_list) {
            // An option without a value sets nothing and takes nothing away.
            (_, false) if value.is_empty() => {}
            (Some(old), false) => (old.value, old.line) = (Value::Text(value), line),
            (Some(old), true) => {
                old.line = line;
                match &mut old.value {
                    Value::List(entries) => entries.push(value),
                    Value::Text(first) => {
                        let first = core::mem::take(first);
                        old.value = Value::List(alloc::vec![first, value]);
                    }
                }
            }
            (None, _) => {
                by_name.insert(name.clone(), section.options.len());
                let value = if is_list { Value::List(alloc::vec![value]) } else { Value::Text(value) };
                section.options.push(Opt { name, value, line });
            }
        }
        Ok(())
    }

    /// The place of a word that must be a name.
    fn name(&mut self, is_package: bool) -> Result<usize, &'static str> {
        let name = self.words.word()?;
        match self.words.text(name) {
            [] => Err("insufficient arguments"),
            text if !text.iter().all(|byte| is_name_byte(*byte, is_package)) => {
                Err("invalid character in name field")
            }
            _ => Ok(name),
        }
    }

    /// Nothing may follow but the end of the line or of the command.
    fn end(&mut self) -> Result<(), &'static str> {
        let extra = self.words.word()?;
        if self.words.text(extra).is_empty() { Ok(()) } else { Err("too many arguments") }
    }
}

fn is_name_byte(byte: u8, is_package: bool) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || (is_package && byte == b'-')
}

/// Text that has been checked to be ASCII.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The name of an anonymous section: the number of sections so far, then a hash of its type (djb2, signed bytes).
fn generated_name(count: usize, kind: &str) -> String {
    let hash = kind.bytes().fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte as i8 as u32));
    format!("cfg{count:02x}{:04x}", hash & 0xffff)
}
