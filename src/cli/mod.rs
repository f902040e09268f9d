//! The doors: one file a command, and here the command line, the exit codes, and nothing about images.
mod demo;
mod images;
mod log;
mod pre_receive;

use crate::verdict::{Decision, escape};
use clap::{Parser, Subcommand};
use std::{
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// Rejects a git push that would deploy a container image that cannot be pulled.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    PreReceive(pre_receive::Args),
    Images(images::Args),
    Demo(demo::Args),
}

/// Accepted, or nothing to complain of.
const ACCEPTED: u8 = 0;
/// Rejected.
const REJECTED: u8 = 1;
/// Could not tell: usage, configuration, repository, internal error. git sees 1 and 2 alike; CI must not.
const COULD_NOT_TELL: u8 = 2;

/// Runs the command line `args`, the program's own name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    log::start();
    quiet_panics();
    let parsed = match Args::try_parse_from(as_hook(args.into_iter().collect())) {
        Ok(parsed) => parsed,
        Err(error) => {
            // --help and --version come here too. A closed pipe is no reason to complain.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { COULD_NOT_TELL } else { ACCEPTED });
        }
    };
    let run = || match parsed.command {
        Command::PreReceive(args) => pre_receive::run(&args),
        Command::Images(args) => images::run(&args),
        Command::Demo(args) => demo::run(&args),
    };
    let code = match std::panic::catch_unwind(run) {
        Ok(Ok(Decision::Accept)) => ACCEPTED,
        Ok(Ok(Decision::Reject)) => REJECTED,
        Ok(Err(error)) => {
            // A ref, a path or an object in it may be of the pusher's making.
            say(&format!("error: {}\n", escape(&format!("{error:#}"), 2000)));
            COULD_NOT_TELL
        }
        Err(_) => COULD_NOT_TELL,
    };
    ExitCode::from(code)
}

/// Called through a file named `pre-receive`, or from a `pre-receive.d` folder, the program is `pullgate pre-receive`.
fn as_hook(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_hook = args.first().map(Path::new).is_some_and(|path| {
        let is_in_folder = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "pre-receive.d");
        path.file_name().is_some_and(|name| name == "pre-receive") || is_in_folder
    });
    if is_hook {
        args.insert(1, "pre-receive".into());
    }
    args
}

/// Whoever pushes gets one line and not a backtrace, whatever RUST_BACKTRACE says on the server.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        say(&format!("error: pullgate failed{place}; this is a fault of pullgate, not of what was pushed\n"));
    }));
}

/// Writes to standard error in one piece. A client that has gone away is no reason to fail.
fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
