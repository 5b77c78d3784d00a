use serde::{Deserialize, Serialize};

/// Extents, outermost first; row-major order throughout.
pub type Shape = Vec<usize>;

/// Number of elements.
pub fn volume(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// A dense float tensor: what users hand in and take out. `values.len() == volume(shape)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    pub shape: Shape,
    pub values: Vec<f32>,
}
