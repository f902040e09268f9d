//! What the hook itself takes of memory and time, whatever registries send: the real program, watched from outside.
use super::instruments::{Bytes, Ca, Wire};
use crate::{git_command::git, tools::pass_over};
use pullgate::lab::{Auth, Behaviour, Registry, Scope};
use std::{
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What the whole process may take, in KiB.
const MEMORY: usize = 64 * 1024;
/// What it may take beyond its deadline.
const GRACE: Duration = Duration::from_millis(500);
/// The deadline of every push here.
const DEADLINE: Duration = Duration::from_secs(3);

/// A bare repository, and a commit in it that nobody has pushed yet.
struct Push {
    folder: TempDir,
    images: Vec<String>,
    configuration: String,
}

/// What a push cost.
struct Cost {
    /// The most memory that was resident, in KiB.
    peak: usize,
    took: Duration,
    text: String,
}

impl Push {
    fn new() -> Self {
        let configuration = format!("deadline = \"{}s\"\n", DEADLINE.as_secs());
        Self { folder: TempDir::new().unwrap(), images: Vec::new(), configuration }
    }

    /// Names `count` images in as many repositories of a registry, which is listed with these lines.
    fn of(mut self, host: &str, count: usize, lines: &str) -> Self {
        self.images.extend((0..count).map(|n| format!("{host}/team/app-{n}:1")));
        writeln!(self.configuration, "[registries.\"{host}\"]\nprivate = true\n{lines}").unwrap();
        self
    }

    /// Runs the hook, if there is a release build: what a debug build takes says nothing.
    fn run(&self) -> Option<Cost> {
        let Some(pullgate) = crate::speed::release_build() else {
            pass_over("there is no release build beside the test; tests/run makes one");
            return None;
        };
        git(self.folder.path()).args(["init", "-q", "--bare", "-b", "main", "."]).ok();
        fs::write(self.folder.path().join("pullgate.toml"), &self.configuration).unwrap();
        git(self.folder.path()).args(["fast-import", "--quiet"]).input(self.history()).ok();
        let commit = git(self.folder.path()).args(["rev-parse", "refs/quarantine/main"]).output();
        let input = format!("{} {commit} refs/heads/main\n", "0".repeat(commit.len()));
        Some(watched(&pullgate, self.folder.path(), &input))
    }

    /// One commit with a Pod for each image.
    fn history(&self) -> String {
        let mut pods = String::new();
        for image in &self.images {
            let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: app, image: \"";
            let line = if pods.is_empty() { "" } else { "---\n" };
            writeln!(pods, "{line}{pod}{image}\"}}]}}").unwrap();
        }
        let head = "commit refs/quarantine/main\ncommitter Ada <ada@example.com> 1767323045 +0000\ndata 0\n";
        format!("{head}M 100644 inline pods.yaml\ndata {}\n{pods}\n", pods.len())
    }

    /// The push takes no more memory and time than it may.
    #[track_caller]
    fn is_bounded(&self) {
        let Some(cost) = self.run() else { return };
        assert!(cost.peak <= MEMORY, "{} KiB\n{:.600}", cost.peak, cost.text);
        assert!(cost.took <= DEADLINE + GRACE, "{:?}\n{:.600}", cost.took, cost.text);
    }
}

fn watched(pullgate: &Path, bare: &Path, input: &str) -> Cost {
    let output = bare.join("output");
    let file = fs::File::create(&output).unwrap();
    let started = Instant::now();
    let mut child = Command::new(pullgate)
        .arg("pre-receive")
        .current_dir(bare)
        .env_clear()
        .env("GIT_DIR", ".")
        .stdin(Stdio::piped())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = resident(child.id()).unwrap_or(peak);
        thread::sleep(Duration::from_millis(2));
    }
    Cost { peak, took: started.elapsed(), text: fs::read_to_string(output).unwrap() }
}

/// The high-water mark of a process, in KiB; `None` when it has ended.
fn resident(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

const PLAIN: &str = "plain-http = true";

/// Four registries that answer every GET with `body`, and say 404 to HEAD.
fn serving(body: &'static [u8]) -> Vec<Bytes> {
    let answer = move |head: &str, wire: &mut dyn Wire| {
        if head.starts_with("HEAD") {
            return wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
        write!(wire, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())?;
        wire.write_all(body)
    };
    (0..4).map(|_| Bytes::answering(answer)).collect()
}

fn many(servers: &[Bytes], count: usize) -> Push {
    servers.iter().fold(Push::new(), |push, server| push.of(&server.host(), count, PLAIN))
}

#[test]
fn manifests_of_4_mib_from_four_registries_at_once_take_no_more_than_a_few() {
    let mut manifest = b"{\"schemaVersion\":2,\"x\":\"".to_vec();
    manifest.resize(4 * 1024 * 1024 - 2, b' ');
    manifest.extend(b"\"}");
    let servers = serving(manifest.leak());
    many(&servers, 64).is_bounded();
}

#[test]
fn two_million_numbers_in_place_of_a_manifest_are_not_read_into_memory() {
    let mut body = b"{\"errors\":[1".to_vec();
    while body.len() < 4 * 1024 * 1024 - 2 {
        body.extend(b",1");
    }
    body.extend(b"]}");
    let servers = serving(body.leak());
    many(&servers, 8).is_bounded();
}

#[test]
fn bodies_without_end_take_no_memory_and_end_with_the_deadline() {
    let endless = |head: &str, wire: &mut dyn Wire| {
        let status = if head.starts_with("HEAD") { "404 Not Found" } else { "200 OK" };
        write!(wire, "HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n")?;
        while !head.starts_with("HEAD") {
            wire.write_all(b"1000\r\n")?;
            wire.write_all(&[b' '; 0x1000])?;
            wire.write_all(b"\r\n")?;
        }
        Ok(())
    };
    let servers: Vec<Bytes> = (0..4).map(|_| Bytes::answering(endless)).collect();
    many(&servers, 64).is_bounded();
}

#[test]
fn bodies_without_end_over_http_2_take_no_memory_and_end_with_the_deadline() {
    let ca = Ca::new();
    let registries: Vec<Registry> = (0..4).map(|_| ca.registry(Auth::None, Duration::ZERO)).collect();
    let lines = format!("ca-file = \"{}\"", ca.file().display());
    let mut push = Push::new();
    for registry in &registries {
        (0..64).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
        registry.misbehave(Scope::everything().head(), Behaviour::status(404));
        registry.misbehave(Scope::everything(), Behaviour::EndlessBody);
        push = push.of(&registry.host(), 64, &lines);
    }
    push.is_bounded();
}

#[test]
fn headers_without_end_take_no_more_than_one_registry_can() {
    let endless = |_: &str, wire: &mut dyn Wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\nx-")?;
        loop {
            wire.write_all(&[b'a'; 0x1000])?;
        }
    };
    let servers: Vec<Bytes> = (0..4).map(|_| Bytes::answering(endless)).collect();
    many(&servers, 64).is_bounded();
}

#[test]
fn long_headers_from_four_registries_take_no_more_than_from_one() {
    let long = |head: &str, wire: &mut dyn Wire| {
        wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n")?;
        // Not the first answer, which is waited for before there are many.
        if head.starts_with("GET") {
            wire.write_all(b"x: ")?;
            wire.write_all(&[b'a'; 300 * 1024])?;
            wire.write_all(b"\r\n")?;
        }
        wire.write_all(b"\r\n")
    };
    let servers: Vec<Bytes> = (0..4).map(|_| Bytes::answering(long)).collect();
    many(&servers, 64).is_bounded();
}

/// A registry that wants tokens, and answers requests for them with `token`.
fn selling(token: impl Fn(&mut dyn Wire) -> io::Result<()> + Send + Sync + 'static) -> Bytes {
    Bytes::answering(move |head, wire| {
        if head.contains(" /token") {
            return token(wire);
        }
        if head.contains("authorization:") {
            return wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
        let challenge = "www-authenticate: Bearer realm=\"/token\"";
        write!(wire, "HTTP/1.1 401 Unauthorized\r\n{challenge}\r\ncontent-length: 0\r\n\r\n")
    })
}

#[test]
fn tokens_of_60_kib_for_thousands_of_repositories_are_not_kept() {
    let body = format!("{{\"token\":\"{}\"}}", "t".repeat(60 * 1024));
    let server = selling(move |wire| write!(wire, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    Push::new().of(&server.host(), 4000, PLAIN).is_bounded();
}

#[test]
fn what_a_token_service_says_thousands_of_times_is_not_kept() {
    let body = format!("{{\"errors\":[{{\"code\":\"DENIED\",\"message\":\"{}\"}}]}}", "no ".repeat(2000));
    let answer = format!("x: {}\r\ncontent-length: {}\r\n\r\n{body}", "a".repeat(300 * 1024), body.len());
    let server = selling(move |wire| write!(wire, "HTTP/1.1 403 Forbidden\r\n{answer}"));
    Push::new().of(&server.host(), 2000, PLAIN).is_bounded();
}

#[test]
fn lists_of_a_million_tags_are_not_read_to_their_end() {
    let mut tags = b"{\"tags\":[\"\"".to_vec();
    while tags.len() < 4 * 1024 * 1024 - 8 {
        tags.extend(b",\"a\"");
    }
    tags.extend(b"]}");
    let server = Bytes::answering(move |head, wire| {
        let (status, body) = if head.contains("/tags/list") {
            ("200 OK", &tags[..])
        } else {
            ("404 Not Found", &b"{\"errors\":[]}"[..])
        };
        write!(wire, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len())?;
        if head.starts_with("HEAD") { Ok(()) } else { wire.write_all(body) }
    });
    Push::new().of(&server.host(), 64, PLAIN).is_bounded();
}

#[test]
fn five_thousand_images_take_little_more_than_one() {
    let registry = super::open();
    (0..5000).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    Push::new().of(&registry.host(), 5000, PLAIN).is_bounded();
}
