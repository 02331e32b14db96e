//! JSON without the white space between its parts (RFC 8259, section 2), made while compiling.

#![allow(clippy::indexing_slicing, reason = "a constant that panics does not compile")]

/// The length of `json` without that white space, in bytes.
pub(super) const fn length(json: &str) -> usize {
    let mut length = 0;
    let mut reader = Reader::new(json);
    while reader.next().is_some() {
        length += 1;
    }
    length
}

/// `json` without that white space. `LENGTH` must be its [`length`].
pub(super) const fn compact<const LENGTH: usize>(json: &str) -> [u8; LENGTH] {
    let mut compact = [0; LENGTH];
    let mut reader = Reader::new(json);
    let mut at = 0;
    while let Some(byte) = reader.next() {
        compact[at] = byte;
        at += 1;
    }
    compact
}

/// The bytes that count. Not an `Iterator`, because a constant cannot call one.
struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    in_string: bool,
    escaped: bool,
}

impl<'a> Reader<'a> {
    const fn new(json: &'a str) -> Self {
        Self { json: json.as_bytes(), at: 0, in_string: false, escaped: false }
    }

    const fn next(&mut self) -> Option<u8> {
        while self.at < self.json.len() {
            let byte = self.json[self.at];
            self.at += 1;
            if self.in_string {
                // A quotation mark ends the string, unless an escape takes it.
                self.in_string = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                return Some(byte);
            }
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                self.in_string = byte == b'"';
                return Some(byte);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_between_the_parts_goes() {
        const JSON: &str = "{\n  \"a b\": [1, \"c \\\" d \\\\\" ,\t\"\"],\r\n\"e\" : \" \" }\n";
        const COMPACT: [u8; length(JSON)] = compact(JSON);
        let text = std::str::from_utf8(&COMPACT).unwrap();
        assert_eq!(text, "{\"a b\":[1,\"c \\\" d \\\\\",\"\"],\"e\":\" \"}");
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(text), value(JSON));
    }
}
