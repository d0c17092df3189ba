// SPDX-License-Identifier: Apache-2.0
//! Packages as the `uci` tool prints them, byte for byte.

use super::{Package, Section, Value};
use alloc::format;
use alloc::vec::Vec;

/// `uci show`: one line for each section and option; anonymous sections as `@type[n]`, or by their generated names.
pub fn show(package: &Package, name: &str, by_generated_name: bool, out: &mut Vec<u8>) {
    for (n, section) in package.sections.iter().enumerate() {
        // The index of a type counts its named sections too.
        let before = package.sections.iter().take(n);
        let index = before.filter(|before| before.kind == section.kind).count();
        let label = if section.is_anonymous && !by_generated_name {
            format!("@{}[{index}]", section.kind)
        } else {
            section.name.clone()
        };
        out.extend(format!("{name}.{label}={}\n", section.kind).bytes());
        for option in &section.options {
            out.extend(format!("{name}.{label}.{}=", option.name).bytes());
            match &option.value {
                Value::Text(value) => quote(value, out),
                Value::List(entries) => {
                    for (n, entry) in entries.iter().enumerate() {
                        if n > 0 {
                            out.push(b' ');
                        }
                        quote(entry, out);
                    }
                }
            }
            out.push(b'\n');
        }
    }
}

/// `uci export`: a file that reads as the same package.
pub fn export(package: &Package, name: &str, out: &mut Vec<u8>) {
    out.extend(format!("package {name}\n").bytes());
    for section in &package.sections {
        out.extend(b"\nconfig ");
        escape(section.kind.as_bytes(), out);
        if !section.is_anonymous {
            out.push(b' ');
            quote(section.name.as_bytes(), out);
        }
        out.push(b'\n');
        options(section, out);
    }
    out.push(b'\n');
}

fn options(section: &Section, out: &mut Vec<u8>) {
    for option in &section.options {
        let (command, values) = match &option.value {
            Value::Text(value) => ("option", core::slice::from_ref(value)),
            Value::List(entries) => ("list", entries.as_slice()),
        };
        for value in values {
            out.extend(format!("\t{command} {} ", option.name).bytes());
            quote(value, out);
            out.push(b'\n');
        }
    }
}

/// In single quotes, a single quote written as `'\''`.
fn quote(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    escape(value, out);
    out.push(b'\'');
}

fn escape(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'\'' => out.extend(b"'\\''"),
            byte => out.push(*byte),
        }
    }
}
