//! A connection to errand, byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::support::target;

/// How long an answer may take before it counts as a hang.
const TIMEOUT: Duration = Duration::from_secs(20);

pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer of HTTP/1.1.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    head: String,
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Errand closed it.
    Closed,
    /// Errand closed it while there was more to read.
    Reset,
    /// It is still open, and nothing comes.
    NotAtAll,
}

impl Connection {
    pub fn open() -> Self {
        let stream = TcpStream::connect(target().url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes. Who has heard enough may hang up in the middle of them.
    pub fn send(&mut self, bytes: &[u8]) {
        _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will come.
    pub fn finish(&mut self) {
        _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads the next answer; how the connection ended, if there is none.
    pub fn read_answer(&mut self) -> Result<Answer, Ended> {
        loop {
            if let Some((answer, length)) = Answer::parse(&self.read, false) {
                self.read.drain(..length);
                return Ok(answer);
            }
            if let Err(ended) = self.read_more() {
                // An answer to HEAD has a length, and nothing of that length.
                let (answer, length) = Answer::parse(&self.read, true).ok_or(ended)?;
                self.read.drain(..length);
                return Ok(answer);
            }
        }
    }

    /// Reads all answers, and how the connection ended.
    pub fn read_to_end(mut self) -> (Vec<Answer>, Ended) {
        let mut answers = Vec::new();
        loop {
            match self.read_answer() {
                Ok(answer) => answers.push(answer),
                Err(ended) => {
                    assert!(self.read.is_empty(), "{:?}", String::from_utf8_lossy(&self.read));
                    return (answers, ended);
                }
            }
        }
    }

    /// Reads until what has come is enough, or the connection ends.
    pub fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) {
        while !enough(&self.read) && self.read_more().is_ok() {}
    }

    /// Reads bytes as they come, until the connection ends.
    pub fn read_bytes(mut self) -> (Vec<u8>, Ended) {
        loop {
            if let Err(ended) = self.read_more() {
                return (self.read, ended);
            }
        }
    }

    fn read_more(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Ended::Closed),
            Ok(length) => {
                self.read.extend_from_slice(&buffer[..length]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(Ended::NotAtAll),
            Err(_) => Err(Ended::Reset),
        }
    }
}

impl Answer {
    /// Parses an answer and its length; `None` while it is not whole.
    fn parse(bytes: &[u8], ended: bool) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = Self { status, head, body: Vec::new() };
        assert!(answer.header("transfer-encoding").is_none(), "an answer in chunks");
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if matches!(status, 100..=199 | 204 | 304) || ended && bytes.len() == end { 0 } else { length };
        answer.body = bytes.get(end..end + length)?.to_vec();
        Some((answer, end + length))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| *field == name).map(|(_, value)| value.trim())
    }

    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }
}
