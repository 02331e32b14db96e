//! Tests that killed a mutant of a statement. They run first for its other mutants, because they are likely to kill these, too.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The maximum number of tests that run first. Each test costs time for a mutant that it does not kill.
const MOST: usize = 16;

/// The tests by statement and program, the latest last.
#[derive(Debug, Default)]
pub(super) struct Killers(Mutex<HashMap<(String, PathBuf), Vec<String>>>);

impl Killers {
    pub(super) fn of(&self, within: &str, program: &Path) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(within.to_owned(), program.to_owned())).cloned().unwrap_or_default()
    }

    /// Moves the test to the end of the list. A full list loses its oldest test.
    pub(super) fn add(&self, within: &str, program: &Path, test: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tests = known.entry((within.to_owned(), program.to_owned())).or_default();
        tests.retain(|known| known != test);
        if tests.len() == MOST {
            tests.remove(0);
        }
        tests.push(test.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_tests_of_a_statement_are_kept() {
        let (killers, program) = (Killers::default(), Path::new("api"));
        for number in 0..=MOST {
            killers.add("f", program, &number.to_string());
        }
        killers.add("f", program, "5");
        let tests = killers.of("f", program);
        assert_eq!(tests.len(), MOST);
        assert_eq!((tests.first().map(String::as_str), tests.last().map(String::as_str)), (Some("1"), Some("5")));
        assert!(killers.of("g", program).is_empty() && killers.of("f", Path::new("migrator")).is_empty());
    }
}
