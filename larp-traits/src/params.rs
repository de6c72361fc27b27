//! What is done with the parameters of a module as a whole: start, count, list.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, Int};

use crate::buffer;
use crate::draw::{Stream, hash, seed_backend};
use crate::init::with_stream;
use crate::tensor::{Backend, Tensor};

/// Starts every parameter from (seed, its dotted path) and gives it the id that is a hash of that path.
///
/// With ids that depend on the path alone, an optimiser's state finds its parameters again after a restart. Layers of burn-nn
/// draw from the backend's generator; it is seeded for each parameter, so they are reproducible too.
pub fn materialize<M: Module<Backend>>(module: M, seed: u64) -> M {
    module.map(&mut Materialize { path: Vec::new(), root: Stream::new(seed).fork("init") })
}

struct Materialize {
    path: Vec<String>,
    root: Stream,
}

impl Materialize {
    fn start<T: burn::module::Parameter<Device = crate::Device>>(&self, mut param: Param<T>) -> Param<T> {
        let path = self.path.join(".");
        let stream = self.root.fork(&path);
        if !param.is_initialized() {
            let _guard = seed_backend(stream, &param.lazy_device());
            with_stream(stream, || param.val());
        }
        param.id = ParamId::from(hash(&path));
        param
    }
}

impl ModuleMapper<Backend> for Materialize {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.start(param)
    }
    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.start(param)
    }
    fn map_bool<const D: usize>(&mut self, param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        self.start(param)
    }
}

/// One parameter of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamInfo {
    /// Dotted path.
    pub path: String,
    /// Its id.
    pub id: ParamId,
    /// Shape.
    pub shape: Vec<usize>,
}

impl ParamInfo {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The float parameters in order, without starting them; buffers are left out.
pub fn list<M: Module<Backend>>(module: &M) -> Vec<ParamInfo> {
    let mut visitor = List { path: Vec::new(), within_buffer: false, found: Vec::new() };
    module.visit(&mut visitor);
    visitor.found
}

/// Number of values, without starting the parameters.
pub fn count<M: Module<Backend>>(module: &M) -> usize {
    list(module).iter().map(ParamInfo::count).sum()
}

struct List {
    path: Vec<String>,
    within_buffer: bool,
    found: Vec<ParamInfo>,
}

impl ModuleVisitor<Backend> for List {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.within_buffer = container == buffer::CONTAINER;
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.within_buffer = false;
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.within_buffer {
            return;
        }
        self.found.push(ParamInfo { path: self.path.join("."), id: param.id, shape: param.lazy_shape().to_vec() });
    }
}
