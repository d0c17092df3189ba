// SPDX-License-Identifier: Apache-2.0
//! weir: the daemon and its command line.

fn main() -> std::process::ExitCode {
    weir::cli::main()
}
