//! A protocol of two servers and a client that adds a public constant, and its broken variants.
//!
//! At setup the client and server 0 agree on a key. An offline phase draws a mask r from it and a fresh nonce. Online
//! the client sends x - r to server 1; server 0 adds the constant to r, and both send their shares back. Between, the servers toss a
//! coin for each value, to no end but that it is a message that crosses another.

use std::collections::VecDeque;
use std::time::Duration;
use subrosa_conformance::Subject;
use subrosa_core::{
    Bytes, Encoded, Malformed, PartyId, Prg, Secret, Seed, Shelf, Stock, StockFault, Wire, Words,
    WordsLayout,
};
use subrosa_ir::{
    FixedGraph, FixedOp, LowerOptions, Reveal, Tensor, decode_output, encode_input, lower, volume,
};
use subrosa_net::{Bill, InputFault, LinkFault, LocalFault, Phase, RunError, Session, Step};
use subrosa_protocol::{Fingerprint, Holding, Party, PartyKind, Seat, WholePlan, fingerprint_of};
use subrosa_ring::mask;

pub const HOLDER: PartyId = PartyId(0);
pub const OTHER: PartyId = PartyId(1);
pub const CLIENT: PartyId = PartyId(2);

/// What is wrong with a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flaw {
    None,
    /// The top bit of every masked word is the sign of the input.
    TopBit,
    /// The servers open the input to each other, in shares that are uniform.
    Opened,
    /// Both inferences of a session use one mask.
    SameMask,
    /// Masks come from the key and a counter that is kept with it.
    KeptCounter,
    /// One more message where the first value is positive.
    ExtraMessage,
    /// The price is one byte too high.
    Price,
    /// Answers are off by two units of the last place.
    Answer,
    /// The client answers whatever it has when a run fails.
    Answers,
    /// The client unwraps what it receives.
    Unwraps,
    /// Server 1 blames server 0 for everything.
    Blames,
    /// A failed party never ends.
    Waits,
    /// Plan bytes are unwrapped.
    Plan,
    /// What server 0 sends to the client at the end is even.
    EvenShare,
    /// Half of each seed at setup is zero.
    HalfSeed,
    /// Keys do not come back as they were.
    LostKeys,
    /// A party takes the keys of any other one.
    AnyKeys,
}

const FLAWS: [Flaw; 17] = [
    Flaw::None,
    Flaw::TopBit,
    Flaw::Opened,
    Flaw::SameMask,
    Flaw::KeptCounter,
    Flaw::ExtraMessage,
    Flaw::Price,
    Flaw::Answer,
    Flaw::Answers,
    Flaw::Unwraps,
    Flaw::Blames,
    Flaw::Waits,
    Flaw::Plan,
    Flaw::EvenShare,
    Flaw::HalfSeed,
    Flaw::LostKeys,
    Flaw::AnyKeys,
];

/// The protocol with the flaw of number `FLAW`.
pub fn subject<const FLAW: u8>() -> Subject {
    Subject::new(
        |graph, _| {
            let options = LowerOptions {
                ring: 40,
                frac: 16,
                reveal: Reveal::All,
            };
            let graph = lower(graph, &options)?;
            let flaw = FLAWS[usize::from(FLAW)];
            Ok(Box::new(Whole { flaw, graph }))
        },
        |bytes, _| match (bytes, FLAW == Flaw::Plan as u8) {
            (bytes, true) => Ok(Box::new(Toy::parse(bytes).unwrap())),
            (bytes, false) => Ok(Box::new(Toy::parse(bytes)?)),
        },
    )
}

struct Whole {
    flaw: Flaw,
    graph: FixedGraph,
}

impl WholePlan for Whole {
    fn seats(&self) -> Vec<Seat> {
        let seat = |party, name, kind| Seat { party, name, kind };
        vec![
            seat(HOLDER, "server-0", PartyKind::Server),
            seat(OTHER, "server-1", PartyKind::Server),
            seat(CLIENT, "client", PartyKind::Client),
        ]
    }

    fn links(&self) -> Vec<(PartyId, PartyId)> {
        vec![(HOLDER, CLIENT), (OTHER, CLIENT), (HOLDER, OTHER)]
    }

    fn oracle(&self) -> &FixedGraph {
        &self.graph
    }

    fn view(&self, party: PartyId) -> Option<Vec<u8>> {
        let mut bytes = vec![party.0, self.flaw as u8];
        bytes.extend(self.graph.encode());
        (party <= CLIENT).then_some(bytes)
    }
}

struct Toy {
    me: PartyId,
    flaw: Flaw,
    graph: FixedGraph,
    key: Option<Seed>,
    drawn: u64,
    masks: VecDeque<Vec<u64>>,
}

impl Toy {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let [me @ 0..=2, flaw, graph @ ..] = bytes else {
            return Err(Malformed::Encoding);
        };
        let flaw = FLAWS.get(usize::from(*flaw)).ok_or(Malformed::Range)?;
        Ok(Self {
            me: PartyId(*me),
            flaw: *flaw,
            graph: FixedGraph::parse(graph).map_err(|_| Malformed::Encoding)?,
            key: None,
            drawn: 0,
            masks: VecDeque::new(),
        })
    }

    /// One ring for input and output.
    fn layout(&self) -> WordsLayout {
        let wires = self.graph.outputs.iter();
        let widest = wires.map(|wire| self.graph.wire(*wire).bits()).max();
        let count = self
            .graph
            .inputs
            .first()
            .map(|port| volume(&self.graph.wire(port.wire).shape));
        WordsLayout {
            count: count.unwrap_or(0),
            bits: widest.unwrap_or(1),
        }
    }

    /// What its keys begin with.
    fn mark(&self) -> Fingerprint {
        fingerprint_of(
            "toy keys",
            &[&[self.me.0], &self.graph.encode()[..]].concat(),
        )
    }

    fn draw(&mut self, s: &mut Session) -> Result<Vec<u64>, RunError> {
        let peer = if self.me == CLIENT { HOLDER } else { CLIENT };
        let nonce = match (self.flaw, self.masks.back()) {
            (Flaw::SameMask, Some(mask)) => return Ok(mask.clone()),
            (Flaw::KeptCounter, _) => [self.drawn as u8; 32],
            _ => s.fresh(peer)?,
        };
        self.drawn += 1;
        let key = self.key.as_ref().ok_or(LocalFault::Invariant)?;
        let layout = self.layout();
        Ok(Prg::new(&key.derive("toy mask", &nonce)).words(layout.bits, layout.count))
    }

    fn ask(
        &mut self,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let WordsLayout { bits, count } = self.layout();
        let mask_of = self.take()?;
        let inputs = inputs.ok_or(LocalFault::Input(InputFault::Missing))?;
        let x = encode_input(&self.graph, 0, &inputs[0])
            .map_err(|_| LocalFault::Input(InputFault::Range))?;
        let hidden = x.iter().zip(&mask_of).map(|(x, r)| {
            let word = x.wrapping_sub(*r) & mask(bits);
            match self.flaw {
                Flaw::TopBit => (word & mask(bits - 1)) | (x >> 63) << (bits - 1),
                _ => word,
            }
        });
        let values = hidden.collect();
        s.send(Step(1), OTHER, Words { bits, values })?;
        if self.flaw == Flaw::ExtraMessage && (x[0] as i64) > 0 {
            s.send(Step(9), HOLDER, ())?;
        }
        let layout = WordsLayout { bits, count };
        let from = [(HOLDER, layout), (OTHER, layout)];
        let got = s.exchange::<(), Words>(Step(2), Vec::new(), &from);
        let shares = match self.flaw {
            Flaw::Unwraps => got.unwrap(),
            Flaw::Answers => got.unwrap_or_default(),
            _ => got?,
        };
        let mut sum = vec![0u64; count];
        for share in &shares {
            for (sum, value) in sum.iter_mut().zip(&share.values) {
                *sum = sum.wrapping_add(*value);
            }
        }
        if self.flaw == Flaw::Answer {
            sum.iter_mut()
                .for_each(|value| *value = value.wrapping_add(2));
        }
        let opened =
            decode_output(&self.graph, 0, bits, &sum).map_err(|_| LocalFault::Invariant)?;
        let answers = self.graph.tail.eval(&[opened]);
        Ok(Some(answers.map_err(|_| LocalFault::Invariant)?))
    }

    fn take(&mut self) -> Result<Vec<u64>, RunError> {
        let taken = self.masks.pop_front();
        if let (Flaw::SameMask, Some(mask)) = (self.flaw, &taken) {
            self.masks.push_front(mask.clone());
        }
        Ok(taken.ok_or(StockFault::Exhausted)?)
    }

    fn serve(&mut self, s: &mut Session) -> Result<Option<Vec<Tensor>>, RunError> {
        let layout = self.layout();
        let share = match self.me {
            HOLDER => self.take()?,
            _ => s.receive::<Words>(Step(1), CLIENT, layout)?.values,
        };
        let (peer, own) = if self.me == HOLDER {
            (OTHER, s.seed())
        } else {
            (HOLDER, s.seed())
        };
        let coin = match self.flaw {
            Flaw::Opened => share.clone(),
            _ => Prg::new(&own).words(layout.bits, layout.count),
        };
        let coin = Words {
            bits: layout.bits,
            values: coin,
        };
        let _: Vec<Words> = s.exchange(Step(3), vec![(peer, coin)], &[(peer, layout)])?;
        let constant = match self.graph.nodes.first().map(|node| &node.op) {
            Some(FixedOp::Offset(by)) if self.me == HOLDER => *by as u64,
            _ => 0,
        };
        let even = u64::from(self.flaw == Flaw::EvenShare && self.me == HOLDER);
        let added = share
            .iter()
            .map(|v| v.wrapping_add(constant) & mask(layout.bits) & !even);
        let words = Words {
            bits: layout.bits,
            values: added.collect(),
        };
        s.send(Step(2), CLIENT, words)?;
        if self.flaw == Flaw::ExtraMessage {
            // Long enough for the message that nobody reads to find the link open.
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(None)
    }

    fn done<T>(&self, result: Result<T, RunError>) -> Result<T, RunError> {
        match (result, self.flaw) {
            (Err(_), Flaw::Blames) if self.me == OTHER => Err(RunError::Link {
                peer: HOLDER,
                fault: LinkFault::Closed,
            }),
            (Err(_), Flaw::Waits) => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            (result, _) => result,
        }
    }
}

impl Party for Toy {
    fn price(&self) -> Bill {
        let mut bill = Bill::default();
        let words = Words::size(&self.layout());
        match self.me {
            CLIENT => {
                bill.exchange(Phase::Setup, Bytes(32), true);
                bill.exchange(Phase::Online, words, false);
                bill.exchange(Phase::Online, Bytes(0), true);
            }
            HOLDER => {
                bill.exchange(Phase::Setup, Bytes(32), true);
                bill.exchange(Phase::Online, words, true);
                bill.exchange(Phase::Online, words, false);
            }
            _ => {
                let extra = Bytes(u64::from(self.flaw == Flaw::Price));
                bill.exchange(Phase::Online, Bytes(0), true);
                bill.exchange(Phase::Online, words, true);
                bill.exchange(Phase::Online, words + extra, false);
            }
        }
        bill
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        fingerprint_of("toy", &self.graph.encode())
    }

    fn setup(&mut self, _: &Holding, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Setup);
        if self.me == OTHER {
            // It shares none, and keeps what is of no use.
            self.key = Some(s.seed());
            return Ok(());
        }
        let peer = if self.me == CLIENT { HOLDER } else { CLIENT };
        let mut mine = s.seed();
        if self.flaw == Flaw::HalfSeed {
            let mut bytes = *mine.reveal();
            bytes[..16].fill(0);
            mine = Seed::from_bytes(bytes);
        }
        let swapped = s.exchange(Step(0), vec![(peer, mine.share())], &[(peer, ())]);
        let theirs: Seed = self.done(swapped)?.pop().ok_or(LocalFault::Invariant)?;
        let (low, high) = if self.me == CLIENT {
            (theirs, mine)
        } else {
            (mine, theirs)
        };
        self.key = Some(low.derive("toy key", high.reveal()));
        Ok(())
    }

    fn keys(&self) -> Option<Secret<Vec<u8>>> {
        let key = self.key.as_ref()?;
        Some(Secret::new([self.mark(), *key.reveal()].concat()))
    }

    fn restore(&mut self, keys: &[u8], _: &Holding) -> Result<(), RunError> {
        let (mark, key) = keys.split_at_checked(32).ok_or(LocalFault::Keys)?;
        if mark != self.mark() && self.flaw != Flaw::AnyKeys {
            return Err(LocalFault::Keys.into());
        }
        let mut key: [u8; 32] = key.try_into().map_err(|_| LocalFault::Keys)?;
        if self.flaw == Flaw::LostKeys && self.me == CLIENT {
            key[31] ^= 1;
        }
        self.key = Some(Seed::from_bytes(key));
        Ok(())
    }

    fn offline(&mut self, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Offline);
        if self.me != OTHER {
            let mask = self.draw(s)?;
            self.masks.push_back(mask);
        }
        Ok(())
    }

    fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        s.enter(Phase::Online);
        let result = match self.me {
            CLIENT => self.ask(inputs, s),
            _ => self.serve(s),
        };
        self.done(result)
    }

    fn stocked(&self) -> usize {
        self.masks.len()
    }

    fn pieces(&self) -> Vec<Bytes> {
        let kept = (self.me != OTHER).then(|| Words::size(&self.layout()));
        kept.into_iter().collect()
    }

    fn offline_to(
        &mut self,
        shelf: &mut dyn Shelf<Encoded>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        self.offline(s)?;
        let layout = self.layout();
        if let Some(values) = self.masks.pop_back() {
            let bits = layout.bits;
            shelf.put(Encoded::of(&Words { bits, values }, &layout))?;
        }
        Ok(())
    }

    fn load(&mut self, mut stock: Stock<Encoded>) -> Result<(), RunError> {
        if self.me != OTHER {
            let words: Result<Words, _> = stock.take()?.value(&self.layout());
            let words = words.map_err(|_| StockFault::Malformed)?;
            self.masks.push_front(words.values);
        }
        Ok(())
    }
}
