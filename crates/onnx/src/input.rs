use crate::OnnxError;
use crate::error::InputFault;
use subrosa_ir::Shape;
use tract_onnx::pb::ValueInfoProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto;

/// An input of the network as the file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputInfo {
    pub name: String,
    pub dims: Vec<Dim>,
}

/// Extent of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    Fixed(usize),
    /// The batch, under the file's name for it.
    Batch(String),
}

impl InputInfo {
    pub fn shape(&self, batch: usize) -> Shape {
        let extent = |dim: &Dim| match dim {
            Dim::Fixed(extent) => *extent,
            Dim::Batch(_) => batch,
        };
        self.dims.iter().map(extent).collect()
    }

    pub fn has_dynamic_batch(&self) -> bool {
        self.dims.iter().any(|dim| matches!(dim, Dim::Batch(_)))
    }
}

/// Reads the inputs. The batch is the first free leading extent.
pub(crate) fn inputs<'a>(
    declared: impl Iterator<Item = &'a ValueInfoProto>,
) -> Result<Vec<InputInfo>, OnnxError> {
    let mut infos = Vec::new();
    let mut symbol: Option<String> = None;
    for info in declared {
        let input = |fault| OnnxError::Input {
            name: info.name.clone(),
            fault,
        };
        let raw = raw_dims(info).map_err(input)?;
        if let (None, Some(Raw::Free(name))) = (&symbol, raw.first()) {
            symbol = Some(name.clone());
        }
        let mut dims = Vec::new();
        for (axis, dim) in raw.into_iter().enumerate() {
            dims.push(match dim {
                Raw::Fixed(extent) => Dim::Fixed(extent),
                Raw::Free(name) if axis == 0 && name.is_empty() => Dim::Batch(batch_name(&symbol)),
                Raw::Free(name) if !name.is_empty() && symbol.as_ref() == Some(&name) => {
                    Dim::Batch(name)
                }
                Raw::Free(symbol) => return Err(input(InputFault::Symbolic { axis, symbol })),
            });
        }
        infos.push(InputInfo {
            name: info.name.clone(),
            dims,
        });
    }
    Ok(infos)
}

fn batch_name(symbol: &Option<String>) -> String {
    symbol
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "batch".to_owned())
}

enum Raw {
    Fixed(usize),
    /// Empty where the file gives no name of any meaning.
    Free(String),
}

fn raw_dims(info: &ValueInfoProto) -> Result<Vec<Raw>, InputFault> {
    let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return Err(InputFault::NoShape);
    };
    match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16) => {}
        Ok(other) => {
            return Err(InputFault::Type {
                found: other.as_str_name().to_owned(),
            });
        }
        Err(_) => {
            return Err(InputFault::Type {
                found: tensor.elem_type.to_string(),
            });
        }
    }
    let shape = tensor.shape.as_ref().ok_or(InputFault::NoShape)?;
    let dims = shape.dim.iter().map(|dim| match &dim.value {
        Some(dimension::Value::DimValue(extent)) if *extent > 0 => {
            usize::try_from(*extent).map_or_else(|_| Raw::Free(extent.to_string()), Raw::Fixed)
        }
        Some(dimension::Value::DimParam(name)) if !name.starts_with("unk__") && name != "?" => {
            Raw::Free(name.clone())
        }
        _ => Raw::Free(String::new()),
    });
    Ok(dims.collect())
}
