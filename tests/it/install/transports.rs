//! The installed hook behind the transports that people push through, with push options: ssh, and HTTP by nginx.
use super::host::{Listing, gitaly, gitea, install, plain};
use crate::{
    tools::{are_installed, pass_over},
    world::{Push, World},
};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A server that is stopped when it is dropped.
struct Server(Child);

impl Server {
    /// Starts a program and waits until `is_up`.
    fn start(command: &mut Command, is_up: impl Fn() -> bool) -> Option<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let mut server = Self(child);
        for _ in 0..250 {
            if is_up() {
                return Some(server);
            }
            if server.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port()
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn program(name: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("PATH=$PATH:/usr/sbin command -v {name}")]).output();
    String::from_utf8_lossy(&found.expect("there is a shell").stdout).trim_end().to_owned()
}

/// sshd that knows one key and runs `git-shell` for it, and git's way to it.
fn sshd(world: &World) -> Option<(Server, String)> {
    let folder = world.path().join("ssh");
    fs::create_dir(&folder).unwrap();
    for key in ["host", "user"] {
        let made =
            Command::new("ssh-keygen").args(["-q", "-N", "", "-t", "ed25519", "-f"]).arg(folder.join(key)).status();
        assert!(made.expect("ssh-keygen is installed").success());
    }
    let key = fs::read_to_string(folder.join("user.pub")).unwrap();
    fs::write(folder.join("known"), format!("restrict,command=\"git-shell -c \\\"$SSH_ORIGINAL_COMMAND\\\"\" {key}"))
        .unwrap();
    let port = free_port();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/known\nPidFile none\n\
         StrictModes no\nUsePAM no\nPermitRootLogin yes\n",
        folder.display()
    );
    fs::write(folder.join("config"), config).unwrap();
    // What the package's start script makes.
    let _ = fs::create_dir("/run/sshd");
    let server =
        Server::start(Command::new(program("sshd")).arg("-D").arg("-f").arg(folder.join("config")), || answers(port))?;
    let host = fs::read_to_string(folder.join("host.pub")).unwrap();
    fs::write(folder.join("hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
    let folder = folder.display();
    let ssh = format!("ssh -F none -o BatchMode=yes -o UserKnownHostsFile={folder}/hosts -i {folder}/user -p {port}");
    Some((server, ssh))
}

fn push(world: &World, ssh: &str, args: &[&str]) -> Push {
    let output = world.git(&["push", "origin", "main"]).args(args).env("GIT_SSH_COMMAND", ssh).run();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Push { is_accepted: output.status.success(), text }
}

/// A good push with an option is accepted, a bad one rejected with all that it has to say.
fn judges(world: &World, ssh: &str) {
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    world.commit("there");
    push(world, ssh, &["-o", "why=because"]).accepted();
    world.deploy("app.yaml", "team/app:missing");
    world.commit("a typo");
    push(world, ssh, &[]).rejected(&["not found", "app.yaml:11:18", "push the image first"]);
}

fn judges_over_ssh(world: &World) {
    if !are_installed(&["ssh", "ssh-keygen", "git-shell"]) || program("sshd").is_empty() {
        return pass_over("not installed: openssh-server");
    }
    let Some((_server, ssh)) = sshd(world) else { return pass_over("sshd does not start here") };
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap();
    let url = format!("{}@127.0.0.1:{}", user.trim_end(), world.bare().display());
    world.git(&["remote", "set-url", "origin", &url]).ok();
    judges(world, &ssh);
}

#[test]
fn a_bare_repository_over_ssh() {
    let world = plain();
    install(&world, &["bare", "fleet.git"]);
    judges_over_ssh(&world);
}

#[test]
fn a_repository_of_gitea_over_ssh() {
    let world = gitea();
    world_offers_push_options(&world);
    install(&world, &["gitea", "fleet.git"]);
    judges_over_ssh(&world);
}

#[test]
fn a_whole_gitlab_over_ssh() {
    let world = gitaly();
    world_offers_push_options(&world);
    install(&world, &["gitlab-global", "custom_hooks"]);
    judges_over_ssh(&world);
}

/// As Gitea and Gitaly do it.
fn world_offers_push_options(world: &World) {
    crate::git_command::git(&world.bare()).args(["config", "receive.advertisePushOptions", "true"]).ok();
}

#[test]
fn a_bare_repository_over_http() {
    let world = plain();
    if ["nginx", "fcgiwrap"].iter().any(|name| program(name).is_empty()) {
        return pass_over("not installed: nginx, fcgiwrap");
    }
    install(&world, &["bare", "fleet.git"]);
    let before = Listing::of(&world.bare().join("hooks"));
    let (socket, port) = (world.path().join("cgi"), free_port());
    // nginx gives its own workers away to a user of their own.
    fs::set_permissions(world.path().parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut cgi = Command::new(program("fcgiwrap"));
    cgi.args(["-s", &format!("unix:{}", socket.display())]);
    let _cgi = Server::start(&mut cgi, || open_to_all(&socket)).expect("fcgiwrap starts");
    fs::write(world.path().join("nginx.conf"), nginx(world.path(), &socket, port)).unwrap();
    let mut nginx = Command::new(program("nginx"));
    nginx.arg("-c").arg(world.path().join("nginx.conf")).args(["-e", "stderr"]);
    let _nginx = Server::start(&mut nginx, || answers(port)).expect("nginx starts");
    world.git(&["remote", "set-url", "origin", &format!("http://127.0.0.1:{port}/fleet.git")]).ok();
    judges(&world, "");
    Listing::of(&world.bare().join("hooks")).is(&before);
}

fn open_to_all(socket: &Path) -> bool {
    fs::set_permissions(socket, fs::Permissions::from_mode(0o777)).is_ok()
}

fn nginx(folder: &Path, socket: &Path, port: u16) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path '{folder}/{name}';"))
        .collect();
    format!(
        "daemon off; master_process off; pid '{folder}/nginx.pid'; events {{}}\n\
         http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port};\n\
         location / {{ client_max_body_size 0; fastcgi_pass 'unix:{}';\n\
         fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; fastcgi_param GIT_HTTP_EXPORT_ALL 1;\n\
         fastcgi_param GIT_PROJECT_ROOT '{folder}'; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER ada;\n\
         fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;\n\
         fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length; }} }} }}\n",
        socket.display()
    )
}
