//! What a plain scalar means, by the two rules that are in use.
//!
//! Both follow go-yaml, which everything that reads these files is built on, and not the YAML specification: see
//! `resolve.go` of `go.yaml.in/yaml/v2` and `v3`. Neither knows sexagesimal numbers, and dates stay text.
use super::scalar::{Scalar, Style};

/// The type and value of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number that Go keeps in 64 bits, signed or not.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// The text itself.
    Str,
}

/// As `sigs.k8s.io/yaml` and go-yaml v2 read it: kubectl, Helm values, kustomization files.
pub fn yaml_1_1(scalar: Scalar<'_>) -> Value {
    resolve(scalar, |text| match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    })
}

/// As go-yaml v3 reads it, hence kustomize its resources: `yes` and `on` are text, octal numbers of YAML 1.1 are
/// still numbers.
pub fn core(scalar: Scalar<'_>) -> Value {
    resolve(scalar, |_| None)
}

/// Whether both rules say null.
pub(super) fn is_null(scalar: Scalar<'_>) -> bool {
    core(scalar) == Value::Null
}

fn resolve(scalar: Scalar<'_>, word: fn(&str) -> Option<bool>) -> Value {
    let typed = match scalar.tag {
        None => scalar.style == Style::Plain,
        Some(tag) => matches!(tag, "!!int" | "!!float" | "!!bool" | "!!null"),
    };
    if !typed {
        return Value::Str;
    }
    match scalar.text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        text => word(text).map(Value::Bool).or_else(|| number(text, scalar.tag)).unwrap_or(Value::Str),
    }
}

fn number(text: &str, tag: Option<&str>) -> Option<Value> {
    let is_digit = |c: char| c.is_ascii_digit();
    let digits = text.replace('_', "");
    if text.starts_with('.') {
        // Here Go wants a digit on either side of an underscore; in other numbers it may stand anywhere.
        let mut pairs = text.split('_').zip(text.split('_').skip(1));
        let sound = pairs.all(|(left, right)| left.ends_with(is_digit) && right.starts_with(is_digit));
        return sound.then(|| float(&digits)).flatten().map(Value::Float);
    }
    if !text.starts_with(|c: char| is_digit(c) || c == '+' || c == '-') {
        return None;
    }
    match int(&digits) {
        Some(number) if tag == Some("!!float") => Some(Value::Float(number as f64)),
        Some(number) => Some(Value::Int(number)),
        None => float(&digits).map(Value::Float),
    }
}

/// As `strconv.ParseInt` with base 0, then `ParseUint`, which takes no sign.
fn int(text: &str) -> Option<i128> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some((sign @ ("+" | "-"), digits)) => (sign, digits),
        _ => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Only after `0b` does go-yaml cut the prefix off itself, and lets Go see another sign.
    if digits.starts_with(['+', '-']) && !text.starts_with("0b") {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    let number = if sign == "-" { -number } else { number };
    let most = if sign.is_empty() { i128::from(u64::MAX) } else { i128::from(i64::MAX) };
    (i128::from(i64::MIN)..=most).contains(&number).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if it is not beyond what 64 bits hold.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust reads the same form, and besides it only words.
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Scalar, Style, Value, core, yaml_1_1};

    fn plain(text: &str) -> Scalar<'_> {
        Scalar { text, style: Style::Plain, tag: None }
    }

    #[test]
    fn plain_scalars_become_what_sigs_k8s_io_yaml_makes_of_them() {
        let table = include_str!("../../tests/cases/scalars/yaml-scalars.json");
        let table: serde_json::Value = serde_json::from_str(table).unwrap();
        for case in table["cases"].as_array().unwrap() {
            let [text, kind, printed] = ["yaml", "helmType", "helmPrinted"].map(|key| case[key].as_str().unwrap());
            let scalar = match text.strip_prefix('"') {
                Some(quoted) => Scalar { style: Style::DoubleQuoted, ..plain(quoted.trim_end_matches('"')) },
                None => plain(text),
            };
            let number = || printed.parse::<f64>().unwrap();
            match (yaml_1_1(scalar), kind) {
                (Value::Str, "string") | (Value::Null, "<nil>") => {}
                (Value::Bool(value), "bool") => assert_eq!(value.to_string(), printed, "{text}"),
                (Value::Int(value), "float64") => assert_eq!(value as f64, number(), "{text}"),
                (Value::Float(value), "float64") => assert_eq!(value, number(), "{text}"),
                // JSON has no word for it.
                (Value::Float(f64::INFINITY), "<nil>") => {}
                (value, _) => panic!("{text} is {kind}, not {value:?}"),
            }
        }
    }

    #[test]
    fn the_rules_differ_in_words_alone() {
        for (text, old, new) in [
            ("yes", Value::Bool(true), Value::Str),
            ("y", Value::Bool(true), Value::Str),
            ("Off", Value::Bool(false), Value::Str),
            ("N", Value::Bool(false), Value::Str),
            ("yEs", Value::Str, Value::Str),
            ("TRUE", Value::Bool(true), Value::Bool(true)),
            ("", Value::Null, Value::Null),
            ("nULL", Value::Str, Value::Str),
            ("0123", Value::Int(83), Value::Int(83)),
            ("0o17", Value::Int(15), Value::Int(15)),
            ("-0x1F", Value::Int(-31), Value::Int(-31)),
            ("0b101", Value::Int(5), Value::Int(5)),
            ("+1_000", Value::Int(1000), Value::Int(1000)),
            ("08", Value::Float(8.0), Value::Float(8.0)),
            ("1.", Value::Float(1.0), Value::Float(1.0)),
            ("-.5e1", Value::Float(-5.0), Value::Float(-5.0)),
            ("18446744073709551615", Value::Int(u64::MAX.into()), Value::Int(u64::MAX.into())),
            ("-9223372036854775809", Value::Float(-9.223372036854776e18), Value::Float(-9.223372036854776e18)),
            ("0x1_0000_0000_0000_0000", Value::Str, Value::Str),
            ("12e3456", Value::Str, Value::Str),
            ("1:30", Value::Str, Value::Str),
            ("2024-01-15", Value::Str, Value::Str),
            ("_1", Value::Str, Value::Str),
            (".5_0", Value::Float(0.5), Value::Float(0.5)),
            ("._5", Value::Str, Value::Str),
            (".5_", Value::Str, Value::Str),
            ("0b-1", Value::Int(-1), Value::Int(-1)),
            ("0x-1", Value::Str, Value::Str),
            ("+-1", Value::Str, Value::Str),
            ("0x", Value::Str, Value::Str),
            ("-", Value::Str, Value::Str),
            ("infinity", Value::Str, Value::Str),
            ("1e5x", Value::Str, Value::Str),
        ] {
            assert_eq!((yaml_1_1(plain(text)), core(plain(text))), (old, new), "{text}");
        }
    }

    #[test]
    fn quotes_and_tags_come_before_the_text() {
        let styles = [Style::SingleQuoted, Style::DoubleQuoted, Style::Literal, Style::Folded];
        for style in styles {
            assert_eq!(yaml_1_1(Scalar { style, ..plain("1") }), Value::Str);
        }
        for (tag, want) in [
            ("!!str", Value::Str),
            ("!!binary", Value::Str),
            ("!", Value::Str),
            ("!Sub", Value::Str),
            ("!!int", Value::Int(1)),
            ("!!float", Value::Float(1.0)),
        ] {
            assert_eq!(yaml_1_1(Scalar { tag: Some(tag), ..plain("1") }), want, "{tag}");
        }
    }
}
