//! A real registry that speaks TLS, with a CA of its own, and one that wants a client certificate.
use super::{accepts_what_is_there_and_rejects_what_is_not, bump};
use crate::{
    certificates::{Authority, keep},
    distribution::{Distribution, TOOLS},
    tools::are_installed,
    world::World,
};
use std::path::PathBuf;

/// A registry with an image, behind TLS.
struct Secured {
    real: Distribution,
    authority: Authority,
    ca: PathBuf,
}

/// `wants_client`: and behind a client certificate of the same CA.
fn secured(world: &World, wants_client: bool) -> Secured {
    let authority = Authority::new();
    let ca = keep(world.path(), "ca.pem", &authority.pem());
    let (certificate, key) = authority.server("127.0.0.1").keep(world.path(), "server");
    let clients = if wants_client { format!(", clientcas: [{}]", ca.display()) } else { String::new() };
    let tls = format!(", tls: {{certificate: {}, key: {}{clients}}}", certificate.display(), key.display());
    let real = Distribution::with(&tls, "");
    let folder = world.path().join("skopeo");
    let client = authority.client();
    keep(&folder, "us.cert", &client.certificate);
    keep(&folder, "us.key", &client.key);
    real.put_with("team/app:1.4.2", &[format!("--dest-cert-dir={}", folder.display())]);
    Secured { real, authority, ca }
}

/// A push of what is there, before the configuration fits.
fn is_not_verified_yet(world: &World, real: &Distribution, keys: &str, words: &str) {
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\n{keys}\n", real.host));
    bump(world, &real.host, "1.4.2");
    let push = world.commit_and_push("before");
    push.rejected(&["could not be verified"]);
    // Lines end where the words before happen to.
    let said = push.remote().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_registry_with_a_private_ca_is_judged_by_once_the_ca_is_configured() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let Secured { real, ca, .. } = secured(&world, false);
    is_not_verified_yet(&world, &real, "", "certificate");
    let keys = format!("ca-file = \"{}\"", ca.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &real.host, &keys, "");
}

#[test]
fn a_registry_that_wants_a_client_certificate_is_judged_by_once_there_is_one() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let Secured { real, authority, ca } = secured(&world, true);
    let keys = format!("ca-file = \"{}\"", ca.display());
    is_not_verified_yet(&world, &real, &keys, "client certificate");
    let (certificate, key) = authority.client().keep(world.path(), "client");
    let keys = format!("{keys}\nclient-cert = \"{}\"\nclient-key = \"{}\"", certificate.display(), key.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &real.host, &keys, "");
}

#[test]
fn a_registry_that_wants_a_client_certificate_is_judged_by_with_that_of_docker() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let Secured { real, authority, .. } = secured(&world, true);
    let certs_d = world.path().join("certs.d");
    let (folder, client) = (certs_d.join(&real.host), authority.client());
    keep(&folder, "ca.crt", &authority.pem());
    keep(&folder, "us.cert", &client.certificate);
    keep(&folder, "us.key", &client.key);
    let dirs = format!("certs-dirs = [\"{}\"]\n", certs_d.display());
    world.configure_exactly(&format!("{dirs}[registries.\"{}\"]\nprivate = true\n", real.host));
    bump(&world, &real.host, "1.4.2");
    world.commit_and_push("there").accepted();
    bump(&world, &real.host, "1.4.3");
    world.commit_and_push("not there").rejected(&["not found", "did you mean 1.4.2?"]);
}
