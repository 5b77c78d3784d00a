//! Private machine-learning inference: load, plan, infer
