//! Pushes judged by a real registry: Debian's docker-registry, with images that skopeo put into it.
use crate::world::World;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// docker-registry on a port of the loopback address, stopped when dropped.
struct Real {
    process: Child,
    host: String,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether these programs are there; says that a test is passed over if not.
fn are_installed(programs: &[&str]) -> bool {
    let is_missing = |program: &&&str| {
        Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    };
    let missing: Vec<_> = programs.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        println!("passed over: {missing:?} is not installed");
    }
    missing.is_empty()
}

impl Real {
    /// Starts it with its data in the world's folder and `more` under its `http:` and beside it.
    fn start(world: &World, http: &str, more: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        let folder = world.path().join("real");
        fs::create_dir_all(&folder).expect("the folder is writable");
        let file = folder.join("config.yml");
        let data = folder.join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '{address}'{http}}}\n{more}",
            data.display()
        );
        fs::write(&file, text).expect("the folder is writable");
        let process = Command::new("docker-registry")
            .args(["serve".as_ref(), file.as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let real = Self { process, host: address.to_string() };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "docker-registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        real
    }

    /// Copies an image of the world's own registry into this one.
    fn put(&self, world: &World, name: &str, options: &[&str]) {
        let (repository, tag) = name.split_once(':').expect("a name has a tag");
        world.registry.push(repository, tag);
        let (from, to) = (format!("docker://{}", world.image(name)), format!("docker://{}/{name}", self.host));
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "-q", "--src-tls-verify=false"]).args(options).args([from, to]);
        let output = command.output().expect("skopeo is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A base with a placeholder, and an overlay that deploys `tag` of the real registry.
fn bump(world: &World, host: &str, tag: &str) {
    world.write("apps/base/kustomization.yaml", "resources:\n  - app.yaml\n");
    world.write("apps/base/app.yaml", &crate::world::deployment("my-app"));
    let images = format!("images:\n  - name: my-app\n    newName: {host}/team/app\n    newTag: {tag}\n");
    world.write("apps/prod/kustomization.yaml", &format!("resources:\n  - ../base\n{images}"));
}

/// One push of a tag that exists, one of a tag that does not; `keys` are the registry's in the configuration.
fn accepts_what_is_there_and_rejects_what_is_not(world: &World, real: &Real, keys: &str, rest: &str) {
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\n{keys}\n{rest}", real.host));
    bump(world, &real.host, "1.4.2");
    world.commit_and_push("there").accepted();
    let before = world.remote_ref("refs/heads/main");
    bump(world, &real.host, "1.4.3");
    let missing = format!("{}/team/app:1.4.3", real.host);
    let words = ["apps/prod/kustomization.yaml:6:13", &missing, "not found", "did you mean 1.4.2?"];
    world.commit_and_push("not there").rejected(&words);
    assert_eq!(world.remote_ref("refs/heads/main"), before);
}

#[test]
fn a_registry_over_plain_http_is_judged_by() {
    if !are_installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let world = World::new();
    let real = Real::start(&world, "", "");
    real.put(&world, "team/app:1.4.2", &["--dest-tls-verify=false"]);
    accepts_what_is_there_and_rejects_what_is_not(&world, &real, "plain-http = true", "");
}

#[test]
fn a_registry_with_a_private_ca_is_judged_by_once_the_ca_is_configured() {
    if !are_installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let world = World::new();
    let tls = Tls::make(world.path());
    let real = Real::start(&world, &tls.options(), "");
    real.put(&world, "team/app:1.4.2", &["--dest-tls-verify=false"]);
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\n", real.host));
    bump(&world, &real.host, "1.4.2");
    world.commit_and_push("before").rejected(&["could not be verified", "certificate"]);
    let keys = format!("ca-file = \"{}\"", tls.ca.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &real, &keys, "");
}

#[test]
fn a_registry_with_htpasswd_is_judged_by_with_the_credentials_of_a_docker_config() {
    if !are_installed(&["docker-registry", "skopeo", "htpasswd"]) {
        return;
    }
    let world = World::new();
    let users = Command::new("htpasswd").args(["-Bbn", "alice", "s3cret"]).output().expect("htpasswd is installed");
    let file = world.path().join("htpasswd");
    fs::write(&file, users.stdout).expect("the folder is writable");
    let auth = format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", file.display());
    let real = Real::start(&world, "", &auth);
    real.put(&world, "team/app:1.4.2", &["--dest-tls-verify=false", "--dest-creds=alice:s3cret"]);
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\nplain-http = true\n", real.host));
    bump(&world, &real.host, "1.4.2");
    world.commit_and_push("without credentials").rejected(&["does not exist or is private"]);
    let config = world.path().join("docker.json");
    // alice:s3cret in base64.
    fs::write(&config, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YWxpY2U6czNjcmV0\"}}}}}}", real.host))
        .expect("it is writable");
    let rest = format!("[credentials]\ndocker-config = [\"{}\"]\n", config.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &real, "plain-http = true", &rest);
}

#[test]
fn a_registry_that_is_stopped_rejects_within_the_deadline() {
    if !are_installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let world = World::new();
    let mut real = Real::start(&world, "", "");
    real.put(&world, "team/app:1.4.2", &["--dest-tls-verify=false"]);
    let listed = format!("[registries.\"{}\"]\nprivate = true\nplain-http = true\n", real.host);
    world.configure_exactly(&format!("deadline = \"5s\"\n{listed}"));
    real.process.kill().expect("it runs");
    real.process.wait().expect("it runs");
    bump(&world, &real.host, "1.4.2");
    let started = Instant::now();
    world.commit_and_push("down").rejected(&["could not be verified", "this is not the commit's fault"]);
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}

/// A CA of our own, and a server's certificate from it.
struct Tls {
    ca: std::path::PathBuf,
    certificate: std::path::PathBuf,
    key: std::path::PathBuf,
}

impl Tls {
    fn make(folder: &Path) -> Self {
        let key = || KeyPair::generate().expect("a key can be made");
        let mut ca = CertificateParams::new([]).expect("no names are valid names");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(ca, key()).expect("the parameters are those of a CA");
        let server_key = key();
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).expect("the address is a name");
        let server = server.signed_by(&server_key, &issuer).expect("the CA may sign");
        let keep = |name: &str, pem: String| {
            let file = folder.join(name);
            fs::write(&file, pem).expect("the folder is writable");
            file
        };
        Self {
            ca: keep("ca.pem", issuer.pem()),
            certificate: keep("server.pem", server.pem()),
            key: keep("server.key", server_key.serialize_pem()),
        }
    }

    /// What docker-registry wants under `http`.
    fn options(&self) -> String {
        format!(", tls: {{certificate: {}, key: {}}}", self.certificate.display(), self.key.display())
    }
}
