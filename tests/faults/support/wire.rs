//! Where messages of PostgreSQL's protocol begin in a stream (manual, chapter "Message Formats"): a type, then a length.

/// Follows one direction of a connection.
pub struct Scanner {
    /// What is still to come of the message that has begun.
    rest: usize,
    head: Vec<u8>,
    /// The first message of a client has no type.
    untyped: bool,
}

impl Scanner {
    pub fn of_client() -> Self {
        Self { rest: 0, head: Vec::new(), untyped: true }
    }

    pub fn of_server() -> Self {
        Self { rest: 0, head: Vec::new(), untyped: false }
    }

    /// Takes bytes in; gives the types of the messages that end within them, and where they end.
    pub fn ended(&mut self, bytes: &[u8]) -> Vec<(u8, usize)> {
        let mut ended = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let head = if self.untyped { 4 } else { 5 };
            if self.head.len() < head {
                self.head.push(bytes[at]);
                at += 1;
                if self.head.len() == head {
                    let length = u32::from_be_bytes(self.head[head - 4..].try_into().unwrap()) as usize;
                    self.rest = length.saturating_sub(4);
                }
            }
            if self.head.len() == head {
                let taken = self.rest.min(bytes.len() - at);
                at += taken;
                self.rest -= taken;
                if self.rest == 0 {
                    ended.push((if self.untyped { 0 } else { self.head[0] }, at));
                    self.head.clear();
                    self.untyped = false;
                }
            }
        }
        ended
    }
}

#[test]
fn messages_are_found_however_they_are_cut() {
    let stream = [&[0, 0, 0, 8, 1, 2, 3, 4][..], b"E\0\0\0\x06ab", b"S\0\0\0\x04"].concat();
    for size in 1..=stream.len() {
        let mut scanner = Scanner::of_client();
        let types: Vec<u8> = stream.chunks(size).flat_map(|chunk| scanner.ended(chunk)).map(|(kind, _)| kind).collect();
        assert_eq!(types, [0, b'E', b'S'], "{size}");
    }
}
