//! Trait objects that are Burn modules.
//!
//! Burn's `Module` has generic methods, so `dyn Module` does not exist. [`Component`] is its object-safe face: parameters
//! travel as `dyn Any` and are downcast at the other end (ranks 1 to 8). [`Erased`] wraps a boxed trait object and is a
//! `Module` again, so that a pipeline of trait objects is trained, moved and saved like any Burn module.

use std::any::Any;
use std::fmt::{self, Debug};

use burn::module::{AutodiffModule, Devices, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Float, Int};

use crate::state::{load_bytes, save_bytes};
use crate::tensor::{Backend, Device, Tensor};

/// The object-safe face of Burn's `ModuleVisitor` (`P = &Param<_>`) and `ModuleMapper` (`P = &mut Option<Param<_>>`).
pub trait Walk<P> {
    /// Enters the field `name`.
    fn enter(&mut self, name: &str, container: &str);
    /// Leaves the field `name`.
    fn exit(&mut self, name: &str, container: &str);
    /// Meets a parameter.
    fn param(&mut self, param: P);
}

/// A visitor of parameters of any rank and kind.
pub type DynVisitor<'a> = dyn for<'p> Walk<&'p dyn Any> + 'a;
/// A mapper of parameters of any rank and kind.
pub type DynMapper<'a> = dyn for<'p> Walk<&'p mut dyn Any> + 'a;

/// Every plugin is one: `#[derive(Component, Debug)]` and it follows.
pub trait Component: Any + Debug + Send {
    /// Visits the parameters.
    fn visit_any(&self, visitor: &mut DynVisitor<'_>);
    /// Maps the parameters.
    fn map_any(self: Box<Self>, mapper: &mut DynMapper<'_>) -> Box<dyn Any>;
    /// Moves the parameters to a device, `fork`ed from their graph or not.
    fn move_any(self: Box<Self>, device: &Device, fork: bool) -> Box<dyn Any>;
    /// A copy that shares the parameters' ids.
    fn clone_any(&self) -> Box<dyn Any>;
    /// Adds the devices of the parameters.
    fn devices_any(&self, devices: Vec<Device>) -> Vec<Device>;
}

impl<T: Module<Backend> + 'static> Component for T {
    fn visit_any(&self, visitor: &mut DynVisitor<'_>) {
        self.visit(&mut FromAny(visitor));
    }
    fn map_any(self: Box<Self>, mapper: &mut DynMapper<'_>) -> Box<dyn Any> {
        Box::new((*self).map(&mut FromAny(mapper)))
    }
    fn move_any(self: Box<Self>, device: &Device, fork: bool) -> Box<dyn Any> {
        Box::new(if fork { (*self).fork(device) } else { (*self).to_device(device) })
    }
    fn clone_any(&self) -> Box<dyn Any> {
        Box::new(self.clone())
    }
    fn devices_any(&self, devices: Vec<Device>) -> Vec<Device> {
        self.collect_devices(devices)
    }
}

/// A boxed trait object that is a Burn module.
pub struct Erased<T: ?Sized> {
    inner: Box<T>,
    rebox: fn(Box<dyn Any>) -> Box<T>,
}

impl<T: ?Sized> Erased<T> {
    /// Wraps `inner`; `rebox` turns its own concrete type back into the trait object. Use the [`erased!`](crate::erased) macro.
    pub fn from_parts(inner: Box<T>, rebox: fn(Box<dyn Any>) -> Box<T>) -> Self {
        Self { inner, rebox }
    }

    fn then(self, change: impl FnOnce(Box<T>) -> Box<dyn Any>) -> Self {
        Self { inner: (self.rebox)(change(self.inner)), rebox: self.rebox }
    }
}

impl<T: ?Sized> std::ops::Deref for Erased<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> std::ops::DerefMut for Erased<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + Component> Clone for Erased<T> {
    fn clone(&self) -> Self {
        Self { inner: (self.rebox)(self.inner.clone_any()), rebox: self.rebox }
    }
}

impl<T: ?Sized + Component> Debug for Erased<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + Component> Module<Backend> for Erased<T> {
    type Record = Vec<u8>;
    fn visit<V: ModuleVisitor<Backend>>(&self, visitor: &mut V) {
        self.inner.visit_any(&mut ToAny(visitor));
    }
    fn map<M: ModuleMapper<Backend>>(self, mapper: &mut M) -> Self {
        self.then(|inner| inner.map_any(&mut ToAny(mapper)))
    }
    fn collect_devices(&self, devices: Devices<Backend>) -> Devices<Backend> {
        self.inner.devices_any(devices)
    }
    fn to_device(self, device: &Device) -> Self {
        self.then(|inner| inner.move_any(device, false))
    }
    fn fork(self, device: &Device) -> Self {
        self.then(|inner| inner.move_any(device, true))
    }
    fn load_record(mut self, record: Vec<u8>) -> Self {
        load_bytes(&mut self, record);
        self
    }
    fn into_record(self) -> Vec<u8> {
        save_bytes(&self)
    }
}

impl<T: ?Sized + Component> AutodiffModule<Backend> for Erased<T> {
    type InnerModule = Detached;
    fn valid(&self) -> Detached {
        Detached
    }
    fn from_inner(_: Detached) -> Self {
        unreachable!("inference is `no_grad()`")
    }
}

/// What Burn calls the inner module; empty, since inference here is `model.no_grad()`.
#[derive(Clone, Debug)]
pub struct Detached;

impl<B: burn::tensor::backend::Backend> Module<B> for Detached {
    burn::empty!(module);
}

/// `erased!(DynQuantizer, Quantizer)`: the alias `DynQuantizer = Erased<dyn Quantizer>` and `From<impl Quantizer>` for it.
#[macro_export]
macro_rules! erased {
    ($(#[$doc:meta])* $alias:ident, $name:ident) => {
        $(#[$doc])*
        pub type $alias = $crate::component::Erased<dyn $name>;
        impl<C: $name> From<C> for $alias {
            fn from(component: C) -> Self {
                Self::from_parts(Box::new(component), |any| match any.downcast::<C>() {
                    Ok(component) => component,
                    Err(_) => unreachable!("a component keeps its type"),
                })
            }
        }
    };
}

struct ToAny<'a, X>(&'a mut X);

impl<X: ModuleVisitor<Backend>> Walk<&dyn Any> for ToAny<'_, X> {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }
    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
    fn param(&mut self, param: &dyn Any) {
        macro_rules! ranks { ($($d:literal)*) => { $(
            if let Some(p) = param.downcast_ref::<Param<Tensor<$d>>>() { return self.0.visit_float(p) }
            if let Some(p) = param.downcast_ref::<Param<Tensor<$d, Int>>>() { return self.0.visit_int(p) }
            if let Some(p) = param.downcast_ref::<Param<Tensor<$d, Bool>>>() { return self.0.visit_bool(p) }
        )* } }
        ranks!(1 2 3 4 5 6 7 8);
        unreachable!("a parameter has rank 1 to 8");
    }
}

impl<X: ModuleMapper<Backend>> Walk<&mut dyn Any> for ToAny<'_, X> {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }
    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
    fn param(&mut self, param: &mut dyn Any) {
        macro_rules! ranks { ($($d:literal)*) => { $(
            if let Some(p) = param.downcast_mut::<Option<Param<Tensor<$d>>>>() { *p = p.take().map(|p| self.0.map_float(p)); return }
            if let Some(p) = param.downcast_mut::<Option<Param<Tensor<$d, Int>>>>() { *p = p.take().map(|p| self.0.map_int(p)); return }
            if let Some(p) = param.downcast_mut::<Option<Param<Tensor<$d, Bool>>>>() { *p = p.take().map(|p| self.0.map_bool(p)); return }
        )* } }
        ranks!(1 2 3 4 5 6 7 8);
        unreachable!("a parameter has rank 1 to 8");
    }
}

/// The way back: a Burn visitor or mapper that forwards to the object-safe one.
struct FromAny<'a, X: ?Sized>(&'a mut X);

macro_rules! from_any { ($($visit:ident $map:ident $kind:ty),*) => {
    impl ModuleVisitor<Backend> for FromAny<'_, DynVisitor<'_>> {
        fn enter_module(&mut self, name: &str, container: &str) { self.0.enter(name, container) }
        fn exit_module(&mut self, name: &str, container: &str) { self.0.exit(name, container) }
        $(fn $visit<const D: usize>(&mut self, param: &Param<Tensor<D, $kind>>) { self.0.param(param) })*
    }
    impl ModuleMapper<Backend> for FromAny<'_, DynMapper<'_>> {
        fn enter_module(&mut self, name: &str, container: &str) { self.0.enter(name, container) }
        fn exit_module(&mut self, name: &str, container: &str) { self.0.exit(name, container) }
        $(fn $map<const D: usize>(&mut self, param: Param<Tensor<D, $kind>>) -> Param<Tensor<D, $kind>> {
            let mut param = Some(param);
            self.0.param(&mut param);
            param.expect("a mapper gives the parameter back")
        })*
    }
} }
from_any!(visit_float map_float Float, visit_int map_int Int, visit_bool map_bool Bool);
