// SPDX-License-Identifier: Apache-2.0
//! Whether a document is what its JSON schema says: as much of the language as our schemas use, and a word that is not
//! known here is an error, so that nothing is passed over.

use serde_json::{Map, Value};

/// Reads a schema of `docs/`.
pub(crate) fn read(name: &str) -> Value {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything in which `value` is not as `schema` says.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let rules = schema.as_object().expect("a schema is an object");
    for (rule, says) in rules {
        match rule.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let place =
                    says.as_str().and_then(|text| text.strip_prefix('#')).expect("a place in the schema");
                check(root, root.pointer(place).expect("it is there"), value, at, faults);
            }
            "type" => {
                let names: Vec<&str> = match says {
                    Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
                    name => name.as_str().into_iter().collect(),
                };
                if !names.iter().any(|name| is_a(value, name)) {
                    faults.push(format!("{at}: {value} is no {names:?}"));
                }
            }
            "enum" => {
                if !says.as_array().expect("a list").contains(value) {
                    faults.push(format!("{at}: {value} is none of {says}"));
                }
            }
            "minimum" => {
                let least = says.as_i64().expect("a number");
                if value.as_i64().is_some_and(|number| number < least) {
                    faults.push(format!("{at}: {value} is less than {least}"));
                }
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, says, item, &format!("{at}/{n}"), faults);
                }
            }
            "required" => {
                for key in says.as_array().expect("a list").iter().filter_map(Value::as_str) {
                    if value.as_object().is_some_and(|table| !table.contains_key(key)) {
                        faults.push(format!("{at}: without '{key}'"));
                    }
                }
            }
            "properties" => {
                for (key, inner) in says.as_object().expect("a table") {
                    if let Some(inside) = value.get(key) {
                        check(root, inner, inside, &format!("{at}/{key}"), faults);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(says, &Value::Bool(false), "the only use of it that is known here");
                let known = rules.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
                let odd = |table: &Map<String, Value>| {
                    table.keys().filter(|key| !known.contains_key(*key)).cloned().collect::<Vec<_>>()
                };
                let odd = value.as_object().map(odd).unwrap_or_default();
                faults.extend(odd.iter().map(|key| format!("{at}: '{key}' is not in the schema")));
            }
            other => panic!("this reader does not know '{other}'"),
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type '{other}'"),
    }
}
