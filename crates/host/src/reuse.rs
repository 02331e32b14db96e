//! How long an instance lives and how much it serves: Spin's flags, their syntax and their defaults.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use rand::RngExt;
use rand::distr::uniform::SampleUniform;

/// One value, or the bounds (lower inclusive, upper exclusive) from which each new instance draws its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range<T> {
    /// Always this.
    Value(T),
    /// Anything from the first to just under the second.
    Bounds(T, T),
}

impl<T: SampleUniform + PartialOrd + Copy> Range<T> {
    /// Draws a value.
    pub fn sample(self) -> T {
        match self {
            Self::Value(value) => value,
            Self::Bounds(from, to) => rand::rng().random_range(from..to),
        }
    }
}

impl<T: FromStr + PartialOrd> Range<T>
where
    T::Err: Display,
{
    fn parse(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            part.parse::<T>().map_err(|e| format!("expected a value or a range such as 1..8, got {text:?}: {e}"))
        };
        let Some((from, to)) = text.split_once("..") else {
            return one(text).map(Self::Value);
        };
        let (from, to) = (one(from)?, one(to)?);
        if from < to { Ok(Self::Bounds(from, to)) } else { Err(format!("the range {text:?} is empty")) }
    }
}

/// The limits of every instance.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// Requests in an instance's life.
    pub count: Range<usize>,
    /// Requests in an instance at once.
    pub concurrent: Range<usize>,
    /// How long an instance may wait for its next request.
    pub idle: Range<Duration>,
    /// How long a request may take; without one, for ever.
    pub request_timeout: Option<Range<Duration>>,
}

impl Reuse {
    /// The limits of a component of WASI 0.2: an instance serves one request, and no request timeout applies.
    pub fn for_one_request(self) -> Self {
        Self { count: Range::Value(1), concurrent: Range::Value(1), request_timeout: None, ..self }
    }
}

/// Reads a count or a range of counts.
///
/// # Errors
///
/// A sentence for the person at the command line.
pub fn parse_count(text: &str) -> Result<Range<usize>, String> {
    Range::parse(text)
}

/// Reads a duration or a range of durations: a bare number counts seconds, otherwise `s`, `ms`, `us`, `μs` or `ns`.
///
/// # Errors
///
/// A sentence for the person at the command line.
pub fn parse_duration(text: &str) -> Result<Range<Duration>, String> {
    Ok(match Range::<Span>::parse(text)? {
        Range::Value(span) => Range::Value(span.0),
        Range::Bounds(from, to) => Range::Bounds(from.0, to.0),
    })
}

#[derive(PartialEq, PartialOrd)]
struct Span(Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        type Unit = (&'static str, fn(u64) -> Duration);
        let units: [Unit; 5] = [
            ("ms", Duration::from_millis),
            ("us", Duration::from_micros),
            ("μs", Duration::from_micros),
            ("ns", Duration::from_nanos),
            ("s", Duration::from_secs),
        ];
        let (number, unit) = units
            .into_iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
            .unwrap_or((text, Duration::from_secs));
        number
            .parse()
            .map(|number| Self(unit(number)))
            .map_err(|e| format!("{e} (a whole number, then s, ms, us or ns)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_spins_suffixes() {
        assert_eq!(parse_duration("2"), Ok(Range::Value(Duration::from_secs(2))));
        assert_eq!(parse_duration("1s"), Ok(Range::Value(Duration::from_secs(1))));
        assert_eq!(parse_duration("15ms"), Ok(Range::Value(Duration::from_millis(15))));
        assert_eq!(parse_duration("1..8s"), Ok(Range::Bounds(Duration::from_secs(1), Duration::from_secs(8))));
        assert!(parse_duration("1m").is_err());
        assert!(parse_duration("").is_err());
    }

    #[test]
    fn counts_are_single_or_drawn_from_a_range() {
        assert_eq!(parse_count("128"), Ok(Range::Value(128)));
        assert_eq!(parse_count("1..3"), Ok(Range::Bounds(1, 3)));
        assert!(parse_count("3..3").is_err());
        assert!((1..3).contains(&Range::Bounds(1, 3).sample()));
    }
}
