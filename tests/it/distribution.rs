//! Debian's docker-registry, filled by skopeo from the registry in the process.
use pullgate::lab::{self, Registry};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The programs that it takes.
pub(crate) const TOOLS: &[&str] = &["docker-registry", "skopeo", "htpasswd"];

/// docker-registry on a port of the loopback address, stopped when it is dropped.
#[derive(Debug)]
pub(crate) struct Distribution {
    process: Child,
    folder: TempDir,
    pub(crate) host: String,
}

/// The user and password that may read, if not everybody may.
pub(crate) type User<'u> = Option<(&'u str, &'u str)>;

impl Distribution {
    /// Starts it with `http` added to its `http:` section.
    pub(crate) fn start(user: User<'_>, http: &str) -> Self {
        let folder = TempDir::new().expect("the folder for temporary files is writable");
        let auth = user.map_or_else(String::new, |user| htpasswd(folder.path(), user));
        Self::in_folder(folder, http, &auth)
    }

    /// Starts it with other sections, such as `auth:` or `proxy:`.
    pub(crate) fn with(http: &str, sections: &str) -> Self {
        Self::in_folder(TempDir::new().expect("the folder for temporary files is writable"), http, sections)
    }

    fn in_folder(folder: TempDir, http: &str, sections: &str) -> Self {
        // Another test may take a port between its being found free and its being used.
        (0..5)
            .find_map(|_| Self::try_start(&folder, http, sections))
            .map(|(process, host)| Self { process, folder, host })
            .expect("docker-registry starts and listens")
    }

    fn try_start(folder: &TempDir, http: &str, sections: &str) -> Option<(Child, String)> {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        let file = folder.path().join("config.yml");
        let data = folder.path().join("data");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '{address}'{http}}}\n{sections}",
            data.display()
        );
        fs::write(&file, config).expect("the folder is writable");
        let mut command = Command::new("docker-registry");
        command.args(["serve".as_ref(), file.as_os_str()]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().expect("docker-registry is installed");
        for _ in 0..500 {
            if process.try_wait().expect("it can be asked").is_some() {
                return None;
            }
            if TcpStream::connect(address).is_ok() {
                return Some((process, address.to_string()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        None
    }

    /// Puts an image into it.
    pub(crate) fn put(&self, name_and_tag: &str, user: User<'_>) {
        let credentials = user.map(|(name, password)| format!("--dest-creds={name}:{password}"));
        self.put_with(name_and_tag, &credentials.into_iter().collect::<Vec<_>>());
    }

    /// Puts an image into it, with more options for skopeo.
    pub(crate) fn put_with(&self, name_and_tag: &str, options: &[String]) {
        let source = Registry::start(lab::Options::default()).expect("a port of the loopback address is free");
        let (name, tag) = name_and_tag.split_once(':').expect("a name has a tag");
        source.push(name, tag);
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]);
        skopeo.args(options);
        skopeo.args([source.host(), self.host.clone()].map(|host| format!("docker://{host}/{name_and_tag}")));
        let output = skopeo.output().expect("skopeo is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// Stops it before its time.
    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Distribution {
    fn drop(&mut self) {
        self.stop();
    }
}

fn htpasswd(folder: &Path, (name, password): (&str, &str)) -> String {
    let users = Command::new("htpasswd").args(["-Bbn", name, password]).output().expect("htpasswd is installed");
    let file = folder.join("htpasswd");
    fs::write(&file, users.stdout).expect("the folder is writable");
    format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", file.display())
}
