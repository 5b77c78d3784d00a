//! From the bytes of images to what a network was trained on.

use crate::args::Image;
use subrosa::Tensor;
use thiserror::Error;

/// (byte / 255 - mean) / std for each channel, or the byte itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Mean and deviation of each channel, or of all.
    channels: Vec<[f32; 2]>,
    raw: bool,
}

#[derive(Clone, Debug, PartialEq, Error)]
pub enum ImageFault {
    #[error("--raw does not go with --mean and --std")]
    RawAndMean,
    #[error(
        "--mean has {mean} values and --std {std}, expected one for all channels or one for each"
    )]
    Counts { mean: usize, std: usize },
    #[error("--mean and --std have {found} values, but the images have {expected} channels")]
    Channels { expected: usize, found: usize },
    #[error("--mean and --std: expected finite numbers and no std of 0")]
    Numbers,
    #[error("--mean, --std and --raw are for images of bytes: no input is a uint8 array")]
    NoBytes,
}

impl Preprocessing {
    pub fn new(options: &Image) -> Result<Self, ImageFault> {
        let (mean, std) = (&options.mean, &options.std);
        if options.raw {
            let plain = mean.is_empty() && std.is_empty();
            let channels = vec![[0.0, 1.0]];
            return if plain {
                Ok(Self {
                    channels,
                    raw: true,
                })
            } else {
                Err(ImageFault::RawAndMean)
            };
        }
        let count = mean.len().max(std.len()).max(1);
        let fits = |values: &[f32]| values.len() <= 1 || values.len() == count;
        if !fits(mean) || !fits(std) {
            return Err(ImageFault::Counts {
                mean: mean.len(),
                std: std.len(),
            });
        }
        if mean.iter().chain(std).any(|v| !v.is_finite()) || std.contains(&0.0) {
            return Err(ImageFault::Numbers);
        }
        let pick = |values: &[f32], at: usize, none: f32| match values {
            [] => none,
            [one] => *one,
            all => all[at],
        };
        let channel = |at| [pick(mean, at, 0.0), pick(std, at, 1.0)];
        Ok(Self {
            channels: (0..count).map(channel).collect(),
            raw: false,
        })
    }

    pub fn check(&self, channels: usize) -> Result<(), ImageFault> {
        let found = self.channels.len();
        if found == 1 || found == channels {
            return Ok(());
        }
        Err(ImageFault::Channels {
            expected: channels,
            found,
        })
    }

    /// A byte of a channel.
    pub fn value(&self, channel: usize, byte: f32) -> f32 {
        let [mean, std] = self.channels[if self.channels.len() == 1 { 0 } else { channel }];
        if self.raw {
            byte
        } else {
            (byte / 255.0 - mean) / std
        }
    }

    /// Smallest and largest value of any channel.
    pub fn range(&self) -> [f32; 2] {
        let ends =
            (0..self.channels.len()).flat_map(|c| [self.value(c, 0.0), self.value(c, 255.0)]);
        ends.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| {
            [low.min(v), high.max(v)]
        })
    }

    /// Applies to a tensor of bytes, [batch, channels, ...], or channels last where only those fit.
    pub fn apply(&self, tensor: &mut Tensor) -> Result<(), ImageFault> {
        let shape = &tensor.shape;
        let count = self.channels.len();
        let axis = match (shape.get(1), shape.last()) {
            (Some(second), _) if *second == count || count == 1 => 1,
            (_, Some(last)) if *last == count => shape.len() - 1,
            (second, _) => {
                let expected = second.copied().unwrap_or(1);
                return Err(ImageFault::Channels {
                    expected,
                    found: count,
                });
            }
        };
        let inner: usize = shape.iter().skip(axis + 1).product();
        let extent = shape.get(axis).copied().unwrap_or(1);
        for (at, value) in tensor.values.iter_mut().enumerate() {
            *value = self.value(at / inner.max(1) % extent, *value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(mean: &[f32], std: &[f32], raw: bool) -> Image {
        Image {
            mean: mean.to_vec(),
            std: std.to_vec(),
            raw,
        }
    }

    #[test]
    fn channels_have_their_own_mean() {
        let plain = Preprocessing::new(&options(&[], &[], false)).unwrap();
        assert_eq!(plain.range(), [0.0, 1.0]);
        let raw = Preprocessing::new(&options(&[], &[], true)).unwrap();
        assert_eq!(raw.range(), [0.0, 255.0]);
        let two = Preprocessing::new(&options(&[0.5, 0.0], &[0.5], false)).unwrap();
        assert_eq!(two.range(), [-1.0, 2.0]);
        let mut first = Tensor {
            shape: vec![1, 2, 2],
            values: vec![0.0, 255.0, 0.0, 255.0],
        };
        two.apply(&mut first).unwrap();
        assert_eq!(first.values, [-1.0, 1.0, 0.0, 2.0]);
        let mut last = Tensor {
            shape: vec![1, 3, 2],
            values: vec![255.0; 6],
        };
        two.apply(&mut last).unwrap();
        assert_eq!(last.values, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
        assert!(two.check(3).is_err() && plain.check(3).is_ok());
        assert!(Preprocessing::new(&options(&[0.1, 0.2], &[1.0, 2.0, 3.0], false)).is_err());
        assert!(Preprocessing::new(&options(&[0.1], &[0.0], false)).is_err());
        assert!(Preprocessing::new(&options(&[0.1], &[], true)).is_err());
    }
}
