use crate::error::{NotFinite, TensorFault};
use crate::value::bounded;
use subrosa_ir::{Shape, Tensor};
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

/// Most elements that a constant of a file may have, and that all folded constants may have together.
pub(crate) const CONSTANT_LIMIT: usize = 1 << 28;
/// Most elements that a folded constant may have.
pub(crate) const FOLD_LIMIT: usize = 1 << 27;

/// A tensor known before any input: a weight, a shape, an index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    pub shape: Shape,
    pub data: Data,
}

/// Booleans are the integers 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

impl Constant {
    pub fn float(shape: Shape, values: Vec<f32>) -> Self {
        Self {
            shape,
            data: Data::Float(values),
        }
    }

    pub fn int(shape: Shape, values: Vec<i64>) -> Self {
        Self {
            shape,
            data: Data::Int(values),
        }
    }

    pub fn len(&self) -> usize {
        match &self.data {
            Data::Float(values) => values.len(),
            Data::Int(values) => values.len(),
        }
    }

    /// As floats, integers rounded to the nearest.
    pub fn tensor(&self) -> Tensor {
        let values = match &self.data {
            Data::Float(values) => values.clone(),
            Data::Int(values) => values.iter().map(|v| *v as f32).collect(),
        };
        Tensor {
            shape: self.shape.clone(),
            values,
        }
    }

    /// Takes the tensor of a file. Lengths, type and finiteness are checked.
    pub fn decode(proto: &TensorProto) -> Result<Self, TensorFault> {
        if proto.data_location == Some(DataLocation::External as i32)
            || !proto.external_data.is_empty()
        {
            return Err(TensorFault::External);
        }
        let (shape, count) = extents(&proto.dims)?;
        let kind = DataType::try_from(proto.data_type).map_err(|_| TensorFault::Type {
            found: proto.data_type.to_string(),
        })?;
        let source = Source {
            proto,
            count,
            shape: &shape,
        };
        let data = match kind {
            DataType::Float => {
                Data::Float(source.words(&proto.float_data, f32::from_le_bytes, |v| v)?)
            }
            DataType::Double => {
                let wide = source.words(&proto.double_data, f64::from_le_bytes, |v| v)?;
                Data::Float(wide.into_iter().map(|v| v as f32).collect())
            }
            DataType::Float16 => {
                let half = source.words(&proto.int32_data, u16::from_le_bytes, |v| v as u16)?;
                Data::Float(half.into_iter().map(from_half).collect())
            }
            DataType::Bfloat16 => {
                let brain = source.words(&proto.int32_data, u16::from_le_bytes, |v| v as u16)?;
                Data::Float(
                    brain
                        .into_iter()
                        .map(|v| f32::from_bits(u32::from(v) << 16))
                        .collect(),
                )
            }
            DataType::Int64 => {
                Data::Int(source.words(&proto.int64_data, i64::from_le_bytes, |v| v)?)
            }
            DataType::Int32 => source.small(i32::from_le_bytes)?,
            DataType::Int16 => source.small(i16::from_le_bytes)?,
            DataType::Int8 => source.small(i8::from_le_bytes)?,
            DataType::Uint8 => source.small(u8::from_le_bytes)?,
            DataType::Uint16 => source.small(u16::from_le_bytes)?,
            DataType::Bool => {
                let bytes =
                    source.words(&proto.int32_data, u8::from_le_bytes, |v| (v != 0) as u8)?;
                Data::Int(bytes.into_iter().map(|v| i64::from(v != 0)).collect())
            }
            DataType::Uint32 => {
                let words = source.words(&proto.uint64_data, u32::from_le_bytes, |v| v as u32)?;
                Data::Int(words.into_iter().map(i64::from).collect())
            }
            DataType::Uint64 => {
                let words = source.words(&proto.uint64_data, u64::from_le_bytes, |v| v)?;
                let signed: Option<Vec<i64>> =
                    words.into_iter().map(|v| v.try_into().ok()).collect();
                Data::Int(signed.ok_or(TensorFault::Range)?)
            }
            other => {
                return Err(TensorFault::Type {
                    found: other.as_str_name().to_owned(),
                });
            }
        };
        let constant = Self { shape, data };
        constant.check_finite()?;
        Ok(constant)
    }

    pub fn check_finite(&self) -> Result<(), TensorFault> {
        let Data::Float(values) = &self.data else {
            return Ok(());
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(index) => {
                let nan = values.get(index).is_some_and(|v| v.is_nan());
                let found = if nan {
                    NotFinite::Nan
                } else {
                    NotFinite::Infinite
                };
                Err(TensorFault::NotFinite { index, found })
            }
        }
    }
}

fn extents(dims: &[i64]) -> Result<(Shape, usize), TensorFault> {
    let mut shape = Shape::new();
    for dim in dims {
        let extent = usize::try_from(*dim);
        shape.push(extent.map_err(|_| TensorFault::NegativeExtent { found: *dim })?);
    }
    match bounded(&shape, CONSTANT_LIMIT) {
        Some(count) => Ok((shape, count)),
        None => Err(TensorFault::TooLarge {
            shape: dims.to_vec(),
            limit: CONSTANT_LIMIT,
        }),
    }
}

struct Source<'a> {
    proto: &'a TensorProto,
    count: usize,
    shape: &'a Shape,
}

impl Source<'_> {
    /// From the raw bytes where there are any, else from the typed field.
    fn words<T, F: Copy, const N: usize>(
        &self,
        typed: &[F],
        raw: fn([u8; N]) -> T,
        convert: fn(F) -> T,
    ) -> Result<Vec<T>, TensorFault> {
        let bytes = &self.proto.raw_data;
        if bytes.is_empty() {
            self.check(self.count, typed.len(), "elements")?;
            return Ok(typed.iter().map(|v| convert(*v)).collect());
        }
        self.check(self.count * N, bytes.len(), "bytes")?;
        let (chunks, _) = bytes.as_chunks::<N>();
        Ok(chunks.iter().map(|chunk| raw(*chunk)).collect())
    }

    fn small<T: Copy + TryFrom<i32> + Into<i64>, const N: usize>(
        &self,
        raw: fn([u8; N]) -> T,
    ) -> Result<Data, TensorFault> {
        if self.proto.raw_data.is_empty() {
            let typed = self.words(&self.proto.int32_data, i32::from_le_bytes, |v| v)?;
            let fits: Option<Vec<i64>> = typed
                .into_iter()
                .map(|v| T::try_from(v).ok().map(Into::into))
                .collect();
            return Ok(Data::Int(fits.ok_or(TensorFault::Range)?));
        }
        let words = self.words(&[], raw, |never: T| never)?;
        Ok(Data::Int(words.into_iter().map(Into::into).collect()))
    }

    fn check(&self, expected: usize, found: usize, unit: &'static str) -> Result<(), TensorFault> {
        if expected == found {
            return Ok(());
        }
        Err(TensorFault::Length {
            expected,
            found,
            unit,
            shape: self.shape.clone(),
        })
    }
}

/// IEEE 754 binary16 to binary32, exact.
fn from_half(half: u16) -> f32 {
    let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(kind: DataType, dims: &[i64]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: kind as i32,
            ..Default::default()
        }
    }

    #[test]
    fn every_encoding_of_the_same_values_reads_the_same() {
        let want = Constant::float(vec![2], vec![1.5, -2.0]);
        let typed = TensorProto {
            float_data: vec![1.5, -2.0],
            ..proto(DataType::Float, &[2])
        };
        let raw = [1.5f32, -2.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let raw = TensorProto {
            raw_data: raw,
            ..proto(DataType::Float, &[2])
        };
        let double = TensorProto {
            double_data: vec![1.5, -2.0],
            ..proto(DataType::Double, &[2])
        };
        let half = TensorProto {
            int32_data: vec![0x3e00, 0xc000],
            ..proto(DataType::Float16, &[2])
        };
        let brain = TensorProto {
            raw_data: vec![0xc0, 0x3f, 0x00, 0xc0],
            ..proto(DataType::Bfloat16, &[2])
        };
        for tensor in [typed, raw, double, half, brain] {
            assert_eq!(Constant::decode(&tensor), Ok(want.clone()), "{tensor:?}");
        }
        assert_eq!(from_half(1), 2f32.powi(-24));
        assert_eq!(from_half(0x7bff), 65504.0);
        let bytes = TensorProto {
            raw_data: vec![0xff, 1],
            ..proto(DataType::Int8, &[2])
        };
        assert_eq!(
            Constant::decode(&bytes),
            Ok(Constant::int(vec![2], vec![-1, 1]))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fault = |tensor: TensorProto| Constant::decode(&tensor).unwrap_err();
        let short = TensorProto {
            raw_data: vec![0; 7],
            ..proto(DataType::Float, &[2])
        };
        let length = TensorFault::Length {
            expected: 8,
            found: 7,
            unit: "bytes",
            shape: vec![2],
        };
        assert_eq!(fault(short), length);
        let nan = TensorProto {
            float_data: vec![0.0, f32::NAN],
            ..proto(DataType::Float, &[2])
        };
        assert_eq!(
            fault(nan),
            TensorFault::NotFinite {
                index: 1,
                found: NotFinite::Nan
            }
        );
        let wide = TensorProto {
            double_data: vec![1e300],
            ..proto(DataType::Double, &[1])
        };
        assert_eq!(
            fault(wide),
            TensorFault::NotFinite {
                index: 0,
                found: NotFinite::Infinite
            }
        );
        assert_eq!(
            fault(proto(DataType::Float, &[-1])),
            TensorFault::NegativeExtent { found: -1 }
        );
        let huge = [i64::MAX, i64::MAX];
        assert!(matches!(
            fault(proto(DataType::Float, &huge)),
            TensorFault::TooLarge { .. }
        ));
        assert!(matches!(
            fault(proto(DataType::String, &[1])),
            TensorFault::Type { .. }
        ));
        let elsewhere = TensorProto {
            data_location: Some(1),
            ..proto(DataType::Float, &[1])
        };
        assert_eq!(fault(elsewhere), TensorFault::External);
    }
}
