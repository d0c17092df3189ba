// SPDX-License-Identifier: Apache-2.0
//! A configuration as understood, for `weir check -v`.

use super::{Config, DownloadOn, Engine};
use crate::units::Rate;
use alloc::string::{String, ToString};
use core::fmt::Write;

/// Every line and class, with units and what follows from defaults.
pub fn describe(config: &Config) -> String {
    let mut out = String::new();
    if !config.globals.enabled {
        out.push_str("weir is switched off\n");
    }
    for wan in &config.wans {
        let device = match (&wan.device, &wan.network) {
            (Some(device), _) => device.to_string(),
            (None, Some(network)) => alloc::format!("the device of network '{network}'"),
            (None, None) => "the device of the default route".into(),
        };
        let speed =
            |rate: Option<Rate>| rate.map_or("not known, not shaped".to_string(), |rate| rate.to_string());
        let download_on = match wan.download_on {
            DownloadOn::Ifb => "on an IFB".to_string(),
            DownloadOn::Lan => wan.lan.map_or(String::new(), |lan| alloc::format!("on {lan}")),
            DownloadOn::None => "not shaped".into(),
        };
        let engine = match wan.engine {
            Engine::Auto => "auto",
            Engine::Htb => "htb",
            Engine::Cake => "cake",
        };
        let state = if wan.enabled { "" } else { " (switched off)" };
        let _ = writeln!(out, "line {}{state}", wan.name);
        let _ = writeln!(out, "  device    {device}");
        let _ = writeln!(out, "  upload    {}", speed(wan.upload));
        let _ = writeln!(out, "  download  {} ({download_on})", speed(wan.download));
        let full = wan.link.wire_bytes(1500);
        let _ = writeln!(
            out,
            "  link      {}: overhead {}, mpu {}; a packet of 1500 bytes takes {full}",
            wan.link.name, wan.link.overhead, wan.link.mpu
        );
        let _ = writeln!(out, "  engine    {engine}{}", if wan.takeover { ", takes over" } else { "" });
    }
    let _ =
        writeln!(out, "{:<12}{:>12}{:>10}{:>10}{:>10}", "class", "guarantee", "limit", "priority", "target");
    for class in &config.classes {
        let _ = writeln!(
            out,
            "{:<12}{:>12}{:>10}{:>10}{:>10}{}",
            class.name,
            class.guarantee.to_string(),
            class.limit.to_string(),
            class.priority,
            class.target.to_string(),
            if class.is_default { "  default" } else { "" }
        );
    }
    out
}
