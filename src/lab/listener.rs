//! Connections: each is counted, can be cut from within, and does its TLS handshake without holding up the others.
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

/// Where connections come in.
pub(super) struct Door {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    accepted: Arc<AtomicU64>,
    handshakes: JoinSet<Option<(Wire, Connection)>>,
}

/// One connection, as a request's handler sees it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// From 1.
    pub(super) number: u64,
    cut: Arc<AtomicBool>,
}

impl Connection {
    /// Ends the connection before anything more is sent.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Door>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

impl Door {
    /// Opens a door where `tcp`, which does not block, listens; must be called inside a runtime.
    pub(super) fn open(tcp: std::net::TcpListener, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::from_std(tcp)?, tls, accepted: Arc::default(), handshakes: JoinSet::new() })
    }

    /// How many connections there were, those that failed their handshake too.
    pub(super) fn accepted(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.accepted)
    }

    fn greet(&mut self, tcp: TcpStream) {
        let number = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let connection = Connection { number, cut: Arc::default() };
        let tls = self.tls.clone();
        self.handshakes.spawn(async move {
            // Otherwise an answer in two segments could wait for the acknowledgement of the first.
            tcp.set_nodelay(true).ok()?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(tcp),
                Some(tls) => Box::new(tls.accept(tcp).await.ok()?),
            };
            Some((Wire { stream, cut: Arc::clone(&connection.cut) }, connection))
        });
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = Connection;

    async fn accept(&mut self) -> (Wire, Connection) {
        loop {
            tokio::select! {
                accepted = self.tcp.accept() => match accepted {
                    Ok((tcp, _)) => self.greet(tcp),
                    // Out of file descriptors, most likely: others may soon be closed.
                    Err(_) => sleep(Duration::from_millis(10)).await,
                },
                done = self.handshakes.join_next(), if !self.handshakes.is_empty() => {
                    if let Some(Ok(Some(ready))) = done {
                        return ready;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection { number: 0, cut: Arc::default() })
    }
}

/// Both kinds of stream, plain and TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream that fails once it was cut.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    cut: Arc<AtomicBool>,
}

impl Wire {
    fn stream(&mut self) -> io::Result<Pin<&mut dyn Stream>> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut *self.stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
