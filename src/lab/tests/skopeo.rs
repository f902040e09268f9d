//! A client that others wrote.
use super::client::with;
use crate::lab::Auth;
use std::{
    io::{self, Write},
    process::Command,
};

#[test]
fn skopeo_copies_an_image_and_an_index() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        // What a test prints is shown only if it fails; what it writes itself is shown.
        let _ = writeln!(io::stderr(), "passed over: skopeo_copies_an_image_and_an_index: skopeo is not installed");
        return;
    }
    let users = [("alice", "s3cret")].into();
    let registry = with(Auth::Bearer { users, realm: None, service: Some("lab".into()) });
    registry.push("team/app", "one");
    registry.push_index("team/app", "many", &["linux/amd64", "linux/arm64/v8"]);
    registry.restrict("team/app", &["alice"]);
    let folder = tempfile::tempdir().unwrap();
    for tag in ["one", "many"] {
        let from = format!("docker://{}/team/app:{tag}", registry.host());
        let to = format!("oci:{}:{tag}", folder.path().display());
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all", "--src-tls-verify=false", "--src-creds=alice:s3cret"]);
        let done = skopeo.args([from, to]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let copied = std::fs::read_to_string(folder.path().join("index.json")).unwrap();
    assert!(copied.contains(r#""org.opencontainers.image.ref.name":"many""#), "{copied}");
}
