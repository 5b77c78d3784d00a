//! Circuits gate by gate: constants are folded, equal gates are shared, and what no output needs is left out.

use crate::circuit::{Bit, Circuit, Gate, Input, Output, Owner};
use std::collections::HashMap;

/// A circuit under construction. Bits belong to the builder that made them.
pub struct Builder {
    nodes: Vec<Node>,
    inputs: Vec<Input>,
    /// The sum of two wires.
    sums: HashMap<(u32, u32), u32>,
    /// Of two wires a product that is there already, with the negations it was made with.
    products: HashMap<(u32, u32), (bool, bool, u32)>,
    outputs: Vec<Output>,
    output_bits: Vec<Bit>,
}

#[derive(Clone, Copy)]
enum Node {
    False,
    Input(u32),
    Gate(Gate),
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::False],
            inputs: Vec::new(),
            sums: HashMap::new(),
            products: HashMap::new(),
            outputs: Vec::new(),
            output_bits: Vec::new(),
        }
    }

    /// A new input of `width` bits, least bit first.
    pub fn input(&mut self, name: &str, owner: Owner, width: usize) -> Vec<Bit> {
        let start = self.inputs.last().map_or(0, |input| input.bits.end);
        self.inputs.push(Input {
            name: name.to_owned(),
            owner,
            bits: start..start + width,
        });
        let positions = start..start + width;
        positions
            .map(|i| self.push(Node::Input(i as u32)))
            .collect()
    }

    /// The next output, least bit first.
    pub fn output(&mut self, name: &str, bits: &[Bit]) {
        let start = self.output_bits.len();
        self.outputs.push(Output {
            name: name.to_owned(),
            bits: start..start + bits.len(),
        });
        self.output_bits.extend(bits);
    }

    pub fn xor(&mut self, a: Bit, b: Bit) -> Bit {
        let negated = a.is_negated() ^ b.is_negated();
        let wire = match (a.wire().min(b.wire()), a.wire().max(b.wire())) {
            (x, y) if x == y => 0,
            (0, y) => y,
            key => match self.sums.get(&key) {
                Some(wire) => *wire,
                None => {
                    let wire = self.push(Node::Gate(Gate::Xor(key.0, key.1))).wire();
                    self.sums.insert(key, wire);
                    // x + y = w gives x + w = y: cancellation is found without a search.
                    self.sums.insert((key.0, wire), key.1);
                    self.sums.insert((key.1, wire), key.0);
                    wire
                }
            },
        };
        Bit::new(wire, negated)
    }

    pub fn and(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        match a.known() {
            Some(false) => return Bit::FALSE,
            Some(true) => return b,
            None if a == b => return a,
            None if a == !b => return Bit::FALSE,
            None => {}
        }
        let (s, t) = (a.is_negated(), b.is_negated());
        let key = (a.wire(), b.wire());
        let Some((s0, t0, wire)) = self.products.get(&key).copied() else {
            let out = self.push(Node::Gate(Gate::And(a, b)));
            self.products.insert(key, (s, t, out.wire()));
            return out;
        };
        // (x + d)(y + e) = xy + ey + dx + de, where xy is there already.
        let (x, y) = (Bit::new(key.0, s0), Bit::new(key.1, t0));
        let (d, e) = (s ^ s0, t ^ t0);
        let mut out = Bit::new(wire, d & e);
        if e {
            out = self.xor(out, x);
        }
        if d {
            out = self.xor(out, y);
        }
        out
    }

    pub fn or(&mut self, a: Bit, b: Bit) -> Bit {
        !self.and(!a, !b)
    }

    /// `if choice { a } else { b }`, with one AND.
    pub fn choose(&mut self, choice: Bit, a: Bit, b: Bit) -> Bit {
        let difference = self.xor(a, b);
        let taken = self.and(choice, difference);
        self.xor(taken, b)
    }

    /// The circuit of the declared outputs. Gates that none of them needs are dropped; inputs all stay.
    pub fn finish(self) -> Circuit {
        let mut needed = vec![false; self.nodes.len()];
        for bit in &self.output_bits {
            needed[bit.wire() as usize] = true;
        }
        for at in (0..self.nodes.len()).rev() {
            if !needed[at] {
                continue;
            }
            match self.nodes[at] {
                Node::Gate(Gate::Xor(a, b)) => {
                    needed[a as usize] = true;
                    needed[b as usize] = true;
                }
                Node::Gate(Gate::And(a, b)) => {
                    needed[a.wire() as usize] = true;
                    needed[b.wire() as usize] = true;
                }
                Node::False | Node::Input(_) => {}
            }
        }
        let inputs = self.inputs.last().map_or(0, |input| input.bits.end) as u32;
        let mut wire = vec![0; self.nodes.len()];
        let mut gates = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let moved = |bit: Bit| Bit::new(wire[bit.wire() as usize], bit.is_negated());
            let gate = match *node {
                Node::Input(position) => {
                    wire[at] = position + 1;
                    continue;
                }
                Node::Gate(Gate::Xor(a, b)) if needed[at] => {
                    Gate::Xor(wire[a as usize], wire[b as usize])
                }
                Node::Gate(Gate::And(a, b)) if needed[at] => Gate::And(moved(a), moved(b)),
                Node::False | Node::Gate(_) => continue,
            };
            gates.push(gate);
            wire[at] = inputs + gates.len() as u32;
        }
        let outputs = self.output_bits.iter();
        let output_bits = outputs
            .map(|bit| Bit::new(wire[bit.wire() as usize], bit.is_negated()))
            .collect();
        Circuit::assemble(self.inputs, gates, self.outputs, output_bits)
    }

    fn push(&mut self, node: Node) -> Bit {
        self.nodes.push(node);
        Bit::new(self.nodes.len() as u32 - 1, false)
    }
}
