//! `larp-cli` with one more quantizer: all commands, and `type = "fsq"` in pipeline files.

use custom_quantizer as _;

fn main() -> std::process::ExitCode {
    larp_cli::main()
}
