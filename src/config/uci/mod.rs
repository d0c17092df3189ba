// SPDX-License-Identifier: Apache-2.0
//! The grammar of UCI files, as strict as libuci reads them: text in, sections and options out, nothing understood yet.
//!
//! `words` cuts lines into words, this file knows the three commands, `print` writes packages as the `uci` tool does.
//! The verdicts of the real tool are in `tests/uci`.

mod print;
mod words;

pub use print::{export, show};

use crate::index::{self, Index};
use crate::limits;
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
    /// The line in which it was last opened again; 0: it was not.
    pub again: u32,
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
    /// The line of a value that one put in its place; 0: none.
    pub earlier: u32,
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
    /// The newlines libuci had read: one too few in a last line without one, and where a quote that is never closed ends.
    pub line: u32,
    /// The byte in libuci's buffer.
    pub byte: usize,
    /// The line, from 1, the refused command begins in; 0 for the whole file.
    pub begins: u32,
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
        let reason = "file too large for a configuration";
        return Err(ParseError { reason, line: 0, byte: bytes.len(), begins: 0 });
    }
    let mut parser = Parser::new(bytes);
    match parser.file() {
        Ok(()) => Ok(parser.package),
        Err(reason) => {
            let Words { line, pos: byte, .. } = parser.words;
            Err(ParseError { reason, line, byte, begins: parser.line })
        }
    }
}

/// In place of a section's number: where the section itself is.
const SECTIONS: usize = usize::MAX;

/// The key of what has this name in a section.
fn key(section: usize, name: &str) -> Vec<u8> {
    let mut key = index::key([section as u32].into_iter());
    key.extend(name.as_bytes());
    key
}

/// A package being read.
struct Parser<'a> {
    words: Words<'a>,
    package: Package,
    /// Where sections and options are, so that a hostile file costs no more than it weighs: a section may be opened
    /// again at every line.
    places: Index,
    /// The section options go to.
    current: Option<usize>,
    /// The line the command at hand begins in.
    line: u32,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            words: Words::new(bytes),
            package: Package::default(),
            places: Index::default(),
            current: None,
            line: 0,
        }
    }

    fn file(&mut self) -> Result<(), &'static str> {
        loop {
            self.line = self.words.line + 1;
            if !self.words.next_line()? {
                return Ok(());
            }
            if !self.words.is_empty() {
                self.line()?;
            }
        }
    }

    fn line(&mut self) -> Result<(), &'static str> {
        self.words.skip_space();
        loop {
            self.line = self.words.line_for_people();
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
        let known = self.places.get(&key(SECTIONS, &name));
        let at = match known.filter(|_| !name.is_empty()) {
            Some(at) => {
                let at = at as usize;
                if self.package.sections.get(at).is_some_and(|section| section.kind != kind) {
                    return Err("section of different type overwrites prior section with same name");
                }
                if let Some(section) = self.package.sections.get_mut(at) {
                    section.again = self.line;
                }
                at
            }
            None => self.add_section(kind, name),
        };
        self.current = Some(at);
        Ok(())
    }

    fn add_section(&mut self, kind: String, name: String) -> usize {
        let at = self.package.sections.len();
        let is_anonymous = name.is_empty();
        let name = if is_anonymous { generated_name(at + 1, &kind) } else { name };
        // Of two sections of one name the first is found, as in libuci's list.
        self.places.add(key(SECTIONS, &name), at as u32);
        let line = self.line;
        self.package.sections.push(Section { kind, name, is_anonymous, line, again: 0, options: Vec::new() });
        at
    }

    fn option(&mut self, is_list: bool) -> Result<(), &'static str> {
        let Some(at) = self.current else {
            return Err("option/list command found before the first section");
        };
        self.words.skip_command().ok_or("option without name")?;
        let name = self.name(false)?;
        let value = self.words.word()?;
        self.end()?;
        let (name, value) = (ascii(self.words.text(name)), self.words.text(value).to_vec());
        let Some(section) = self.package.sections.get_mut(at) else { return Ok(()) };
        let key = key(at, &name);
        let old = self.places.get(&key).and_then(|n| section.options.get_mut(n as usize));
        match (old, is_list) {
            // An option without a value sets nothing and takes nothing away.
            (_, false) if value.is_empty() => {}
            (Some(old), false) => {
                *old = Opt { name, value: Value::Text(value), line: self.line, earlier: old.line };
            }
            (Some(old), true) => {
                old.line = self.line;
                match &mut old.value {
                    Value::List(entries) => entries.push(value),
                    Value::Text(first) => {
                        let first = core::mem::take(first);
                        old.value = Value::List(alloc::vec![first, value]);
                    }
                }
            }
            (None, _) => {
                self.places.add(key, section.options.len() as u32);
                let value = if is_list { Value::List(alloc::vec![value]) } else { Value::Text(value) };
                section.options.push(Opt { name, value, line: self.line, earlier: 0 });
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// What `uci show` would print, or the error.
    fn verdict(bytes: &[u8]) -> String {
        match parse(bytes) {
            Ok(package) => {
                let mut out = Vec::new();
                show(&package, "t", false, &mut out);
                String::from_utf8(out).expect("the inputs here are text")
            }
            Err(error) => format!("{error}"),
        }
    }

    #[test]
    fn odd_lines_get_the_real_tools_verdict() {
        // Recorded with `uci show t` of libuci 66127cd.
        let verdicts: [(&[u8], &str); 44] = [
            (b"config a b;\n option c d", "t.b=a\nt.b.c='d'\n"),
            (b"config a 'b'; option c d; option e f\n", "t.b=a\nt.b.c='d'\n"),
            (
                b"config a b ; option c d ; option e 'f';option g h\n",
                "t.b=a\nt.b.c='d'\nt.b.e='f'\nt.b.g='h'\n",
            ),
            (b"config a b\n option c 'x\ny", "Parse error (EOF with unterminated ') at line 2, byte 14"),
            (b"config a b\n option c \"x\ny\n", "Parse error (EOF with unterminated \") at line 3, byte 15"),
            (b"config a b\n option c 'd' 'e\n'\n", "Parse error (too many arguments) at line 3, byte 19"),
            (b"config a b\n option c d ''\n", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\n option c d '' e\n", "Parse error (invalid command) at line 2, byte 15"),
            (b"config a b\n option c 'd''e'\\\nf\n", "t.b=a\nt.b.c='def'\n"),
            (b"config a b\n option c d\\", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\n option '' d\n", "Parse error (insufficient arguments) at line 2, byte 11"),
            (
                b"config a b\n option c-d e\n",
                "Parse error (invalid character in name field) at line 2, byte 12",
            ),
            (b"config a b\n option\n", "Parse error (invalid command) at line 2, byte 1"),
            (b"config a b\n option \n", "Parse error (insufficient arguments) at line 2, byte 9"),
            (b"config a b\n option\0 c d\n", "Parse error (option without name) at line 1, byte 1"),
            (
                b"option a b\n",
                "Parse error (option/list command found before the first section) at line 1, byte 0",
            ),
            (b"config '' a\n", "Parse error (insufficient arguments) at line 1, byte 10"),
            (b"config a '' ''\n", "t.@a[0]=a\n"),
            (
                b"config a b\nconfig c 'b'\n",
                "Parse error (section of different type overwrites prior section with same name) at line 2, byte 13",
            ),
            (
                b"config a\nconfig a cfg01e48a\n option x y\nconfig a\n",
                "t.@a[0]=a\nt.cfg01e48a=a\nt.cfg01e48a.x='y'\nt.@a[2]=a\n",
            ),
            (b"config a b\n option c 1\n list c 2\n", "t.b=a\nt.b.c='1' '2'\n"),
            (b"config a b\n list c 1\n option c 2\n", "t.b=a\nt.b.c='2'\n"),
            (b"config a b\n option c 1\n option c ''\n", "t.b=a\nt.b.c='1'\n"),
            (b"config a b\n list c\n list c ''\n", "t.b=a\nt.b.c='' ''\n"),
            (b"config a b\n option c d#e 'f'\n", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\n option c '#'\"#\"\\#\n", "t.b=a\nt.b.c='###'\n"),
            (b"\xef\xbb\xbfconfig a b\n", "Parse error (invalid command) at line 1, byte 0"),
            (b"config a b\n option c d\0e f\n", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\r\n option c \"d\\\r\ne\"\r\n", "t.b=a\nt.b.c='de'\n"),
            (b"config a\\\nb c\n", "t.c=ab\n"),
            (b"config a\xc3\xa4 b\n", "Parse error (invalid character in type field) at line 1, byte 11"),
            (b"package a.b\n", "Parse error (invalid character in name field) at line 1, byte 12"),
            (b"package a-b c\n", "Parse error (too many arguments) at line 1, byte 14"),
            (b"config a b\n\x0b option c d\n", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\n option\x0bc d\n", "Parse error (invalid command) at line 2, byte 1"),
            (b"config a b\n option c \\\n d\n", "Parse error (too many arguments) at line 3, byte 14"),
            (b"conf a\n", "Parse error (invalid command) at line 1, byte 0"),
            (b" \t \n#x\n", ""),
            (b"config a b # c\n option d e # f\n", "t.b=a\nt.b.d='e'\n"),
            (b"config a b\n option c ;d\n", "Parse error (too many arguments) at line 2, byte 13"),
            (b"config a b\n;\n", "Parse error (invalid command) at line 2, byte 0"),
            (b"config a b\n; option c d\n", "Parse error (invalid command) at line 2, byte 0"),
            (b"config a b\n option c d;; option e f\n", "t.b=a\nt.b.c='d'\n"),
            (b"config a b\n option c 'd';; option e f\n", "Parse error (invalid command) at line 2, byte 14"),
        ];
        for (input, expected) in verdicts {
            assert_eq!(verdict(input), expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn every_section_and_option_knows_the_line_its_command_begins_in() {
        let file = b"# c\nconfig a b\n option c 'x\ny\nz'\n list d 1\n\nconfig a\nconfig a b\n list d 2\n option c 3";
        let package = parse(file).expect("a good file");
        let lines: Vec<_> = package
            .sections
            .iter()
            .map(|section| {
                (section.line, section.options.iter().map(|option| option.line).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(lines, [(2, alloc::vec![11, 10]), (8, alloc::vec![])]);
    }

    #[test]
    fn a_refused_command_is_told_apart_by_the_line_it_begins_in() {
        for (file, begins) in [
            ("bad", 1),
            ("# c\nbad\n", 2),
            ("config a\n option b 'c\nd\n\n", 2),
            ("config a\n option b \"c\nd\" e", 2),
            ("config a 'b\n'; bad", 1),
        ] {
            assert_eq!(parse(file.as_bytes()).map_err(|error| error.begins), Err(begins), "{file:?}");
        }
    }

    #[test]
    fn more_than_a_configuration_can_hold_is_refused() {
        let mut file = alloc::vec![b'\n'; limits::CONFIG_BYTES];
        assert_eq!(parse(&file), Ok(Package::default()));
        file.push(b'\n');
        let error = parse(&file).expect_err("one byte too many");
        assert_eq!(error.reason, "file too large for a configuration");
    }

    #[test]
    fn lines_that_end_in_a_nul_double_the_buffer_only_as_often_as_libuci_can() {
        let file = |lines| b"#a\0\n".repeat(lines);
        assert_eq!(parse(&file(25)), Ok(Package::default()));
        assert_eq!(parse(&file(80)).map_err(|error| error.reason), Err("too many NUL bytes"));
    }

    #[test]
    fn a_section_opened_at_every_line_costs_no_more_than_it_weighs() {
        let mut file = b"c a x\n".to_vec();
        for n in 0..13_000 {
            file.extend(format!("o a{n} 1\n").bytes());
        }
        file.extend(b"c a x\n".repeat((limits::CONFIG_BYTES - file.len()) / 6));
        let start = Instant::now();
        assert!(parse(&file).is_ok());
        // 0.05 s where quadratic was 20 s.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    struct Xorshift(u64);

    impl Xorshift {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 20) as usize % n
        }

        fn name(&mut self) -> String {
            ["a", "b", "0", "_x", "cfg01e48a", "cfg02e48b", "long_long_long_long_long_long_long"]
                [self.below(7)]
            .into()
        }

        fn value(&mut self) -> Vec<u8> {
            let bytes = b"'\"\\;# \t\r\n\x0b\x01\xff\xc3ab";
            (0..self.below(40)).map(|_| bytes[self.below(bytes.len())]).collect()
        }

        fn section(&mut self, count: usize) -> Section {
            let kind: String = ["a", "b", "a-b.c", "@x[0]"][self.below(4)].into();
            let is_anonymous = self.below(2) == 0;
            let name = if is_anonymous { generated_name(count, &kind) } else { format!("n{count}") };
            let mut options: Vec<Opt> = Vec::new();
            for _ in 0..self.below(6) {
                let name = self.name();
                if options.iter().any(|option| option.name == name) {
                    continue;
                }
                let value = match self.below(2) {
                    0 => Value::List((0..1 + self.below(4)).map(|_| self.value()).collect()),
                    _ => Value::Text([b"x".to_vec(), self.value()].concat()),
                };
                options.push(Opt { name, value, line: 0, earlier: 0 });
            }
            Section { kind, name, is_anonymous, line: 0, again: 0, options }
        }
    }

    #[test]
    fn what_is_exported_reads_as_the_same_package() {
        let mut random = Xorshift(0x5eed);
        for _ in 0..5_000 {
            let package = Package { sections: (1..=random.below(8)).map(|n| random.section(n)).collect() };
            let mut exported = Vec::new();
            export(&package, "t", &mut exported);
            let mut read = parse(&exported).expect("an export is a good file");
            for section in &mut read.sections {
                section.line = 0;
                section.options.iter_mut().for_each(|option| option.line = 0);
            }
            assert_eq!(read, package, "{}", exported.escape_ascii());
        }
    }
}
