// SPDX-License-Identifier: Apache-2.0
//! weir-export: what weir knows, for InfluxDB, Prometheus, webhooks and MQTT.

fn main() -> std::process::ExitCode {
    weir::export::cli::main()
}
