//! Real git for the tests: the same on every machine, whatever its user has configured.
use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

/// A git command that is about to run in `dir`, which exists.
pub(crate) fn git(dir: &Path) -> Git {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
        command.env_remove(name);
    }
    command.current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.env("HOME", dir).env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
        command.env(format!("GIT_{who}_DATE"), "2026-01-02T03:04:05Z");
    }
    let options = [
        "init.defaultBranch=main",
        "protocol.file.allow=always",
        "safe.directory=*",
        "gc.auto=0",
        "advice.detachedHead=0",
    ];
    options.iter().for_each(|option| {
        command.args(["-c", option]);
    });
    Git { command, input: Vec::new() }
}

/// See [`git`].
#[must_use = "nothing runs before `run`, `ok` or `output`"]
pub(crate) struct Git {
    command: Command,
    input: Vec<u8>,
}

impl Git {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What git reads from standard input.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it, however it ends.
    #[must_use = "check how it ended, or use `ok`"]
    pub(crate) fn run(mut self) -> Output {
        fed(&mut self.command, self.input)
    }

    /// Runs it and expects success.
    pub(crate) fn ok(self) {
        let _ = self.bytes();
    }

    /// Runs it, expects success, and returns what it wrote to standard output.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let what = format!("{:?}", self.command);
        let output = self.run();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {}\n{problem}", output.status);
        output.stdout
    }

    /// As [`Git::bytes`], as text without the last newline.
    pub(crate) fn output(self) -> String {
        String::from_utf8(self.bytes()).expect("git wrote UTF-8").trim_end().to_owned()
    }
}

/// Runs a command with `input` as its standard input, however it ends.
#[must_use = "check how it ended"]
pub(crate) fn fed(command: &mut Command, input: Vec<u8>) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program is installed");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let writer = std::thread::spawn(move || {
        // A command that does not read its input closes the pipe.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("it can be waited for");
    writer.join().expect("writing does not panic");
    output
}
