// SPDX-License-Identifier: Apache-2.0
//! An object on the bus as a table: its path, its methods, and what they take.
//!
//! The bus shows the signature to callers and checks nothing: `ubusd` forwards any method with any arguments.

use super::field::{Fields, Value, kind};
use super::outbox::Writer;
use crate::scribe::Scribe;

/// An object weir puts on the bus.
#[derive(Debug)]
pub struct Object {
    /// Where callers find it.
    pub path: &'static str,
    /// What they can ask it.
    pub methods: &'static [Method],
}

/// One method of an object.
#[derive(Debug)]
pub struct Method {
    /// What callers name it.
    pub name: &'static str,
    /// Its arguments, all of them optional on the bus.
    pub arguments: &'static [(&'static str, Type)],
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Several values.
    Array,
    /// Named values.
    Table,
    /// A text.
    Text,
    /// A whole number of any size: callers send 32 bits, and 64 when they need them.
    Number,
    /// Yes or no.
    Flag,
}

impl Type {
    /// What a signature says of it.
    const fn code(self) -> u8 {
        match self {
            Self::Array => kind::ARRAY,
            Self::Table => kind::TABLE,
            Self::Text => kind::STRING,
            Self::Number => kind::INT32,
            Self::Flag => kind::INT8,
        }
    }

    const fn admits(self, value: &Value<'_>) -> bool {
        matches!(
            (self, value),
            (Self::Array, Value::Array(_))
                | (Self::Table, Value::Table(_))
                | (Self::Text, Value::Text(_))
                | (Self::Number, Value::Number(_))
                | (Self::Flag, Value::Flag(_))
        )
    }
}

impl Method {
    /// The first argument that is not of its type. Unknown ones are ignored: rpcd adds `ubus_rpc_session`.
    pub(super) fn wrong(&self, mut given: Fields<'_>) -> Option<&'static str> {
        given.find_map(|field| {
            let (name, kind) = self.arguments.iter().find(|(name, _)| *name == field.name)?;
            (!kind.admits(&field.value)).then_some(*name)
        })
    }
}

impl Object {
    pub(super) fn method(&self, name: &str) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// Writes its signature: a table for each method, in it each argument with its type as a number.
    pub(super) fn sign(&self, out: &mut Writer<'_>) {
        for method in self.methods {
            out.table(method.name, |out| {
                for (name, kind) in method.arguments {
                    out.number(name, kind.code().into());
                }
            });
        }
    }
}
