// SPDX-License-Identifier: Apache-2.0
//! What a webhook sends: JSON with `{{fields}}` of an alert in it, each escaped for where it stands.
//!
//! Within a text a field is its characters, escaped; elsewhere it is a JSON value of its own. So whatever an alert says,
//! the outcome is JSON if the template is.

use super::alerts::Change;
use super::tree::Tree;
use crate::config::options::guess;
use crate::json::Json;
use crate::scribe::Scribe;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// What there is to fill in, and what it is.
pub const FIELDS: [(&str, &str); 15] = [
    ("event", "raise or clear"),
    ("router", "the router's name"),
    ("time", "when we heard of it, such as 2026-11-30T21:04:05Z"),
    ("time_seconds", "the same in seconds since 1970"),
    ("id", "the alert's number"),
    ("wan", "the line"),
    ("direction", "upload or download"),
    ("class", "the class, or null"),
    ("level", "the service level that is broken"),
    ("metric", "what was measured"),
    ("severity", "info, warning or error"),
    ("cause", "the likely cause, in a word"),
    ("text", "what was measured, for people"),
    ("advice", "why, most likely, and what to do"),
    ("since_seconds", "how long it has stood"),
];

/// What is sent unless told otherwise: all of it, and a line of text that chat servers show.
pub const DEFAULT: &str = r#"{"text":"weir on {{router}}: {{event}}: {{severity}}: {{wan}} {{direction}}: {{text}}: {{advice}}","event":{{event}},"router":{{router}},"time":{{time}},"id":{{id}},"wan":{{wan}},"direction":{{direction}},"class":{{class}},"level":{{level}},"metric":{{metric}},"severity":{{severity}},"cause":{{cause}},"measured":{{text}},"advice":{{advice}},"since_seconds":{{since_seconds}}}"#;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The field at this place, and whether it stands within a text.
    Field(usize, bool),
}

/// A template that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Which field is not known, or why the outcome would not be JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest, mut is_within) = (Vec::new(), text, false);
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}").ok_or("a '{{' without '}}'")?;
            let name = name.trim();
            let known = || FIELDS.iter().map(|(name, _)| *name);
            let Some(at) = known().position(|field| field == name) else {
                let hint = match guess(name, known()) {
                    hint if hint.is_empty() => {
                        format!("; there are {}", crate::text::joined(&known().collect::<Vec<_>>(), ", "))
                    }
                    hint => hint,
                };
                return Err(format!("no field {}{hint}", crate::config::value::Quoted(name)));
            };
            is_within = ends_within(before, is_within);
            pieces.push(Piece::Text(before.into()));
            pieces.push(Piece::Field(at, is_within));
            rest = behind;
        }
        pieces.push(Piece::Text(rest.into()));
        let template = Self { pieces };
        let mut tried = String::new();
        // A String takes everything.
        let _ = template.fill(&[const { Tree::Null }; FIELDS.len()], &mut tried);
        match Tree::parse(&tried) {
            Ok(_) => Ok(template),
            Err((at, why)) => {
                let near: String =
                    tried.get(at.saturating_sub(12)..).unwrap_or(&tried).chars().take(24).collect();
                Err(format!("would not be JSON: {why}, near {}", crate::config::value::Quoted(&near)))
            }
        }
    }

    /// Fills in an alert.
    pub fn of(&self, change: &Change) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = self.fill(&change.values, &mut out);
        out
    }

    fn fill(&self, values: &[Tree], out: &mut String) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(at, is_within) => put(values.get(*at).unwrap_or(&Tree::Null), *is_within, out)?,
            }
        }
        Ok(())
    }
}

/// Whether a text of JSON is open behind this, that was or was not open before it.
fn ends_within(text: &str, mut is_within: bool) -> bool {
    let mut is_escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_within => is_escaped = true,
            b'"' => is_within = !is_within,
            _ => {}
        }
    }
    is_within
}

fn put(value: &Tree, is_within: bool, out: &mut String) -> fmt::Result {
    match (value, is_within) {
        (Tree::Number(number), _) => write!(out, "{number}"),
        (Tree::Text(text), true) => {
            let quoted = quoted(text);
            out.write_str(quoted.get(1..quoted.len() - 1).unwrap_or_default())
        }
        (Tree::Text(text), false) => out.write_str(&quoted(text)),
        (_, true) => Ok(()),
        (_, false) => out.write_str("null"),
    }
}

/// A text as JSON, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.text("", &text);
    // A String takes everything.
    let _ = json.end();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> Change {
        let values = FIELDS.map(|(name, _)| match name {
            "text" => Tree::Text(text.into()),
            "id" => Tree::Number(7),
            "class" => Tree::Null,
            name => Tree::Text(name.into()),
        });
        Change { is_raised: true, gravity: 1, values: values.into() }
    }

    #[test]
    fn a_field_is_escaped_for_where_it_stands() {
        let template = Template::parse(
            r#"{"a":"x {{text}} \" {{ id }}","b":{{text}},"c":{{class}},"d":"{{class}}","e":{{id}}}"#,
        );
        let out = template.expect("a template").of(&change("a\"b\\c\n}, ü"));
        assert_eq!(out, r#"{"a":"x a\"b\\c\u000a}, ü \" 7","b":"a\"b\\c\u000a}, ü","c":null,"d":"","e":7}"#);
        Tree::parse(&out).expect("JSON");
    }

    #[test]
    fn no_text_of_an_alert_gets_out_of_its_quotes() {
        let template = Template::parse(DEFAULT).expect("our own");
        for text in
            ["\"", "\\", "\\\"", "{{id}}", "\u{0}\u{1f}\u{7f}", "\",\"admin\":true,\"x\":\"", "\u{2028}😀"]
        {
            let out = Tree::parse(&template.of(&change(text))).expect("JSON");
            assert_eq!(out.get("measured").text(), Some(text));
            assert_eq!(out.table().len(), 15, "{text}");
        }
    }

    #[test]
    fn what_would_not_be_json_or_is_no_field_is_refused_with_the_reason() {
        for (text, why) in [
            (r#"{"a":{{txet}}}"#, "no field 'txet'; did you mean 'text'?"),
            (r#"{"a":{{text}}"#, "would not be JSON: a comma or } is missing, near '{\"a\":null'"),
            (r#"{"a":{{text}"#, "a '{{' without '}}'"),
            (r#"{"a":{{id}}{{id}}}"#, "would not be JSON: a comma or } is missing, near '{\"a\":nullnull}'"),
        ] {
            assert_eq!(Template::parse(text), Err(why.into()), "{text}");
        }
    }
}
