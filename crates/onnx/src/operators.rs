use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::{arithmetic, concat, constant, conv, fold, pool, product, shape, slice, tail};
use crate::value::{Args, Value};
use Place::{Anywhere, Constants, Tail};
use std::sync::LazyLock;

/// An operator that files may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    pub name: &'static str,
    pub place: Place,
}

/// Where in a network an operator is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// After the last private weight, and on constants.
    Tail,
    /// On constants, such as shapes.
    Constants,
}

pub(crate) type Lower = fn(&mut Lowering, &Node<'_>, &Args) -> Op<Vec<Value>>;

/// Number of inputs of an operator that takes any.
const MANY: usize = usize::MAX;

/// Name, place, most inputs, and how it is read.
const TABLE: &[(&str, Place, usize, Lower)] = &[
    ("Add", Anywhere, 2, arithmetic::add),
    ("ArgMax", Anywhere, 1, tail::arg_max),
    ("AveragePool", Anywhere, 1, pool::average),
    ("BatchNormalization", Anywhere, 5, arithmetic::batch_norm),
    ("Cast", Anywhere, 1, constant::cast),
    ("Ceil", Constants, 1, fold::ceil),
    ("Concat", Anywhere, MANY, concat::concat),
    ("Constant", Constants, 0, constant::constant),
    ("ConstantOfShape", Constants, 1, constant::constant_of_shape),
    ("Conv", Anywhere, 3, conv::conv),
    ("Div", Anywhere, 2, arithmetic::div),
    ("Dropout", Anywhere, 3, constant::dropout),
    ("Equal", Constants, 2, fold::equal),
    ("Exp", Tail, 1, tail::exp),
    ("Expand", Anywhere, 2, shape::expand),
    ("Flatten", Anywhere, 1, shape::flatten),
    ("Floor", Constants, 1, fold::floor),
    ("Gather", Anywhere, 2, slice::gather),
    ("Gemm", Anywhere, 3, product::gemm),
    ("GlobalAveragePool", Anywhere, 1, pool::global_average),
    ("GlobalMaxPool", Anywhere, 1, pool::global_max),
    ("Identity", Anywhere, 1, constant::identity),
    ("Log", Tail, 1, tail::log),
    ("LogSoftmax", Tail, 1, tail::log_softmax),
    ("MatMul", Anywhere, 2, product::mat_mul),
    ("MaxPool", Anywhere, 1, pool::max),
    ("Mul", Anywhere, 2, arithmetic::mul),
    ("Neg", Anywhere, 1, tail::neg),
    ("Pad", Anywhere, 4, concat::pad),
    ("Range", Constants, 3, fold::range),
    ("Reciprocal", Tail, 1, tail::reciprocal),
    ("ReduceMean", Anywhere, 2, pool::reduce_mean),
    ("ReduceProd", Constants, 2, fold::reduce_prod),
    ("Relu", Anywhere, 1, tail::relu),
    ("Reshape", Anywhere, 2, shape::reshape),
    ("Shape", Anywhere, 1, shape::shape),
    ("Sigmoid", Tail, 1, tail::sigmoid),
    ("Slice", Anywhere, 5, slice::slice),
    ("Softmax", Tail, 1, tail::softmax),
    ("Split", Anywhere, 2, slice::split),
    ("Sqrt", Tail, 1, tail::sqrt),
    ("Squeeze", Anywhere, 2, shape::squeeze),
    ("Sub", Anywhere, 2, arithmetic::sub),
    ("Sum", Anywhere, MANY, arithmetic::sum),
    ("Tanh", Tail, 1, tail::tanh),
    ("Transpose", Anywhere, 1, shape::transpose),
    ("Unsqueeze", Anywhere, 2, shape::unsqueeze),
    ("Where", Constants, 3, fold::select),
];

pub(crate) fn is_known(name: &str) -> bool {
    TABLE.iter().any(|(known, ..)| *known == name)
}

/// Reads a node.
pub(crate) fn lower(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let known = TABLE.iter().find(|(name, ..)| *name == node.proto.op_type);
    let (_, _, most, lower) = known.ok_or(Refusal::Unknown)?;
    if args.values.len() > *most {
        let found = args.values.len();
        return Err(Fault::TooManyInputs {
            expected: *most,
            found,
        }
        .into());
    }
    lower(l, node, args)
}

/// Every operator that is read, by name. What of an operator is not supported is said when a file uses it.
pub fn supported_operators() -> &'static [Operator] {
    static LIST: LazyLock<Vec<Operator>> = LazyLock::new(|| {
        TABLE
            .iter()
            .map(|(name, place, ..)| Operator {
                name,
                place: *place,
            })
            .collect()
    });
    &LIST
}

/// `supported: Add, ..; in the output tail alone: Exp, ..; on constants alone: ..`
pub(crate) fn supported_list() -> String {
    let names = |place| {
        let at = supported_operators()
            .iter()
            .filter(|operator| operator.place == place);
        at.map(|operator| operator.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "supported: {}; in the output tail alone: {}; on constants alone: {}",
        names(Place::Anywhere),
        names(Place::Tail),
        names(Place::Constants)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
    }
}
