//! Randomness: from the draw alone.

use super::compare::assert_same;
use super::{Subject, Trial};
use crate::draw::{Draw, Stream};

/// Without randomness the same inputs give the same outputs.
///
/// # Panics
/// When they differ.
pub fn deterministic_outputs_repeat<K: Subject>(trial: &Trial<K>) {
    repeats(trial, Draw::Deterministic);
}

/// The same stream gives the same outputs: a resumed run continues as if it had not stopped.
///
/// # Panics
/// When they differ.
pub fn a_stream_repeats<K: Subject>(trial: &Trial<K>) {
    repeats(trial, Draw::Stream(Stream::new(3)));
}

fn repeats<K: Subject>(trial: &Trial<K>, draw: Draw) {
    // a second model: state that the first one kept from call to call would show
    let (first, fresh) = (trial.model(1), trial.model(1));
    let expected = trial.outputs(&first, 2, draw);
    let what = trial.what();
    assert_same(&format!("{what}, second model with {draw:?}"), expected, trial.outputs(&fresh, 2, draw), 1e-6);
    let expected = trial.outputs(&first, 2, draw);
    assert_same(&format!("{what}, called again with {draw:?}"), expected, trial.outputs(&first, 2, draw), 1e-6);
}
