//! `larp-cli` for the tests: Cargo tells a test the paths of its own package's programs only.

fn main() -> std::process::ExitCode {
    larp_cli::main()
}
