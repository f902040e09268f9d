//! Programs that a test needs and a machine may lack.
use std::{
    io::{self, Write},
    process::{Command, Stdio},
    thread,
};

/// Whether these programs are there; if not, says that the test is passed over.
pub(crate) fn are_installed(programs: &[&str]) -> bool {
    let is_there = |program: &str| {
        Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        pass_over(&format!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Says that the current test is passed over. On standard error itself, because what a test prints is shown only if it
/// fails.
pub(crate) fn pass_over(reason: &str) {
    let thread = thread::current();
    let _ = writeln!(io::stderr(), "passed over: {}: {reason}", thread.name().unwrap_or("a test"));
}
