// SPDX-License-Identifier: Apache-2.0
//! InfluxDB's line protocol: one line for each row, with the time in milliseconds.
//!
//! Before editing: the reference of the line protocol. A backslash before a separator would escape it and the protocol has
//! no way to write one that does not, so that a backslash in a label becomes a slash.

use super::metrics::Row;
use alloc::string::String;
use core::fmt::Write;

/// Writes the rows that InfluxDB gets, each with the label `router`; gives how many there were.
pub fn write(rows: &[Row], router: &str, millis: u64, out: &mut String) -> u32 {
    let mut count = 0;
    for row in rows.iter().filter(|row| !row.measure.name.is_empty()) {
        if row.values.is_empty() && row.words.is_empty() {
            continue; // a line without fields is none
        }
        out.push_str(row.measure.name);
        label(out, "router", router);
        for (key, value) in row.measure.labels.iter().zip(&row.labels) {
            label(out, key, value);
        }
        let mut gap = ' ';
        for (metric, value) in &row.values {
            // Whole numbers are signed there; what is larger wraps nowhere.
            let value = (*value).min(i64::MAX as u64);
            // A String takes everything.
            let _ = write!(out, "{gap}{}={value}i", metric.field);
            gap = ',';
        }
        for (key, word) in &row.words {
            let _ = write!(out, "{gap}{key}=\"");
            for c in word.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c => out.push(if c.is_control() { ' ' } else { c }),
                }
            }
            out.push('"');
            gap = ',';
        }
        let _ = writeln!(out, " {millis}");
        count += 1;
    }
    count
}

/// A label without a value is left out, as a line with one would be refused whole.
fn label(out: &mut String, key: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    out.push(',');
    out.push_str(key);
    out.push('=');
    for c in value.chars() {
        match c {
            ',' | '=' | ' ' => out.extend(['\\', c]),
            '\\' => out.push('/'),
            c if c.is_control() => out.push_str("\\ "),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gather::{self, Past};
    use super::super::metrics::{CLASS, DIRECTION, LINE};
    use super::*;

    #[test]
    fn a_reading_is_lines_with_whole_numbers_words_and_the_time() {
        let rows = gather::rows(&gather::tests::status(), &mut Past::default());
        let mut out = String::new();
        let count = write(&rows, "attic", 1_700_000_000_123, &mut out);
        assert_eq!(count as usize, out.lines().count());
        for line in [
            "weir,router=attic,version=0.1.0 shaping=1i,uptime_us=5000000i,config_taken=1i 1700000000123",
            "weir_direction,router=attic,wan=home,direction=upload wanted=1i,shaped=1i,rate_bps=20000000i,capacity_bps=21000000i,wait_us=12345i,aim_us=15000i,actions=0i,state=\"loaded\",engine=\"htb\" 1700000000123",
            "weir_alerts,router=attic,wan=home,direction=upload,severity=warning active=1i 1700000000123",
        ] {
            assert!(out.lines().any(|one| one == line), "{line}\nis not in\n{out}");
        }
    }

    #[test]
    fn hostile_names_stay_within_their_place() {
        let row = Row::new(&CLASS, &["a b,c=d\\", "", "x\ny\"ü"]).with("sent_packets", Some(u64::MAX));
        let mut out = String::new();
        assert_eq!(write(&[row], "", 7, &mut out), 1);
        assert_eq!(out, "weir_class,wan=a\\ b\\,c\\=d/,class=x\\ y\"ü sent_packets=9223372036854775807i 7\n");
        let mut row = Row::new(&DIRECTION, &["w", "upload"]);
        row.words.push(("state", "a\"b\\c\nd".into()));
        out.clear();
        write(&[row], "", 7, &mut out);
        assert_eq!(out, "weir_direction,wan=w,direction=upload state=\"a\\\"b\\\\c d\" 7\n");
    }

    #[test]
    fn a_row_of_nothing_is_no_line() {
        let mut out = String::new();
        assert_eq!((write(&[Row::new(&LINE, &["a"])], "r", 7, &mut out), out.as_str()), (0, ""));
    }
}
