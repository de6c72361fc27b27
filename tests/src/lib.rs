//! Behaviour tests of the workspace
