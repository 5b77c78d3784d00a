//! Test images with labels.

use super::{Preprocessing, cifar, idx};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use thiserror::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataset {
    Mnist,
    FashionMnist,
    Cifar10,
}

/// Images of bytes, [count, channels, height, width], and their classes, if these are known.
#[derive(Clone, Debug, Default)]
pub struct Images {
    pub count: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub bytes: Vec<u8>,
    pub labels: Vec<usize>,
}

/// Why a data set is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DatasetFault {
    #[error("--data {}: no file {file} in it", folder.display())]
    Missing { folder: PathBuf, file: &'static str },
    #[error("{}: cannot be read: {kind}", path.display())]
    Unreadable { path: PathBuf, kind: io::ErrorKind },
    #[error("{}: not an idx file of bytes, or truncated", path.display())]
    Idx { path: PathBuf },
    #[error("{}: {found} bytes, expected a multiple of 3073", path.display())]
    Cifar { path: PathBuf, found: u64 },
    #[error("--data {}: {images} images, but {labels} labels", folder.display())]
    Labels {
        folder: PathBuf,
        images: usize,
        labels: usize,
    },
    #[error("{}: elements of shape {found:?}, expected pictures, [count, height, width]", path.display())]
    Pictures { path: PathBuf, found: Vec<usize> },
    #[error("--data {}: images of shape {found:?}, expected [count, height, width]", folder.display())]
    Shape { folder: PathBuf, found: Vec<usize> },
}

const IMAGES: &str = "t10k-images-idx3-ubyte";
const LABELS: &str = "t10k-labels-idx1-ubyte";

impl Dataset {
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar10",
        }
    }

    /// The test images, in `folder` itself or in a folder of the data set's name inside it.
    pub fn read(self, folder: &Path) -> Result<Images, DatasetFault> {
        let inner = folder.join(self.name());
        let folder = if inner.is_dir() {
            inner.as_path()
        } else {
            folder
        };
        match self {
            Self::Mnist | Self::FashionMnist => read_mnist(folder),
            Self::Cifar10 => cifar::read(folder),
        }
    }
}

fn read_mnist(folder: &Path) -> Result<Images, DatasetFault> {
    let missing = |file| DatasetFault::Missing {
        folder: folder.to_owned(),
        file,
    };
    let images = idx::read_idx(folder, IMAGES)?.ok_or_else(|| missing(IMAGES))?;
    let labels = idx::read_idx(folder, LABELS)?.ok_or_else(|| missing(LABELS))?;
    let [count, height, width] = *images.shape.as_slice() else {
        return Err(DatasetFault::Shape {
            folder: folder.to_owned(),
            found: images.shape,
        });
    };
    if labels.bytes.len() != count {
        let (images, labels) = (count, labels.bytes.len());
        return Err(DatasetFault::Labels {
            folder: folder.to_owned(),
            images,
            labels,
        });
    }
    let labels = labels.bytes.into_iter().map(usize::from).collect();
    Ok(Images {
        count,
        channels: 1,
        height,
        width,
        bytes: images.bytes,
        labels,
    })
}

impl Images {
    /// Values of one image.
    pub fn size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The bytes of image `at`, [channels, height, width].
    pub fn image(&self, at: usize) -> &[u8] {
        &self.bytes[at * self.size()..(at + 1) * self.size()]
    }

    /// Image `at` as a network takes it, with channels first or last.
    pub fn values(&self, at: usize, last_axis: bool, preprocessing: &Preprocessing) -> Vec<f32> {
        let (channels, plane) = (self.channels, self.height * self.width);
        let image = self.image(at);
        let value = |channel: usize, pixel: usize| {
            preprocessing.value(channel, f32::from(image[channel * plane + pixel]))
        };
        let place = |at: usize| match last_axis {
            true => value(at % channels, at / channels),
            false => value(at / plane, at % plane),
        };
        (0..channels * plane).map(place).collect()
    }

    pub fn truncate(&mut self, count: usize) {
        let size = self.size();
        self.count = self.count.min(count);
        self.labels.truncate(count);
        self.bytes.truncate(count * size);
    }
}

impl FromStr for Dataset {
    type Err = &'static str;
    fn from_str(name: &str) -> Result<Self, &'static str> {
        let known = [Self::Mnist, Self::FashionMnist, Self::Cifar10];
        let found = known.into_iter().find(|set| set.name() == name);
        found.ok_or("expected mnist, fashion-mnist or cifar10")
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
