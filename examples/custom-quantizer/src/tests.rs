use super::*;

fn fsq(levels: &[usize]) -> Fsq {
    Fsq::new(Levels::new(levels).expect("levels that work"), &cpu())
}

fn quantize(fsq: &Fsq, latents: Vec<f32>) -> (Vec<i64>, Vec<f32>) {
    let tokens = latents.len() / fsq.code_dim();
    let latents = Tensor::<1>::from_data(latents.as_slice(), &cpu()).reshape([1, tokens, fsq.code_dim()]);
    let quantized = fsq.quantize(latents, Draw::Deterministic);
    (ints_to_host(quantized.tokens), to_host(quantized.embeddings))
}

#[test]
fn six_codes_by_hand() {
    // 3 levels: -1, 0, 1; 2 levels: -1, 0; the first dimension counts fastest
    let codes = vec![-1.0, -1.0, 0.0, -1.0, 1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    assert_eq!(to_host(fsq(&[3, 2]).codes.val()), codes);
}

#[test]
fn latents_by_hand() {
    // 5 levels: tanh(0.6) * 2.002 = 1.075 rounds to 1, code 1/2, digit 3
    // 4 levels: tanh(-2 + atanh(0.5 / 1.5015)) * 1.5015 - 0.5 = -1.896 rounds to -2, code -1, digit 0
    assert_eq!(quantize(&fsq(&[5, 4]), vec![0.6, -2.0]), (vec![3], vec![0.5, -1.0]));
    // far out: the last level of each, 4 + 5 * 3
    assert_eq!(quantize(&fsq(&[5, 4]), vec![50.0, 50.0]), (vec![19], vec![1.0, 0.5]));
    // nothing: the middle of each, 2 + 5 * 2
    assert_eq!(quantize(&fsq(&[5, 4]), vec![0.0, 0.0]), (vec![12], vec![0.0, 0.0]));
}

#[test]
fn every_code_is_its_own_token() {
    let fsq = fsq(&[8, 5, 5, 5]);
    let all = Tensor::<1, Int>::arange(0..1000, &cpu()).reshape([1, 1000]);
    let codes = fsq.dequantize(all);
    // the latent that a code comes from: the inverse of the squashing
    let inside = ((codes * fsq.half_width.val() + fsq.offset.val()) / fsq.half_range.val()).clamp(-0.9999, 0.9999);
    let latents = ((inside.clone() + 1.0) / (inside.neg() + 1.0)).log() / 2.0 - fsq.shift.val();
    let (tokens, _) = quantize(&fsq, to_host(latents));
    assert_eq!(tokens, (0..1000).collect::<Vec<i64>>());
}

#[test]
fn levels_that_are_not_one_a_dimension_are_refused() {
    let error = FsqSettings::default().shape(6).expect_err("4 levels for 6 dimensions");
    let message =
        "`quantizer.levels` with 4 levels does not fit `code_dim` 6: each dimension has its level; change one of the two";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_level_of_one_is_refused() {
    let error = Levels::new(&[8, 1]).expect_err("a dimension with one value");
    assert_eq!(error.to_string(), "`quantizer.levels` is [8, 1]; expected one number a dimension, each at least 2");
}
