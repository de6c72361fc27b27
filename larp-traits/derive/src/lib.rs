//! The `Component` derive of `larp-traits`.
//!
//! Burn's own `Module` derive makes an empty module, silently, of a struct without a type parameter named `B`. This one is for
//! structs of the one backend that the toolkit uses.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, parse_macro_input};

/// Makes a struct with named fields a module: its fields are visited, moved and saved under their names.
///
/// A field marked `#[component(skip)]` is kept as it is: settings, enums, caches.
#[proc_macro_derive(Component, attributes(component))]
pub fn derive_component(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn is_skipped(field: &Field) -> Result<bool, Error> {
    let mut skipped = false;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("component")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("skip") {
                skipped = true;
                Ok(())
            } else {
                Err(meta.error("the one option is `skip`"))
            }
        })?;
    }
    Ok(skipped)
}

fn expand(input: &DeriveInput) -> Result<proc_macro2::TokenStream, Error> {
    let name = &input.ident;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, "`Component` is derived for structs"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, "`Component` needs named fields: they name the parameters"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a component has no generic parameters"));
    }
    let (mut modules, mut kept) = (Vec::<&Ident>::new(), Vec::<&Ident>::new());
    for field in &fields.named {
        let ident = field.ident.as_ref().expect("named fields have names");
        if is_skipped(field)? { kept.push(ident) } else { modules.push(ident) }
    }
    let paths: Vec<String> = modules.iter().map(ToString::to_string).collect();
    let container = format!("Struct:{name}");
    let t = quote!(::larp_traits::derive);
    let module = quote!(<_ as #t::Module<#t::Backend>>);
    Ok(quote! {
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self {
                Self { #(#modules: self.#modules.clone(),)* #(#kept: self.#kept.clone(),)* }
            }
        }
        impl #t::Module<#t::Backend> for #name {
            type Record = ::std::vec::Vec<u8>;
            fn load_record(mut self, record: Self::Record) -> Self {
                #t::load_bytes(&mut self, record);
                self
            }
            fn into_record(self) -> Self::Record {
                #t::save_bytes(&self)
            }
            fn visit<V: #t::ModuleVisitor<#t::Backend>>(&self, visitor: &mut V) {
                #( visitor.enter_module(#paths, #container); #module::visit(&self.#modules, visitor); visitor.exit_module(#paths, #container); )*
            }
            fn map<M: #t::ModuleMapper<#t::Backend>>(self, mapper: &mut M) -> Self {
                #( mapper.enter_module(#paths, #container); let #modules = #module::map(self.#modules, mapper); mapper.exit_module(#paths, #container); )*
                Self { #(#modules,)* #(#kept: self.#kept,)* }
            }
            fn collect_devices(&self, devices: ::std::vec::Vec<#t::Device>) -> ::std::vec::Vec<#t::Device> {
                #( let devices = #module::collect_devices(&self.#modules, devices); )*
                devices
            }
            fn to_device(self, device: &#t::Device) -> Self {
                Self { #(#modules: #module::to_device(self.#modules, device),)* #(#kept: self.#kept,)* }
            }
            fn fork(self, device: &#t::Device) -> Self {
                Self { #(#modules: #module::fork(self.#modules, device),)* #(#kept: self.#kept,)* }
            }
        }
        impl #t::AutodiffModule<#t::Backend> for #name {
            type InnerModule = #t::Detached;
            fn valid(&self) -> #t::Detached {
                #t::Detached
            }
            fn from_inner(_: #t::Detached) -> Self {
                ::core::unreachable!("inference is `no_grad()`")
            }
        }
    })
}
