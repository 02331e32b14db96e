//! Tests that killed a mutant of a statement. They run first for its other mutants, because they are likely to kill these, too.
//! For the first mutant of a statement, those of its file do.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The maximum number of tests that run first. Each test costs time for a mutant that it does not kill.
const MAX_TESTS: usize = 16;

/// The tests by place (a statement or a file) and program, the latest last.
#[derive(Debug, Default)]
pub(super) struct Killers(Mutex<HashMap<(String, PathBuf), Vec<String>>>);

impl Killers {
    /// The tests for the first place that has any.
    pub(super) fn of(&self, places: [&str; 2], program: &Path) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |place: &str| known.get(&(place.to_owned(), program.to_owned()));
        places.into_iter().find_map(of).cloned().unwrap_or_default()
    }

    /// Moves the test to the end of the list of each place. A full list loses its oldest test.
    pub(super) fn add(&self, places: [&str; 2], program: &Path, test: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for place in places {
            let tests = known.entry((place.to_owned(), program.to_owned())).or_default();
            tests.retain(|known| known != test);
            if tests.len() == MAX_TESTS {
                tests.remove(0);
            }
            tests.push(test.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_tests_of_a_statement_are_kept() {
        let (killers, program) = (Killers::default(), Path::new("api"));
        for number in 0..=MAX_TESTS {
            killers.add(["f", "file"], program, &number.to_string());
        }
        killers.add(["f", "file"], program, "5");
        let tests = killers.of(["f", "file"], program);
        assert_eq!(tests.len(), MAX_TESTS);
        assert_eq!((tests.first().map(String::as_str), tests.last().map(String::as_str)), (Some("1"), Some("5")));
        assert!(killers.of(["f", "file"], Path::new("migrator")).is_empty());
    }

    #[test]
    fn a_statement_without_tests_takes_those_of_its_file() {
        let (killers, program) = (Killers::default(), Path::new("api"));
        killers.add(["f", "file"], program, "1");
        assert_eq!(killers.of(["g", "file"], program), ["1"]);
        killers.add(["g", "file"], program, "2");
        assert_eq!(killers.of(["g", "file"], program), ["2"]);
        assert!(killers.of(["h", "other"], program).is_empty());
    }
}
