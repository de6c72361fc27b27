//! Settings to modules.

use larp_traits::params::materialize;
use larp_traits::published::{PublishedFile, check_all};
use larp_traits::{Device, DynCritic, DynGenerator, DynPerceptual, Init, SettingsError, init};

use super::{BottleneckNorm, Pipeline, PipelineError};
use crate::model::{ActNorm, Tokenizer};

impl Pipeline {
    /// Builds the tokenizer, its parameters not yet started: for counting them.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn outline_tokenizer(&self, device: &Device) -> Result<Tokenizer, PipelineError> {
        let plan = self.plan()?;
        let build = || -> Result<Tokenizer, SettingsError> {
            let (of_encoder, code_dim) = (plan.context(plan.encoder, 0, device), plan.quantizer.code_dim);
            let linear = |inputs, outputs, gain| {
                init::linear(inputs, outputs, true, Init::xavier_uniform_times(gain, inputs, outputs), device)
            };
            Ok(Tokenizer {
                encoder: self.encoder.build(&of_encoder)?,
                project_in: linear(plan.encoder.dim, code_dim, 1.0),
                norm: (self.bottleneck.norm == BottleneckNorm::ActNorm)
                    .then(|| ActNorm::new(plan.encoder.tokens, code_dim, device)),
                quantizer: self.quantizer.build(&of_encoder)?,
                project_out: linear(code_dim, plan.decoder.dim, self.bottleneck.out_gain),
                decoder: self.decoder.build(&plan.context(plan.decoder, 0, device))?,
                prior: self.prior.as_ref().map(|prior| prior.build(&of_encoder)).transpose()?,
            })
        };
        build().map_err(|source| self.settings_error(source))
    }

    /// Builds the generator, its parameters not yet started; `None` for a pipeline without one.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn outline_generator(&self, classes: usize, device: &Device) -> Result<Option<DynGenerator>, PipelineError> {
        let plan = self.plan()?;
        let context = plan.context(plan.encoder, classes, device);
        let built = self.generator.as_ref().map(|generator| generator.build(&context)).transpose();
        built.map_err(|source| self.settings_error(source))
    }

    /// Builds the critic, its parameters not yet started; `None` for a pipeline without one.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn outline_critic(&self, device: &Device) -> Result<Option<DynCritic>, PipelineError> {
        let plan = self.plan()?;
        let context = plan.context(plan.encoder, 0, device);
        let built = self.critic.as_ref().map(|critic| critic.build(&context)).transpose();
        built.map_err(|source| self.settings_error(source))
    }

    /// Builds the tokenizer; its parameters start from `train.seed` and their names.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn build_tokenizer(&self, device: &Device) -> Result<Tokenizer, PipelineError> {
        Ok(materialize(self.outline_tokenizer(device)?, self.train.seed))
    }

    /// Builds the generator; its parameters start from `train.seed` and their names.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn build_generator(&self, classes: usize, device: &Device) -> Result<Option<DynGenerator>, PipelineError> {
        Ok(self.outline_generator(classes, device)?.map(|generator| materialize(generator, self.train.seed)))
    }
    /// Builds the critic; its parameters start from `train.seed` and their names.
    ///
    /// # Errors
    /// When the parts do not fit.
    pub fn build_critic(&self, device: &Device) -> Result<Option<DynCritic>, PipelineError> {
        Ok(self.outline_critic(device)?.map(|critic| materialize(critic, self.train.seed)))
    }

    /// The published files that training of the tokenizer reads, whether they are there or not.
    pub fn files(&self) -> Vec<PublishedFile> {
        self.perceptual.iter().flat_map(|perceptual| perceptual.files()).collect()
    }

    /// Builds the perceptual distance; `None` for a pipeline without one.
    ///
    /// # Errors
    /// When a published file is missing or another one, or holds something else.
    pub fn build_perceptual(&self, device: &Device) -> Result<Option<DynPerceptual>, PipelineError> {
        let Some(perceptual) = &self.perceptual else { return Ok(None) };
        let plan = self.plan()?;
        check_all(&self.files()).map_err(|source| PipelineError::Files { name: self.name.clone(), source })?;
        let built = perceptual.build(&plan.context(plan.encoder, 0, device));
        built.map(Some).map_err(|source| self.settings_error(source))
    }
}
