//! A token service as docker-registry wants one: tokens signed by a key whose certificate its configuration trusts.
//! <https://distribution.github.io/distribution/spec/auth/jwt/>
use crate::certificates::{Authority, keep};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::Url;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Answers for as long as the process of the tests lives. Alice may do everything, anybody may pull below `public/`.
#[derive(Debug)]
pub(super) struct TokenServer {
    pub(super) address: SocketAddr,
    /// The section of docker-registry's configuration.
    pub(super) auth: String,
}

/// What tokens are signed with.
struct Signer {
    key: EcdsaKeyPair,
    /// The certificate in DER and base64.
    certificate: String,
}

const SERVICE: &str = "registry";
const ISSUER: &str = "tokens";

impl TokenServer {
    pub(super) fn start(folder: &Path) -> Self {
        let authority = Authority::new();
        let roots = keep(folder, "token-roots.pem", &authority.pem());
        let certified = authority.server("tokens.example");
        let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
        let certificate = CertificateDer::from_pem_slice(certified.certificate.as_bytes()).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_der(), &SystemRandom::new()).unwrap();
        let signer = Arc::new(Signer { key, certificate: BASE64_STANDARD.encode(&certificate) });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let signer = Arc::clone(&signer);
                thread::spawn(move || signer.serve(&client));
            }
        });
        let auth = format!(
            "auth: {{token: {{realm: 'http://{address}/token', service: {SERVICE}, issuer: {ISSUER}, \
             rootcertbundle: {}}}}}\n",
            roots.display()
        );
        Self { address, auth }
    }
}

impl Signer {
    /// One request a connection.
    fn serve(&self, mut client: &TcpStream) -> io::Result<()> {
        let lines = BufReader::new(client).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let head: Vec<String> = lines.collect();
        let (status, body) = self.answer(&head).unwrap_or(("400 Bad Request", json!({})));
        let (body, end) = (body.to_string(), "Connection: close\r\nContent-Type: application/json");
        write!(client, "HTTP/1.1 {status}\r\n{end}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    fn answer(&self, head: &[String]) -> Option<(&'static str, Value)> {
        let mut first = head.first()?.split(' ');
        let (method, target) = (first.next()?, first.next()?);
        if method != "GET" {
            return Some(("404 Not Found", json!({ "errors": [{ "code": "NOT_FOUND", "message": "GET only" }] })));
        }
        let user = head.iter().find(|line| line.to_lowercase().starts_with("authorization:"));
        let is_alice = user.is_some_and(|line| line.ends_with(&BASE64_STANDARD.encode("alice:s3cret")));
        if user.is_some() && !is_alice {
            let error = json!({ "code": "UNAUTHORIZED", "message": "bad credentials" });
            return Some(("401 Unauthorized", json!({ "errors": [error] })));
        }
        let url = Url::parse("http://tokens.example").ok()?.join(target).ok()?;
        let scopes = url.query_pairs().filter(|(name, _)| name == "scope");
        let access: Vec<Value> = scopes.filter_map(|(_, scope)| access(&scope, is_alice)).collect();
        Some(("200 OK", json!({ "token": self.token(is_alice, &access), "expires_in": 300 })))
    }

    /// <https://www.rfc-editor.org/rfc/rfc7515>
    fn token(&self, is_alice: bool, access: &[Value]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": ISSUER, "sub": if is_alice { "alice" } else { "" }, "aud": SERVICE, "jti": now.to_string(),
            "iat": now, "nbf": now - 10, "exp": now + 300, "access": access,
        });
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `repository:name:pull,push`, as far as it is granted.
fn access(scope: &str, is_alice: bool) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let granted = actions.split(',').filter(|action| is_alice || (*action == "pull" && name.starts_with("public/")));
    Some(json!({ "type": kind, "name": name, "actions": granted.collect::<Vec<_>>() }))
}
