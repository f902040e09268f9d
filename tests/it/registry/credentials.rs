//! Files that say who we are: their forms, which of their keys counts, and who never sees what they hold.
use super::{bearer, check, describe, error_code, is_present, listing, open, plain, requests, with};
use crate::world::World;
use base64::{Engine, prelude::BASE64_STANDARD};
use pullgate::{
    lab::{Auth, Registry, Scope},
    registry::{Answer, AskedAs, CredentialChoice, Error, HostOptions, Options, Secret, UserConfig},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A registry with team/app:1, which alice may read and bob may not.
fn private() -> Registry {
    let registry = with(Auth::Basic { users: [("alice", "s3cret"), ("bob", "b0b")].into() });
    registry.push("team/app", "1");
    registry.restrict("team/app", &["alice"]);
    registry
}

/// A key with a user's entry.
fn entry(key: &str, user: &str, password: &str) -> String {
    format!("\"{key}\":{{\"auth\":\"{}\"}}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn alice(key: &str) -> String {
    entry(key, "alice", "s3cret")
}

fn auths(entries: &[String]) -> String {
    format!("{{\"auths\":{{{}}}}}", entries.join(","))
}

/// The options of a registry of which a file with this text says who we are.
fn knowing(registry: &Registry, folder: &TempDir, text: &str) -> Options {
    Options { docker_config: vec![file(folder, "config.json", text)], ..listing(registry, plain()) }
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn image(registry: &Registry) -> String {
    format!("{}/team/app:1", registry.host())
}

/// Whether team/app:1 can be seen with what the text says.
#[track_caller]
fn opens(registry: &Registry, text: &str) {
    let folder = TempDir::new().unwrap();
    let checked = check(knowing(registry, &folder, text), &[image(registry)]).remove(0);
    assert!(is_present(&checked), "{text}: {checked:?}");
}

/// What is said of team/app:1 when the credentials cannot be used, which is never what they are.
#[track_caller]
fn local(options: Options, registry: &Registry) -> String {
    let Err(Error::Local(message)) = check(options, &[image(registry)]).remove(0) else { panic!() };
    assert!(!message.contains("s3cret"), "{message}");
    message
}

/// Who came with a name and a password, as `name:password`.
fn shown(registry: &Registry) -> Vec<String> {
    let authorizations = registry.requests().into_iter().filter_map(|request| request.authorization);
    let decoded =
        authorizations.filter(|shown| shown.scheme == "Basic").map(|shown| BASE64_STANDARD.decode(shown.value));
    decoded.map(|bytes| String::from_utf8(bytes.unwrap()).unwrap()).collect()
}

#[test]
fn a_config_json_of_docker_says_who_we_are() {
    let registry = private();
    opens(&registry, &auths(&[alice(&registry.host())]));
}

#[test]
fn an_auth_json_of_podman_says_who_we_are_in_a_part_of_a_registry() {
    let registry = private();
    opens(&registry, &auths(&[alice(&format!("{}/team", registry.host()))]));
}

#[test]
fn a_dockercfg_of_old_says_who_we_are() {
    let registry = private();
    opens(&registry, &format!("{{{}}}", alice(&registry.host())));
}

#[test]
fn a_secret_as_kubectl_prints_it_in_json_says_who_we_are() {
    let registry = private();
    let data = BASE64_STANDARD.encode(auths(&[alice(&registry.host())]));
    opens(
        &registry,
        &format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"kubernetes.io/dockerconfigjson\",\"data\":{{\".dockerconfigjson\":\"{data}\"}}}}"
        ),
    );
}

#[test]
fn a_secret_as_it_is_written_in_yaml_says_who_we_are() {
    let registry = private();
    let data = BASE64_STANDARD.encode(auths(&[alice(&registry.host())]));
    opens(
        &registry,
        &format!("apiVersion: v1\nkind: Secret\ndata:\n  .dockerconfigjson: {data}\nmetadata: {{name: x}}\n"),
    );
}

#[test]
fn a_secret_as_it_is_mounted_is_found_behind_its_links() {
    let registry = private();
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("..2026_01_01")).unwrap();
    file(&folder, "..2026_01_01/.dockerconfigjson", &auths(&[alice(&registry.host())]));
    std::os::unix::fs::symlink("..2026_01_01", folder.path().join("..data")).unwrap();
    let path = folder.path().join(".dockerconfigjson");
    std::os::unix::fs::symlink("..data/.dockerconfigjson", &path).unwrap();
    let options = Options { docker_config: vec![path], ..listing(&registry, plain()) };
    assert!(is_present(&check(options, &[image(&registry)])[0]));
}

#[test]
fn a_star_in_a_key_stands_for_a_label_as_it_does_for_a_kubelet() {
    let registry = private();
    opens(&registry, &auths(&[alice(&registry.host().replace("127.0", "*.*"))]));
}

#[test]
fn of_several_credentials_that_fit_the_longest_path_is_tried_first_and_then_the_next() {
    let registry = private();
    let host = registry.host();
    opens(&registry, &auths(&[alice(&host), entry(&format!("{host}/team"), "bob", "b0b")]));
    assert_eq!(shown(&registry).iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert_eq!(shown(&registry).first().map(String::as_str), Some("bob:b0b"));
    assert_eq!(shown(&registry).last().map(String::as_str), Some("alice:s3cret"));
}

#[test]
fn credentials_that_are_refused_are_followed_by_the_next() {
    let registry = private();
    let host = registry.host();
    opens(&registry, &auths(&[alice(&host), entry(&format!("{host}/team/app"), "alice", "expired")]));
}

#[test]
fn if_none_of_several_credentials_does_the_first_are_named() {
    let registry = private();
    let folder = TempDir::new().unwrap();
    let (host, path) = (registry.host(), format!("{}/team", registry.host()));
    let text = auths(&[entry(&host, "bob", "b0b"), entry(&path, "bob", "b0b")]);
    let checked = check(knowing(&registry, &folder, &text), &[image(&registry)]).remove(0);
    let expected = format!(
        "does not exist, or user \"bob\" ({}, key \"HOST/team\") may not read it (403 DENIED)",
        folder.path().join("config.json").display()
    );
    assert_eq!(describe(&checked, &registry, "team/app:1"), expected);
}

#[test]
fn of_several_files_the_first_that_knows_anything_counts() {
    let registry = private();
    let folder = TempDir::new().unwrap();
    let other = file(&folder, "other.json", &auths(&[alice("other.example")]));
    let bobs = file(&folder, "bob.json", &auths(&[entry(&registry.host(), "bob", "b0b")]));
    let alices = file(&folder, "alice.json", &auths(&[alice(&registry.host())]));
    let is_seen = |files: [&Path; 3]| {
        let docker_config = files.map(Path::to_owned).to_vec();
        is_present(&check(Options { docker_config, ..listing(&registry, plain()) }, &[image(&registry)])[0])
    };
    assert!(is_seen([&other, &alices, &bobs]));
    assert!(!is_seen([&other, &bobs, &alices]));
}

#[test]
fn of_keys_that_stand_there_twice_the_last_counts_each_time() {
    let registry = private();
    let host = registry.host();
    for _ in 0..8 {
        opens(&registry, &auths(&[entry(&host, "alice", "old"), alice(&host)]));
    }
    assert!(shown(&registry).iter().all(|shown| shown == "alice:s3cret"));
}

#[test]
fn of_keys_that_mean_the_same_the_plain_one_is_tried_first_each_time() {
    let registry = private();
    let host = registry.host();
    for _ in 0..8 {
        registry.clear();
        opens(&registry, &auths(&[entry(&format!("http://{host}/v1/"), "bob", "b0b"), alice(&host)]));
        assert_eq!(shown(&registry).first().map(String::as_str), Some("alice:s3cret"));
    }
}

#[test]
fn credentials_for_a_registry_are_not_sent_to_one_whose_name_goes_on() {
    // The lab does for a proxy, so that any name leads to it.
    let registry = private();
    let folder = TempDir::new().unwrap();
    let hosts = ["quay.io.evil.example", "evil-quay.io", "x.quay.io", "quay.io:8080", "quay.example"];
    let text = auths(&[alice("quay.io"), alice("https://quay.io/v2/"), alice("quay.io/team")]);
    let mut options = knowing(&registry, &folder, &text);
    options.hosts = hosts.map(|host| (host.to_owned(), HostOptions { plain_http: true, ..plain() })).into();
    options.http.proxies.http = Some(format!("http://{}", registry.host()));
    let checked = check(options, &hosts.map(|host| format!("{host}/team/app:1")));
    assert!(checked.iter().all(|checked| matches!(checked, Ok(Answer::Denied { asked_as: AskedAs::Anonymous, .. }))));
    assert!(registry.requests().len() >= hosts.len() && shown(&registry).is_empty());
}

#[test]
fn a_token_file_is_shown_to_the_registry_itself() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("team/app", "1");
    let token = file(&folder, "token", "t0ken\n");
    let options = listing(&registry, HostOptions { credentials: CredentialChoice::Token(token.clone()), ..plain() });
    let checked = check(options, &[image(&registry)]);
    assert!(is_present(&checked[0]), "the lab did not issue it, so it is asked once more as anybody");
    let first = registry.requests().into_iter().find_map(|request| request.authorization).unwrap();
    assert_eq!((first.scheme.as_str(), first.value.as_str()), ("Bearer", "t0ken"));
}

#[test]
fn a_token_file_that_does_not_do_is_named() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("team/app", "1");
    registry.restrict("team/app", &["alice"]);
    let token = file(&folder, "token", "t0ken\n");
    let options = listing(&registry, HostOptions { credentials: CredentialChoice::Token(token.clone()), ..plain() });
    let checked = check(options, &[image(&registry)]).remove(0);
    let expected = format!("HOST refused the credentials of {}", token.display());
    assert_eq!(describe(&checked, &registry, "team/app:1"), expected);
}

#[test]
fn what_everybody_may_write_is_not_used() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let config = file(&folder, "config.json", &auths(&[alice(&registry.host())]));
    let secret = file(&folder, "secret", "s3cret\n");
    let own = |credentials| listing(&registry, HostOptions { credentials, ..plain() });
    for (path, options) in [
        (&config, Options { docker_config: vec![config.clone()], ..listing(&registry, plain()) }),
        (&secret, own(CredentialChoice::Password { username: "alice".to_owned(), file: secret.clone() })),
        (&secret, own(CredentialChoice::Token(secret.clone()))),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(local(options, &registry).contains(&format!("chmod o-w {}", path.display())));
    }
    assert!(registry.requests().iter().all(|request| request.authorization.is_none()));
}

#[test]
fn what_only_a_group_may_write_is_used() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let options = knowing(&registry, &folder, &auths(&[alice(&registry.host())]));
    fs::set_permissions(&options.docker_config[0], fs::Permissions::from_mode(0o664)).unwrap();
    assert!(is_present(&check(options, &[image(&registry)])[0]));
}

#[test]
fn what_a_link_leads_to_may_not_be_written_by_everybody_either() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let options = knowing(&registry, &folder, &auths(&[alice(&registry.host())]));
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(&options.docker_config[0], &link).unwrap();
    fs::set_permissions(&options.docker_config[0], fs::Permissions::from_mode(0o606)).unwrap();
    assert!(local(Options { docker_config: vec![link], ..options }, &registry).contains("chmod"));
}

#[test]
fn a_pipe_where_a_file_should_be_does_not_keep_us_waiting() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let options = Options { docker_config: vec![pipe], ..listing(&registry, plain()) };
    assert!(local(options, &registry).ends_with("pipe: it is not a file"));
}

#[test]
fn a_file_that_is_too_large_for_credentials_is_not_read() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let options = knowing(&registry, &folder, "");
    fs::File::create(&options.docker_config[0]).unwrap().set_len(1 << 40).unwrap();
    assert!(local(options, &registry).contains("more than 1 MiB"));
}

#[test]
fn of_a_file_with_a_secret_only_the_first_line_counts() {
    let registry = private();
    let own = |credentials| listing(&registry, HostOptions { credentials, ..plain() });
    for (text, is_seen) in [("s3cret\r\nsecond\n", true), ("s3cret", true), ("\ns3cret\n", false), ("", false)] {
        let folder = TempDir::new().unwrap();
        let credentials =
            CredentialChoice::Password { username: "alice".to_owned(), file: file(&folder, "secret", text) };
        if is_seen {
            assert!(is_present(&check(own(credentials), &[image(&registry)])[0]), "{text:?}");
        } else {
            assert!(local(own(credentials), &registry).contains("its first line is empty"), "{text:?}");
        }
    }
}

#[test]
fn a_named_file_that_is_missing_is_named_and_a_searched_one_is_passed_over() {
    let folder = TempDir::new().unwrap();
    let registry = private();
    let missing = folder.path().join("missing.json");
    let options = Options { docker_config: vec![missing.clone()], ..listing(&registry, plain()) };
    assert!(local(options, &registry).contains("missing.json"));
    let there = file(&folder, "config.json", &auths(&[alice(&registry.host())]));
    let user_config = vec![UserConfig::File(missing), UserConfig::File(there)];
    assert!(is_present(&check(Options { user_config, ..listing(&registry, plain()) }, &[image(&registry)])[0]));
}

#[test]
fn a_configuration_in_a_variable_is_named_after_it_and_not_shown() {
    let registry = private();
    let text = Secret::new(auths(&[entry(&registry.host(), "bob", "b0b")]));
    let user_config = vec![UserConfig::Text { variable: "DOCKER_AUTH_CONFIG".to_owned(), text }];
    let options = Options { user_config, ..listing(&registry, plain()) };
    assert!(!format!("{options:?}").contains("Ym9i"));
    let checked = check(options, &[image(&registry)]).remove(0);
    let message = describe(&checked, &registry, "team/app:1");
    assert!(message.contains("user \"bob\" (DOCKER_AUTH_CONFIG, key \"HOST\")"), "{message}");
}

#[test]
fn a_file_is_read_again_for_the_next_check() {
    let registry = private();
    let folder = TempDir::new().unwrap();
    let options = knowing(&registry, &folder, "{}");
    let registries = pullgate::registry::Registries::new(options);
    let reference = pullgate::image::Reference::parse(&image(&registry)).unwrap();
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        runtime
            .block_on(registries.check(std::slice::from_ref(&reference), deadline))
            .answers
            .remove(&reference)
            .unwrap()
    };
    assert!(!is_present(&ask()));
    file(&folder, "config.json", &auths(&[alice(&registry.host())]));
    assert!(is_present(&ask()));
}

#[test]
fn a_key_lists_its_registry_also_with_the_port_of_https() {
    // An unlisted registry at a private address is not asked; a listed one is, and fails for want of TLS.
    let folder = TempDir::new().unwrap();
    let registry = open();
    let config = file(&folder, "config.json", &auths(&[alice("127.0.0.1")]));
    let options = Options { docker_config: vec![config], ..Options::default() };
    let checked = check(options, &["127.0.0.1:443/x:1".to_owned(), "127.0.0.1:8/x:1".to_owned(), image(&registry)]);
    assert!(
        matches!(checked[0], Ok(Answer::NotAllowed { refusal: pullgate::registry::Refusal::Private, .. })),
        "{checked:?}"
    );
    assert!(
        matches!(checked[1], Ok(Answer::NotAllowed { refusal: pullgate::registry::Refusal::Port, .. })),
        "{checked:?}"
    );
    assert!(
        matches!(checked[2], Ok(Answer::NotAllowed { refusal: pullgate::registry::Refusal::Port, .. })),
        "{checked:?}"
    );
    assert!(requests(&registry).is_empty());
}

/// A world whose registry is another one, for which only alice may see team/app:1.
fn world(rest: &str) -> (World, Registry) {
    let (world, registry) = (World::new(), private());
    let credentials = if rest.starts_with("credentials") { rest } else { "" };
    let tables = if credentials.is_empty() { rest } else { "" };
    world.configure_exactly(&format!(
        "[registries.\"{}\"]\nplain-http = true\nprivate = true\n{credentials}\n{tables}",
        registry.host()
    ));
    world.write("app.yaml", &crate::world::deployment(&image(&registry)));
    world.commit("app");
    (world, registry)
}

#[test]
fn in_the_hook_no_variable_says_who_we_are() {
    let (world, registry) = world("");
    let config = auths(&[alice(&registry.host())]);
    world.write("../home/.docker/config.json", &config);
    world.write("../home/.config/containers/auth.json", &config);
    let home = world.path().join("home");
    let docker = home.join(".docker");
    let push = world
        .git(&["push", "origin", "main"])
        .env("HOME", &home)
        .env("DOCKER_AUTH_CONFIG", &config)
        .env("DOCKER_CONFIG", &docker)
        .env("REGISTRY_AUTH_FILE", docker.join("config.json"))
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("XDG_RUNTIME_DIR", home.join(".config"))
        .run();
    let said = String::from_utf8_lossy(&push.stderr).into_owned();
    assert!(!push.status.success() && said.contains("was asked without"), "{said}");
    assert!(!registry.requests().is_empty() && shown(&registry).is_empty());
}

#[test]
fn in_the_hook_a_file_that_the_configuration_names_says_who_we_are() {
    let folder = TempDir::new().unwrap();
    let (world, registry) =
        world(&format!("[credentials]\ndocker-config = [\"{}/config.json\"]", folder.path().display()));
    file(&folder, "config.json", &auths(&[alice(&registry.host())]));
    world.push(&["main"]).accepted();
}

#[test]
fn in_the_hook_a_token_file_that_the_configuration_names_is_shown() {
    let folder = TempDir::new().unwrap();
    let token = file(&folder, "token", "t0ken\n");
    let (world, registry) = world(&format!("credentials = {{ token-file = \"{}\" }}", token.display()));
    world.push(&["main"]).rejected(&["refused the credentials of"]);
    let shown = registry.requests().into_iter().filter_map(|request| request.authorization);
    assert!(shown.map(|shown| shown.value).any(|value| value == "t0ken"));
}

#[test]
fn who_is_wrong_is_told_in_a_push_by_source_and_not_by_secret() {
    let folder = TempDir::new().unwrap();
    let secret = file(&folder, "password", "wr0ng\n");
    let choice = format!("credentials = {{ username = \"alice\", password-file = \"{}\" }}", secret.display());
    let (world, registry) = world(&choice);
    let push = world.push(&["main"]);
    push.rejected(&["refused the", "password"]);
    assert!(!push.text.contains("wr0ng") && shown(&registry).contains(&"alice:wr0ng".to_owned()));
}

#[test]
fn what_the_first_of_several_credentials_do_not_see_the_next_may() {
    let registry = private();
    let host = registry.host();
    // Some say so to who may not know.
    registry.misbehave(Scope::everything().get().times(1), error_code(404, "MANIFEST_UNKNOWN", "manifest unknown"));
    opens(&registry, &auths(&[alice(&host), entry(&format!("{host}/team"), "bob", "b0b")]));
}
