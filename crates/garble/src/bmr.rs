//! Garbling by several parties, each with an offset of its own: no garbler, and no garbler with the evaluator, can read alone.
//!
//! | | |
//! |---|---|
//! | source | Beaver, Micali, Rogaway (STOC 1990); with free XOR Ben-Efraim, Lindell, Omri ("Optimizing semi-honest secure multiparty computation for the internet", CCS 2016, 2016/1066) \[BLO16\], products by oblivious transfer |
//! | parties | n >= 2 garblers, at *places* 0 to n - 1, and an evaluator, which holds no offset |
//! | adversary | semi-honest: the evaluator and any n - 1 garblers, or all n garblers |
//! | messages | one exchange among the garblers for each of [`First`], [`Second`], [`Third`]; then [`RowShares`] to the evaluator, and later one label of each public bit |
//! | bytes | for each ordered pair of garblers and lane `cots + 2 ots` bits of [`Demand`]; to the evaluator `64 n` an AND gate and lane from each garbler, of which it keeps as much in all |
//! | not done | a garbler that lies is found only where its labels disagree with the others'; nobody can tell which it was |
//!
//! # Wires
//!
//! A wire w of value v has a mask l, the sum of one bit of each garbler; the evaluator learns `e = v + l`, and of each garbler j the
//! label `k^j + e R^j`, where R^j is the offset of garbler j and its zero label k^j is even, so that bit 0 of each label is e. Sums of wires
//! are sums of masks, of labels and of e. A negation adds 1 to the mask alone: to the share of garbler 0.
//!
//! | input | [`Owner`](crate::Owner) | mask | who knows e |
//! |---|---|---|---|
//! | public: known to all garblers when the evaluator evaluates | `Garbler` | 0 | all |
//! | shared: a sum of one bit of each garbler and one of the evaluator | `Evaluator` | the sum of the garblers' bits | the evaluator: it is its own bit |
//!
//! Labels of shared bits come by correlated OT, [`receiver_labels`] and [`sender_zeros`]; those of public bits from
//! [`Garbled::publics`], with a coin of the garbler's in the place of bit 0: the evaluator knows e and puts it there itself. So labels of one
//! bit from several garblers have no common bit, and all that travels is uniform together. Outputs leave as e at the evaluator and as shares of the mask at the garblers, [`Garbled::outputs`].
//!
//! # AND gates
//!
//! c = ab has a fresh mask and fresh labels. The garbled gate of \[BLO16\]: for each x, y and target j the sum over all garblers i of
//!
//! `F_i(x, y, j) + [((x + l_a)(y + l_b) + l_c) R^j]_i + (k^j_c where i = j)`
//!
//! where `[..]_i` is the share of garbler i. The row at `(e_a, e_b)` less all F is `k^j_c + e_c R^j`. The shares of `l_w R^j` (w the
//! shared inputs and the outputs of AND gates) and of `(l_a l_b) R^j` are made by correlated OT between every two garblers, those of
//! `l_a l_b` by random OT (Gilboa, Crypto 1999).
//!
//! # Calls
//!
//! | who | step |
//! |---|---|
//! | evaluator | [`receiver_labels`] of its own bits, with each garbler; the flips go there |
//! | each garbler | [`sender_zeros`], [`Garbler::begin`], [`ExpectFirst::second`], [`ExpectSecond::third`], [`ExpectThird::finish`] |
//! | evaluator | [`Rows::add`]; the rows are kept |
//! | each garbler | [`choose`](crate::ZeroLabels::choose) of [`Garbled::publics`], once the public bits are known |
//! | evaluator | [`evaluate`] |
//!
//! # What coalitions see
//!
//! *The evaluator and all garblers but h*: e of every wire, a coin of h's bit of the mask; of h one label of each wire; and rows of which all but
//! those at `(e_a, e_b)` are under F_h of a label that they lack. The F of an open row they can take off the part of each garbler alone, also
//! where several are honest. What is left are shares, uniform with the sum that is meant to be known: each contains one of
//! `l_c R^j` from an OT that serves nothing else, and of the bit that it multiplies the garbler's own fresh `l_c`.
//!
//! *All garblers*: every mask and every label, but no e. What the evaluator tells them of its bits is under random choices of OTs.
//!
//! # The hash
//!
//! `F_i(x, y, j) = E(z) + z` with AES-128 under a key of the gate and of [`LANES_PER_KEY`](crate::LANES_PER_KEY) lanes, and
//! `z = 2 a_x + 4 b_y + t` in GF(2^128) modulo `X^128 + X^7 + X^2 + X + 1`, where a_x, b_y are the labels of garbler i and
//! `t = 4 j + 2 x + y`. Keys count up from a uniform start that each garbler draws for each call and sends in front of its rows.
//!
//! The labels are joined before they are hashed. Were F a hash of `a_x` plus one of `b_y`, the four F of a target
//! would sum to zero, and the sum of the four rows would tell what the shares sum to.
//!
//! An evaluator that knows z of one row knows of the others that they lie at `z + 2 R`, `z + 4 R`, `z + 6 R`, and what they mask may
//! contain R as well. The construction `E(z) + z` is circular correlation robust if no linear relation cancels R (Guo, Katz, Wang, Yu, S&P 2020,
//! 2019/074): of `c R` and of `c R + R` with c in 2, 4, 6 none is zero unless R is, so that the doubling does what
//! the orthomorphism does in the hash of half gates, and none is needed besides.
//!
//! Under one key there are `3 n LANES_PER_KEY` hashes unknown to the evaluator, so that a guess of an offset, at one key schedule and one
//! block, is right with chance at most `3 n LANES_PER_KEY / 2^127`: about 2^120 guesses for an even chance with two
//! garblers and 2^118 with eight, however many gates and sessions there are.
//!
//! # Room
//!
//! Until [`ExpectThird::finish`] a garbler keeps 16 n bytes for each correlated OT and lane, then 64 n for each AND gate and lane.

mod and;
mod correct;
mod demand;
mod evaluate;
mod fault;
mod garbler;
mod masks;
mod message;
mod rows;
mod write;

pub use correct::{receiver_labels, sender_zeros};
pub use demand::Demand;
pub use evaluate::{ActiveInputs, evaluate};
pub use fault::Fault;
pub use garbler::{ExpectFirst, ExpectSecond, ExpectThird, Garbled, Garbler, Pair};
pub use message::{First, Second, Third};
pub use rows::{RowShares, Rows, RowsLayout};
