//! The program `larp-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    larp_cli::main()
}
