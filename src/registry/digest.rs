//! Digests of what was received: over the bytes as they came, before anybody reads them.
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Whether these bytes have this digest, by the digest's own algorithm.
pub(super) fn is_of(digest: &str, body: &[u8]) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| self::hex(algorithm, body) == hex)
}

/// The digest that everybody knows: `sha256:...`.
pub(super) fn of(body: &[u8]) -> String {
    format!("sha256:{}", hex("sha256", body))
}

/// Whether two digests are of different bytes for certain: those of different algorithms may be of the same.
pub(super) fn differ(one: &str, other: &str) -> bool {
    let algorithm = |digest: &str| digest.split(':').next().map(str::to_owned);
    one != other && algorithm(one) == algorithm(other)
}

fn hex(algorithm: &str, body: &[u8]) -> String {
    let hash = match algorithm {
        "sha384" => Sha384::digest(body).to_vec(),
        "sha512" => Sha512::digest(body).to_vec(),
        _ => Sha256::digest(body).to_vec(),
    };
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
