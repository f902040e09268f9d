//! What a registry says when it says no: a code and a message, in one of several shapes.
use serde::Deserialize;
use serde_json::Value;

/// The first error of a body. The specification asks for no format, so either part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Such as `MANIFEST_UNKNOWN`; registries make up their own.
    pub(super) code: Option<String>,
    /// Any text.
    pub(super) message: Option<String>,
    /// Whether the body is the JSON of a registry.
    pub(super) is_registry: bool,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Value>,
    #[serde(default, alias = "details")]
    message: Value,
}

impl Complaint {
    pub(super) fn of(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return Self::default() };
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(|text| text.chars().take(500).collect())
        };
        match body.errors.first() {
            Some(error) => {
                Self { code: text(error.get("code")), message: text(error.get("message")), is_registry: true }
            }
            None => {
                let message: Option<String> = text(Some(&body.message));
                Self { code: None, is_registry: message.is_some(), message }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Complaint;

    #[test]
    fn the_first_error_counts_whatever_its_code_and_its_text_is_kept_as_it_is() {
        let errors = r#"[{"code":"TAG_EXPIRED","message":"gone \u001b[31m","detail":{}},{"code":"B"}]"#;
        let complaint = Complaint::of(format!("{{\"errors\":{errors}}}").as_bytes());
        assert_eq!(complaint.code.as_deref(), Some("TAG_EXPIRED"));
        assert_eq!(complaint.message.as_deref(), Some("gone \u{1b}[31m"));
    }

    #[test]
    fn other_shapes_have_a_message_or_nothing() {
        assert_eq!(Complaint::of(b"{\"details\":\"no\"}").message.as_deref(), Some("no"));
        assert_eq!(Complaint::of(b"{\"message\":\"no\"}").message.as_deref(), Some("no"));
        for body in [&b""[..], b"<html>", b"{}", b"[]", b"{\"errors\":7}", b"null"] {
            let complaint = Complaint::of(body);
            assert_eq!((complaint.code, complaint.message), (None, None));
        }
        assert!(Complaint::of(b"{\"errors\":[\"text\"]}").is_registry);
    }
}
