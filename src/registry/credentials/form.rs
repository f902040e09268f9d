//! The forms in which a docker configuration comes: `config.json`, `.dockercfg`, and a Kubernetes Secret around either.
use super::entry::{Entry, base64};
use crate::yaml::{self, Limits};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a docker configuration says about credentials, by keys as they are written.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) auths: BTreeMap<String, Entry>,
    /// `credHelpers`: the programs to ask for some registries.
    pub(super) helpers: BTreeMap<String, String>,
    /// `credsStore`: the program to ask for all others.
    pub(super) store: Option<String>,
}

/// The keys of a Secret's data: <https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets>.
const SECRET_KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

impl Contents {
    /// Reads any of the forms. What is wrong is said without quoting anything, because anything may be a secret.
    pub(super) fn read(content: &[u8]) -> Result<Self, String> {
        let looks_like_json = matches!(content.trim_ascii_start(), [] | [b'{', ..]);
        let inner = if looks_like_json { of_secret(&json(content)?)? } else { Some(of_yaml(content)?) };
        let object = json(inner.as_deref().unwrap_or(content))?;
        if ["auths", "credHelpers", "credsStore"].iter().any(|key| object.contains_key(*key)) {
            return Self::of_config(object);
        }
        // Before it had levels, the file was what is now under `auths`.
        let entries = object.into_iter().filter(|(_, value)| Entry::is_likely(value));
        let auths = entries.map(|(key, value)| (key, Entry::new(value))).collect();
        Ok(Self { auths, ..Self::default() })
    }

    fn of_config(mut object: Map<String, Value>) -> Result<Self, String> {
        let mut part = |name: &str| match object.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(part)) => Ok(part),
            Some(_) => Err(format!("its {name} are not an object")),
        };
        let auths = part("auths")?.into_iter().map(|(key, value)| (key, Entry::new(value))).collect();
        let helper = |(key, value)| match value {
            Value::String(name) => Ok((key, name)),
            _ => Err("one of its credHelpers is not a name".to_owned()),
        };
        let mut helpers = part("credHelpers")?.into_iter().map(helper).collect::<Result<BTreeMap<_, _>, _>>()?;
        helpers.retain(|_, name| !name.is_empty());
        let store = match object.remove("credsStore") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err("its credsStore is not a name".to_owned()),
        };
        Ok(Self { auths, helpers, store })
    }
}

fn json(content: &[u8]) -> Result<Map<String, Value>, String> {
    let content = if content.trim_ascii().is_empty() { b"{}" } else { content };
    // The parser's message may quote the file, so only the position is kept.
    serde_json::from_slice(content)
        .map_err(|error| format!("not a docker configuration at line {}, column {}", error.line(), error.column()))
}

/// What a Secret written as JSON holds; `None` if it is no Secret.
fn of_secret(object: &Map<String, Value>) -> Result<Option<Vec<u8>>, String> {
    if object.get("kind").and_then(Value::as_str) != Some("Secret") {
        return Ok(None);
    }
    let field = |part: &str, key: &str| object.get(part)?.get(key)?.as_str().map(str::to_owned);
    held(&field).map(Some)
}

/// What the first Secret of a YAML stream holds that has what we look for.
fn of_yaml(content: &[u8]) -> Result<Vec<u8>, String> {
    let stream = yaml::parse(content, &Limits::default());
    if let Some(error) = stream.errors.first() {
        return Err(format!("neither JSON nor YAML at line {}", error.position.line));
    }
    let secrets = stream.documents.iter().map(yaml::Document::root);
    let mut secrets = secrets.filter(|root| root.get("kind").and_then(yaml::Node::as_str) == Some("Secret"));
    let secret = secrets.next().ok_or("neither a docker configuration nor a Kubernetes Secret")?;
    held(&|part, key| secret.get(part)?.get(key)?.as_str().map(str::to_owned))
}

/// What a Secret holds whose fields are looked up by part and key.
fn held(field: &dyn Fn(&str, &str) -> Option<String>) -> Result<Vec<u8>, String> {
    for key in SECRET_KEYS {
        // What is written as text is what the API server puts into the data.
        if let Some(text) = field("stringData", key) {
            return Ok(text.into_bytes());
        }
        if let Some(encoded) = field("data", key) {
            return base64(&encoded).ok_or_else(|| format!("its data {key} is not base64"));
        }
    }
    Err("a Secret without .dockerconfigjson".to_owned())
}

#[cfg(test)]
mod tests {
    use super::Contents;

    /// The keys of all parts.
    fn keys(text: &str) -> String {
        let contents = Contents::read(text.as_bytes()).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        let auths = contents.auths.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        let helpers = contents.helpers.iter().map(|(key, name)| format!("{key}={name}")).collect::<Vec<_>>().join(",");
        format!("{auths} {helpers} {}", contents.store.unwrap_or_default())
    }

    #[test]
    fn a_configuration_has_auths_helpers_and_a_store() {
        assert_eq!(
            keys("{\"auths\":{\"b.io\":{},\"a.io\":null},\"HttpHeaders\":{\"User-Agent\":\"x\"}}"),
            "a.io,b.io  "
        );
        assert_eq!(keys("{\"credHelpers\":{\"a.io\":\"ecr-login\"},\"credsStore\":\"pass\"}"), " a.io=ecr-login pass");
        assert_eq!(keys("{\"auths\":null,\"credsStore\":\"\"}"), "  ");
        assert_eq!(keys("{\"detachKeys\":\"x\",\"proxies\":{\"default\":{}}}"), "  ");
        assert_eq!(keys(" \n"), "  ");
    }

    #[test]
    fn before_there_was_auths_the_keys_stood_alone() {
        assert_eq!(
            keys("{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\",\"email\":\"x\"}}"),
            "https://index.docker.io/v1/  "
        );
    }

    #[test]
    fn a_secret_may_be_around_it_in_json_or_yaml() {
        // {"auths":{"a.io":{}}}
        let data = "eyJhdXRocyI6eyJhLmlvIjp7fX19";
        for secret in [
            format!("{{\"kind\":\"Secret\",\"data\":{{\".dockerconfigjson\":\"{data}\"}}}}"),
            format!("# pull\nkind: Secret\ndata:\n  .dockerconfigjson: {data}\n"),
            format!(
                "---\nkind: ConfigMap\n---\nkind: Secret\ndata:\n  .dockerconfigjson: |\n    {}\n    {}\n",
                &data[..8],
                &data[8..]
            ),
            "kind: Secret\nstringData:\n  .dockerconfigjson: '{\"auths\":{\"a.io\":{}}}'\n".to_owned(),
            // {"a.io":{"auth":""}}
            "kind: Secret\ndata: {.dockercfg: eyJhLmlvIjp7ImF1dGgiOiIifX0=}\n".to_owned(),
        ] {
            assert_eq!(keys(&secret), "a.io  ", "{secret}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_anything() {
        for (text, words) in [
            ("{\"auths\":{\"a.io\":{\"auth\":\"hunter2}}", "line 1, column"),
            ("[\"hunter2\"]", "neither a docker configuration"),
            ("hunter2", "neither a docker configuration"),
            ("a: [hunter2", "neither JSON nor YAML at line 1"),
            ("{\"auths\":\"hunter2\"}", "auths are not an object"),
            ("{\"credHelpers\":{\"a.io\":{\"hunter2\":1}}}", "credHelpers is not a name"),
            ("{\"kind\":\"Secret\",\"data\":{\".dockerconfigjson\":\"hunter2!\"}}", "not base64"),
            ("{\"kind\":\"Secret\",\"data\":{\"password\":\"hunter2\"}}", "without .dockerconfigjson"),
            ("{\"kind\":\"Secret\",\"stringData\":{\".dockerconfigjson\":\"hunter2\"}}", "line 1, column"),
        ] {
            let said = Contents::read(text.as_bytes()).unwrap_err();
            assert!(said.contains(words) && !said.contains("hunter2"), "{text}: {said}");
        }
    }

    #[test]
    fn of_keys_that_are_there_twice_the_last_counts() {
        let twice = "{\"auths\":{\"a.io\":{\"auth\":\"!\"},\"a.io\":{\"auth\":\"YTpi\"}}}";
        let contents = Contents::read(twice.as_bytes()).unwrap();
        assert!(contents.auths["a.io"].proof().is_ok());
        assert_eq!(keys("{\"auths\":{\"a.io\":{}},\"auths\":{\"b.io\":{}}}"), "b.io  ");
    }
}
