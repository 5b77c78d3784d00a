//! Boolean circuits over XOR and AND, with negation for free.

use crate::schedule::Schedule;
use std::ops::{Not, Range};
use subrosa_ring::BitMatrix;

/// A wire or its negation; the constants are wire 0 and its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bit(u32);

impl Bit {
    pub const FALSE: Bit = Bit(0);
    pub const TRUE: Bit = Bit(1);

    pub fn constant(value: bool) -> Self {
        Self(u32::from(value))
    }

    pub(crate) fn new(wire: u32, negated: bool) -> Self {
        Self(wire << 1 | u32::from(negated))
    }

    pub fn wire(self) -> u32 {
        self.0 >> 1
    }

    pub fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// The value of a constant, `None` for every other bit.
    pub fn known(self) -> Option<bool> {
        (self.wire() == 0).then_some(self.is_negated())
    }

    pub(crate) fn negated_if(self, negated: bool) -> Self {
        Self(self.0 ^ u32::from(negated))
    }
}

impl Not for Bit {
    type Output = Bit;
    fn not(self) -> Bit {
        self.negated_if(true)
    }
}

/// One gate. Its inputs are lower wires than its own, and never constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// The sum of two wires; negations are moved to where the sum is used.
    Xor(u32, u32),
    And(Bit, Bit),
}

/// Who knows an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Garbler,
    Evaluator,
}

/// Neighbouring inputs that form one number, least bit first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    pub owner: Owner,
    /// Positions among all inputs of the circuit.
    pub bits: Range<usize>,
}

/// Neighbouring outputs that form one number, least bit first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub name: String,
    /// Positions among all outputs of the circuit.
    pub bits: Range<usize>,
}

/// A circuit in topological order. Wire 0 is the constant false, wires 1 to `input_bits()` are the inputs, then each
/// gate has a wire of its own.
#[derive(Clone, Debug)]
pub struct Circuit {
    pub(crate) inputs: Vec<Input>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) output_bits: Vec<Bit>,
    pub(crate) schedule: Schedule,
    input_count: usize,
    ands: usize,
}

impl Circuit {
    /// The caller vouches for the order of the gates.
    pub(crate) fn assemble(
        inputs: Vec<Input>,
        gates: Vec<Gate>,
        outputs: Vec<Output>,
        output_bits: Vec<Bit>,
    ) -> Self {
        let input_count = inputs.last().map_or(0, |input| input.bits.end);
        let ands = gates.iter().filter(|g| matches!(g, Gate::And(..))).count();
        let schedule = Schedule::new(input_count, &gates, &output_bits);
        Self {
            inputs,
            gates,
            outputs,
            output_bits,
            schedule,
            input_count,
            ands,
        }
    }

    /// The groups of inputs, in the order in which they were declared.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The groups of outputs, in the order in which they were declared.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Positions of the input of that name.
    pub fn input(&self, name: &str) -> Option<Range<usize>> {
        let input = self.inputs.iter().find(|input| input.name == name)?;
        Some(input.bits.clone())
    }

    /// Positions of the output of that name.
    pub fn output(&self, name: &str) -> Option<Range<usize>> {
        let output = self.outputs.iter().find(|output| output.name == name)?;
        Some(output.bits.clone())
    }

    /// Input bits that `owner` knows.
    pub fn bits_of(&self, owner: Owner) -> usize {
        let inputs = self.inputs.iter().filter(|input| input.owner == owner);
        inputs.map(|input| input.bits.len()).sum()
    }

    /// Of each input bit its owner, and its rank among that owner's bits.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (Owner, usize)> {
        let owners = self
            .inputs
            .iter()
            .flat_map(|input| input.bits.clone().map(|_| input.owner));
        let mut seen = [0; 2];
        owners.map(move |owner| {
            let next = &mut seen[usize::from(owner == Owner::Evaluator)];
            *next += 1;
            (owner, *next - 1)
        })
    }

    pub fn input_bits(&self) -> usize {
        self.input_count
    }

    /// Wire of each output bit, without its negation.
    pub fn output_wires(&self) -> impl Iterator<Item = u32> {
        self.output_bits.iter().map(|bit| bit.wire())
    }

    pub fn output_bits(&self) -> usize {
        self.output_bits.len()
    }

    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// AND gates: what garbling pays for.
    pub fn ands(&self) -> usize {
        self.ands
    }

    /// The outputs in the clear.
    ///
    /// # Panics
    /// Where `inputs` is not `input_bits()` long.
    pub fn evaluate(&self, inputs: &[bool]) -> Vec<bool> {
        assert_eq!(inputs.len(), self.input_count);
        let words: Vec<u64> = inputs.iter().map(|bit| u64::from(*bit)).collect();
        let outputs = self.sliced(words.into_iter());
        outputs.iter().map(|word| word & 1 == 1).collect()
    }

    /// Many instances in the clear, 64 at a time. inputs: [input_bits, lanes] -> [output_bits, lanes].
    ///
    /// # Panics
    /// Where `inputs` does not have `input_bits()` planes.
    pub fn evaluate_lanes(&self, inputs: &BitMatrix) -> BitMatrix {
        assert_eq!(inputs.planes(), self.input_count);
        let mut outputs = BitMatrix::new(self.output_bits.len(), inputs.lanes());
        for word in 0..inputs.words_per_plane() {
            let column = (0..self.input_count).map(|plane| inputs.row(plane)[word]);
            for (plane, bits) in self.sliced(column).into_iter().enumerate() {
                outputs.row_mut(plane)[word] = bits;
            }
        }
        outputs.mask_padding();
        outputs
    }

    fn sliced(&self, inputs: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut wires = Vec::with_capacity(1 + self.input_count + self.gates.len());
        wires.push(0);
        wires.extend(inputs);
        let value = |wires: &[u64], bit: Bit| {
            wires[bit.wire() as usize] ^ u64::from(bit.is_negated()).wrapping_neg()
        };
        for gate in &self.gates {
            let word = match *gate {
                Gate::Xor(a, b) => wires[a as usize] ^ wires[b as usize],
                Gate::And(a, b) => value(&wires, a) & value(&wires, b),
            };
            wires.push(word);
        }
        let bits = self.output_bits.iter();
        bits.map(|bit| value(&wires, *bit)).collect()
    }
}
