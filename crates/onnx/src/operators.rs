use crate::error::Op;
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::{arithmetic, concat, constant, conv, fold, pool, product, shape, slice, tail};
use crate::value::{Args, Value};
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

const TABLE: &[(&str, Place, Lower)] = &[
    ("Add", Place::Anywhere, arithmetic::add),
    ("ArgMax", Place::Anywhere, tail::arg_max),
    ("AveragePool", Place::Anywhere, pool::average),
    (
        "BatchNormalization",
        Place::Anywhere,
        arithmetic::batch_normalization,
    ),
    ("Cast", Place::Anywhere, constant::cast),
    ("Ceil", Place::Constants, fold::ceil),
    ("Concat", Place::Anywhere, concat::concat),
    ("Constant", Place::Constants, constant::constant),
    (
        "ConstantOfShape",
        Place::Constants,
        constant::constant_of_shape,
    ),
    ("Conv", Place::Anywhere, conv::conv),
    ("Div", Place::Anywhere, arithmetic::div),
    ("Dropout", Place::Anywhere, constant::dropout),
    ("Equal", Place::Constants, fold::equal),
    ("Exp", Place::Tail, tail::exp),
    ("Expand", Place::Anywhere, shape::expand),
    ("Flatten", Place::Anywhere, shape::flatten),
    ("Floor", Place::Constants, fold::floor),
    ("Gather", Place::Anywhere, slice::gather),
    ("Gemm", Place::Anywhere, product::gemm),
    ("GlobalAveragePool", Place::Anywhere, pool::global_average),
    ("GlobalMaxPool", Place::Anywhere, pool::global_max),
    ("Identity", Place::Anywhere, constant::identity),
    ("Log", Place::Tail, tail::log),
    ("LogSoftmax", Place::Tail, tail::log_softmax),
    ("MatMul", Place::Anywhere, product::mat_mul),
    ("MaxPool", Place::Anywhere, pool::max),
    ("Mul", Place::Anywhere, arithmetic::mul),
    ("Neg", Place::Anywhere, tail::neg),
    ("Pad", Place::Anywhere, concat::pad),
    ("Range", Place::Constants, fold::range),
    ("Reciprocal", Place::Tail, tail::reciprocal),
    ("ReduceMean", Place::Anywhere, pool::reduce_mean),
    ("ReduceProd", Place::Constants, fold::reduce_prod),
    ("Relu", Place::Anywhere, tail::relu),
    ("Reshape", Place::Anywhere, shape::reshape),
    ("Shape", Place::Anywhere, shape::shape),
    ("Sigmoid", Place::Tail, tail::sigmoid),
    ("Slice", Place::Anywhere, slice::slice),
    ("Softmax", Place::Tail, tail::softmax),
    ("Split", Place::Anywhere, slice::split),
    ("Sqrt", Place::Tail, tail::sqrt),
    ("Squeeze", Place::Anywhere, shape::squeeze),
    ("Sub", Place::Anywhere, arithmetic::sub),
    ("Sum", Place::Anywhere, arithmetic::sum),
    ("Tanh", Place::Tail, tail::tanh),
    ("Transpose", Place::Anywhere, shape::transpose),
    ("Unsqueeze", Place::Anywhere, shape::unsqueeze),
    ("Where", Place::Constants, fold::select),
];

pub(crate) fn find(name: &str) -> Option<Lower> {
    TABLE
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, _, lower)| *lower)
}

/// Every operator that is read, by name. What of an operator is not supported is said when a file uses it.
pub fn supported_operators() -> &'static [Operator] {
    static LIST: LazyLock<Vec<Operator>> = LazyLock::new(|| {
        TABLE
            .iter()
            .map(|(name, place, _)| Operator {
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
