//! A random order of the mutants that a seed decides. A sample is the beginning of it, so a larger sample of the same seed
//! contains a smaller one, and an interrupted run has tried a random sample, too.

use sha2::{Digest, Sha256};

use super::{
    ledger::Ledger,
    mutant::{Mutant, Outcome},
};

/// Puts the mutants into their order.
pub(crate) fn shuffle(mutants: &mut [Mutant], seed: u64) {
    mutants.sort_by_cached_key(|mutant| Sha256::digest(format!("{seed} {}", mutant.id())));
}

/// The sample: so many from the beginning, not counting those that cannot run.
pub(crate) fn prefix<'a>(ordered: &'a [Mutant], size: usize, ledger: &Ledger) -> &'a [Mutant] {
    let mut left = size;
    let end = ordered.iter().position(|mutant| {
        if left == 0 {
            return true;
        }
        let unviable = ledger.get(&mutant.id()).is_some_and(|entry| entry.outcome == Outcome::Unviable);
        left -= usize::from(!unviable);
        false
    });
    ordered.get(..end.unwrap_or(ordered.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::super::{ledger::Entry, mutant::example};
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

    #[test]
    fn what_cannot_run_is_replaced_by_the_next() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut ledger = Ledger::open(folder.path())?;
        let ordered = ["a", "b", "c", "d"].map(example);
        let of = |size, ledger: &Ledger| prefix(&ordered, size, ledger).len();
        assert_eq!([of(0, &ledger), of(2, &ledger), of(usize::MAX, &ledger)], [0, 2, 4]);
        ledger.add(Entry { id: ordered[1].id(), outcome: Outcome::Unviable, seconds: 1.0 })?;
        assert_eq!([of(1, &ledger), of(2, &ledger), of(3, &ledger), of(4, &ledger)], [1, 3, 4, 4]);
        Ok(())
    }
}
