use crate::error::ReferenceFault;
use crate::{Model, OnnxError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use subrosa_ir::{Shape, Tensor};
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable,
    IntoTValue, TValue, TractResult, TypedRunnableModel,
};
use tract_onnx::tract_hir::infer::Factoid;

/// The float model by tract: another reading of the same file, with which answers are compared.
pub struct Reference {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<(Shape, DatumType)>,
}

impl Reference {
    /// The reference for one batch size; an error where tract does not know the file.
    pub fn new(model: &Model, batch: usize) -> Result<Self, OnnxError> {
        guarded(|| Self::load(model, batch), ReferenceFault::Load)
    }

    fn load(model: &Model, batch: usize) -> TractResult<Self> {
        let mut graph: InferenceModel = tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .with_ignore_value_info(true)
            .model_for_proto_model(&model.proto)?;
        let mut inputs = Vec::with_capacity(model.inputs.len());
        for (input, info) in model.inputs.iter().enumerate() {
            let shape = info.shape(batch);
            let kind = graph
                .input_fact(input)?
                .datum_type
                .concretize()
                .unwrap_or(DatumType::F32);
            graph.set_input_fact(input, InferenceFact::dt_shape(kind, &shape))?;
            inputs.push((shape, kind));
        }
        let plan = graph.into_optimized()?.into_runnable()?;
        Ok(Self { plan, inputs })
    }

    /// Outputs in the order of the file, integers as floats.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, OnnxError> {
        self.check(inputs).map_err(OnnxError::Reference)?;
        guarded(|| self.compute(inputs), ReferenceFault::Run)
    }

    fn check(&self, inputs: &[Tensor]) -> Result<(), ReferenceFault> {
        if inputs.len() != self.inputs.len() {
            return Err(ReferenceFault::Inputs {
                expected: self.inputs.len(),
                found: inputs.len(),
            });
        }
        for (input, (tensor, (shape, _))) in inputs.iter().zip(&self.inputs).enumerate() {
            if tensor.shape != *shape || tensor.values.len() != shape.iter().product::<usize>() {
                let (expected, found) = (shape.clone(), tensor.shape.clone());
                return Err(ReferenceFault::Shape {
                    input,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    fn compute(&self, inputs: &[Tensor]) -> TractResult<Vec<Tensor>> {
        let mut values = Vec::with_capacity(inputs.len());
        for (tensor, (shape, kind)) in inputs.iter().zip(&self.inputs) {
            let float = tract_onnx::prelude::Tensor::from_shape(shape, &tensor.values)?;
            values.push(float.cast_to_dt(*kind)?.into_owned().into_tvalue());
        }
        let outputs = self.plan.run(values.into())?;
        outputs.iter().map(tensor).collect()
    }
}

fn tensor(value: &TValue) -> TractResult<Tensor> {
    let float = value.cast_to::<f32>()?;
    let values = float
        .to_plain_array_view::<f32>()?
        .iter()
        .copied()
        .collect();
    Ok(Tensor {
        shape: value.shape().to_vec(),
        values,
    })
}

/// Calls into tract; what it says, and where it panics, becomes an error.
fn guarded<T>(
    call: impl FnOnce() -> TractResult<T>,
    fault: fn(String) -> ReferenceFault,
) -> Result<T, OnnxError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(OnnxError::Reference(fault(error.root_cause().to_string()))),
        Err(_) => Err(OnnxError::Reference(ReferenceFault::Panic)),
    }
}
