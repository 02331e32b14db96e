//! A random order of the mutants that a seed decides. A sample is the beginning of it, so a larger sample of the same seed
//! contains a smaller one, and an interrupted run has tried a random sample, too.

use sha2::{Digest, Sha256};

use super::mutant::Mutant;

/// Puts the mutants into their order.
pub(crate) fn shuffle(mutants: &mut [Mutant], seed: u64) {
    mutants.sort_by_cached_key(|mutant| Sha256::digest(format!("{seed} {}", mutant.id())));
}

#[cfg(test)]
mod tests {
    use super::super::mutant::example;
    use super::*;

    fn drawn(names: &[&str], seed: u64) -> Vec<String> {
        let mut mutants: Vec<_> = names.iter().map(|name| example(name)).collect();
        shuffle(&mut mutants, seed);
        mutants.into_iter().map(|mutant| mutant.change).collect()
    }

    #[test]
    fn the_seed_alone_decides() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let reversed: Vec<_> = names.iter().rev().copied().collect();
        assert_eq!(drawn(&names, 1), drawn(&reversed, 1));
        assert_ne!(drawn(&names, 1), drawn(&names, 2));
        assert_ne!(drawn(&names, 1), names);
    }

    #[test]
    fn a_mutant_that_goes_leaves_the_others_in_their_order() {
        let mut all = drawn(&["a", "b", "c", "d", "e"], 7);
        all.retain(|name| name != "c");
        assert_eq!(drawn(&["a", "b", "d", "e"], 7), all);
    }
}
