use subrosa_ir::Reveal;

/// What the user asks of a plan beyond the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Width of the accumulating ring; `None` lets the protocol choose.
    pub ring: Option<u32>,
    /// What the client may open.
    pub reveal: Reveal,
}
