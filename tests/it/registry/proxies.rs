//! Forward proxies: what goes through them, and as whom.
use super::{Checked, check, is_present};
use crate::certificates::{Authority, keep};
use pullgate::{
    lab::{self, Registry, Tls},
    registry::{Answer, Error, HostOptions, Options, Refusal},
};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

/// A proxy that connects to one server, whatever it is asked to connect to. Its threads end with the test's process.
struct Proxy {
    address: SocketAddr,
    /// The heads of the requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// With `wanted` it lets through only who sends that `Proxy-Authorization`.
    fn to(server: SocketAddr, wanted: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::default());
        let log: Arc<Mutex<Vec<String>>> = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || serve(&client, server, wanted, &log));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(mut client: &TcpStream, server: SocketAddr, wanted: Option<&str>, log: &Mutex<Vec<String>>) -> io::Result<()> {
    // The client says nothing more before it is answered, so the reader takes nothing too much.
    let lines = BufReader::new(client).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head = lines.collect::<Vec<_>>().join("\n");
    let let_in = wanted.is_none_or(|wanted| head.to_lowercase().contains(&wanted.to_lowercase()));
    log.lock().unwrap().push(head);
    if !let_in {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    let server = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut &from_client, &mut to_server));
    io::copy(&mut &server, &mut client).map(drop)
}

/// A registry that only the proxy can find.
struct Hidden {
    registry: Registry,
    folder: TempDir,
    ca: Authority,
}

const HOST: &str = "registry.invalid";
/// `alice:p@ss` in base64.
const ALICE: &str = "Proxy-Authorization: Basic YWxpY2U6cEBzcw==";

impl Hidden {
    fn start() -> Self {
        let ca = Authority::new();
        let server = ca.server(HOST);
        let tls = Some(Tls { certificate_pem: server.certificate, key_pem: server.key, client_ca_pem: None });
        let registry = Registry::start(lab::Options { tls, ..lab::Options::default() }).unwrap();
        registry.push("team/app", "1");
        Self { registry, folder: TempDir::new().unwrap(), ca }
    }

    /// Asks through a proxy at this address.
    fn ask(&self, proxy: &str) -> Checked {
        let ca_file = Some(keep(self.folder.path(), "ca.pem", &self.ca.pem()));
        let hosts = [(HOST.to_owned(), HostOptions { ca_file, ..HostOptions::default() })].into();
        let mut options = Options { hosts, ..Options::default() };
        options.http.proxies.https = Some(proxy.to_owned());
        check(options, &[format!("{HOST}/team/app:1")]).remove(0)
    }
}

#[test]
fn a_listed_registry_is_asked_by_tls_through_the_tunnel_of_a_proxy() {
    let hidden = Hidden::start();
    let proxy = Proxy::to(hidden.registry.address(), None);
    assert!(is_present(&hidden.ask(&format!("http://{}", proxy.address))));
    let heads = proxy.heads();
    assert!(heads.len() == 1 && heads[0].starts_with("CONNECT registry.invalid:443 HTTP/1.1\n"), "{heads:?}");
    assert!(!heads[0].contains("team/app"), "what is asked is between us and the registry");
}

#[test]
fn a_proxy_may_be_named_without_its_scheme() {
    let hidden = Hidden::start();
    let proxy = Proxy::to(hidden.registry.address(), None);
    assert!(is_present(&hidden.ask(&proxy.address.to_string())));
}

#[test]
fn a_proxy_is_sent_the_user_of_its_address_and_the_registry_is_not() {
    let hidden = Hidden::start();
    let proxy = Proxy::to(hidden.registry.address(), Some(ALICE));
    assert!(is_present(&hidden.ask(&format!("http://alice:p%40ss@{}", proxy.address))));
    assert!(hidden.registry.requests().iter().all(|request| request.authorization.is_none()));
}

#[test]
fn a_proxy_that_does_not_let_us_through_is_an_outage_without_its_password() {
    let hidden = Hidden::start();
    let proxy = Proxy::to(hidden.registry.address(), Some(ALICE));
    let checked = hidden.ask(&format!("http://alice:hunter2@{}", proxy.address));
    let Err(error @ Error::Unreachable { .. }) = checked else { panic!("{checked:?}") };
    let said = error.to_string();
    assert!(said.contains("proxy auth") && !said.contains("hunter2"), "{said}");
    assert_eq!(hidden.registry.connections(), 0);
}

#[test]
fn a_proxy_that_is_down_is_an_outage() {
    let hidden = Hidden::start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let checked = hidden.ask(&format!("http://alice:hunter2@{nobody}"));
    let Err(error @ Error::Unreachable { .. }) = checked else { panic!("{checked:?}") };
    let said = error.to_string();
    assert!(said.contains(&format!("(through the proxy {nobody})")) && !said.contains("hunter2"), "{said}");
}

#[test]
fn an_unlisted_registry_is_not_asked_through_a_proxy() {
    let hidden = Hidden::start();
    let proxy = Proxy::to(hidden.registry.address(), None);
    let mut options = Options::default();
    options.http.proxies.https = Some(format!("http://{}", proxy.address));
    let checked = check(options, &[format!("{HOST}/team/app:1")]).remove(0);
    assert!(matches!(checked, Ok(Answer::NotAllowed { refusal: Refusal::Proxied, .. })), "{checked:?}");
    assert!(proxy.heads().is_empty());
}
