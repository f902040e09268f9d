//! A real registry behind nginx, which speaks TLS and HTTP/2 for it.
use super::{accepts_what_is_there_and_rejects_what_is_not, bump};
use crate::{
    certificates::{Authority, keep},
    distribution::{Distribution, TOOLS},
    tools::are_installed,
    world::{Push, World, deployment},
};
use std::{
    collections::BTreeSet,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// nginx in front of a registry; stopped when it is dropped.
struct Nginx {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
    ca: PathBuf,
}

impl Nginx {
    /// `more`: directives for its server.
    fn before(real: &Distribution, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new();
        let ca = keep(folder.path(), "ca.pem", &authority.pem());
        authority.server("127.0.0.1").keep(folder.path(), "server");
        // Another test may take a port between its being found free and its being used.
        let (process, address) = (0..5).find_map(|_| try_start(&folder, &real.host, more)).expect("nginx starts");
        Self { process, folder, address, ca }
    }

    /// Connection and protocol of each request.
    fn requests(&self) -> Vec<(String, String)> {
        let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(connection, protocol)| (connection.to_owned(), protocol.to_owned())).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A signal that lets it end its worker too.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn try_start(folder: &TempDir, upstream: &str, more: &str) -> Option<(Child, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
    let own = folder.path().display();
    // A master that is root would give its workers to somebody who may not read our folder; to others this says nothing.
    let config = format!(
        "user root;\ndaemon off;\nworker_processes 1;\npid {own}/pid;\nerror_log {own}/error.log;\n\
         events {{}}\nhttp {{\n  log_format proto '$connection $server_protocol';\n  \
         access_log {own}/access.log proto;\n  client_body_temp_path {own}/1;\n  proxy_temp_path {own}/2;\n  \
         fastcgi_temp_path {own}/3;\n  uwsgi_temp_path {own}/4;\n  scgi_temp_path {own}/5;\n  \
         server {{\n    listen {address} ssl http2;\n    {more}\n    ssl_certificate {own}/server.pem;\n    \
         ssl_certificate_key {own}/server.key;\n    location / {{\n      proxy_pass http://{upstream};\n      \
         proxy_set_header Host $http_host;\n      proxy_set_header X-Forwarded-Proto https;\n    }}\n  }}\n}}\n"
    );
    let file = keep(folder.path(), "nginx.conf", &config);
    let mut command = Command::new("nginx");
    command.arg("-c").arg(file).arg("-e").arg(folder.path().join("early.log"));
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..500 {
        if process.try_wait().unwrap().is_some() {
            return None;
        }
        if TcpStream::connect(address).is_ok() {
            return Some((process, address));
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

#[test]
fn a_registry_behind_nginx_is_judged_by() {
    if !are_installed(&[TOOLS, &["nginx"]].concat()) {
        return;
    }
    let world = World::new();
    let real = Distribution::start(None, "");
    real.put("team/app:1.4.2", None);
    let nginx = Nginx::before(&real, "");
    let keys = format!("ca-file = \"{}\"", nginx.ca.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &nginx.address.to_string(), &keys, "");
}

/// A push of one image that is there and so many that are not, to the registry behind an nginx with `options`.
fn push_of_many(options: &str, missing: usize) -> (Nginx, Push) {
    let world = World::new();
    let real = Distribution::start(None, "");
    real.put("team/app:1.4.2", None);
    let nginx = Nginx::before(&real, options);
    let host = nginx.address.to_string();
    let ca = nginx.ca.display();
    world.configure_exactly(&format!("[registries.\"{host}\"]\nprivate = true\nca-file = \"{ca}\"\n"));
    bump(&world, &host, "1.4.2");
    for n in 0..missing {
        world.write(&format!("apps/{n}.yaml"), &deployment(&format!("{host}/team/none:{n}")));
    }
    let push = world.commit_and_push("many");
    (nginx, push)
}

#[test]
fn a_registry_behind_nginx_sees_one_connection_of_http_2_in_a_push_of_many_images() {
    if !are_installed(&[TOOLS, &["nginx"]].concat()) {
        return;
    }
    let (nginx, push) = push_of_many("", 20);
    push.rejected(&["20 of 21", "not found"]);
    let requests = nginx.requests();
    assert!(requests.len() > 40 && requests.iter().all(|(_, protocol)| protocol == "HTTP/2.0"), "{requests:?}");
    let connections: BTreeSet<&String> = requests.iter().map(|(connection, _)| connection).collect();
    assert_eq!(connections.len(), 1, "{requests:?}");
}

#[test]
fn a_server_that_ends_its_connections_after_some_requests_is_asked_for_the_rest_over_others() {
    if !are_installed(&[TOOLS, &["nginx"]].concat()) {
        return;
    }
    let (_nginx, push) = push_of_many("keepalive_requests 100;", 300);
    push.rejected(&["300 of 301"]);
    assert!(!push.text.contains("could not be"), "{}", push.text);
}
