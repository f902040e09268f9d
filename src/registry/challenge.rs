//! `WWW-Authenticate`: who the server wants us to be. RFC 9110, section 11.6.1, read tolerantly.

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Lower case.
    scheme: String,
    /// Names in lower case, and values without their quotes.
    parameters: Vec<(String, String)>,
}

/// A Bearer challenge: <https://distribution.github.io/distribution/spec/auth/token/>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    /// A URL, perhaps relative to that of the request.
    pub(super) realm: String,
    /// Left out by some.
    pub(super) service: Option<String>,
    /// What the token must be for; left out by some.
    pub(super) scope: Option<String>,
    /// Why the token that was sent is not good.
    pub(super) error: Option<String>,
}

impl Challenge {
    /// The challenges of all headers, in their order. What cannot be read is passed over.
    pub(super) fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut found = Vec::new();
        headers.into_iter().for_each(|header| read(header, &mut found));
        found
    }

    /// The first Bearer challenge that names a realm.
    pub(super) fn bearer(challenges: &[Self]) -> Option<Bearer> {
        challenges.iter().filter(|challenge| challenge.scheme == "bearer").find_map(|challenge| {
            Some(Bearer {
                realm: challenge.parameter("realm")?,
                service: challenge.parameter("service"),
                scope: challenge.parameter("scope"),
                error: challenge.parameter("error"),
            })
        })
    }

    /// Whether a name and a password would do.
    pub(super) fn basic(challenges: &[Self]) -> bool {
        challenges.iter().any(|challenge| challenge.scheme == "basic")
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// A word before `=` is a parameter of the last scheme, any other word is a scheme.
fn read(header: &str, found: &mut Vec<Challenge>) {
    let own = found.len();
    let mut rest = skip(header);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '=')).unwrap_or(rest.len());
        let word = rest[..end].to_ascii_lowercase();
        let after = rest[end..].trim_start();
        if let Some(value) = after.strip_prefix('=') {
            let (value, remaining) = value_of(value.trim_start());
            if found.len() > own
                && let Some(last) = found.last_mut()
            {
                last.parameters.push((word, value));
            }
            rest = skip(remaining);
        } else {
            found.push(Challenge { scheme: word, parameters: Vec::new() });
            rest = skip(after);
        }
    }
}

fn skip(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == ',')
}

fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &quoted[at + 1..]),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::{Bearer, Challenge};
    use proptest::prelude::{ProptestConfig, any, proptest};

    fn bearer(headers: &[&str]) -> Option<Bearer> {
        Challenge::bearer(&Challenge::parse(headers.iter().copied()))
    }

    fn basic(headers: &[&str]) -> bool {
        Challenge::basic(&Challenge::parse(headers.iter().copied()))
    }

    #[test]
    fn docker_hub_is_understood() {
        let found = bearer(&[concat!(
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",",
            "scope=\"repository:library/nginx:pull\",error=\"insufficient_scope\""
        )]);
        let some = |text: &str| Some(text.to_owned());
        let expected = Bearer {
            realm: "https://auth.docker.io/token".into(),
            service: some("registry.docker.io"),
            scope: some("repository:library/nginx:pull"),
            error: some("insufficient_scope"),
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn several_challenges_are_told_apart_in_one_header_and_in_many() {
        for headers in [
            &["Bearer realm=\"https://git.example/v2/token\"", "Basic"][..],
            &["Basic, Bearer realm=\"https://git.example/v2/token\""],
            &["Negotiate YII=, bearer  Realm = https://git.example/v2/token , Basic realm=\"a, b\""],
        ] {
            assert_eq!(bearer(headers).unwrap().realm, "https://git.example/v2/token", "{headers:?}");
            assert!(basic(headers), "{headers:?}");
        }
    }

    #[test]
    fn commas_and_quotes_inside_quotes_belong_to_the_value() {
        let found = bearer(&[r#"Bearer realm="/token",scope="repository:a/b:pull,push",service="a \"b\"""#]).unwrap();
        assert_eq!(found.scope.as_deref(), Some("repository:a/b:pull,push"));
        assert_eq!(found.service.as_deref(), Some("a \"b\""));
    }

    #[test]
    fn a_challenge_without_a_realm_asks_for_no_token() {
        for header in ["Bearer", "", "Bearer realm=\"\"", "realm=\"x\"", ",,,", "Bearer \"realm", "Basic realm=\"x\""] {
            assert_eq!(bearer(&[header]), None, "{header}");
        }
        assert!(!basic(&["Bearer realm=\"basic\""]));
        // A parameter belongs to a scheme of its own header.
        assert_eq!(bearer(&["Bearer", "realm=\"x\""]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_header_panics(header in any::<String>()) {
            Challenge::parse([header.as_str()]);
        }
    }
}
