//! Every built-in component does what its trait promises.

use larp_plugins as _;
use larp_traits::conformance;

conformance!(holistic_encoder: Encoder, "holistic", "tokens = 6\ndim = 16\ndepth = 2\nheads = 2\npatch = { frames = 2, size = 8 }");
conformance!(
    factorized_encoder: Encoder,
    "holistic",
    "tokens = 6\ndim = 16\ndepth = 1\nheads = 2\npatch = { frames = 2, size = 8 }\npositions = \"factorized\""
);
conformance!(patchwise_encoder: Encoder, "patchwise", "dim = 16\ndepth = 2\nheads = 2\npatch = { frames = 2, size = 8 }");
conformance!(holistic_decoder: Decoder, "holistic", "dim = 16\ndepth = 2\nheads = 2\npatch = { frames = 2, size = 8 }");
conformance!(
    released_decoder: Decoder,
    "holistic",
    "dim = 16\ndepth = 1\nheads = 2\npatch = { frames = 2, size = 8 }\npatch_queries = \"sin-cos\"\nquery_type_embedding = true\ntoken_positions = \"learned\""
);
conformance!(patchwise_decoder: Decoder, "patchwise", "dim = 16\ndepth = 2\nheads = 2\npatch = { frames = 2, size = 8 }");
conformance!(svq: Quantizer, "svq", "codebook_size = 24");
conformance!(svq_with_entropy_loss: Quantizer, "svq", "codebook_size = 24\nentropy_weight = 0.1");
conformance!(svq_with_usage_loss: Quantizer, "svq", "codebook_size = 24\nusage_weight = 0.1");
conformance!(svq_by_argmax: Quantizer, "svq", "codebook_size = 24\nsampling = \"argmax\"");
conformance!(svq_with_losses_of_the_nearest: Quantizer, "svq", "codebook_size = 24\nloss_code = \"nearest\"");
conformance!(vq: Quantizer, "vq", "codebook_size = 24");
conformance!(normalized_vq: Quantizer, "vq", "codebook_size = 24\nl2_normalize = true");
conformance!(vq_with_entropy_loss: Quantizer, "vq", "codebook_size = 24\nentropy_weight = 0.1\nusage_weight = 0.1");
conformance!(continuous_ar: Prior, "continuous-ar", "dim = 16\ndepth = 2\nheads = 2");
conformance!(continuous_ar_by_dot: Prior, "continuous-ar", "dim = 16\ndepth = 1\nheads = 2\nsimilarity = \"dot\"\ntemperature = 1.0");
conformance!(i3d: Features, "i3d", "weights = \"formula\"");
conformance!(small3d: Features, "small3d", "");
conformance!(lpips_vgg: Perceptual, "lpips-vgg", "weights = \"formula\"");
conformance!(llama: Generator, "llama", "dim = 16\ndepth = 2\nheads = 2\nffn_multiple = 8");
conformance!(vit_critic: Critic, "vit", "dim = 16\ndepth = 2\nheads = 2\npatch = { frames = 2, size = 8 }");
conformance!(
    normalized_critic: Critic,
    "vit",
    "dim = 16\ndepth = 1\nheads = 2\npatch = { frames = 2, size = 8 }\nspectral_norm = 1\npositions = \"learned\""
);
conformance!(
    llama_from_frames: Generator,
    "llama",
    "dim = 16\ndepth = 2\nheads = 2\nffn_multiple = 8\ntask = \"frame-prediction\"\ncondition_frames = 2"
);
