//! What a plain scalar means, by the two rules that are in use.
//!
//! Both follow go-yaml, which everything that reads these files is built on, and not the YAML specification: see
//! `resolve.go` of `go.yaml.in/yaml/v2` and `v3`. Neither knows sexagesimal numbers, and dates stay text.
use super::node::{Scalar, Style};

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
    // After a leading point, underscores are not dropped.
    if text.starts_with('.') {
        return float(text).map(Value::Float);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return None;
    }
    let digits = text.replace('_', "");
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
    let magnitude = digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    let number = magnitude.then(|| i128::from_str_radix(digits, radix).ok()).flatten()?;
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
