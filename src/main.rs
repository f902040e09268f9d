//! Arguments in, exit code out.

fn main() -> std::process::ExitCode {
    pullgate::cli::run(std::env::args_os())
}
