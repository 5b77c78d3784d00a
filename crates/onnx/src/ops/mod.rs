//! One function for each operator of ONNX, and what they share.

pub(crate) mod arithmetic;
pub(crate) mod concat;
pub(crate) mod constant;
pub(crate) mod conv;
pub(crate) mod fold;
pub(crate) mod geometry;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod shape;
pub(crate) mod slice;
pub(crate) mod tail;
