//! What programs of tests print, read as it comes: how many passed, which failed, which were left out.

/// What one command of cargo's has told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// Left out: by an attribute, or by the test itself because the machine lacks something.
    pub(crate) skipped: u32,
    pub(crate) failures: Vec<Failure>,
    /// The tests that left themselves out, each with its reason.
    pub(crate) left_out: Vec<String>,
    /// It named tests instead of running them.
    has_listed: bool,
    suite: String,
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What `--suite` calls the program that it is in.
    pub(crate) suite: String,
    pub(crate) test: String,
}

/// What a test prints that leaves itself out (`crates/postgres/src/left_out.rs`).
const LEFT_OUT: &str = "left out: ";
/// The suite of the tests in the source.
pub(crate) const UNITS: &str = "units";
/// The suite of the examples in the documentation.
pub(crate) const DOC: &str = "doc";

impl Transcript {
    pub(crate) fn line(&mut self, line: &str) {
        let line = plain(line);
        if let Some(suite) = suite(&line) {
            self.suite = suite;
        } else if let Some(test) = failed(&line) {
            self.failures.push(Failure { suite: self.suite.clone(), test: test.to_owned() });
        } else if let Some([passed, failed, skipped]) = counts(&line) {
            self.passed += passed;
            self.failed += failed;
            self.skipped += skipped;
        } else if line.ends_with(" benchmarks") {
            self.has_listed = true;
        } else if let Some((_, told)) = line.split_once(LEFT_OUT) {
            // The test itself passes: libtest knows no other way to end one.
            self.left_out.push(told.to_owned());
        }
    }

    /// When the command has ended.
    pub(crate) fn end(mut self) -> Self {
        let left_out = u32::try_from(self.left_out.len()).unwrap_or(u32::MAX).min(self.passed);
        self.passed -= left_out;
        self.skipped += left_out;
        self
    }

    /// Whether no test was run or named.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_listed && (self.passed, self.failed, self.skipped) == (0, 0, 0)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.has_listed |= other.has_listed;
        self.failures.extend(other.failures);
        self.left_out.extend(other.left_out);
    }
}

/// The test that a line of libtest's says has failed.
pub(crate) fn failed(line: &str) -> Option<&str> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    // It may be followed by the time that the test took.
    (outcome.split_whitespace().next() == Some("FAILED")).then(|| name.trim_end_matches(" - should panic"))
}

/// Which program cargo says it runs: `Running unittests src/lib.rs (target/…)`, `Running tests/api/main.rs (target/…)`.
fn suite(line: &str) -> Option<String> {
    let line = line.trim_start();
    if line.starts_with("Doc-tests ") {
        return Some(DOC.to_owned());
    }
    let program = line.strip_prefix("Running ")?;
    if program.starts_with("unittests ") {
        return Some(UNITS.to_owned());
    }
    let path = program.strip_prefix("tests/")?.split_whitespace().next()?;
    Some(path.split('/').next()?.trim_end_matches(".rs").to_owned())
}

/// Passed, failed and ignored of `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn counts(line: &str) -> Option<[u32; 3]> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = counts.split("; ");
    let mut count = |of: &str| counts.next()?.strip_suffix(of)?.trim_end().parse().ok();
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

/// Without colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(lines: &str) -> Transcript {
        let mut transcript = Transcript::default();
        lines.lines().for_each(|line| transcript.line(line));
        transcript.end()
    }

    #[test]
    fn a_failure_is_known_by_its_program_and_its_name() {
        let told = transcript(
            "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m unittests src/lib.rs (target/debug/deps/errand-1f)\n\
             test a::b ... ok\n\
             test a::c ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             \x20    Running tests/migrator/main.rs (target/debug/deps/migrator-1f)\n\
             test d - should panic ... FAILED <0.1s>\n\
             test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             \x20  Doc-tests errand\n\
             test src/lib.rs - service (line 3) ... FAILED\n\
             test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        assert_eq!((told.passed, told.failed, told.skipped), (8, 3, 2));
        let known: Vec<_> = told.failures.iter().map(|failure| (&*failure.suite, &*failure.test)).collect();
        assert_eq!(known, [("units", "a::c"), ("migrator", "d"), ("doc", "src/lib.rs - service (line 3)")]);
    }

    #[test]
    fn a_test_that_left_itself_out_did_not_pass() {
        // On one thread the name comes first, and libtest ends the line that it began.
        let told = transcript(
            "test disk ... left out: disk: only root may mount one\n\
             ok\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        assert_eq!((told.passed, told.failed, told.skipped), (1, 0, 1));
        assert_eq!(told.left_out, ["disk: only root may mount one"]);
    }

    #[test]
    fn other_lines_tell_nothing() {
        let told = transcript("test a ... ok\ntest a ... FAILEDx\nFAILED\nfailures:\n    a::c\nRunning about");
        assert!(told.is_empty() && told.failures.is_empty(), "{told:?}");
    }
}
