//! TLS: certificates of both sides, and both versions of HTTP.
use crate::lab::{Auth, Options, Registry, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn registry(ca: &Ca, client_ca: Option<&Ca>) -> Registry {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, ca).unwrap();
    let tls =
        Tls { certificate_pem: certificate.pem(), key_pem: key.serialize_pem(), client_ca_pem: client_ca.map(Ca::pem) };
    let auth = Auth::Bearer { users: [].into(), realm: None, service: None };
    Registry::start(Options { tls: Some(tls), auth, ..Options::default() }).unwrap()
}

/// A connection by a client that trusts `ca`, speaks `protocol`, and may have a certificate of its own.
fn connect(registry: &Registry, ca: &Ca, protocol: &str, own: Option<&Ca>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(issuer) => {
            let key = KeyPair::generate().unwrap();
            let certificate: CertificateDer<'_> =
                CertificateParams::new(["client".to_owned()]).unwrap().signed_by(&key, issuer).unwrap().into();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    StreamOwned::new(connection, TcpStream::connect(registry.address()).unwrap())
}

fn get(mut stream: StreamOwned<ClientConnection, TcpStream>) -> io::Result<String> {
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn both_versions_of_http_are_spoken_and_no_handshake_waits_for_another() {
    let ca = ca();
    let registry = registry(&ca, None);
    let _silent = TcpStream::connect(registry.address()).unwrap();

    let answer = get(connect(&registry, &ca, "http/1.1", None)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("Bearer realm=\"https://localhost:1/token\"\r\n"), "{answer}");

    // The client's preface with empty SETTINGS is answered with SETTINGS: RFC 9113, section 3.4.
    let mut stream = connect(&registry, &ca, "h2", None);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!((stream.conn.alpn_protocol(), frame[3]), (Some(&b"h2"[..]), 4));
    assert_eq!(registry.connections(), 3);
}

#[test]
fn a_client_certificate_is_asked_for_and_must_come_from_its_ca() {
    let (other, ca) = (ca(), ca());
    let registry = registry(&ca, Some(&ca));
    assert!(get(connect(&registry, &ca, "http/1.1", Some(&ca))).unwrap().starts_with("HTTP/1.1 401 "));
    assert!(get(connect(&registry, &ca, "http/1.1", Some(&other))).is_err());
    assert!(get(connect(&registry, &ca, "http/1.1", None)).is_err());
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn a_certificate_that_is_none_is_said_at_the_start() {
    let tls = Tls { certificate_pem: String::new(), key_pem: "x".into(), client_ca_pem: None };
    let error = Registry::start(Options { tls: Some(tls), ..Options::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
