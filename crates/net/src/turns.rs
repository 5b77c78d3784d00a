use crate::frame::Step;

/// Numbers the messages of one phase; all parties of a link count alike.
#[derive(Default)]
pub struct Turns(u32);

impl Turns {
    pub const FIRST: Step = Step(0);
    /// The last message of a phase.
    pub const LAST: Step = Step(u32::MAX);

    /// For two parties that have messages of their own between those that all parties count. `line` is 0 to 3: two
    /// parties may have several such counts.
    pub fn aside(line: u32) -> Self {
        Self(1 << 31 | (line & 3) << 28)
    }

    pub fn step(&mut self) -> Step {
        self.0 += 1;
        Step(self.0)
    }
}
