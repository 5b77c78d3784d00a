//! ONNX files into float graphs and weights
