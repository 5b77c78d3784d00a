use crate::error::{Fault, Op, Refusal};
use crate::value::Args;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

/// One node of the file, with the opset by which it is read.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub proto: &'a NodeProto,
    pub opset: i64,
}

/// The node's own name, or that of its first output where it has none.
pub(crate) fn name(proto: &NodeProto) -> &str {
    if proto.name.is_empty() {
        proto
            .output
            .iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str)
    } else {
        &proto.name
    }
}

/// The operator, with its domain where that is not ONNX's own.
pub(crate) fn operator(proto: &NodeProto) -> String {
    if own_domain(&proto.domain) {
        proto.op_type.clone()
    } else {
        format!("{}:{}", proto.domain, proto.op_type)
    }
}

pub(crate) fn own_domain(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

impl<'a> Node<'a> {
    pub fn has(&self, name: &str) -> bool {
        self.proto.attribute.iter().any(|a| a.name == name)
    }

    fn find(
        &self,
        name: &'static str,
        kind: AttributeType,
        expected: &'static str,
    ) -> Op<Option<&'a AttributeProto>> {
        let Some(found) = self.proto.attribute.iter().find(|a| a.name == name) else {
            return Ok(None);
        };
        // Files of IR version 1 and 2 leave the type out.
        if found.r#type == kind as i32 || found.r#type == AttributeType::Undefined as i32 {
            return Ok(Some(found));
        }
        Err(Fault::AttributeType { name, expected }.into())
    }

    pub fn int(&self, name: &'static str) -> Op<Option<i64>> {
        Ok(self
            .find(name, AttributeType::Int, "an integer")?
            .map(|a| a.i))
    }

    pub fn int_or(&self, name: &'static str, default: i64) -> Op<i64> {
        Ok(self.int(name)?.unwrap_or(default))
    }

    /// 0 or 1.
    pub fn flag(&self, name: &'static str, default: bool) -> Op<bool> {
        match self.int_or(name, i64::from(default))? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(Fault::Attribute {
                name,
                expected: "0 or 1",
                found: found.to_string(),
            }
            .into()),
        }
    }

    pub fn float_or(&self, name: &'static str, default: f32) -> Op<f32> {
        let value = self.float(name)?.unwrap_or(default);
        if value.is_finite() {
            return Ok(value);
        }
        Err(Fault::Attribute {
            name,
            expected: "a finite number",
            found: value.to_string(),
        }
        .into())
    }

    pub fn float(&self, name: &'static str) -> Op<Option<f32>> {
        Ok(self
            .find(name, AttributeType::Float, "a float")?
            .map(|a| a.f))
    }

    pub fn ints(&self, name: &'static str) -> Op<Option<&'a [i64]>> {
        Ok(self
            .find(name, AttributeType::Ints, "a list of integers")?
            .map(|a| a.ints.as_slice()))
    }

    /// Integers that are an attribute before opset `since`, and an input from there on.
    pub fn moved_ints<'b>(
        &self,
        args: &'b Args,
        input: usize,
        name: &'static str,
        since: i64,
    ) -> Op<Option<&'b [i64]>>
    where
        'a: 'b,
    {
        if self.opset >= since {
            self.without(&[name])?;
            return args.optional_ints(input);
        }
        self.takes(args, input)?;
        self.ints(name)
    }

    /// Refuses attributes that later opsets have given up.
    pub fn without(&self, names: &[&'static str]) -> Op<()> {
        match names.iter().find(|name| self.has(name)) {
            Some(name) => Err(Fault::AttributeOpset { name }.into()),
            None => Ok(()),
        }
    }

    /// Refuses inputs that only later opsets have.
    pub fn takes(&self, args: &Args, expected: usize) -> Op<()> {
        let found = args.values.len();
        if found > expected {
            return Err(Fault::TooManyInputs { expected, found }.into());
        }
        Ok(())
    }

    pub fn floats(&self, name: &'static str) -> Op<Option<&'a [f32]>> {
        Ok(self
            .find(name, AttributeType::Floats, "a list of floats")?
            .map(|a| a.floats.as_slice()))
    }

    pub fn tensor(&self, name: &'static str) -> Op<Option<&'a TensorProto>> {
        Ok(self
            .find(name, AttributeType::Tensor, "a tensor")?
            .and_then(|a| a.t.as_ref()))
    }

    pub fn text_or(&self, name: &'static str, default: &'static str) -> Op<&'a str> {
        let Some(found) = self.find(name, AttributeType::String, "a string")? else {
            return Ok(default);
        };
        let broken = Fault::AttributeType {
            name,
            expected: "a string",
        };
        Ok(std::str::from_utf8(&found.s).map_err(|_| broken)?)
    }

    /// Refuses an attribute that says anything but what it says when left out.
    pub fn only(&self, name: &'static str, default: i64, expected: &'static str) -> Op<()> {
        match self.int_or(name, default)? {
            found if found == default => Ok(()),
            found => Err(Refusal::Attribute {
                name,
                expected,
                found: found.to_string(),
            }
            .into()),
        }
    }
}
