//! containerd's `hosts.toml`: which CAs and client certificates it names for a host. The rest of it is containerd's.
use super::{ClientCertificate, certs_d::Trust};
use reqwest::Url;
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use toml::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
struct HostsToml {
    server: Option<String>,
    #[serde(flatten)]
    own: Section,
    host: BTreeMap<String, Section>,
}

/// What is said about one host.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    ca: Option<Value>,
    client: Option<Value>,
}

/// What the file says about the host of `url`. Its first keys are for its `server`; without one for the host of its
/// folder, which `is_own` says is that of the URL.
pub(super) fn trust(text: &str, folder: &Path, url: &Url, is_own: bool) -> Result<Trust, String> {
    let file: HostsToml = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let means = |name: &str| {
        let named = if name.contains("://") { name.to_owned() } else { format!("https://{name}") };
        Url::parse(&named).is_ok_and(|named| named.origin() == url.origin())
    };
    let own = file.server.as_deref().map_or(is_own, means).then_some(&file.own);
    let others = file.host.iter().filter(|(name, _)| means(name)).map(|(_, section)| section);
    let mut trust = Trust::default();
    for section in own.into_iter().chain(others) {
        trust.add(section.trust(folder)?);
    }
    Ok(trust)
}

impl Section {
    fn trust(&self, folder: &Path) -> Result<Trust, String> {
        let wrong = |key: &str| format!("{key} is neither a file nor a list of files");
        let authorities = self.ca.iter().flat_map(members).map(|ca| ca.as_str().map(|ca| folder.join(ca)));
        let authorities = authorities.collect::<Option<_>>().ok_or_else(|| wrong("ca"))?;
        let client = self.client.as_ref().and_then(|client| members(client).first());
        let client = client.map(|client| pair(client, folder).ok_or_else(|| wrong("client"))).transpose()?;
        Ok(Trust { authorities, client })
    }
}

/// The members of a list; one value stands for a list of it.
fn members(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

/// A file with certificate and key, or a pair of files; the second may be empty.
fn pair(value: &Value, folder: &Path) -> Option<ClientCertificate> {
    let files: Vec<&str> = members(value).iter().map(Value::as_str).collect::<Option<_>>()?;
    let certificate = folder.join(files.first().filter(|_| files.len() < 3)?);
    let key = files.get(1).filter(|key| !key.is_empty()).map_or_else(|| certificate.clone(), |key| folder.join(key));
    Some(ClientCertificate { certificate, key })
}

#[cfg(test)]
mod tests {
    use super::{Trust, trust};
    use std::path::Path;

    fn read(text: &str, url: &str) -> Result<Trust, String> {
        trust(text, Path::new("/d"), &url.parse().unwrap(), true)
    }

    fn authorities(text: &str, url: &str) -> Vec<String> {
        read(text, url).unwrap().authorities.iter().map(|path| path.display().to_string()).collect()
    }

    fn client(value: &str) -> (String, String) {
        let client = read(&format!("client = {value}"), "https://r.example/").unwrap().client.unwrap();
        (client.certificate.display().to_string(), client.key.display().to_string())
    }

    #[test]
    fn a_ca_is_a_file_or_a_list_of_files_beside_it_or_anywhere() {
        assert_eq!(authorities("ca = \"ca.pem\"", "https://r.example/"), ["/d/ca.pem"]);
        assert_eq!(authorities("ca = [\"a.pem\", \"/etc/b.pem\"]", "https://r.example/"), ["/d/a.pem", "/etc/b.pem"]);
        assert!(read("ca = 1", "https://r.example/").is_err());
    }

    #[test]
    fn a_client_is_a_file_a_list_of_files_or_a_list_of_pairs_and_the_first_counts() {
        let pair = |certificate: &str, key: &str| (certificate.to_owned(), key.to_owned());
        assert_eq!(client("\"c.pem\""), pair("/d/c.pem", "/d/c.pem"));
        assert_eq!(client("[\"c.pem\", \"d.pem\"]"), pair("/d/c.pem", "/d/c.pem"));
        assert_eq!(client("[[\"c.cert\", \"/k/c.key\"], [\"d.cert\", \"d.key\"]]"), pair("/d/c.cert", "/k/c.key"));
        assert_eq!(client("[[\"c.pem\", \"\"]]"), pair("/d/c.pem", "/d/c.pem"));
        assert!(read("client = [[1]]", "https://r.example/").is_err());
    }

    #[test]
    fn what_is_said_about_another_host_is_not_said_about_this_one() {
        let text = "server = \"https://r.example\"\nca = \"own.pem\"\nskip_verify = true\n\
                    [host.\"https://mirror:5000\"]\ncapabilities = [\"pull\"]\nca = \"mirror.pem\"\n\
                    [host.\"plain:80\"]\nca = \"x.pem\"\n";
        assert_eq!(authorities(text, "https://r.example/"), ["/d/own.pem"]);
        assert_eq!(authorities(text, "https://mirror:5000/"), ["/d/mirror.pem"]);
        assert!(authorities(text, "https://mirror/").is_empty());
        assert!(authorities(text, "http://mirror:5000/").is_empty());
    }

    #[test]
    fn what_is_not_toml_is_an_error() {
        assert!(read("ca = ", "https://r.example/").is_err());
    }
}
