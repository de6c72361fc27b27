//! Activation normalisation with a start from data (Kingma and Dhariwal, 2018, section 3.1).

use burn::module::Param;
use larp_traits::{Component, Device, Init, Tensor, init};

/// A learned shift and scale of each value of each token: `(latents + shift) * scale`. Started so that every value has mean 0 and
/// deviation 1 over some clips, it takes away what all clips have in common, which would otherwise decide the codes.
#[derive(Component, Debug)]
pub struct ActNorm {
    /// `[tokens, code_dim]`.
    pub shift: Param<Tensor<2>>,
    /// `[tokens, code_dim]`.
    pub scale: Param<Tensor<2>>,
}

impl ActNorm {
    /// The identity.
    pub fn new(tokens: usize, code_dim: usize, device: &Device) -> Self {
        let shape = [tokens, code_dim];
        Self { shift: init::param(shape, Init::Zeros, device), scale: init::param(shape, Init::Ones, device) }
    }

    /// # Shapes
    /// - latents and output: `[batch, tokens, code_dim]`
    pub fn forward(&self, latents: Tensor<3>) -> Tensor<3> {
        (latents + self.shift.val().unsqueeze()) * self.scale.val().unsqueeze()
    }

    /// Starts shift and scale from latents.
    ///
    /// # Shapes
    /// - latents: `[batch, tokens, code_dim]`
    pub fn start(self, latents: Tensor<3>) -> Self {
        let mean = latents.clone().mean_dim(0);
        let deviation = (latents - mean.clone()).square().mean_dim(0).sqrt();
        let set = |param: Param<Tensor<2>>, value: Tensor<3>| {
            let value = Tensor::from_inner(value.squeeze_dim::<2>(0).inner()).require_grad();
            param.map(|_| value)
        };
        Self { shift: set(self.shift, mean.neg()), scale: set(self.scale, (deviation + 1e-6).recip()) }
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, to_host};
    use larp_traits::{Stream, params};

    use super::*;

    #[test]
    fn started_from_data_each_value_has_mean_0_and_deviation_1() {
        let latents = Stream::new(1).normal([64, 3, 2], &cpu()) * 0.01 + 5.0;
        let norm = params::materialize(ActNorm::new(3, 2, &cpu()), 0).start(latents.clone());
        let normed = norm.forward(latents);
        let mean = to_host(normed.clone().mean_dim(0));
        let square = to_host(normed.square().mean_dim(0));
        assert!(mean.iter().all(|m| m.abs() < 1e-2) && square.iter().all(|s| (s - 1.0).abs() < 5e-2), "{mean:?} {square:?}");
    }
}
