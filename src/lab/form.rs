//! Query strings and form bodies: `application/x-www-form-urlencoded`.

/// The decoded pairs in their order.
pub(super) fn pairs(encoded: &str) -> impl Iterator<Item = (String, String)> {
    encoded.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(escaped) => {
                decoded.push(escaped);
                at += 3;
            }
            None => {
                decoded.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn pairs_are_decoded_and_broken_escapes_are_kept() {
        let decoded: Vec<_> = pairs("scope=repository%3Ateam%2fapp:pull&n=1+2&flag&x=%4&y=%zz").collect();
        let expected = [("scope", "repository:team/app:pull"), ("n", "1 2"), ("flag", ""), ("x", "%4"), ("y", "%zz")];
        assert_eq!(decoded, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
