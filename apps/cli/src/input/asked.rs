//! The inputs that a client has for a deployed model, checked before anything is sent.

use super::given::assign;
use super::idx::{is_idx, read_idx_bytes};
use super::npy::index_of;
use super::split_name;
use super::{Array, DatasetFault, Element, ImageFault, Images, Preprocessing, read_npy, read_png};
use crate::fault::{Fault, Usage};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use subrosa::Tensor;
use subrosa_node::message::InputSide;

/// Batch sizes that are looked at; nobody deploys as many.
const MOST_SIZES: usize = 64;
/// With which a PNG file begins.
const PNG: &[u8] = b"\x89PNG";

/// Any number of inputs.
pub struct Asked {
    /// Leading extent of all, or 1 where the model's inputs have no batch.
    pub count: usize,
    /// In the order of the model's inputs.
    tensors: Vec<Tensor>,
    shapes: Vec<Vec<Option<u64>>>,
}

/// What a file holds.
enum Found {
    Floats(Tensor),
    Bytes(Tensor),
    Images(Images),
}

impl Asked {
    /// Reads `--input` for every input of the model. `limit`: only the first ones.
    pub fn read(
        sides: &[InputSide],
        files: &[String],
        limit: Option<usize>,
        image: &crate::args::Image,
    ) -> Result<Self, Fault> {
        let preprocessing = Preprocessing::new(image)?;
        let names: Vec<String> = sides.iter().map(|side| side.name.clone()).collect();
        let paths = paths(files, &names)?;
        let mut asked = Self {
            count: 0,
            tensors: Vec::new(),
            shapes: Vec::new(),
        };
        let mut bytes = false;
        for (side, paths) in sides.iter().zip(&paths) {
            let Some((path, more)) = paths.split_first() else {
                let name = side.name.clone();
                return Err(Usage::InputMissing { name }.into());
            };
            let (mut tensor, mut of_bytes) = load(side, path, &preprocessing)?;
            for path in more {
                let (next, next_of_bytes) = load(side, path, &preprocessing)?;
                append(side, &mut tensor, next, path)?;
                of_bytes |= next_of_bytes;
            }
            bytes |= of_bytes;
            let count = fit(side, &tensor, path)?;
            if let (Some(found), expected @ 1..) = (count, asked.count)
                && found.min(limit.unwrap_or(found)) != expected
            {
                return Err(Usage::Batches {
                    path: path.clone(),
                    expected,
                    found,
                }
                .into());
            }
            if let (Some(count), Some(limit)) = (count, limit) {
                tensor = rows(&tensor, 0, count.min(limit));
            }
            within(side, &tensor, path)?;
            if let Some(count) = count {
                asked.count = count.min(limit.unwrap_or(count));
            }
            asked.tensors.push(tensor);
            asked.shapes.push(side.shape.clone());
        }
        let preprocessed = image.raw || !image.mean.is_empty() || !image.std.is_empty();
        if preprocessed && !bytes {
            return Err(ImageFault::NoBytes.into());
        }
        asked.count = asked.count.max(1);
        Ok(asked)
    }

    /// Inputs of one inference: `batch` of them from `first` on.
    pub fn lot(&self, first: usize, batch: usize) -> Vec<Tensor> {
        let tensors = self.tensors.iter().zip(&self.shapes);
        let lot = tensors.map(|(tensor, shape)| match shape.first() {
            Some(None) => rows(tensor, first, batch),
            _ => tensor.clone(),
        });
        lot.collect()
    }

    /// How many inferences of each of these batch sizes take all inputs, with the largest first.
    pub fn cut(&self, batches: &[u32]) -> Result<Vec<(u32, usize)>, Usage> {
        let sizes = batches.iter().filter(|size| **size as usize <= self.count);
        let sizes: Vec<u32> = sizes.take(MOST_SIZES).copied().collect();
        cut(self.count, &sizes).ok_or_else(|| {
            let sizes: Vec<String> = batches.iter().map(u32::to_string).collect();
            Usage::Cut {
                expected: sizes.join(", "),
                found: self.count,
            }
        })
    }
}

/// The files of each input. A model with one input takes any number of them, one behind the other.
fn paths(files: &[String], names: &[String]) -> Result<Vec<Vec<PathBuf>>, Usage> {
    if let ([name], [_, _, ..]) = (names, files) {
        let path = |text: &String| {
            let (place, path) = split_name(text, std::slice::from_ref(name));
            PathBuf::from(place.map_or(&text[..], |_| path))
        };
        return Ok(vec![files.iter().map(path).collect()]);
    }
    let paths = assign(files, names)?;
    Ok(paths.into_iter().map(|path| vec![path]).collect())
}

/// One file's inputs, and whether they were bytes.
fn load(
    side: &InputSide,
    path: &Path,
    preprocessing: &Preprocessing,
) -> Result<(Tensor, bool), Fault> {
    Ok(match find(path, side)? {
        Found::Floats(tensor) => (tensor, false),
        Found::Bytes(mut tensor) => {
            preprocessing.apply(&mut tensor)?;
            (tensor, true)
        }
        Found::Images(images) => {
            preprocessing.check(images.channels)?;
            (arrange(side, &images, path, preprocessing)?, true)
        }
    })
}

/// Puts a file's inputs behind those of the files before it.
fn append(side: &InputSide, all: &mut Tensor, next: Tensor, path: &Path) -> Result<(), Fault> {
    fit(side, all, path)?;
    let count = fit(side, &next, path)?;
    match (all.shape.first_mut(), count) {
        (Some(sum), Some(count)) => *sum += count,
        _ => {
            return Err(Usage::InputTwice {
                name: side.name.clone(),
            }
            .into());
        }
    }
    all.values.extend(next.values);
    Ok(())
}

/// `batches`: from the largest to the smallest.
fn cut(count: usize, batches: &[u32]) -> Option<Vec<(u32, usize)>> {
    // Which counts the batches from each on can make.
    let mut can = vec![vec![false; count + 1]; batches.len() + 1];
    can[batches.len()][0] = true;
    for (at, batch) in batches.iter().enumerate().rev() {
        for total in 0..=count {
            let less = total.checked_sub(*batch as usize);
            can[at][total] = can[at + 1][total] || less.is_some_and(|less| can[at][less]);
        }
    }
    if !can[0][count] {
        return None;
    }
    let mut left = count;
    let mut lots = Vec::new();
    for (at, batch) in batches.iter().enumerate() {
        let size = *batch as usize;
        let most = (0..=left / size.max(1)).rev();
        let taken = most.into_iter().find(|n| can[at + 1][left - n * size])?;
        left -= taken * size;
        if taken > 0 {
            lots.push((*batch, taken));
        }
    }
    Some(lots)
}

/// Bytes in three axes are pictures, where the input has more or fewer axes.
fn find(path: &Path, side: &InputSide) -> Result<Found, Fault> {
    let mut head = Vec::new();
    if let Ok(file) = File::open(path) {
        // What cannot be read is refused below, by name.
        let _ = file.take(4).read_to_end(&mut head);
    }
    if head != PNG && !is_idx(&head) {
        let Array { tensor, element } = read_npy(path).map_err(|fault| Fault::Npy {
            path: path.to_owned(),
            fault,
        })?;
        return Ok(match (element, tensor.shape.as_slice()) {
            (Element::Float, _) => Found::Floats(tensor),
            (Element::Byte, [count, height, width]) if side.shape.len() != 3 => {
                let bytes = tensor.values.iter().map(|value| *value as u8).collect();
                Found::Images(pictures([*count, *height, *width], bytes))
            }
            (Element::Byte, _) => Found::Bytes(tensor),
        });
    }
    let unreadable = |error: std::io::Error| DatasetFault::Unreadable {
        path: path.to_owned(),
        kind: error.kind(),
    };
    let file = std::fs::read(path).map_err(unreadable)?;
    if head == PNG {
        let picture = read_png(&file).map_err(|fault| Fault::Picture {
            path: path.to_owned(),
            fault,
        });
        return picture.map(Found::Images);
    }
    let idx = read_idx_bytes(path, file)?;
    match *idx.shape.as_slice() {
        [count, height, width] => Ok(Found::Images(pictures([count, height, width], idx.bytes))),
        _ => Err(DatasetFault::Pictures {
            path: path.to_owned(),
            found: idx.shape,
        }
        .into()),
    }
}

/// Grey ones.
fn pictures([count, height, width]: [usize; 3], bytes: Vec<u8>) -> Images {
    Images {
        count,
        channels: 1,
        height,
        width,
        bytes,
        labels: Vec::new(),
    }
}

/// Pictures in the shape that the input has.
fn arrange(
    side: &InputSide,
    images: &Images,
    path: &Path,
    preprocessing: &Preprocessing,
) -> Result<Tensor, Fault> {
    let (c, h, w) = (images.channels, images.height, images.width);
    let own: Vec<usize> = side
        .shape
        .iter()
        .skip(1)
        .map(|extent| extent.unwrap_or(0) as usize)
        .collect();
    let fits = match own.as_slice() {
        [a, b, d] => [*a, *b, *d] == [c, h, w] || [*a, *b, *d] == [h, w, c],
        [a, b] => c == 1 && [*a, *b] == [h, w],
        [all] => *all == c * h * w,
        _ => false,
    };
    if !fits || side.shape.first() != Some(&None) {
        return Err(Usage::Shape {
            path: path.to_owned(),
            name: side.name.clone(),
            expected: shape_text(side),
            found: vec![images.count, c, h, w],
        }
        .into());
    }
    let last_axis = matches!(own.as_slice(), [a, _, d] if *a != c && *d == c);
    let each = (0..images.count).map(|at| images.values(at, last_axis, preprocessing));
    Ok(Tensor {
        shape: std::iter::once(images.count)
            .chain(own.iter().copied())
            .collect(),
        values: each.flatten().collect(),
    })
}

/// How many inputs a tensor holds; `None` where the input has no batch.
fn fit(side: &InputSide, tensor: &Tensor, path: &Path) -> Result<Option<usize>, Fault> {
    let mut count = None;
    let mut fits = side.shape.len() == tensor.shape.len();
    for (extent, found) in side.shape.iter().zip(&tensor.shape) {
        fits &= match extent {
            Some(extent) => *extent == *found as u64,
            None => *count.get_or_insert(*found) == *found,
        };
    }
    match fits {
        true => Ok(count),
        false => Err(Usage::Shape {
            path: path.to_owned(),
            name: side.name.clone(),
            expected: shape_text(side),
            found: tensor.shape.clone(),
        }
        .into()),
    }
}

fn shape_text(side: &InputSide) -> String {
    let extents = side.shape.iter();
    let extents = extents.map(|extent| extent.map_or("any".to_owned(), |n| n.to_string()));
    format!("[{}]", extents.collect::<Vec<_>>().join(", "))
}

fn within(side: &InputSide, tensor: &Tensor, path: &Path) -> Result<(), Usage> {
    let [low, high] = side.range;
    let wrong = tensor.values.iter().enumerate();
    let wrong = wrong.filter(|(_, value)| !(low..=high).contains(*value));
    match wrong.into_iter().next() {
        None => Ok(()),
        Some((at, found)) => Err(Usage::Value {
            path: path.to_owned(),
            name: side.name.clone(),
            index: index_of(&tensor.shape, at),
            low,
            high,
            found: *found,
        }),
    }
}

/// Entries of the leading axis.
fn rows(tensor: &Tensor, first: usize, count: usize) -> Tensor {
    let size: usize = tensor.shape.iter().skip(1).product();
    let values = tensor.values.iter().skip(first * size).take(count * size);
    let mut shape = tensor.shape.clone();
    if let Some(leading) = shape.first_mut() {
        *leading = count;
    }
    Tensor {
        shape,
        values: values.copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_cut_exactly() {
        for (count, batches, lots) in [
            (70, &[32, 1][..], vec![(32, 2), (1, 6)]),
            (1, &[32, 1], vec![(1, 1)]),
            (40, &[32, 20], vec![(20, 2)]),
            (64, &[32], vec![(32, 2)]),
            (9, &[6, 4, 3], vec![(6, 1), (3, 1)]),
        ] {
            assert_eq!(cut(count, batches), Some(lots), "{count} {batches:?}");
        }
        assert_eq!(cut(33, &[32]), None);
        assert_eq!(cut(5, &[4, 2]), None);
    }

    #[test]
    fn pictures_take_the_shape_of_the_input() {
        let images = Images {
            count: 1,
            channels: 3,
            height: 1,
            width: 2,
            bytes: vec![0, 51, 102, 153, 204, 255],
            labels: Vec::new(),
        };
        let plain = Preprocessing::new(&crate::args::Image::default()).unwrap();
        let shaped = |shape: &[u64]| {
            let batch = std::iter::once(None);
            let side = InputSide {
                name: "x".to_owned(),
                shape: batch.chain(shape.iter().copied().map(Some)).collect(),
                range: [0.0, 1.0],
            };
            let tensor = arrange(&side, &images, Path::new("x"), &plain).ok()?;
            let fifths = tensor
                .values
                .iter()
                .map(|value| (value * 5.0).round() as u8);
            Some(fifths.collect::<Vec<_>>())
        };
        assert_eq!(shaped(&[3, 1, 2]), Some(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(shaped(&[6]), Some(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(shaped(&[1, 2, 3]), Some(vec![0, 2, 4, 1, 3, 5]));
        assert_eq!(shaped(&[3, 2, 1]), None);
        assert_eq!(shaped(&[2, 3]), None);
    }
}
