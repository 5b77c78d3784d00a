//! What a coalition of servers makes of its joint view.

use crate::record::{Record, Stage};
use subrosa_collective::activation::{Shape, online_all};
use subrosa_collective::{Piece, Place, Scheme, Step};
use subrosa_core::{BitsLayout, PartyId, Prg, Seed, Wire, Words, WordsLayout};
use subrosa_protocol::Role;
use subrosa_ring::{BitMatrix, expand_bits, mask};
use subrosa_seco::view::handed;
use subrosa_seco::{GATEWAY, Gateway, USER, remote_party};

type GatewayPiece = <Gateway as Role>::Piece;

/// A set of servers: bit j of the place j.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coalition(pub u32);

impl Coalition {
    /// Every set but the empty one; all servers together come last.
    pub fn all(servers: usize) -> impl Iterator<Item = Self> {
        (1..1 << servers).map(Self)
    }

    pub fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn first(self) -> usize {
        self.0.trailing_zeros() as usize
    }
}

/// A value that is masked by shares of all servers.
pub struct Masked {
    pub bits: u32,
    /// c or e, as each server has it: [servers][count].
    pub public: Vec<Vec<u64>>,
    /// Each server's share of λ or l: [servers][count].
    pub shares: Vec<Vec<u64>>,
    /// Of bits, not of Z/2^bits.
    pub xor: bool,
}

impl Masked {
    /// c plus all shares of λ that the coalition has.
    pub fn guess(&self, coalition: Coalition) -> Vec<u64> {
        let mut sum = self.public[coalition.first()].clone();
        let members = self.shares.iter().enumerate();
        for (_, share) in members.filter(|(place, _)| coalition.has(*place)) {
            for (sum, share) in sum.iter_mut().zip(share) {
                *sum = match self.xor {
                    true => *sum ^ share,
                    false => sum.wrapping_add(*share) & mask(self.bits),
                };
            }
        }
        sum
    }
}

/// What one server says to another in a step online.
enum Said {
    Nothing,
    /// Its share of a masked product.
    Product(Words),
    /// Of an activation e, if it is the evaluator, and its share of the masked result.
    Activated(Vec<BitMatrix>, Words),
}

/// One inference as the servers see it.
pub struct Seen<'a> {
    pub scheme: &'a Scheme,
    pub record: &'a Record,
    pub number: usize,
}

impl Seen<'_> {
    fn servers(&self) -> usize {
        self.scheme.servers()
    }

    pub fn party(&self, place: usize) -> PartyId {
        match place < self.scheme.remotes {
            true => remote_party(place),
            false => GATEWAY,
        }
    }

    pub fn messages(&self, stage: Stage, from: PartyId, to: PartyId) -> &[Vec<u8>] {
        self.record
            .messages
            .get(&(stage, from, to))
            .map_or(&[], Vec::as_slice)
    }

    /// The pieces of the hidden half.
    fn pieces(&self, place: usize) -> Vec<&Piece> {
        if place < self.scheme.remotes {
            return self.record.remotes[place].pieces[self.number]
                .iter()
                .collect();
        }
        let all = self.record.gateway.pieces[self.number].iter();
        let hidden = all.filter_map(|piece| match piece {
            GatewayPiece::Hidden(piece) => Some(piece),
            _ => None,
        });
        hidden.collect()
    }

    /// Everything that `from` says to `to` online, step by step.
    fn said(&self, from: usize, to: usize) -> Vec<Said> {
        let (sender, receiver) = (self.party(from), self.party(to));
        let stage = Stage::Online(self.number);
        let mut messages = self.messages(stage, sender, receiver).iter();
        let mut next = || messages.next().unwrap().as_slice();
        if sender == GATEWAY {
            next();
        }
        let is_among = |moves: &subrosa_collective::activation::Move| {
            let ends = (Place(from), Place(to));
            moves
                .0
                .iter()
                .any(|message| (message.from, message.to) == ends)
        };
        let mut all = Vec::new();
        for step in &self.scheme.steps {
            all.push(match step {
                Step::Refresh(_) => Said::Nothing,
                Step::Linear(product) => {
                    Said::Product(Words::decode(&product.out, next()).unwrap())
                }
                Step::Activation(shapes) => {
                    let moves = online_all(shapes, self.scheme.garbling, self.scheme.remotes);
                    if is_among(&moves[0]) {
                        next();
                    }
                    let e = match is_among(&moves[1]) {
                        true => Wire::decode(&results(shapes), next()).unwrap(),
                        false => Vec::new(),
                    };
                    Said::Activated(e, Words::decode(&opened(shapes), next()).unwrap())
                }
            });
        }
        assert!(messages.next().is_none());
        all
    }

    /// What every server has said, as `me` knows it: from what it was told, and from what it told.
    fn known(&self, me: usize) -> Vec<Vec<Said>> {
        let other = usize::from(me == 0);
        let heard = |from: usize| match from == me {
            true => self.said(me, other),
            false => self.said(from, me),
        };
        (0..self.servers()).map(heard).collect()
    }

    /// The input of the hidden half: c, and r of each server.
    pub fn input(&self) -> Masked {
        let layouts = &self.scheme.inputs;
        let remotes = 0..self.scheme.remotes;
        let mut public: Vec<Vec<u64>> = remotes
            .map(|to| {
                let messages = self.messages(Stage::Online(self.number), GATEWAY, remote_party(to));
                Vec::<Words>::decode(layouts, &messages[0])
                    .unwrap()
                    .remove(0)
                    .values
            })
            .collect();
        let user = self.messages(Stage::Online(self.number), USER, GATEWAY);
        let wide = handed(self.scheme);
        let mut own = Vec::<Words>::decode(&wide, &user[0]).unwrap();
        let bits = layouts[0].bits;
        own[0].values.iter_mut().for_each(|c| *c &= mask(bits));
        public.push(own.remove(0).values);
        let masks = self.user_masks(0);
        let mut shares = self.shares_of_the_users(0, &wide, &masks);
        shares
            .iter_mut()
            .flatten()
            .for_each(|r| r.values.iter_mut().for_each(|r| *r &= mask(bits)));
        Masked {
            bits,
            public,
            shares: shares
                .into_iter()
                .map(|mut share| share.remove(0).values)
                .collect(),
            xor: false,
        }
    }

    /// An answer: c is what the gateway tells the user, less what it has kept; λ^j = ρ^j and what the gateway was sent for it.
    pub fn answer(&self, output: usize) -> Masked {
        let layouts = &self.scheme.outputs;
        let WordsLayout { bits, count } = layouts[output];
        let told = self
            .messages(Stage::Online(self.number), GATEWAY, USER)
            .last();
        let mut c = Vec::<Words>::decode(layouts, told.unwrap()).unwrap();
        let mut c = c.remove(output).values;
        let all = self.record.gateway.pieces[self.number].last();
        let Some(GatewayPiece::Words(all)) = all else {
            panic!("the gateway keeps what turns masked outputs into masked answers");
        };
        let mut gateways = all[output].values.clone();
        subtract(&mut c, &all[output].values, bits);
        let mut shares = Vec::new();
        for remote in 0..self.scheme.remotes {
            let stage = Stage::Offline(self.number);
            let sent = self.messages(stage, remote_party(remote), GATEWAY).last();
            let sent = Vec::<Words>::decode(layouts, sent.unwrap()).unwrap();
            subtract(&mut gateways, &sent[output].values, bits);
            shares.push(sent[output].values.clone());
        }
        shares.push(gateways);
        let rho = self.shares_of_the_users(1, layouts, &self.user_masks(1));
        for (share, rho) in shares.iter_mut().zip(&rho) {
            for (share, rho) in share.iter_mut().zip(&rho[output].values) {
                *share = share.wrapping_add(*rho) & mask(bits);
            }
        }
        assert_eq!(c.len(), count);
        Masked {
            bits,
            public: vec![c; self.servers()],
            shares,
            xor: false,
        }
    }

    /// The shares of a masked product, and what each server has kept for it: y^j = W^j c + τ^j.
    pub fn product(&self, step: usize) -> (u32, Vec<[Vec<u64>; 2]>) {
        let Step::Linear(product) = &self.scheme.steps[step] else {
            panic!("step {step} is a product");
        };
        let known = self.known(0);
        let server = |place: usize| {
            let Said::Product(said) = &known[place][step] else {
                panic!("step {step} is a product");
            };
            let Piece::Words(kept) = self.pieces(place)[step] else {
                panic!("step {step} is a product");
            };
            [said.values.clone(), kept.values.clone()]
        };
        (product.out.bits, (0..self.servers()).map(server).collect())
    }

    /// The result of an activation that is one chunk: as c and λ, and as e and l, bit by bit.
    pub fn activated(&self) -> [Masked; 2] {
        let is_activation = |step: &Step| matches!(step, Step::Activation(_));
        let step = self.scheme.steps.iter().position(is_activation).unwrap();
        let Step::Activation(shapes) = &self.scheme.steps[step] else {
            panic!("step {step} is an activation");
        };
        let (WordsLayout { bits, .. }, shape) = (opened(shapes), shapes[0]);
        assert_eq!(shapes.len(), 1);
        let (mut c, mut e) = (Vec::new(), Vec::new());
        for me in 0..self.servers() {
            let mut sum = vec![0u64; shape.lanes];
            for said in self.known(me) {
                let Said::Activated(found, share) = &said[step] else {
                    panic!("step {step} is an activation");
                };
                for (sum, share) in sum.iter_mut().zip(&share.values) {
                    *sum = sum.wrapping_add(*share) & mask(bits);
                }
                e.extend(found.first().map(values));
            }
            assert_eq!(e.len(), me + 1);
            c.push(sum);
        }
        let (mut lambda, mut l) = (Vec::new(), Vec::new());
        for place in 0..self.servers() {
            let Piece::Activation(kept) = self.pieces(place)[step] else {
                panic!("step {step} is an activation");
            };
            lambda.push(kept.mask.values.clone());
            // The first bit of an additive share of a bit is that server's share by XOR.
            let mut values = vec![0u64; shape.lanes];
            for (at, bit) in kept.bits.iter().enumerate() {
                let pairs = values.iter_mut().zip(&bit.values);
                pairs.for_each(|(value, bit)| *value |= (bit & 1) << at);
            }
            l.push(values);
        }
        let planes = shape.output_planes() as u32;
        let masked = |bits, public, shares, xor| Masked {
            bits,
            public,
            shares,
            xor,
        };
        [masked(bits, c, lambda, false), masked(planes, e, l, true)]
    }

    /// r or ρ, as the user keeps it.
    fn user_masks(&self, purpose: usize) -> Vec<Words> {
        let pieces = &self.record.user.pieces[self.number];
        let subrosa_hybrid::Piece::Columns(masks) = &pieces[purpose] else {
            panic!("the user keeps masks");
        };
        let copy = |words: &Words| Words {
            bits: words.bits,
            values: words.values.clone(),
        };
        masks.iter().map(copy).collect()
    }

    /// Each server's share of r or ρ: of a remote from its kept seed and both nonces, of the gateway what is missing.
    fn shares_of_the_users(
        &self,
        purpose: u8,
        layouts: &[WordsLayout],
        whole: &[Words],
    ) -> Vec<Vec<Words>> {
        let stage = Stage::Offline(self.number);
        let draw = |remote: usize| -> Vec<Words> {
            let party = remote_party(remote);
            let [user, own] = [(GATEWAY, party), (party, GATEWAY)]
                .map(|(from, to)| self.messages(stage, from, to)[0].clone());
            let kept = &self.record.remotes[remote].keys.slots[0];
            let stream = kept.derive("seco inference", &[user, own].concat());
            let mut prg = Prg::new(&Seed::derive(&stream, "mask", &[purpose]));
            let words = |layout: &WordsLayout| Words {
                bits: layout.bits,
                values: prg.words(layout.bits, layout.count),
            };
            layouts.iter().map(words).collect()
        };
        let mut shares: Vec<Vec<Words>> = (0..self.scheme.remotes).map(draw).collect();
        let mut rest = whole.to_vec();
        for share in &shares {
            for (rest, share) in rest.iter_mut().zip(share) {
                subtract(&mut rest.values, &share.values, share.bits);
            }
        }
        shares.push(rest);
        shares
    }
}

/// e of all chunks.
fn results(shapes: &[Shape]) -> Vec<BitsLayout> {
    let layout = |shape: &Shape| BitsLayout {
        planes: shape.output_planes(),
        lanes: shape.lanes,
    };
    shapes.iter().map(layout).collect()
}

/// A server's share of the result of all chunks.
fn opened(shapes: &[Shape]) -> WordsLayout {
    WordsLayout {
        count: shapes.iter().map(|shape| shape.lanes).sum(),
        bits: shapes[0].kind.lift().wide,
    }
}

/// Lane by lane.
fn values(bits: &BitMatrix) -> Vec<u64> {
    let mut values = vec![0u64; bits.lanes()];
    for plane in 0..bits.planes() {
        let row = expand_bits(bits.row(plane), bits.lanes());
        let pairs = values.iter_mut().zip(row);
        pairs.for_each(|(value, bit)| *value |= bit << plane);
    }
    values
}

fn subtract(from: &mut [u64], share: &[u64], bits: u32) {
    for (from, share) in from.iter_mut().zip(share) {
        *from = from.wrapping_sub(*share) & mask(bits);
    }
}
