//! The program: hands everything to the library.

fn main() -> std::process::ExitCode {
    logrotate_rs::cli::main()
}
