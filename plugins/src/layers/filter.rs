//! Top-k and top-p (nucleus) filtering of logits.

/// Sets every logit but the `top_k` largest to minus infinity (0: keeps all; ties with the last one stay), then all but the most
/// likely ones whose probabilities reach `top_p` (1: keeps all; Holtzman et al., 2020). One logit always stays.
pub fn filter_logits(logits: &mut [f32], top_k: usize, top_p: f64) {
    if top_k == 0 && top_p >= 1.0 {
        return;
    }
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
    if (1..logits.len()).contains(&top_k) {
        let threshold = logits[order[top_k - 1]];
        logits.iter_mut().filter(|logit| **logit < threshold).for_each(|logit| *logit = f32::NEG_INFINITY);
    }
    if top_p < 1.0 {
        let max = order.first().map_or(0.0, |&first| f64::from(logits[first]));
        let weight = |index: usize| (f64::from(logits[index]) - max).exp();
        let total: f64 = order.iter().map(|&index| weight(index)).sum();
        let mut cumulative = 0.0;
        let mut dropped = Vec::new();
        for (rank, &index) in order.iter().enumerate() {
            // the token that passes the threshold stays, those after it go
            if rank > 0 && cumulative > top_p {
                dropped.push(index);
            }
            cumulative += weight(index) / total;
        }
        dropped.into_iter().for_each(|index| logits[index] = f32::NEG_INFINITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mut logits: Vec<f32>, top_k: usize, top_p: f64) -> Vec<usize> {
        filter_logits(&mut logits, top_k, top_p);
        (0..logits.len()).filter(|&i| logits[i].is_finite()).collect()
    }

    #[test]
    fn top_k_keeps_the_largest() {
        assert_eq!(kept(vec![0.1, 3.0, 2.0, -1.0], 2, 1.0), [1, 2]);
    }

    #[test]
    fn top_p_keeps_the_token_that_passes_the_threshold() {
        let logits: Vec<f32> = [0.5f32, 0.3, 0.15, 0.05].iter().map(|p| p.ln()).collect();
        assert_eq!(kept(logits.clone(), 0, 0.6), [0, 1]);
        assert_eq!(kept(logits, 0, 0.01), [0]);
    }

    #[test]
    fn without_filters_every_token_stays() {
        assert_eq!(kept(vec![1.0, 2.0, 3.0], 0, 1.0), [0, 1, 2]);
    }
}
