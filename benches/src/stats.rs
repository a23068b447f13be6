//! What a handful of repeated measurements says: the least, the middle and the most.

use serde::Serialize;

/// The spread of one figure over the rounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of `samples`, or `None` when there are none.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self { min: *sorted.first()?, median: middle(&sorted), max: *sorted.last()? })
    }
}

/// The middle of sorted samples; with an even count, the mean of the two in the middle.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// `ours / theirs`, round by round: drift of the machine hits both sides of a round alike.
pub(crate) fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| a / b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_count_takes_the_middle_whatever_the_order() {
        let spread = Spread::of([5.0, 1.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { min: 1.0, median: 3.0, max: 5.0 });
    }

    #[test]
    fn even_count_takes_the_mean_of_the_middle_two() {
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 10.0]).unwrap().median, 3.0);
    }

    #[test]
    fn one_sample_is_its_own_spread_and_none_has_none() {
        assert_eq!(Spread::of([7.5]).unwrap(), Spread { min: 7.5, median: 7.5, max: 7.5 });
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_pair_the_rounds() {
        assert_eq!(ratios(&[3.0, 5.0], &[6.0, 4.0]), [0.5, 1.25]);
    }
}
