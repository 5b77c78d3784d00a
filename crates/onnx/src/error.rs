use crate::operators::supported_list;
use std::io;
use std::path::PathBuf;
use subrosa_ir::{GraphFault, Shape};
use thiserror::Error;

/// Why a file is refused. One line: the thing, what was expected, what was found.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum OnnxError {
    #[error("{}: {fault}", path.display())]
    File {
        path: PathBuf,
        fault: Box<OnnxError>,
    },
    #[error("no such file")]
    Missing,
    #[error("is a directory, expected an ONNX file")]
    Directory,
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("too large: {found} bytes, expected at most {limit}")]
    TooLarge { found: u64, limit: u64 },
    #[error("empty, expected an ONNX file")]
    Empty,
    #[error("not an ONNX file: no field of an ONNX model at byte {at}")]
    NotOnnx { at: usize },
    #[error("truncated: the field at byte {at} has {expected} bytes, {found} are left")]
    Truncated {
        at: usize,
        expected: u64,
        found: u64,
    },
    #[error(
        "damaged: the fields of an ONNX model are there, but what is in them cannot be decoded"
    )]
    Damaged,
    #[error("truncated or not an ONNX file: no graph in it")]
    NoGraph,
    #[error("truncated or not an ONNX file: it names no operator set")]
    NoOpset,
    #[error("opset {found}, expected {oldest} to {newest}")]
    Opset {
        found: i64,
        oldest: i64,
        newest: i64,
    },
    #[error("the graph has no outputs")]
    NoOutputs,
    #[error("no output depends on an input")]
    NothingPrivate,
    #[error("value '{value}' is defined twice")]
    DefinedTwice { value: String },
    #[error("output '{name}' is computed by no node")]
    UnknownOutput { name: String },
    #[error("{operator} (node '{node}') reads '{value}', which nothing defines")]
    UnknownValue {
        operator: String,
        node: String,
        value: String,
    },
    #[error("the graph has a cycle through {operator} (node '{node}')")]
    Cycle { operator: String, node: String },
    #[error("input '{name}': {fault}")]
    Input { name: String, fault: InputFault },
    #[error("tensor '{name}': {fault}")]
    Tensor { name: String, fault: TensorFault },
    #[error("batch {found}, but the file fixes the batch to {expected}")]
    Batch { expected: usize, found: usize },
    #[error(
        "{operator} (node '{node}', opset {opset}) is not supported: {reason}; {}",
        supported_list()
    )]
    UnsupportedOperator {
        operator: String,
        node: String,
        opset: i64,
        reason: Refusal,
    },
    #[error("{operator} (node '{node}', opset {opset}): {fault}")]
    InvalidNode {
        operator: String,
        node: String,
        opset: i64,
        fault: Fault,
    },
    #[error(transparent)]
    Graph(#[from] GraphFault),
    #[error("no float reference: {0}")]
    Reference(ReferenceFault),
}

/// What is wrong with a graph input.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputFault {
    #[error("no shape, expected one")]
    NoShape,
    #[error("elements of type {found}, expected FLOAT")]
    Type { found: String },
    #[error("axis {axis} has the free extent '{symbol}', only the batch may be free")]
    Symbolic { axis: usize, symbol: String },
    #[error("shape {shape:?} has no elements")]
    NoElements { shape: Shape },
    #[error("shape {shape:?} has too many elements")]
    TooLarge { shape: Shape },
}

/// What is wrong with a constant tensor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TensorFault {
    #[error("element {index} is {found}, expected a finite number")]
    NotFinite { index: usize, found: NotFinite },
    #[error("its data is in another file; external data is not supported")]
    External,
    #[error("elements of type {found}, expected floating point, integer or bool")]
    Type { found: String },
    #[error("sparse tensors are not supported")]
    Sparse,
    #[error("negative extent {found}")]
    NegativeExtent { found: i64 },
    #[error("shape {shape:?} has too many elements, at most {limit} are allowed")]
    TooLarge { shape: Vec<i64>, limit: usize },
    #[error("{found} {unit} of data, expected {expected} for shape {shape:?}")]
    Length {
        expected: usize,
        found: usize,
        unit: &'static str,
        shape: Shape,
    },
    #[error("an integer does not fit 64 bits with sign")]
    Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotFinite {
    #[error("NaN")]
    Nan,
    #[error("infinite")]
    Infinite,
}

/// Why an operator that the file uses correctly is not supported.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Refusal {
    #[error("unknown operator")]
    Unknown,
    #[error("attribute {name} is {found}, expected {expected}")]
    Attribute {
        name: &'static str,
        expected: &'static str,
        found: String,
    },
    #[error(
        "it is allowed in the output tail alone, but {operator} (node '{node}') needs its result"
    )]
    NeededBy { operator: String, node: String },
    #[error("input {input} is computed in the network, expected a constant")]
    NotConstant { input: usize },
    #[error("it is supported on constants alone")]
    ConstantsAlone,
    #[error("all its inputs are constants, expected one from the network")]
    NothingPrivate,
    #[error("a product of two values of the network")]
    ProductOfWires,
    #[error("input {input} has rank {found}, expected {expected}")]
    Rank {
        input: usize,
        expected: &'static str,
        found: usize,
    },
    #[error("a constant with {found} matrices, expected one")]
    BatchedConstant { found: usize },
    #[error("padding with {found}, expected 0")]
    PadValue { found: f32 },
    #[error("negative padding")]
    NegativePads,
    #[error("a window that holds nothing but padding")]
    EmptyWindow,
    #[error("output {output} is used, expected the first alone")]
    Output { output: usize },
    #[error("training mode")]
    Training,
    #[error("it fixes the batch to {fixed}, but the batch is {batch}")]
    FixedBatch { fixed: i64, batch: usize },
}

/// What is wrong with a node by the rules of ONNX itself.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    #[error("input {input} is missing")]
    MissingInput { input: usize },
    #[error("{found} inputs, expected at least {expected}")]
    InputCount { expected: usize, found: usize },
    #[error("{found} inputs, expected at most {expected}")]
    TooManyInputs { expected: usize, found: usize },
    #[error("{found} outputs, expected {expected}")]
    OutputCount { expected: usize, found: usize },
    #[error("attribute {name} is missing")]
    MissingAttribute { name: &'static str },
    #[error("attribute {name} has another type than {expected}")]
    AttributeType {
        name: &'static str,
        expected: &'static str,
    },
    #[error("attribute {name} is not one of this opset")]
    AttributeOpset { name: &'static str },
    #[error("attribute {name} is {found}, expected {expected}")]
    Attribute {
        name: &'static str,
        expected: &'static str,
        found: String,
    },
    #[error("{what}: {found} entries, expected {expected}")]
    Entries {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("axis {found} outside rank {rank}")]
    Axis { found: i64, rank: usize },
    #[error("axis {found} named twice")]
    AxisTwice { found: usize },
    #[error("index {found} outside extent {extent}")]
    Index { found: i64, extent: usize },
    #[error("input {input} has rank {found}, expected {expected}")]
    Rank {
        input: usize,
        expected: usize,
        found: usize,
    },
    #[error("input {input} has shape {found:?}, expected {expected:?}")]
    Shape {
        input: usize,
        expected: Shape,
        found: Shape,
    },
    #[error("shapes {left:?} and {right:?} do not go together")]
    Broadcast { left: Shape, right: Shape },
    #[error("shape {from:?} cannot become {to:?}")]
    Reshape { from: Shape, to: Vec<i64> },
    #[error("extent {found} of axis {axis}, expected 1")]
    Squeeze { axis: usize, found: usize },
    #[error("{channels} channels in {groups} groups")]
    Groups { channels: usize, groups: i64 },
    #[error("the kernel of extent {kernel} does not fit the padded extent {padded}")]
    Kernel { kernel: usize, padded: usize },
    #[error("a padded extent, kernel, stride or dilation above {limit}")]
    Extent { limit: usize },
    #[error("a step of 0")]
    ZeroStep,
    #[error("a negative or zero extent, stride or dilation: {found}")]
    NotPositive { found: i64 },
    #[error("input {input} has elements of another type than {expected}")]
    Type {
        input: usize,
        expected: &'static str,
    },
    #[error("division by zero")]
    DivisionByZero,
    #[error("the result is not a finite number")]
    NotFinite,
    #[error("an integer result does not fit 64 bits")]
    Overflow,
    #[error("shape {shape:?} has no elements")]
    NoElements { shape: Shape },
    #[error("shape {shape:?} has more than {limit} axes")]
    Axes { shape: Shape, limit: usize },
    #[error("the tensors have too many elements together, at most {limit} are allowed")]
    TooLarge { limit: usize },
    #[error("{0}")]
    Tensor(TensorFault),
}

/// Why the float reference cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReferenceFault {
    #[error("the reference engine refuses the file: {0}")]
    Load(String),
    #[error("the reference engine fails: {0}")]
    Run(String),
    #[error("the reference engine gives up without an error")]
    Panic,
    #[error("{found} inputs, expected {expected}")]
    Inputs { expected: usize, found: usize },
    #[error("input {input} has shape {found:?}, expected {expected:?}")]
    Shape {
        input: usize,
        expected: Shape,
        found: Shape,
    },
}

impl OnnxError {
    /// The error without the name of the file.
    pub fn fault(&self) -> &OnnxError {
        match self {
            Self::File { fault, .. } => fault.fault(),
            other => other,
        }
    }
}

/// What an operator's reading can end with; the driver adds the names.
#[derive(Debug)]
pub(crate) enum Trouble {
    Refused(Refusal),
    Broken(Fault),
    /// The operator needs a value of the output tail; the node with this index started that tail.
    AfterTail(usize),
}

pub(crate) type Op<T> = Result<T, Trouble>;

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}
