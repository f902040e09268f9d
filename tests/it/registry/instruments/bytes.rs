//! A server that sends what no HTTP library would.
use pullgate::lab::Tls;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A connection, plain or with TLS.
pub(crate) trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A server with a thread for each connection; they end with the connections, the server with the process.
pub(crate) struct Bytes {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Bytes {
    /// Hands every connection to `serve`.
    pub(crate) fn connected(
        tls: Option<&Tls>,
        serve: impl Fn(&mut dyn Wire) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(tls, move |wire, _| serve(wire))
    }

    /// Reads requests of HTTP/1.1 without bodies and hands each head to `answer`, which writes what it likes; a failure
    /// of it ends the connection.
    pub(crate) fn answering(answer: impl Fn(&str, &mut dyn Wire) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::listen(None, move |wire, heads| {
            loop {
                let head = head(wire)?;
                heads.lock().unwrap().push(head.clone());
                answer(&head, wire)?;
            }
        })
    }

    fn listen(
        tls: Option<&Tls>,
        serve: impl Fn(&mut dyn Wire, &Mutex<Vec<String>>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, connections) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let server = Self { address, heads: Arc::clone(&heads), connections: Arc::clone(&connections) };
        let tls = tls.map(config);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (heads, tls, serve) = (Arc::clone(&heads), tls.clone(), Arc::clone(&serve));
                thread::spawn(move || {
                    // How a connection ends is the client's affair.
                    let _ = match tls {
                        None => serve(&mut &stream, &heads),
                        Some(tls) => serve(&mut secured(tls, stream), &heads),
                    };
                });
            }
        });
        server
    }

    /// The host of references to it.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn secured(tls: Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(tls).unwrap(), stream)
}

/// Speaks HTTP/2 and nothing else.
fn config(tls: &Tls) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let chain = CertificateDer::pem_slice_iter(tls.certificate_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(tls.key_pem.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

fn head(wire: &mut dyn Wire) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        wire.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
