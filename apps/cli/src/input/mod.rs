//! What the program reads: arrays, data sets, ranges.

mod asked;
mod cifar;
mod dataset;
mod given;
mod idx;
mod image;
mod npy;
mod npy_header;
mod picture;
mod range;

pub use asked::Asked;
pub use dataset::{Dataset, DatasetFault, Images};
pub use given::{Given, names, read_inputs, read_samples, shape_text};
pub use image::{ImageFault, Preprocessing};
pub use npy::{Array, Element, NpyFault, read_npy, read_npy_bytes};
pub use picture::{PictureFault, read_png};
pub use range::{RangeFault, RangeSource, declared_ranges, round_out, split_name};
