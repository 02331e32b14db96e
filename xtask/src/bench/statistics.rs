//! The ratio of two servers from figures in pairs, with an interval that assumes no distribution.
//!
//! Each round gives a pair, measured within seconds, so what changes slowly on the machine falls out of its ratio. The
//! estimate is that of Hodges and Lehmann for the logarithms of the ratios: the median of the means of all pairs of them.
//! The interval inverts Wilcoxon's signed-rank test: exact for any distribution that is symmetric, which the ratio of two
//! equal servers is, and hardly moved by a round that something disturbed. Nothing in it is random.

use serde::Serialize;

/// What an interval should cover at least.
pub(crate) const COVERAGE: f64 = 0.95;

/// How many times as much as the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) estimate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The probability that such an interval holds the true ratio. Below 0.95 there were too few rounds (fewer than 6).
    pub(crate) coverage: f64,
}

impl Ratio {
    /// From pairs of this and other; `None` where none of them is of two positive figures.
    pub(crate) fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let positive = pairs.iter().filter(|(this, other)| *this > 0.0 && *other > 0.0);
        let logs: Vec<f64> = positive.map(|(this, other)| (this / other).ln()).collect();
        let mut means = Vec::new();
        for (index, one) in logs.iter().enumerate() {
            means.extend(logs.iter().skip(index).map(|other| f64::midpoint(*one, *other)));
        }
        means.sort_by(f64::total_cmp);
        let (skipped, coverage) = skipped(logs.len());
        let at = |index: usize| means.get(index).copied().map(f64::exp);
        Some(Self {
            estimate: median(&means)?.exp(),
            low: at(skipped)?,
            high: at(means.len().checked_sub(skipped + 1)?)?,
            coverage,
        })
    }

    pub(crate) fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The middle one, or the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// How many of the sorted means lie outside of the interval on each side, and what the interval then covers: the most that
/// leave it the wanted coverage, by the exact distribution of the signed-rank statistic.
fn skipped(count: usize) -> (usize, f64) {
    // How many of the 2^count choices of signs give each sum of ranks, as a probability.
    let mut chances = vec![1.0_f64];
    for rank in 1..=count {
        let mut next = vec![0.0; chances.len() + rank];
        for (sum, chance) in chances.iter().enumerate() {
            for index in [sum, sum + rank] {
                if let Some(place) = next.get_mut(index) {
                    *place += chance / 2.0;
                }
            }
        }
        chances = next;
    }
    let mut tail = 0.0;
    let mut found = (0, 1.0 - 2.0 * chances.first().copied().unwrap_or_default());
    for (index, chance) in chances.iter().enumerate() {
        tail += chance;
        if 1.0 - 2.0 * tail < COVERAGE {
            break;
        }
        found = (index, 1.0 - 2.0 * tail);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_median_of_an_even_number_is_between() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    /// Table A.12 of Hollander and Wolfe: for ten pairs P(T <= 8) = 0.024, so the ninth mean from each end is the bound.
    #[test]
    fn bounds_are_those_of_the_signed_rank_test() {
        for (count, index, tail) in [(6, 0, 1.0 / 64.0), (8, 3, 5.0 / 256.0), (10, 8, 25.0 / 1024.0)] {
            let (found, coverage) = skipped(count);
            assert_eq!(found, index, "{count} pairs");
            assert!(close(coverage, 1.0 - 2.0 * tail), "{count} pairs: {coverage}");
        }
    }

    #[test]
    fn few_rounds_say_how_little_they_cover() -> Result<(), String> {
        let ratio = Ratio::of(&[(1.0, 1.0), (1.1, 1.0), (1.2, 1.0)]).ok_or("no ratio")?;
        assert!(close(ratio.coverage, 0.75) && close(ratio.low, 1.0) && close(ratio.high, 1.2), "{ratio:?}");
        assert!(Ratio::of(&[(0.0, 1.0)]).is_none());
        Ok(())
    }

    #[test]
    fn one_disturbed_round_of_ten_moves_little() -> Result<(), String> {
        let mut pairs: Vec<(f64, f64)> = (0..10).map(|n| (1.02 + 0.002 * f64::from(n % 5), 1.0)).collect();
        let calm = Ratio::of(&pairs).ok_or("no ratio")?;
        *pairs.last_mut().ok_or("no pair")? = (2.0, 1.0);
        let disturbed = Ratio::of(&pairs).ok_or("no ratio")?;
        assert!(!calm.contains(1.0) && !disturbed.contains(1.0));
        assert!((disturbed.estimate / calm.estimate - 1.0).abs() < 0.003, "{calm:?} {disturbed:?}");
        Ok(())
    }

    #[test]
    fn a_ratio_turned_round_is_its_inverse() -> Result<(), String> {
        let pairs = [(1.0, 2.0), (3.0, 5.0), (2.0, 2.5), (4.0, 3.9), (1.0, 1.3), (2.0, 2.2), (7.0, 9.0)];
        let turned = pairs.map(|(this, other)| (other, this));
        let (a, b) = (Ratio::of(&pairs).ok_or("no ratio")?, Ratio::of(&turned).ok_or("no ratio")?);
        assert!(close(a.estimate, 1.0 / b.estimate) && close(a.low, 1.0 / b.high) && close(a.high, 1.0 / b.low));
        Ok(())
    }
}
