//! Credential helpers: real programs, friendly and hostile.
use super::{bearer, check, check_within, describe, is_present, listing, plain, with};
use crate::world::{World, deployment};
use pullgate::{
    lab::{Auth, Registry},
    registry::{Answer, AskedAs, CredentialChoice, Error, Helpers, HostOptions, Options, Unlisted},
};
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A folder with `docker-credential-lab`, and a registry for which only alice may see team/app.
struct Safe {
    folder: TempDir,
    registry: Registry,
}

/// What a helper prints that knows alice.
const ALICE: &str = "printf '{\"ServerURL\":\"x\",\"Username\":\"alice\",\"Secret\":\"s3cret\"}'";

impl Safe {
    /// With a script that begins with a note of how it was called.
    fn new(script: &str) -> Self {
        let registry = with(Auth::Basic { users: [("alice", "s3cret"), ("bob", "b0b")].into() });
        registry.push("team/app", "1");
        registry.restrict("team/app", &["alice"]);
        let safe = Self { folder: TempDir::new().unwrap(), registry };
        let calls = safe.path("calls");
        safe.put("docker-credential-lab", &format!("echo \"$1 $(cat)\" >> {}\n{script}", calls.display()));
        safe
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Written by another process: one that this one has open for writing could not be run.
    fn put(&self, name: &str, script: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(self.path(name)).stdin(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn helpers(&self) -> Helpers {
        let folders = vec![self.folder.path().to_owned(), "/usr/bin".into(), "/bin".into()];
        Helpers { folders, ..Helpers::default() }
    }

    /// The helper is what the configuration names for the registry.
    fn options(&self) -> Options {
        let credentials = CredentialChoice::Helper("lab".to_owned());
        Options { helpers: self.helpers(), ..listing(&self.registry, HostOptions { credentials, ..plain() }) }
    }

    /// With a docker configuration of this text, in which HOST is the registry.
    fn with_config(&self, text: &str) -> Options {
        let path = self.path("config.json");
        fs::write(&path, text.replace("HOST", &self.registry.host())).unwrap();
        Options { docker_config: vec![path], helpers: self.helpers(), ..listing(&self.registry, plain()) }
    }

    fn image(&self) -> String {
        format!("{}/team/app:1", self.registry.host())
    }

    #[track_caller]
    fn opens(&self, options: Options) {
        let checked = check(options, &[self.image()]).remove(0);
        assert!(is_present(&checked), "{checked:?}");
    }

    /// What is said when the helper does not do; nothing is asked then.
    #[track_caller]
    fn fails(&self, options: Options) -> String {
        let checked = check(options, &[self.image()]).remove(0);
        let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
        assert!(self.registry.requests().iter().all(|request| request.authorization.is_none()));
        assert!(message.contains("docker-credential-lab"), "{message}");
        message.replace(&self.registry.host(), "HOST")
    }

    /// How the helper was called, a line each.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(|line| line.replace(&self.registry.host(), "HOST")).collect()
    }

    /// The process that a script noted ends, and soon.
    #[track_caller]
    fn ends(&self, note: &str) {
        let pid = fs::read_to_string(self.path(note)).unwrap().trim().to_owned();
        let is_alive = || {
            let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            status.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
        };
        let started = Instant::now();
        while is_alive() {
            assert!(started.elapsed() < Duration::from_secs(10), "{pid} is still there");
            sleep(Duration::from_millis(20));
        }
    }

    fn impatient(&self) -> Options {
        let options = self.options();
        Options { helpers: Helpers { timeout: Duration::from_millis(500), ..options.helpers.clone() }, ..options }
    }
}

const GARBAGE: &str = "it printed no credentials";

#[test]
fn a_helper_is_told_the_registry_and_says_who_we_are() {
    let safe = Safe::new(ALICE);
    safe.opens(safe.options());
    assert_eq!(safe.calls(), ["get HOST"]);
}

#[test]
fn a_helper_of_a_docker_configuration_wins_over_what_the_file_says() {
    let safe = Safe::new(ALICE);
    // bob:b0b
    safe.opens(
        safe.with_config("{\"auths\":{\"HOST\":{\"auth\":\"Ym9iOmIwYg==\"}},\"credHelpers\":{\"HOST\":\"lab\"}}"),
    );
    assert_eq!(safe.calls(), ["get HOST"]);
}

#[test]
fn the_store_of_a_docker_configuration_is_asked_for_a_listed_registry() {
    let safe = Safe::new(ALICE);
    safe.opens(safe.with_config("{\"credsStore\":\"lab\"}"));
}

#[test]
fn the_store_of_a_docker_configuration_is_asked_for_a_registry_that_has_a_key() {
    let safe = Safe::new(ALICE);
    // Only its key lists it; at a private address it is not asked, but who we are would be known.
    let options = Options { hosts: [].into(), ..safe.with_config("{\"auths\":{\"HOST\":{}},\"credsStore\":\"lab\"}") };
    check(options, &[safe.image()]);
    assert_eq!(safe.calls(), ["get HOST"]);
}

#[test]
fn no_helper_is_run_for_a_registry_that_nobody_listed() {
    let safe = Safe::new(ALICE);
    let config = "{\"auths\":{\"quay.io\":{}},\"credHelpers\":{\"ghcr.io\":\"lab\"},\"credsStore\":\"lab\"}";
    for unlisted in [Unlisted::Public, Unlisted::Any] {
        let options = Options { hosts: [].into(), unlisted, ..safe.with_config(config) };
        check(options, &[safe.image(), "quay.io.evil.invalid/x:1".to_owned(), "x.ghcr.invalid/x:1".to_owned()]);
    }
    assert_eq!(safe.calls(), [""; 0]);
}

#[test]
fn a_helper_that_prints_an_identity_token_buys_a_token_with_it() {
    let safe = Safe::new("printf '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
    let users = [("alice", "s3cret"), ("<token>", "refresh")].into();
    let registry = with(Auth::Bearer { users, realm: None, service: Some("lab".to_owned()) });
    registry.push("team/app", "1");
    registry.restrict("team/app", &["<token>"]);
    let hosts = listing(&registry, safe.options().hosts.into_values().next().unwrap()).hosts;
    let checked = check(Options { hosts, ..safe.options() }, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert!(is_present(&checked), "{checked:?}");
    assert!(registry.requests()[1].body.contains("refresh_token=refresh"));
}

#[test]
fn a_helper_that_knows_nothing_leaves_us_anybody() {
    for script in
        ["echo 'credentials not found in native keychain'; exit 1", "echo '{\"Username\":\"\",\"Secret\":\"\"}'"]
    {
        let safe = Safe::new(script);
        let checked = check(safe.options(), &[safe.image()]).remove(0);
        assert!(matches!(checked, Ok(Answer::Denied { asked_as: AskedAs::Anonymous, .. })), "{checked:?}");
    }
}

#[test]
fn where_a_store_knows_nothing_what_the_file_says_counts() {
    let safe = Safe::new("echo 'credentials not found in native keychain'; exit 1");
    // alice:s3cret
    safe.opens(safe.with_config("{\"auths\":{\"HOST\":{\"auth\":\"YWxpY2U6czNjcmV0\"}},\"credsStore\":\"lab\"}"));
    assert_eq!(safe.calls(), ["get HOST"]);
}

#[test]
fn a_helper_is_run_once_for_all_images_of_a_registry() {
    let safe = Safe::new(&format!("sleep 0.2; {ALICE}"));
    let names = (0..20).map(|n| format!("team/app-{n}"));
    let images: Vec<String> = names.map(|name| format!("{}/{name}:1", safe.registry.host())).collect();
    check(safe.options(), &images);
    assert_eq!(safe.calls(), ["get HOST"]);
}

#[test]
fn a_helper_sees_nothing_but_what_it_is_given() {
    let safe = Safe::new(&format!("env > \"$OUT\"; pwd >> \"$OUT\"; {ALICE}"));
    let mut options = safe.options();
    let given = [("OUT", safe.path("env").into_os_string()), ("AWS_PROFILE", "git".into())];
    options.helpers.environment = given.map(|(name, value)| (name.into(), value)).into_iter().collect();
    assert!(!format!("{options:?}").contains("\"git\""));
    safe.opens(options);
    let seen = fs::read_to_string(safe.path("env")).unwrap();
    // The shell itself adds PWD and the like.
    let own = |line: &&str| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|name| line.starts_with(name));
    let mut lines: Vec<&str> = seen.lines().filter(own).collect();
    lines.sort_unstable();
    let (out, path) = (format!("OUT={}", safe.path("env").display()), safe.folder.path().display());
    assert_eq!(lines, ["/", "AWS_PROFILE=git", &out, &format!("PATH={path}:/usr/bin:/bin:/usr/local/bin")]);
}

#[test]
fn a_script_finds_the_programs_of_the_system_wherever_it_lies_itself() {
    let safe = Safe::new(ALICE);
    let mut options = safe.options();
    options.helpers.folders = vec![safe.folder.path().to_owned()];
    safe.opens(options);
    assert_eq!(safe.calls(), ["get HOST"], "written by cat");
}

#[test]
fn a_helper_that_does_not_read_what_it_is_told_is_understood_all_the_same() {
    let safe = Safe::new("");
    safe.put("docker-credential-lab", &format!("exec <&-\n{ALICE}"));
    safe.opens(safe.options());
}

#[test]
fn credentials_of_a_helper_that_are_refused_are_named_after_it() {
    let safe = Safe::new("printf '{\"Username\":\"alice\",\"Secret\":\"expired\"}'");
    let checked = check(safe.options(), &[safe.image()]).remove(0);
    let message = describe(&checked, &safe.registry, "team/app:1");
    assert_eq!(message, "HOST refused the credentials of docker-credential-lab");
}

#[test]
fn who_a_helper_says_we_are_is_named_with_it() {
    let safe = Safe::new("printf '{\"Username\":\"bob\",\"Secret\":\"b0b\"}'");
    let checked = check(safe.options(), &[safe.image()]).remove(0);
    let message = describe(&checked, &safe.registry, "team/app:1");
    assert_eq!(message, "does not exist, or user \"bob\" (docker-credential-lab) may not read it (403 DENIED)");
}

#[test]
fn a_helper_that_hangs_is_ended() {
    let safe = Safe::new("echo $$ > \"$(dirname \"$0\")/pid\"; trap '' TERM INT; sleep 1000; sleep 1000");
    let started = Instant::now();
    let message = safe.fails(safe.impatient());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(message.contains("did not answer in time"), "{message}");
    safe.ends("pid");
}

#[test]
fn a_helper_that_hangs_does_not_outlive_the_deadline_of_the_push() {
    let safe = Safe::new("echo $$ > \"$(dirname \"$0\")/pid\"; sleep 1000");
    let started = Instant::now();
    let checked = check_within(safe.options(), &[safe.image()], Duration::from_millis(700)).remove(0);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(matches!(checked, Err(Error::Deadline | Error::Local(_))), "{checked:?}");
    safe.ends("pid");
}

#[test]
fn a_helper_that_hangs_ends_with_its_children() {
    let safe = Safe::new("(sleep 1000 & echo $! > \"$(dirname \"$0\")/child\"; wait) & wait");
    safe.fails(safe.impatient());
    safe.ends("child");
}

#[test]
fn a_child_that_keeps_the_pipe_open_does_not_keep_us_waiting() {
    let safe = Safe::new(&format!("sleep 1000 & echo $! > \"$(dirname \"$0\")/child\"; {ALICE}"));
    let started = Instant::now();
    safe.opens(safe.options());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    safe.ends("child");
}

#[test]
fn a_child_beyond_our_reach_that_keeps_the_pipe_open_does_not_keep_us_waiting() {
    let leave = "setsid sh -c 'echo $$ > \"$0\"; exec sleep 8' \"$(dirname \"$0\")/child\" &";
    let wait = "while ! [ -s \"$(dirname \"$0\")/child\" ]; do sleep 0.05; done";
    let safe = Safe::new(&format!("{leave}\n{wait}\n{ALICE}"));
    let started = Instant::now();
    safe.opens(safe.options());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn a_helper_that_prints_without_end_is_stopped() {
    let safe = Safe::new("echo $$ > \"$(dirname \"$0\")/pid\"; exec cat /dev/zero");
    let message = safe.fails(safe.options());
    assert!(message.contains("more than 64 KiB"), "{message}");
    safe.ends("pid");
}

#[test]
fn a_helper_that_prints_garbage_is_named_without_it() {
    for script in
        ["echo s3cret", "echo '{\"Username\":\"alice\",\"Secret\":[\"s3cret\"]}'", "printf '\\377\\376'", "true"]
    {
        let safe = Safe::new(script);
        let message = safe.fails(safe.options());
        assert!(message.contains(GARBAGE) && !message.contains("s3cret"), "{message}");
    }
}

#[test]
fn a_helper_that_prints_a_name_without_a_secret_has_failed() {
    let safe = Safe::new("echo '{\"Username\":\"alice\"}'");
    assert!(safe.fails(safe.options()).contains("it printed no secret"));
}

#[test]
fn what_a_helper_that_fails_says_is_passed_on_to_nobody() {
    let safe = Safe::new("echo s3cret; echo \"\u{1b}[31ms3cret\" >&2; exit 1");
    let message = safe.fails(safe.options());
    let program = safe.path("docker-credential-lab");
    let more = format!("(\"echo HOST | {} get\" shows more)", program.display());
    assert_eq!(message, format!("no credentials from docker-credential-lab for HOST: exit status: 1 {more}"));
}

#[test]
fn what_everybody_may_pull_is_there_though_the_helper_fails() {
    let safe = Safe::new("exit 1");
    let registry = with(bearer());
    registry.push("team/public", "1");
    let helped = safe.options().hosts.remove(&safe.registry.host()).unwrap();
    let options = Options { hosts: [(registry.host(), helped)].into(), ..safe.options() };
    let checked = check(options, &["1", "2"].map(|tag| format!("{}/team/public:{tag}", registry.host())));
    assert!(is_present(&checked[0]), "{checked:?}");
    assert!(matches!(checked[1], Err(Error::Local(_))), "{checked:?}");
}

#[test]
fn a_helper_that_is_not_there_is_looked_for_in_the_folders_that_are_named() {
    let safe = Safe::new("");
    let mut options = safe.options();
    options.helpers.folders = vec!["/nonexistent".into()];
    assert!(safe.fails(options).contains("no such program in /nonexistent"));
    // A file that cannot be run is no program.
    fs::write(safe.path("docker-credential-lab"), "").unwrap();
    fs::set_permissions(safe.path("docker-credential-lab"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    assert!(safe.fails(safe.options()).contains("no such program"));
}

#[test]
fn a_helper_whose_name_is_a_path_is_not_run() {
    let safe = Safe::new("");
    safe.put("evil", "touch \"$(dirname \"$0\")/ran\"");
    fs::create_dir(safe.path("docker-credential-")).unwrap();
    for name in ["../evil", "/../evil"] {
        let options = safe.with_config(&format!("{{\"credHelpers\":{{\"HOST\":\"{name}\"}}}}"));
        let checked = check(options, &[safe.image()]).remove(0);
        let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
        assert!(message.contains("config.json") && message.contains("name is not one"), "{message}");
    }
    assert!(!safe.path("ran").exists());
}

/// A world whose configuration has the helper for the registry.
fn world(safe: &Safe, credentials: &str) -> World {
    let world = World::new();
    let listed = format!("[registries.\"{}\"]\nplain-http = true\nprivate = true", safe.registry.host());
    world.configure_exactly(&format!("{listed}\ncredentials = {{ helper = \"lab\" }}\n{credentials}"));
    world.write("app.yaml", &deployment(&safe.image()));
    world.commit("app");
    world
}

#[test]
fn in_the_hook_a_helper_is_found_where_the_configuration_says_and_sees_nothing_of_git() {
    let safe = Safe::new(&format!("env > \"$(dirname \"$0\")/env\"; {ALICE}"));
    let folder = safe.folder.path().display();
    let dirs =
        format!("[credentials]\nhelper-dirs = [\"{folder}\", \"/usr/bin\", \"/bin\"]\nhelper-env = [\"AWS_PROFILE\"]");
    let world = world(&safe, &dirs);
    let push = world.git(&["push", "origin", "main"]).env("AWS_PROFILE", "git").env("AWS_REGION", "x").run();
    assert!(push.status.success(), "{}", String::from_utf8_lossy(&push.stderr));
    let seen = fs::read_to_string(safe.path("env")).unwrap();
    assert!(seen.contains("AWS_PROFILE=git\n") && seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("GIT_") && !seen.contains("AWS_REGION"), "{seen}");
}

#[test]
fn in_the_hook_nobody_sees_what_a_helper_says() {
    let safe = Safe::new("echo s3cret; echo s3cret >&2; exit 1");
    let dirs = format!("[credentials]\nhelper-dirs = [\"{}\", \"/bin\"]", safe.folder.path().display());
    let push = world(&safe, &dirs).push(&["main"]);
    push.rejected(&["docker-credential-lab", "exit status: 1"]);
    assert!(!push.text.contains("s3cret"), "{}", push.text);
}

#[test]
fn in_the_hook_a_helper_is_not_looked_for_on_the_path() {
    let safe = Safe::new(ALICE);
    let world = world(&safe, "");
    let path = format!("{}:{}", safe.folder.path().display(), std::env!("PATH"));
    let push = world.git(&["push", "origin", "main"]).env("PATH", path).run();
    let said = String::from_utf8_lossy(&push.stderr).into_owned();
    assert!(!push.status.success() && said.contains("no such program"), "{said}");
    assert_eq!(safe.calls(), [""; 0]);
}
