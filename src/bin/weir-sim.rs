// SPDX-License-Identifier: Apache-2.0
//! weir-sim: weir's simulator.

fn main() -> std::process::ExitCode {
    weir::sim::cli::main()
}
