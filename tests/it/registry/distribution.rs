//! The registry that others wrote: what `distribution` answers is read as it is meant.
use super::{Checked, alice, check, is_present, open, plain};
use pullgate::{
    lab::Registry,
    registry::{Answer, Error, HostOptions, Options, Repository},
};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

struct Distribution {
    child: Child,
    host: String,
    folder: TempDir,
}

impl Drop for Distribution {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Distribution {
    /// A registry with one image, `team/app:1`; `None` if what it takes is not installed.
    fn start(password: Option<&str>) -> Option<Self> {
        for tool in ["docker-registry", "skopeo", "htpasswd"] {
            if Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
                println!("{tool} is not installed: passed over");
                return None;
            }
        }
        let folder = TempDir::new().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}/data}}}}\nhttp: {{addr: \"{host}\"}}\n",
            folder.path().display()
        );
        if let Some(password) = password {
            let line = Command::new("htpasswd").args(["-Bbn", "alice", password]).output().unwrap();
            let users = folder.path().join("htpasswd");
            fs::write(&users, line.stdout).unwrap();
            config.push_str(&format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", users.display()));
        }
        let file = folder.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { child: command.spawn().unwrap(), host, folder };
        registry.wait();
        registry.fill(password);
        Some(registry)
    }

    fn wait(&self) {
        for _ in 0..100 {
            if TcpStream::connect(&self.host).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("docker-registry does not listen");
    }

    fn fill(&self, password: Option<&str>) {
        let source: Registry = open();
        source.push("team/app", "1");
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"]);
        skopeo.args(password.map(|password| format!("--dest-creds=alice:{password}")));
        skopeo.args([format!("docker://{}/team/app:1", source.host()), format!("docker://{}/team/app:1", self.host)]);
        let done = skopeo.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn ask(&self, options: HostOptions, image: &str) -> Checked {
        let options = Options { hosts: [(self.host.clone(), options)].into(), ..Options::default() };
        check(options, &[format!("{}/{image}", self.host)]).remove(0)
    }
}

#[test]
fn without_authentication_present_and_absent_are_told_apart() {
    let Some(registry) = Distribution::start(None) else { return };
    let Ok(Answer::Present { digest: Some(digest) }) = registry.ask(plain(), "team/app:1") else { panic!() };
    assert!(is_present(&registry.ask(plain(), &format!("team/app@{digest}"))));
    let absent = |image: &str| match registry.ask(plain(), image) {
        Ok(Answer::Absent { status: 404, code, repository, suggestions }) => (code.unwrap(), repository, suggestions),
        other => panic!("{other:?}"),
    };
    let code = || "MANIFEST_UNKNOWN".to_owned();
    assert_eq!(absent("team/app:2"), (code(), Repository::Exists, vec!["1".to_owned()]));
    // To a request for a manifest it gives the same answer whether or not there is the repository.
    assert_eq!(absent("team/none:1"), (code(), Repository::Missing, Vec::new()));
}

#[test]
fn with_a_password_only_who_has_it_is_told() {
    let Some(registry) = Distribution::start(Some("s3cret")) else { return };
    let folder = &registry.folder;
    assert!(is_present(&registry.ask(alice(folder, "s3cret"), "team/app:1")));
    assert!(matches!(registry.ask(alice(folder, "s3cret"), "team/app:2"), Ok(Answer::Absent { .. })));
    assert!(matches!(registry.ask(alice(folder, "wrong"), "team/app:1"), Err(Error::RefusedCredentials { .. })));
    assert!(matches!(registry.ask(plain(), "team/app:1"), Ok(Answer::Denied { status: 401, .. })));
}
