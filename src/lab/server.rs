//! The registry as its owner sees it: started, filled, told to misbehave, asked what it was asked.
use super::{
    auth::Auth,
    behaviour::{Behaviour, Scope},
    exchange::{Lab, State, serve},
    image::{INDEX, Image, MANIFEST, index},
    listener::{Connection, Door},
    log::Request,
    tls::Tls,
};
use axum::{
    extract::{ConnectInfo, Request as Incoming},
    handler::HandlerWithoutStateExt,
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{runtime, sync::oneshot};

/// How a registry is started; by default it speaks plain HTTP to anybody.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Speak TLS.
    pub tls: Option<Tls>,
    /// Ask for credentials.
    pub auth: Auth,
    /// How long every request waits before anything else happens.
    pub latency: Duration,
}

/// A registry on a free port of 127.0.0.1, in a thread of its own. Stops when it is dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    lab: Arc<Lab>,
    accepted: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts a registry; it answers when this returns.
    ///
    /// # Errors
    /// There is no free port or thread, or the certificates are not good (`InvalidInput`).
    pub fn start(options: Options) -> io::Result<Self> {
        let tls = options.tls.as_ref().map(Tls::acceptor).transpose();
        let tls = tls.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        tcp.set_nonblocking(true)?;
        let address = tcp.local_addr()?;
        let lab = Arc::new(Lab {
            auth: options.auth,
            latency: options.latency,
            scheme: if tls.is_some() { "https" } else { "http" },
            state: Mutex::new(State::default()),
        });
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let door = {
            let _entered = runtime.enter();
            Door::open(tcp, tls)?
        };
        let accepted = door.accepted();
        let (stop, stopped) = oneshot::channel();
        let work = {
            let lab = Arc::clone(&lab);
            move || runtime.block_on(run(lab, door, stopped))
        };
        let thread = thread::Builder::new().name("lab-registry".into()).spawn(work)?;
        Ok(Self { address, lab, accepted, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The host of references to it: `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Puts an image for linux/amd64 and returns its digest, `sha256:...`; the same for the same name and tag.
    pub fn push(&self, name: &str, tag: &str) -> String {
        self.push_for(name, tag, "linux/amd64")
    }

    /// Puts an image for a platform such as `linux/arm64`, without an index over it, and returns its digest.
    pub fn push_for(&self, name: &str, tag: &str, platform: &str) -> String {
        let state = &mut *self.lab.state();
        let digest = put(state, name, Image::new(name, tag, platform));
        state.store.tag(name, tag, &digest);
        digest
    }

    /// Puts an image for each platform, such as `linux/arm64`, and an index over them; returns the digest of the index.
    pub fn push_index(&self, name: &str, tag: &str, platforms: &[&str]) -> String {
        let images: Vec<Image> = platforms.iter().map(|platform| Image::new(name, tag, platform)).collect();
        let index = index(platforms.iter().copied().zip(images.iter().map(|image| image.manifest.as_slice())));
        let state = &mut *self.lab.state();
        for image in images {
            put(state, name, image);
        }
        let digest = state.store.put_manifest(name, INDEX, index);
        state.store.tag(name, tag, &digest);
        digest
    }

    /// Puts bytes as the manifest of a tag, whatever they are, and returns their digest.
    pub fn push_manifest(&self, name: &str, tag: &str, media_type: &str, body: &str) -> String {
        let store = &mut self.lab.state().store;
        let digest = store.put_manifest(name, media_type, body.to_owned());
        store.tag(name, tag, &digest);
        digest
    }

    /// Puts a blob and returns its digest.
    pub fn push_blob(&self, name: &str, body: &str) -> String {
        self.lab.state().store.put_blob(name, body.to_owned())
    }

    /// Removes a tag, or the manifest of a digest with all tags that point at it.
    pub fn remove(&self, name: &str, reference: &str) {
        self.lab.state().store.remove(name, reference);
    }

    /// From now on only these users may read the repository, which need not exist.
    pub fn restrict(&self, name: &str, users: &[&str]) {
        self.lab.state().store.restrict(name, users);
    }

    /// Makes all tokens invalid that were issued up to now.
    pub fn revoke_tokens(&self) {
        self.lab.state().tokens.revoke();
    }

    /// Misbehaves from now on. Where several rules meet a request, they act in the order in which they were made, up to
    /// the first that answers.
    pub fn misbehave(&self, scope: impl Into<Scope>, behaviour: Behaviour) {
        self.lab.state().rules.add(scope.into(), behaviour);
    }

    /// Forgets all misbehaviour.
    pub fn behave(&self) {
        self.lab.state().rules.clear();
    }

    /// Every request since the start or the last [`clear`](Self::clear), in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.lab.state().log.clone()
    }

    /// Forgets the requests up to now.
    pub fn clear(&self) {
        self.lab.state().log.clear();
    }

    /// How many connections were accepted since the start, with or without a request.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn put(state: &mut State, name: &str, image: Image) -> String {
    for blob in image.blobs {
        state.store.put_blob(name, blob);
    }
    state.store.put_manifest(name, MANIFEST, image.manifest)
}

/// Serves until the other side is dropped; hanging requests end with the runtime.
async fn run(lab: Arc<Lab>, door: Door, stopped: oneshot::Receiver<()>) {
    let handler = move |ConnectInfo(connection): ConnectInfo<Connection>, request: Incoming| {
        serve(Arc::clone(&lab), connection, request)
    };
    let service = handler.into_make_service_with_connect_info::<Connection>();
    tokio::select! {
        _ = axum::serve(door, service) => {}
        _ = stopped => {}
    }
}
