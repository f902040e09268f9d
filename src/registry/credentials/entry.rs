//! What a docker configuration says under one key.
use super::{Secret, source::Proof};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Some tools pad, some do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What stands under a key; understood when it is needed, so that one bad entry spoils no other.
pub(super) struct Entry(Value);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Shows nothing: every field may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Entry {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }

    /// Whether it looks like an entry at all, in a file that may hold other things.
    pub(super) fn is_likely(value: &Value) -> bool {
        ["auth", "password", "identitytoken", "registrytoken"].iter().any(|field| value.get(field).is_some())
    }

    /// `None` if the secret is not here but with a helper; an error if what is here is no secret.
    pub(super) fn proof(&self) -> Result<Option<Proof>, Unreadable> {
        let fields = Option::<Fields>::deserialize(&self.0).map_err(|_| Unreadable)?.unwrap_or_default();
        let given = |field: Option<String>| field.filter(|text| !text.is_empty());
        if let Some(token) = given(fields.registrytoken) {
            return Ok(Some(Proof::Registry(Secret::new(token))));
        }
        if let Some(token) = given(fields.identitytoken) {
            return Ok(Some(Proof::Identity(Secret::new(token))));
        }
        if let Some(auth) = given(fields.auth) {
            let decoded = base64(&auth).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Unreadable)?;
            let (user, password) = decoded.trim_end_matches('\0').split_once(':').ok_or(Unreadable)?;
            return Ok(Some(Proof::new(user, password)));
        }
        Ok(given(fields.password).map(|password| Proof::new(&fields.username.unwrap_or_default(), &password)))
    }
}

/// An entry that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Decodes base64 as people write it: padded or not, on one line or on several.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Entry, Proof, Secret, Unreadable};

    #[test]
    fn credentials_come_in_several_shapes() {
        let password = |user: &str, password: &str| {
            Ok(Some(Proof::Password { user: user.to_owned(), password: Secret::new(password) }))
        };
        let identity = Ok(Some(Proof::Identity(Secret::new("t"))));
        let proof = |json: &str| Entry::new(serde_json::from_str(json).unwrap()).proof();
        assert_eq!(proof("{\"auth\":\"YWxpY2U6czNjcmV0\"}"), password("alice", "s3cret"));
        // a:b:c, with and without padding; a:b and a NUL
        assert_eq!(proof("{\"auth\":\"YTpiOmM=\"}"), password("a", "b:c"));
        assert_eq!(proof("{\"auth\":\"YTpiOmM\"}"), password("a", "b:c"));
        assert_eq!(proof("{\"auth\":\"YTpi\\nAA==\\n\"}"), password("a", "b"));
        assert_eq!(proof("{\"username\":\"a\",\"password\":\"b\",\"email\":\"x\"}"), password("a", "b"));
        assert_eq!(proof("{\"identitytoken\":\"t\",\"auth\":\"YTpi\"}"), identity);
        assert_eq!(proof("{\"username\":\"<token>\",\"password\":\"t\"}"), identity);
        assert_eq!(proof("{\"registrytoken\":\"t\"}"), Ok(Some(Proof::Registry(Secret::new("t")))));
    }

    #[test]
    fn an_entry_without_a_secret_is_not_one_with_a_bad_secret() {
        let proof = |json: &str| Entry::new(serde_json::from_str(json).unwrap()).proof();
        for empty in ["{}", "null", "{\"auth\":\"\"}", "{\"auth\":null}", "{\"username\":\"a\"}"] {
            assert_eq!(proof(empty), Ok(None), "{empty}");
        }
        for bad in ["{\"auth\":\"!\"}", "{\"auth\":\"YQ==\"}", "{\"auth\":1}", "\"YTpi\"", "[1]", "7"] {
            assert_eq!(proof(bad), Err(Unreadable), "{bad}");
        }
    }
}
