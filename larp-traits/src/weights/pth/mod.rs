//! What `torch.save` and `torch.jit.save` write.

mod flatten;
mod globals;
mod legacy;
mod node;
mod opcode;
mod pickle;
mod zip;

pub(super) use legacy::read as read_legacy;
pub(super) use zip::read as read_zip;
