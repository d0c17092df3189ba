// SPDX-License-Identifier: Apache-2.0
//! Named and typed fields: arguments, answers, events. Reading them by borrowing.
//!
//! `blobmsg.h`: an extended attribute whose id is the type; its payload begins with the name, padded to four bytes.

use super::attr::{Attr, Attrs, text, word};

/// `enum blobmsg_type`.
pub(super) mod kind {
    pub(in super::super) const NULL: u8 = 0;
    pub(in super::super) const ARRAY: u8 = 1;
    pub(in super::super) const TABLE: u8 = 2;
    pub(in super::super) const STRING: u8 = 3;
    pub(in super::super) const INT64: u8 = 4;
    pub(in super::super) const INT32: u8 = 5;
    pub(in super::super) const INT16: u8 = 6;
    pub(in super::super) const INT8: u8 = 7;
    pub(in super::super) const DOUBLE: u8 = 8;
}

/// One field of a table, or one element of an array, which has no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing: JSON's null.
    Null,
    /// Fields without names.
    Array(Fields<'a>),
    /// Fields with names.
    Table(Fields<'a>),
    /// A text.
    Text(&'a str),
    /// A whole number of 16, 32 or 64 bits. The bus does not say whether it has a sign; JSON's numbers have one.
    Number(i64),
    /// Yes or no, which is all that a number of eight bits is used for.
    Flag(bool),
    /// The bits of a floating-point number (IEEE 754 binary64).
    Double(u64),
    /// Not what its type says: of another size, a text without end or not UTF-8, an unknown type, a name cut off.
    Malformed,
}

impl<'a> Field<'a> {
    fn read(attr: Attr<'a>) -> Self {
        // libubox reads array elements without a name header, too.
        let parts = if attr.is_extended { split_name(attr.payload) } else { Some(("", attr.payload)) };
        match parts {
            Some((name, value)) => Self { name, value: Value::read(attr.id, value) },
            None => Self { name: "", value: Value::Malformed },
        }
    }
}

fn split_name(payload: &[u8]) -> Option<(&str, &[u8])> {
    let length = usize::from(u16::from_be_bytes(word(payload, 0)?));
    let name = payload.get(2..length + 3)?;
    Some((text(name)?, payload.get((length + 3).next_multiple_of(4)..)?))
}

impl<'a> Value<'a> {
    fn read(kind: u8, bytes: &'a [u8]) -> Self {
        let read = match kind {
            kind::NULL => Some(Self::Null),
            kind::ARRAY => Some(Self::Array(Fields::new(bytes))),
            kind::TABLE => Some(Self::Table(Fields::new(bytes))),
            kind::STRING => text(bytes).map(Self::Text),
            kind::INT64 => bytes.try_into().ok().map(|b| Self::Number(i64::from_be_bytes(b))),
            kind::INT32 => bytes.try_into().ok().map(|b| Self::Number(i32::from_be_bytes(b).into())),
            kind::INT16 => bytes.try_into().ok().map(|b| Self::Number(i16::from_be_bytes(b).into())),
            kind::INT8 => bytes.try_into().ok().map(|[b]: [u8; 1]| Self::Flag(b != 0)),
            kind::DOUBLE => bytes.try_into().ok().map(|b| Self::Double(u64::from_be_bytes(b))),
            _ => None,
        };
        read.unwrap_or(Self::Malformed)
    }
}

/// Iterates over the fields of a table or the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    attrs: Attrs<'a>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { attrs: Attrs { rest: bytes } }
    }

    /// The value of the field `name`; of several the last, which is the one libubox takes.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.filter(|field| field.name == name).last().map(|field| field.value)
    }

    /// The text of the field `name`.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of the field `name`.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What the field `name` says, yes or no.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        self.attrs.next().map(Field::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_wrong_size_or_with_a_broken_name_is_malformed_and_the_next_is_read() {
        let next: &[u8] = &[0x87, 0, 0, 9, 0, 1, b'n', 0, 1, 0, 0, 0];
        for (bytes, name) in [
            (&[0x85, 0, 0, 0x0b, 0, 1, b'i', 0, 0, 0, 1, 0][..], "i"), // three bytes of 32 bits
            (&[0x83, 0, 0, 0x0a, 0, 1, b's', 0, b'a', b'b', 0, 0], "s"), // no NUL within its length
            (&[0x83, 0, 0, 0x0a, 0, 1, b's', 0, 0xff, 0, 0, 0], "s"),  // not UTF-8
            (&[0x89, 0, 0, 0x08, 0, 1, b'x', 0], "x"),                 // no such type
            (&[0x85, 0, 0, 0x0c, 0, 9, b'i', 0, 0, 0, 0, 1], ""),      // the name is longer than the field
            (&[0x85, 0, 0, 0x0c, 0xff, 0xff, b'i', 0, 0, 0, 0, 1], ""),
            (&[0x85, 0, 0, 0x0c, 0, 1, b'i', b'!', 0, 0, 0, 1], ""), // no NUL after the name
            (&[0x80, 0, 0, 4], ""),                                  // no name header
        ] {
            let all = [bytes, next].concat();
            let read: Vec<Field<'_>> = Fields::new(&all).collect();
            let wanted =
                [Field { name, value: Value::Malformed }, Field { name: "n", value: Value::Flag(true) }];
            assert_eq!(read, wanted, "{bytes:02x?}");
        }
    }

    #[test]
    fn elements_are_read_with_and_without_their_empty_names() {
        let bytes = [0x85, 0, 0, 0x0c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x06, 0, 0, 6, 0, 7, 0, 0];
        let read: Vec<Value<'_>> = Fields::new(&bytes).map(|field| field.value).collect();
        assert_eq!(read, [Value::Number(-1), Value::Number(7)]);
    }
}
