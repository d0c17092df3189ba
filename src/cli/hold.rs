// SPDX-License-Identifier: Apache-2.0
//! `weir hold`, `weir set-rate`, `weir release`: somebody else's decision for a while.

use super::document::tell_of_others;
use super::{Options, exit_code, is_openwrt, print};
use crate::config::value;
use crate::io::desk;
use crate::units::{Rate, Way};

/// `weir hold [LINE]`.
pub(crate) fn hold(options: &Options) -> u8 {
    let line = options.words.first().map_or("-", String::as_str);
    ask(options, &format!("hold {line} {}", seconds(options)))
}

/// `weir set-rate [LINE] [up RATE] [down RATE]`.
pub(crate) fn set_rate(options: &Options) -> u8 {
    let mut line = "-";
    let mut rates: [Option<Rate>; 2] = [None; 2];
    let mut words = options.words.iter();
    while let Some(word) = words.next() {
        let way = Way::ALL.into_iter().find(|way| ["up", "down"].get(*way as usize) == Some(&word.as_str()));
        match (way, words.as_slice().first()) {
            (None, _) if line == "-" && rates == [None; 2] => line = word,
            (None, _) => return usage(&format!("'{word}' is neither 'up' nor 'down'")),
            (Some(_), None) => return usage(&format!("'{word}' needs a rate, such as 20mbit")),
            (Some(way), Some(text)) => match value::rate(text) {
                Ok(rate) => {
                    words.next();
                    if let Some(place) = rates.get_mut(way as usize)
                        && place.replace(rate).is_some()
                    {
                        return usage(&format!("'{word}' is there twice"));
                    }
                }
                Err(why) => return usage(&format!("{word}: {why}")),
            },
        }
    }
    if rates == [None; 2] {
        return usage("no rate; for example: weir set-rate up 20mbit");
    }
    let bits = |rate: Option<Rate>| rate.map_or("-".into(), |rate| rate.bits_per_sec().to_string());
    let [up, down] = rates.map(bits);
    ask(options, &format!("rate {line} {up} {down} {}", seconds(options)))
}

/// `weir release [LINE]`.
pub(crate) fn release(options: &Options) -> u8 {
    let line = options.words.first().map_or("-", String::as_str);
    ask(options, &format!("release {line}"))
}

fn seconds(options: &Options) -> String {
    options.span.map_or("-".into(), |span| span.0.div_ceil(1_000_000).to_string())
}

fn usage(text: &str) -> u8 {
    eprintln!("weir: {text}\nTry 'weir help set-rate'.");
    exit_code::USAGE
}

fn ask(options: &Options, request: &str) -> u8 {
    match desk::ask(&options.places.state, request) {
        Ok(Some(done)) => {
            print(&done);
            exit_code::OK
        }
        Ok(None) => {
            tell_of_others(&options.places.state);
            let start = if is_openwrt() { "service weir start" } else { "weir daemon" };
            eprintln!("weir: no daemon is running here; rates are its business: start it by '{start}'");
            exit_code::FAILED
        }
        Err(error) => {
            eprintln!("weir: {error}");
            exit_code::FAILED
        }
    }
}
