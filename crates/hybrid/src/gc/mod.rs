//! The reading `gc`: one garbled circuit for each step.
//!
//! The owner garbles, the client evaluates and returns the colours of the outputs, which only the owner can decode: it learns
//! the result less the client's mask. A client that decoded, too, would know both and with them the value.
//! The client's inputs, its masks, are known offline, so their labels come by OT offline; online the owner sends the labels of
//! its masked values.

use crate::price::Side;
use crate::step::{Kind, Operands, Shape};
use subrosa_core::{BitsLayout, Blocks, Prg, ReceiverOts, SenderOts, Wire};
use subrosa_garble::{
    ActiveLabels, Circuit, Evaluator, Garbler, LabelsLayout, OutputColours, Owner, Tables,
    TablesLayout, ZeroLabels, neural,
};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, from_planes, mask, to_planes, xor_into};

#[cfg(test)]
mod tests;

/// What the client keeps: the tables, and labels of its inputs in the circuit's order.
pub type Garbled = (Tables, Vec<ActiveLabels>);
/// What the owner keeps: the labels of its inputs in the circuit's order, and how outputs are decoded.
pub type Garbling = (Vec<ZeroLabels>, OutputColours);
/// What the owner sends offline: the tables, and for every bit of the client's the label of 1 under a key of its OT.
pub type Offer = (Tables, Blocks);

impl Shape {
    pub fn circuit(&self) -> Circuit {
        let lift = self.lift();
        let (n, k) = (lift.narrow as usize, lift.wide as usize);
        match self.kind {
            Kind::Positive(_) | Kind::Maximum { .. } => neural::relu_remask(n, k),
            Kind::Lift(_) => neural::lift_remask(n, k),
            Kind::Choice { .. } => neural::select_remask(n),
        }
    }

    fn labels(&self, circuit: &Circuit, of: Owner) -> Vec<LabelsLayout> {
        let inputs = circuit.inputs().iter().filter(|i| i.owner == of);
        let layout = |input: &subrosa_garble::Input| LabelsLayout {
            wires: input.bits.len(),
            lanes: self.lanes,
        };
        inputs.map(layout).collect()
    }

    fn wires(&self, circuit: &Circuit, of: Owner) -> usize {
        self.labels(circuit, of).iter().map(|l| l.wires).sum()
    }

    /// Random OTs for each lane with the owner as sender.
    pub fn label_ots(&self) -> usize {
        self.wires(&self.circuit(), Owner::Evaluator)
    }

    /// AND gates for each lane.
    pub fn gates(&self) -> usize {
        self.circuit().ands()
    }

    fn tables(&self, circuit: &Circuit) -> TablesLayout {
        TablesLayout {
            ands: circuit.ands(),
            lanes: self.lanes,
        }
    }

    fn colours(&self, circuit: &Circuit) -> BitsLayout {
        BitsLayout {
            planes: circuit.output_bits(),
            lanes: self.lanes,
        }
    }

    pub fn garbled_piece(&self) -> <Garbled as Wire>::Layout {
        let circuit = self.circuit();
        let labels = self.labels(&circuit, Owner::Evaluator);
        (self.tables(&circuit), labels)
    }

    pub fn garbling_piece(&self) -> <Garbling as Wire>::Layout {
        let circuit = self.circuit();
        let labels = self.labels(&circuit, Owner::Garbler);
        (labels, self.colours(&circuit))
    }

    /// Client to owner, offline: its bits, corrected to the choices of the OTs.
    pub fn corrected_bits(&self) -> BitsLayout {
        BitsLayout {
            planes: self.label_ots(),
            lanes: self.lanes,
        }
    }

    /// Owner to client, offline.
    pub fn offer(&self) -> <Offer as Wire>::Layout {
        let circuit = self.circuit();
        let bits = self.wires(&circuit, Owner::Evaluator);
        (self.tables(&circuit), bits * self.lanes)
    }

    /// Owner to client, online.
    pub fn active(&self) -> Vec<LabelsLayout> {
        self.labels(&self.circuit(), Owner::Garbler)
    }

    /// Client to owner, online.
    pub fn found(&self) -> BitsLayout {
        self.colours(&self.circuit())
    }

    /// The messages of a step offline and online, in order.
    pub(crate) fn garbled_messages(&self) -> [Vec<crate::price::Message>; 2] {
        let (client, owner) = (Some(Side::Client), Some(Side::Owner));
        let offline = vec![
            (client, BitMatrix::size(&self.corrected_bits())),
            (owner, Offer::size(&self.offer())),
        ];
        let online = vec![
            (owner, Vec::<ActiveLabels>::size(&self.active())),
            (client, BitMatrix::size(&self.found())),
        ];
        [offline, online]
    }
}

fn broken<T>(_: T) -> RunError {
    LocalFault::Invariant.into()
}

/// The client's bits of one step, and the mask of its result in Z/2^wide.
pub fn client_bits(shape: &Shape, of: &Operands<'_>, prg: &mut Prg) -> (BitMatrix, Vec<u64>) {
    let lift = shape.lift();
    let keep = mask(lift.wide);
    let fresh = prg.words(lift.wide, shape.lanes);
    let less = |x: &[u64]| -> Vec<u64> {
        let pairs = x.iter().zip(&fresh);
        pairs.map(|(x, r)| x.wrapping_sub(*r) & keep).collect()
    };
    let (columns, mask) = match shape.kind {
        Kind::Positive(_) | Kind::Lift(_) => (vec![of.compared.to_vec(), fresh.clone()], fresh),
        Kind::Maximum { .. } => {
            // y2 + max(d, 0): the mask of y2 is added to that of the circuit's result.
            let pairs = of.between[1].iter().zip(&fresh);
            let sum = pairs.map(|(l, r)| l.wrapping_add(*r) & keep).collect();
            (vec![of.compared.to_vec(), fresh], sum)
        }
        Kind::Choice { .. } => {
            let [y1, y2] = of.between.map(less);
            (vec![of.compared.to_vec(), y1, y2], fresh)
        }
    };
    let widths = [lift.narrow, lift.wide, lift.wide];
    let mut words = Vec::new();
    for (column, width) in columns.iter().zip(widths) {
        words.extend_from_slice(to_planes(column, 0, width).words());
    }
    let planes = words.len() / shape.lanes.div_ceil(64).max(1);
    (BitMatrix::from_words(planes, shape.lanes, words), mask)
}

/// The client's bits plus its choices: what it sends.
pub fn correct(bits: &BitMatrix, ots: &ReceiverOts) -> BitMatrix {
    let mut out = bits.clone();
    xor_into(out.words_mut(), ots.choices.words());
    out
}

/// The owner's offline half of a step. A bit's label of 0 is the key that the client holds if the bit is 0, so only its label of 1
/// is sent, under the other key.
pub fn garble(
    shape: &Shape,
    garbler: &mut Garbler,
    corrections: &BitMatrix,
    ots: SenderOts,
) -> Result<(Offer, Garbling), RunError> {
    let circuit = shape.circuit();
    let mut given = Vec::new();
    let mut others = Vec::with_capacity(ots.keys.len());
    let mut plane = 0;
    for input in circuit.inputs() {
        if input.owner == Owner::Garbler {
            continue;
        }
        let mut zeros = Vec::with_capacity(input.bits.len() * shape.lanes);
        for _ in input.bits.clone() {
            let row = corrections.row(plane);
            for (lane, keys) in ots.plane(plane).iter().enumerate() {
                let turn = u128::from(row[lane / 64] >> (lane % 64) & 1).wrapping_neg();
                let swap = (keys[0] ^ keys[1]) & turn;
                zeros.push(keys[0] ^ swap);
                others.push(keys[1] ^ swap);
            }
            plane += 1;
        }
        given.push((input.bits.clone(), zeros));
    }
    let mut garbled = garbler
        .garble_given(&circuit, shape.lanes, given)
        .map_err(broken)?;
    let (mut own, mut ones) = (Vec::new(), Vec::new());
    for input in circuit.inputs() {
        let labels = garbled.inputs.take(input.bits.clone()).map_err(broken)?;
        match input.owner {
            Owner::Garbler => own.push(labels),
            Owner::Evaluator => ones.extend(labels.pairs().iter().map(|[_, one]| *one)),
        }
    }
    let blocks = ones.iter().zip(&others).map(|(label, key)| label ^ key);
    let offer = (garbled.tables, Blocks(blocks.collect()));
    Ok((offer, (own, garbled.colours)))
}

/// The client's offline half of a step.
pub fn accept(
    shape: &Shape,
    (tables, blocks): Offer,
    bits: &BitMatrix,
    ots: &ReceiverOts,
) -> Result<Garbled, RunError> {
    let mut values = Vec::with_capacity(ots.keys.len());
    let lanes = shape.lanes;
    for (at, (block, key)) in blocks.0.iter().zip(&ots.keys).enumerate() {
        let row = bits.row(at / lanes);
        let choose = u128::from(row[at % lanes / 64] >> (at % lanes % 64) & 1).wrapping_neg();
        values.push(key ^ (block & choose));
    }
    let mut values = values.into_iter();
    let mut labels = Vec::new();
    for layout in shape.labels(&shape.circuit(), Owner::Evaluator) {
        let own = values.by_ref().take(layout.wires * lanes).collect();
        labels.push(ActiveLabels::from_values(layout, own).map_err(broken)?);
    }
    Ok((tables, labels))
}

/// The owner's labels of its masked values.
pub fn activate(
    shape: &Shape,
    zeros: Vec<ZeroLabels>,
    of: &Operands<'_>,
) -> Result<Vec<ActiveLabels>, RunError> {
    let columns = [of.compared, of.between[0], of.between[1]];
    let mut active = Vec::with_capacity(zeros.len());
    for (labels, column) in zeros.into_iter().zip(columns) {
        let bits = to_planes(column, 0, shape.lift().narrow);
        active.push(labels.choose(&bits).map_err(broken)?);
    }
    Ok(active)
}

/// The client's online half of a step: the colours of the outputs.
pub fn evaluate(
    shape: &Shape,
    (tables, own): Garbled,
    from_owner: Vec<ActiveLabels>,
) -> Result<BitMatrix, RunError> {
    let circuit = shape.circuit();
    let (mut own, mut given) = (own.into_iter(), from_owner.into_iter());
    let mut labels: Option<ActiveLabels> = None;
    for input in circuit.inputs() {
        let next = match input.owner {
            Owner::Garbler => given.next(),
            Owner::Evaluator => own.next(),
        };
        let next = next.ok_or(LocalFault::Invariant)?;
        match &mut labels {
            Some(labels) => labels.append(next).map_err(broken)?,
            None => labels = Some(next),
        }
    }
    let labels = labels.ok_or(LocalFault::Invariant)?;
    let outputs = Evaluator::new().evaluate(&circuit, tables, labels);
    Ok(outputs.map_err(broken)?.colours())
}

/// The owner's masked result.
pub fn decode(
    shape: &Shape,
    colours: OutputColours,
    found: &BitMatrix,
    of: &Operands<'_>,
) -> Result<Vec<u64>, RunError> {
    let bits = colours.decode(found).map_err(broken)?;
    let mut out = from_planes(&bits);
    if let Kind::Maximum { bits } = shape.kind {
        for (out, y2) in out.iter_mut().zip(of.between[1]) {
            *out = out.wrapping_add(*y2) & mask(bits);
        }
    }
    Ok(out)
}
