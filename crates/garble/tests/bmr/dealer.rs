//! All parties in one place, with ideal OTs.

use crate::ideal::{bit, blocks, chosen, cots, pairs, prg};
use subrosa_core::{BitsLayout, Prg, Secret, Wire};
use subrosa_garble::bmr::{
    ActiveInputs, Demand, Fault, Garbled, Garbler, RowShares, Rows, RowsLayout, evaluate,
    receiver_labels, sender_zeros,
};
use subrosa_garble::{ActiveLabels, Circuit, Owner};
use subrosa_ring::{BitMatrix, xor_into};

/// What one run is made of: all of it is a function of the seeds.
pub struct Dealer {
    /// Of each garbler: for its shares, its masks and its labels.
    pub garblers: Vec<u64>,
    /// For offsets and correlations.
    pub correlations: u64,
    /// What is added to the evaluator's random choices, [shared inputs, lanes].
    pub choices: Option<BitMatrix>,
}

/// Everything that anyone sees.
pub struct View {
    pub offsets: Vec<u128>,
    /// Where the evaluator's choices differ from its bits, by garbler.
    pub flips: Vec<BitMatrix>,
    /// Messages that leave garbler i, in order.
    pub messages: Vec<Vec<Vec<u8>>>,
    /// Bytes of each garbler's rows.
    pub rows: Vec<Vec<u8>>,
    /// Bytes of each garbler's labels of the public inputs.
    pub sent: Vec<Vec<u8>>,
    /// e of the shared inputs, and every garbler's labels of shared and public inputs.
    pub bits: BitMatrix,
    pub shared: Vec<Vec<u128>>,
    pub public: Vec<Vec<u128>>,
    /// e of the outputs.
    pub outputs: BitMatrix,
    /// Shares of the masks of the outputs, by garbler.
    pub masks: Vec<BitMatrix>,
}

/// What the evaluator is about to evaluate.
pub struct Material {
    pub rows: Vec<RowShares>,
    pub bits: BitMatrix,
    pub shared: Vec<ActiveLabels>,
    pub public: Vec<ActiveLabels>,
}

impl Dealer {
    pub fn new(garblers: usize, seed: u64) -> Self {
        Self {
            garblers: (0..garblers as u64).map(|i| seed << 8 | i).collect(),
            correlations: !seed,
            choices: None,
        }
    }

    /// inputs: [input bits, lanes]. Every garbler draws its shares, the evaluator has what is left.
    pub fn run(&self, circuit: &Circuit, inputs: &BitMatrix) -> View {
        let (shared, public) = split(circuit, inputs);
        let (mut view, material) = self.garble(circuit, &shared, &public);
        view.outputs = finish(circuit, material, &public).unwrap();
        view
    }

    /// Everything up to the evaluator's work.
    pub fn garble(
        &self,
        circuit: &Circuit,
        shared: &BitMatrix,
        public: &BitMatrix,
    ) -> (View, Material) {
        let (n, lanes) = (self.garblers.len(), shared.lanes());
        let mut ideal = prg(self.correlations);
        let demand = Demand::of(circuit);
        let offsets: Vec<u128> = blocks(&mut ideal, n).iter().map(|r| r | 1).collect();
        let mut streams: Vec<Prg> = self.garblers.iter().map(|seed| prg(*seed)).collect();
        let mut bits = shared.clone();
        let mut shares = Vec::new();
        for stream in &mut streams {
            shares.push(stream.bits(shared.planes(), lanes));
            xor_into(bits.words_mut(), shares[shares.len() - 1].words());
        }

        let (mut labels, mut zeros, mut flips) = (Vec::new(), Vec::new(), Vec::new());
        for offset in &offsets {
            let (sender, mut receiver) = cots(*offset, shared.planes(), lanes, &mut ideal);
            if let Some(change) = &self.choices {
                xor_into(receiver.choices.words_mut(), change.words());
                receiver.values = chosen(&sender.zeros, &receiver.choices, *offset);
            }
            let (flip, label) = receiver_labels(receiver, &bits).unwrap();
            zeros.push(sender_zeros(sender, &flip, &Secret::new(*offset)).unwrap());
            labels.push(label);
            flips.push(flip);
        }

        let mut pairs = pairs(&offsets, demand, lanes, &mut ideal);
        let (mut firsts, mut stages) = (Vec::new(), Vec::new());
        let mut messages = vec![Vec::new(); n];
        for (i, (stream, zeros)) in streams.into_iter().zip(zeros).enumerate() {
            let mut garbler = Garbler::new(i, n, Secret::new(offsets[i]), stream);
            let begun = garbler.begin(circuit, lanes, &shares[i], zeros, pairs.remove(0));
            let (stage, first) = begun.unwrap();
            stages.push(stage);
            firsts.push(first);
        }
        let sent = delivered(firsts, demand.first(lanes), &mut messages);
        let next = stages.into_iter().zip(sent);
        let (stages, seconds): (Vec<_>, Vec<_>) = next.map(|(s, m)| s.second(m).unwrap()).unzip();
        let sent = delivered(seconds, demand.second(lanes), &mut messages);
        let next = stages.into_iter().zip(sent);
        let (stages, thirds): (Vec<_>, Vec<_>) = next.map(|(s, m)| s.third(m).unwrap()).unzip();
        let sent = delivered(thirds, demand.second(lanes), &mut messages);
        let next = stages.into_iter().zip(sent);
        let garbled: Vec<Garbled> = next.map(|(s, m)| s.finish(m).unwrap()).collect();

        let layout = RowsLayout::of(circuit, n, lanes);
        let (mut rows, mut active, mut masks, mut row_bytes) = (vec![], vec![], vec![], vec![]);
        for part in garbled {
            let sent = bytes(&part.rows);
            rows.push(RowShares::decode(&layout, &sent).unwrap());
            row_bytes.push(sent);
            active.push(part.publics.choose(public).unwrap());
            masks.push(part.outputs);
        }
        let values = |l: &ActiveLabels| l.values().to_vec();
        let view = View {
            offsets,
            flips,
            messages,
            rows: row_bytes,
            sent: active.iter().map(bytes).collect(),
            bits: bits.clone(),
            shared: labels.iter().map(values).collect(),
            public: active.iter().map(|l| coloured(l, public)).collect(),
            outputs: BitMatrix::default(),
            masks,
        };
        let material = Material {
            rows,
            bits,
            shared: labels,
            public: active,
        };
        (view, material)
    }
}

/// Labels of the public inputs as the evaluator reads them: bit 0 is the input.
fn coloured(labels: &ActiveLabels, public: &BitMatrix) -> Vec<u128> {
    let lanes = public.lanes();
    let labels = labels.values().iter().enumerate();
    let read = |(i, label)| label & !1 | u128::from(bit(public, i / lanes, i % lanes));
    labels.map(read).collect()
}

/// Stores, adds and evaluates.
pub fn finish(
    circuit: &Circuit,
    material: Material,
    public: &BitMatrix,
) -> Result<BitMatrix, Fault> {
    let rows = Rows::add(material.rows)?;
    let rows = Rows::decode(&rows.layout(), &bytes(&rows)).unwrap();
    let shared = ActiveInputs {
        bits: &material.bits,
        labels: material.shared,
    };
    let public = ActiveInputs {
        bits: public,
        labels: material.public,
    };
    evaluate(circuit, rows, shared, public)
}

/// Shared and public inputs of all inputs.
pub fn split(circuit: &Circuit, inputs: &BitMatrix) -> (BitMatrix, BitMatrix) {
    let of = |owner: Owner| {
        let owned = circuit.inputs().iter().filter(|input| input.owner == owner);
        let planes: Vec<usize> = owned.flat_map(|input| input.bits.clone()).collect();
        let words = planes.iter().flat_map(|p| inputs.row(*p)).copied();
        BitMatrix::from_words(planes.len(), inputs.lanes(), words.collect())
    };
    (of(Owner::Evaluator), of(Owner::Garbler))
}

/// Messages by sender, through bytes, to messages by receiver.
fn delivered<M: Wire<Layout = BitsLayout>>(
    sent: Vec<Vec<M>>,
    layout: BitsLayout,
    seen: &mut [Vec<Vec<u8>>],
) -> Vec<Vec<M>> {
    let n = sent.len();
    let mut received: Vec<Vec<M>> = (0..n).map(|_| Vec::new()).collect();
    for (from, messages) in sent.into_iter().enumerate() {
        let others = (0..n).filter(|to| *to != from);
        for (to, message) in others.zip(messages) {
            let sent = bytes(&message);
            received[to].push(M::decode(&layout, &sent).unwrap());
            seen[from].push(sent);
        }
    }
    received
}

pub fn bytes<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

/// The message of that layout of which every bit is zero.
pub fn zeros<M: Wire<Layout = BitsLayout>>(layout: BitsLayout) -> M {
    M::decode(&layout, &vec![0; M::size(&layout).0 as usize]).unwrap()
}
