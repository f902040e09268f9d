//! The configuration: what is found, what is refused, and in which words.
use pullgate::{
    config::{Error, Search},
    tree::RepoPath,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A git directory with a configuration of its own.
fn repository(text: &str) -> (TempDir, Search) {
    let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
    fs::write(folder.path().join("pullgate.toml"), text).expect("the folder is writable");
    let search = Search { named: None, repository: Some(folder.path().to_owned()) };
    (folder, search)
}

fn refusal(text: &str) -> String {
    let (_folder, search) = repository(text);
    search.load().expect_err("it is not a configuration").to_string()
}

#[test]
fn without_any_file_the_defaults_hold() {
    let config = Search { named: None, repository: Some(PathBuf::from("/nonexistent")) }.load().unwrap();
    assert_eq!(config.message(), "");
}

#[test]
fn a_named_file_that_is_not_there_is_an_error_and_not_the_defaults() {
    let search = Search { named: Some(PathBuf::from("/nonexistent/config.toml")), repository: None };
    assert!(matches!(search.load(), Err(Error::Unreadable { .. })));
}

#[test]
fn a_link_to_nowhere_is_an_error_and_not_the_defaults() {
    let (folder, search) = repository("");
    let file = folder.path().join("pullgate.toml");
    fs::remove_file(&file).expect("the folder is writable");
    std::os::unix::fs::symlink("/nonexistent/config.toml", &file).expect("the folder is writable");
    assert!(matches!(search.load(), Err(Error::Unreadable { .. })));
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    for (text, words) in [
        ("on-missing = \"reject\"\non-mising = \"warn\"\n", &["pullgate.toml", "line 2", "on-mising"][..]),
        ("deadline = \"10\"\n", &["line 1", "not a duration"]),
        ("deadline = \"0s\"\n", &["line 1", "not a duration"]),
        ("\n\non-error = \"ignore\"\n", &["line 3", "ignore"]),
        ("[refs]\nenforce = [\"a[b\"]\n", &["a[b", "not a pattern"]),
        ("[registries.\"r.io\"]\ncredentials = \"dokcer\"\n", &["line 2", "credentials are"]),
        ("[registries.\"r.io\"]\ncredentials = { username = \"x\" }\n", &["line 2", "password-file"]),
        ("[bypass]\nactors = []\n", &["line 1", "bypass"]),
        ("[refs]\nenforce = [\"heads/main\"]\n", &["heads/main", "refs/"]),
        ("[refs]\nwarn = [\"!/main\"]\n", &["!/main", "refs/"]),
        ("x = [", &["line 1"]),
    ] {
        let said = refusal(text);
        assert!(words.iter().all(|word| said.contains(word)), "{text:?}: {said}");
    }
}

#[test]
fn a_registry_that_no_reference_could_name_is_refused() {
    for host in [
        "https://ghcr.io",
        "ghcr.io/",
        "quay.io/org",
        "GHCR.io",
        "index.docker.io",
        "registry",
        "user@ghcr.io",
        "*.example.com",
        "ghcr.io ",
        "",
    ] {
        let said = refusal(&format!("[registries.\"{host}\"]\nprivate = true\n"));
        assert!(said.contains(&format!("[registries.\"{host}\"]")), "{said}");
    }
    for realm in ["https://gitlab.example.com", "gitlab.example.com/jwt/auth", "gitlab.example.com:443", ""] {
        let said = refusal(&format!("[registries.\"r.io\"]\ntoken-realms = [\"{realm}\"]\n"));
        assert!(said.contains("token-realms") && said.contains(&format!("\"{realm}\"")), "{said}");
    }
    let good = ["docker.io", "ghcr.io", "localhost", "r.corp:5000", "[fd00::1]:5000", "10.0.0.1", "registry:5000"];
    for host in good {
        let text = format!("[registries.\"{host}\"]\ntoken-realms = [\"gitlab\", \"GitLab.example.com:8443\"]\n");
        let (_folder, search) = repository(&text);
        assert!(search.load().is_ok(), "{host}");
    }
}

#[test]
fn a_repositorys_file_stands_on_the_one_that_it_extends() {
    let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
    let base = folder.path().join("base.toml");
    fs::write(&base, "message = \"base\"\n[files]\nignore = [\"a/\"]\n").expect("the folder is writable");
    let over = format!("extends = \"{}\"\n[files]\nignore = [\"b/\"]\n", base.display());
    let (_folder, search) = repository(&over);
    let config = search.load().unwrap();
    assert_eq!(config.message(), "base");
    assert!(config.ignores(&RepoPath::new("b/x.yaml")) && !config.ignores(&RepoPath::new("a/x.yaml")));
}

#[test]
fn what_is_extended_is_checked_as_strictly() {
    let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
    let base = folder.path().join("base.toml");
    fs::write(&base, "\nmesage = \"base\"\n").expect("the folder is writable");
    let said = refusal(&format!("extends = \"{}\"\n", base.display()));
    assert!(said.contains("base.toml") && said.contains("line 2") && said.contains("mesage"), "{said}");
}

#[test]
fn credentials_that_could_not_be_used_are_refused() {
    for (text, words) in [
        ("[registries.\"r.io\"]\ncredentials = { helper = \"../evil\" }\n", &["[registries.\"r.io\"]", "../evil"][..]),
        ("[registries.\"r.io\"]\ncredentials = { helper = \"\" }\n", &["docker-credential-NAME"]),
        ("[registries.\"r.io\"]\ncredentials = { helper = \"x\", username = \"y\" }\n", &["line 2", "username"]),
        ("[registries.\"r.io\"]\ncredentials = { helper = 1 }\n", &["line 2"]),
        ("[registries.\"r.io\"]\ncredentials = { token-file = \"x\", helper = \"y\" }\n", &["line 2", "token-file"]),
        ("[registries.\"r.io\"]\ncredentials = {}\n", &["line 2", "username"]),
        ("[registries.\"r.io\"]\ncredentials = 1\n", &["line 2", "{ helper }", "{ token-file }"]),
        ("[credentials]\nhelper-dirs = [\"bin\"]\n", &["helper-dirs", "\"bin\""]),
        ("[credentials]\nhelper-env = [\"GIT_DIR\"]\n", &["helper-env", "GIT_DIR"]),
        ("[credentials]\nhelper-env = [\"AWS_*\"]\n", &["helper-env", "AWS_*"]),
    ] {
        let said = refusal(text);
        assert!(words.iter().all(|word| said.contains(word)), "{text:?}: {said}");
    }
}

#[test]
fn what_is_said_of_a_registry_must_fit_together() {
    for (text, words) in [
        ("[registries.\"r.io\"]\nclient-cert = \"c.pem\"\n", &["r.io", "client-key"][..]),
        ("[registries.\"r.io\"]\nclient-key = \"c.key\"\n", &["r.io", "client-cert"]),
        ("[registries.\"r.io\"]\nplain-http = true\nclient-cert = \"c\"\nclient-key = \"c\"\n", &["plain-http"]),
        ("[registries.\"r.io:443\"]\nplain-http = true\n", &["plain-http", "443"]),
        ("[registries.\"r.io\"]\nconcurrency = 0\n", &["r.io", "concurrency"]),
        ("[registries.\"r.io\"]\nmirror-of = \"https://docker.io\"\n", &["r.io", "mirror-of", "https://docker.io"]),
        ("[registries.\"r.io\"]\nmirror-of = \"hub\"\n", &["mirror-of", "\"hub\""]),
        ("[registries.\"r.io\"]\nmirror-of = \"r.io:443\"\n", &["no mirror of itself"]),
        ("[registries.\"r.io\"]\n[registries.\"r.io:443\"]\n", &["\"r.io\"", "\"r.io:443\"", "the same"]),
    ] {
        let said = refusal(text);
        assert!(words.iter().all(|word| said.contains(word)), "{text:?}: {said}");
    }
}

#[test]
fn every_source_of_credentials_can_be_written() {
    let text = "[credentials]\ndocker-config = [\"/etc/docker.json\"]\nhelper-dirs = [\"/opt/bin\"]\nhelper-env = [\"AWS_ROLE_ARN\"]\n\
        [registries.\"a.io\"]\ncredentials = \"docker\"\n[registries.\"b.io\"]\ncredentials = \"none\"\n\
        [registries.\"c.io\"]\ncredentials = { username = \"x\", password-file = \"/x\" }\n\
        [registries.\"d.io\"]\ncredentials = { helper = \"ecr-login\" }\n\
        [registries.\"e.io\"]\ncredentials = { token-file = \"/x\" }\n";
    let (_folder, search) = repository(text);
    assert!(search.load().is_ok() && search.load_with_user().is_ok());
}

#[test]
fn a_file_that_others_may_write_is_refused_with_what_to_do() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let (folder, search) = repository("");
    let file = folder.path().join("pullgate.toml");
    let is_loaded = |mode| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("the file is ours");
        search.load().is_ok()
    };
    assert!(is_loaded(0o600) && is_loaded(0o644));
    assert!(!is_loaded(0o666) && !is_loaded(0o646));
    let said = search.load().unwrap_err().to_string();
    assert!(said.contains(&format!("chmod go-w {}", file.display())), "{said}");
    // A group of the owner's own number is the owner's own.
    if chown(&file, Some(4242), Some(4242)).is_ok() {
        assert!(is_loaded(0o664));
        chown(&file, Some(4242), Some(0)).expect("it worked a moment ago");
        assert!(is_loaded(0o664));
        chown(&file, Some(4242), Some(100)).expect("it worked a moment ago");
        assert!(is_loaded(0o644) && !is_loaded(0o664));
    }
}

#[test]
fn a_file_that_is_extended_may_not_be_written_by_others_either() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
    let base = folder.path().join("base.toml");
    fs::write(&base, "").expect("the folder is writable");
    fs::set_permissions(&base, fs::Permissions::from_mode(0o666)).expect("the file is ours");
    let said = refusal(&format!("extends = \"{}\"\n", base.display()));
    assert!(said.contains("base.toml") && said.contains("chmod"), "{said}");
}

#[test]
fn mirrors_client_certificates_and_folders_of_certificates_can_be_configured() {
    let text = "certs-dirs = []\n[registries.\"mirror.example:5000\"]\nmirror-of = \"docker.io\"\n\
                client-cert = \"/etc/c.pem\"\nclient-key = \"/etc/c.key\"\n";
    let (_folder, search) = repository(text);
    search.load().unwrap();
}
