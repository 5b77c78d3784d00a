use crate::frame::Step;

/// Numbers the messages of one phase; all parties of a link count alike.
#[derive(Default)]
pub struct Turns(u32);

impl Turns {
    pub const FIRST: Step = Step(0);
    /// The last message of a phase.
    pub const LAST: Step = Step(u32::MAX);

    pub fn step(&mut self) -> Step {
        self.0 += 1;
        Step(self.0)
    }
}
