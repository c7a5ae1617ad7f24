//! Values as text: numbers, plain texts, and hexadecimal for the rest, which mean the same in every mode of the server.

use std::fmt::Write;

use crate::value::Value;

/// `(1,x'00',NULL)`.
pub(super) fn tuple(script: &mut String, values: &[Value]) {
    script.push('(');
    for (index, value) in values.iter().enumerate() {
        script.push_str(if index == 0 { "" } else { "," });
        literal(script, value);
    }
    script.push(')');
}

pub(super) fn literal(script: &mut String, value: &Value) {
    match value {
        Value::Null => script.push_str("NULL"),
        Value::Int(int) => {
            let _ = write!(script, "{int}");
        }
        Value::Bool(bool) => script.push(if *bool { '1' } else { '0' }),
        Value::Id(id) => hex(script, id.as_bytes()),
        Value::Text(text) if text.bytes().all(is_plain) => {
            let _ = write!(script, "_binary'{text}'");
        }
        Value::Text(text) => hex(script, text.as_bytes()),
        Value::Bytes(bytes) => hex(script, bytes),
    }
}

/// Whether a byte stands for itself between quotes, whatever the server's mode and character set.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\'' && byte != b'\\'
}

fn hex(script: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    script.reserve(bytes.len() * 2 + 3);
    script.push_str("x'");
    for byte in bytes {
        script.push(char::from(DIGITS[usize::from(byte >> 4)]));
        script.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    script.push('\'');
}
