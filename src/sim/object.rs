// SPDX-License-Identifier: Apache-2.0
//! One line of JSON as recordings have them: an object of whole numbers, words and arrays of numbers, nothing below. RFC
//! 8259 has the whole of it; what is not of this part is refused, for a value that is half understood would be worse.

/// What stands behind a key.
#[derive(Clone, Debug, PartialEq)]
enum Value<'a> {
    Null,
    Number(u64),
    Word(&'a str),
    Array(Vec<Option<u64>>),
}

/// A line that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Object<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is not as it should be.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let mut all = Self(Vec::new());
        let mut rest = after(text.trim(), "{")?;
        loop {
            let (key, behind) = word(rest)?;
            if all.value(key).is_some() {
                return Err(format!("'{key}' stands twice"));
            }
            let (value, behind) = value(after(behind, ":")?).map_err(|error| format!("'{key}': {error}"))?;
            all.0.push((key, value));
            match after(behind, ",") {
                Ok(next) => rest = next,
                Err(_) if after(behind, "}")?.is_empty() => return Ok(all),
                Err(_) => return Err("something stands behind the object".into()),
            }
        }
    }

    fn value(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// A word; `None`: the key is not there.
    pub(super) fn word(&self, key: &str) -> Option<&'a str> {
        match self.value(key)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A whole number.
    pub(super) fn number(&self, key: &str) -> Result<u64, String> {
        self.maybe(key)?.ok_or_else(|| format!("'{key}' must be a whole number"))
    }

    /// A whole number, or null.
    pub(super) fn maybe(&self, key: &str) -> Result<Option<u64>, String> {
        match self.value(key) {
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(Value::Null) => Ok(None),
            Some(_) => Err(format!("'{key}' must be a whole number")),
            None => Err(format!("'{key}' is missing")),
        }
    }

    /// The same, where the key may be missing.
    pub(super) fn given(&self, key: &str) -> Result<Option<u64>, String> {
        self.value(key).map_or(Ok(None), |_| self.maybe(key))
    }

    /// An array of `N` numbers or nulls, or null.
    pub(super) fn array<const N: usize>(&self, key: &str) -> Result<Option<[Option<u64>; N]>, String> {
        match self.value(key) {
            Some(Value::Null) => Ok(None),
            Some(Value::Array(all)) if all.len() == N => Ok(all.as_slice().try_into().ok()),
            Some(_) => Err(format!("'{key}' must be an array of {N}")),
            None => Err(format!("'{key}' is missing")),
        }
    }
}

/// What follows `mark`, which must come next.
fn after<'a>(text: &'a str, mark: &str) -> Result<&'a str, String> {
    text.strip_prefix(mark).map(str::trim_start).ok_or_else(|| match text.chars().next() {
        Some(other) => format!("'{mark}' is missing before '{other}'"),
        None => format!("'{mark}' is missing at the end"),
    })
}

/// A word in quotes, without escapes: recordings have none.
fn word(text: &str) -> Result<(&str, &str), String> {
    let inside = after(text, "\"")?;
    let (word, rest) = inside.split_once('"').ok_or("a word does not end")?;
    if word.contains('\\') || word.contains(char::is_control) {
        return Err("a word with escapes or control characters".into());
    }
    Ok((word, rest.trim_start()))
}

/// A whole number or null.
fn number(text: &str) -> Result<(Option<u64>, &str), String> {
    let end = text.find([',', ']', '}']).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    match number.trim_end() {
        "null" => Ok((None, rest)),
        // What parse takes beside digits is a plus sign.
        digits if digits.starts_with(|c: char| c.is_ascii_digit()) => match digits.parse() {
            Ok(number) => Ok((Some(number), rest)),
            Err(_) => Err(format!("{digits} is not a whole number below 2^64")),
        },
        other => Err(format!("{other} is not a whole number")),
    }
}

fn value(text: &str) -> Result<(Value<'_>, &str), String> {
    if text.starts_with('"') {
        return word(text).map(|(word, rest)| (Value::Word(word), rest));
    }
    let Ok(mut rest) = after(text, "[") else {
        return number(text).map(|(number, rest)| (number.map_or(Value::Null, Value::Number), rest));
    };
    let mut all = Vec::new();
    loop {
        let (one, behind) = number(rest)?;
        all.push(one);
        match after(behind, ",") {
            Ok(next) => rest = next,
            Err(_) => return Ok((Value::Array(all), after(behind, "]")?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whole_or_refused_with_its_reason() {
        let good = Object::read(" { \"t\" : 5 , \"up\":[1, null ,3],\"event\":\"start\",\"x\":null}\r\n")
            .expect("good");
        assert_eq!((good.number("t"), good.word("event")), (Ok(5), Some("start")));
        assert_eq!(good.array("up"), Ok(Some([Some(1), None, Some(3)])));
        assert_eq!((good.maybe("x"), good.given("y")), (Ok(None), Ok(None)));
        for (text, why) in [
            ("", "'{' is missing at the end"),
            ("5", "'{' is missing before '5'"),
            ("{}", "'\"' is missing before '}'"),
            ("{\"t\":1", "'}' is missing at the end"),
            ("{\"t\":1}}", "something stands behind the object"),
            ("{\"t\":1,\"t\":2}", "'t' stands twice"),
            ("{\"t\":1.5}", "'t': 1.5 is not a whole number below 2^64"),
            ("{\"t\":-1}", "'t': -1 is not a whole number"),
            ("{\"t\":+1}", "'t': +1 is not a whole number"),
            ("{\"t\":1e6}", "'t': 1e6 is not a whole number below 2^64"),
            ("{\"t\":18446744073709551616}", "'t': 18446744073709551616 is not a whole number below 2^64"),
            ("{\"t\":{\"a\":1}}", "'t': {\"a\":1 is not a whole number"),
            ("{\"t\":[1,2}", "'t': ']' is missing before '}'"),
            ("{\"t\":true}", "'t': true is not a whole number"),
            ("{\"t\":\"x}", "'t': a word does not end"),
            ("{\"t\":\"a\\u0041\"}", "'t': a word with escapes or control characters"),
        ] {
            assert_eq!(Object::read(text), Err(why.into()), "{text}");
        }
    }
}
