//! What every quantizer has to do.

use custom_quantizer as _;

larp_traits::conformance!(fsq: Quantizer, "fsq");
