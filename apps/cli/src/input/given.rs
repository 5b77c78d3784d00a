//! The arrays that a user hands to a model, checked against it.

use super::{
    Array, Element, ImageFault, Preprocessing, RangeSource, declared_ranges, read_npy, round_out,
    split_name,
};
use crate::fault::{Fault, Usage};
use std::path::{Path, PathBuf};
use subrosa::{Dim, InputInfo, Model, Tensor};

/// Inputs of one inference.
pub struct Given {
    pub batch: usize,
    /// In the order of the model's inputs, as are the rest.
    pub tensors: Vec<Tensor>,
    pub paths: Vec<PathBuf>,
    pub ranges: Vec<[f32; 2]>,
    pub sources: Vec<RangeSource>,
}

pub fn names(model: &Model) -> Vec<String> {
    model.inputs().into_iter().map(|input| input.name).collect()
}

/// Reads `--input` for every input of the model and settles its range.
pub fn read_inputs(
    model: &Model,
    files: &[String],
    ranges: &[String],
    image: &crate::args::Image,
) -> Result<Given, Fault> {
    let (infos, names) = (model.inputs(), names(model));
    let preprocessing = Preprocessing::new(image)?;
    let declared = declared_ranges(ranges, &names)?;
    let paths = assign(files, &names)?;
    let mut given = Given {
        batch: 0,
        tensors: Vec::new(),
        paths: paths.clone(),
        ranges: Vec::new(),
        sources: Vec::new(),
    };
    let mut bytes = false;
    for ((info, path), declared) in infos.iter().zip(&paths).zip(declared) {
        let Array {
            mut tensor,
            element,
        } = read(path)?;
        let batch = match_shape(info, &tensor, path)?;
        if let (Some(found), expected @ 1..) = (batch, given.batch)
            && found != expected
        {
            return Err(Usage::Batches {
                path: path.clone(),
                expected,
                found,
            }
            .into());
        }
        given.batch = batch.unwrap_or(given.batch);
        let mut own = None;
        if element == Element::Byte {
            preprocessing.apply(&mut tensor)?;
            own = Some((preprocessing.range(), RangeSource::Preprocessing));
            bytes = true;
        }
        let own = || own.unwrap_or_else(|| (round_out(&tensor.values), RangeSource::File));
        let (range, source) = declared.map_or_else(own, |range| (range, RangeSource::Declared));
        given.ranges.push(range);
        given.sources.push(source);
        given.tensors.push(tensor);
    }
    let preprocessed = image.raw || !image.mean.is_empty() || !image.std.is_empty();
    if preprocessed && !bytes {
        return Err(ImageFault::NoBytes.into());
    }
    if given.batch == 0 {
        given.batch = model.fixed_batch().unwrap_or(1);
    }
    Ok(given)
}

/// Reads `--calibrate`: runs of the model at this batch size, as many as hold all samples. The last one is
/// filled up with its last sample.
pub fn read_samples(
    model: &Model,
    files: &[String],
    batch: usize,
    preprocessing: &Preprocessing,
) -> Result<Option<Vec<Vec<Tensor>>>, Fault> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut runs: Vec<Vec<Tensor>> = Vec::new();
    for (at, (info, path)) in model
        .inputs()
        .iter()
        .zip(assign(files, &names(model))?)
        .enumerate()
    {
        let Array {
            mut tensor,
            element,
        } = read(&path)?;
        let wanted = info.shape(batch);
        let fits = tensor.shape.len() == wanted.len() && tensor.shape.get(1..) == wanted.get(1..);
        if !fits {
            return Err(shape_fault(info, "samples", &tensor, &path));
        }
        if element == Element::Byte {
            preprocessing.apply(&mut tensor)?;
        }
        let pieces = split(&tensor, &wanted);
        if at > 0 && pieces.len() != runs.len() {
            let (expected, found) = (runs.len(), pieces.len());
            return Err(Usage::Batches {
                path,
                expected,
                found,
            }
            .into());
        }
        runs.resize_with(pieces.len(), Vec::new);
        runs.iter_mut()
            .zip(pieces)
            .for_each(|(run, piece)| run.push(piece));
    }
    Ok(Some(runs))
}

/// Cuts a tensor along its first axis into tensors of `shape`.
fn split(tensor: &Tensor, shape: &[usize]) -> Vec<Tensor> {
    let size: usize = shape.iter().product();
    let row: usize = shape.iter().skip(1).product();
    let pieces = tensor.values.chunks(size.max(1)).map(|chunk| {
        let mut values = chunk.to_vec();
        while values.len() < size {
            values.extend_from_slice(&chunk[chunk.len() - row..]);
        }
        Tensor {
            shape: shape.to_vec(),
            values,
        }
    });
    pieces.collect()
}

fn read(path: &Path) -> Result<Array, Fault> {
    read_npy(path).map_err(|fault| Fault::Npy {
        path: path.to_owned(),
        fault,
    })
}

/// The file of each input.
pub fn assign(files: &[String], names: &[String]) -> Result<Vec<PathBuf>, Usage> {
    let mut paths: Vec<Option<PathBuf>> = vec![None; names.len()];
    for text in files {
        let (place, path) = split_name(text, names);
        let place = match (place, text.split_once('=')) {
            (Some(place), _) => place,
            (None, Some((found, _))) if !Path::new(text).exists() => {
                let (found, expected) = (found.to_owned(), names.join(", "));
                return Err(Usage::UnknownInput { found, expected });
            }
            _ => {
                let free = paths.iter().position(Option::is_none);
                free.ok_or_else(|| Usage::InputTwice {
                    name: names.join(", "),
                })?
            }
        };
        if paths[place].replace(PathBuf::from(path)).is_some() {
            return Err(Usage::InputTwice {
                name: names[place].clone(),
            });
        }
    }
    let paths = paths.into_iter().zip(names);
    let paths = paths.map(|(path, name)| path.ok_or(Usage::InputMissing { name: name.clone() }));
    paths.collect()
}

/// The batch of a tensor that has the input's shape; `None` where the file fixes it.
fn match_shape(info: &InputInfo, tensor: &Tensor, path: &Path) -> Result<Option<usize>, Fault> {
    let mut batch = None;
    let mut fits = info.dims.len() == tensor.shape.len();
    for (dim, found) in info.dims.iter().zip(&tensor.shape) {
        fits &= match dim {
            Dim::Fixed(extent) => extent == found,
            Dim::Batch(_) => *batch.get_or_insert(*found) == *found,
        };
    }
    if fits {
        Ok(batch)
    } else {
        Err(shape_fault(info, "batch", tensor, path))
    }
}

fn shape_fault(info: &InputInfo, batch: &str, tensor: &Tensor, path: &Path) -> Fault {
    let (path, name, found) = (path.to_owned(), info.name.clone(), tensor.shape.clone());
    let mut dims: Vec<String> = info.dims.iter().map(|dim| extent(dim, batch)).collect();
    if let ("samples", Some(first)) = (batch, dims.first_mut()) {
        *first = batch.to_owned();
    }
    let expected = format!("[{}]", dims.join(", "));
    Usage::Shape {
        path,
        name,
        expected,
        found,
    }
    .into()
}

fn extent(dim: &Dim, batch: &str) -> String {
    match dim {
        Dim::Fixed(extent) => extent.to_string(),
        Dim::Batch(_) => batch.to_owned(),
    }
}

/// An input's shape for people.
pub fn shape_text(info: &InputInfo) -> String {
    let dims: Vec<String> = info.dims.iter().map(|dim| extent(dim, "batch")).collect();
    format!("[{}]", dims.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_find_their_inputs() {
        let names = ["x".to_owned(), "y".to_owned()];
        let assign = |files: &[&str]| {
            assign(
                &files.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>(),
                &names,
            )
        };
        let found = assign(&["y=b.npy", "a.npy"]).unwrap();
        assert_eq!(found, [PathBuf::from("a.npy"), PathBuf::from("b.npy")]);
        assert!(matches!(
            assign(&["a.npy"]),
            Err(Usage::InputMissing { .. })
        ));
        assert!(matches!(
            assign(&["x=a", "x=b", "c"]),
            Err(Usage::InputTwice { .. })
        ));
        assert!(matches!(
            assign(&["z=a", "b"]),
            Err(Usage::UnknownInput { .. })
        ));
        assert!(matches!(
            assign(&["a", "b", "c"]),
            Err(Usage::InputTwice { .. })
        ));
    }

    #[test]
    fn samples_fill_whole_runs() {
        let tensor = Tensor {
            shape: vec![3, 2],
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        let runs = split(&tensor, &[2, 2]);
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[1].values, [5.0, 6.0, 5.0, 6.0]);
    }
}
