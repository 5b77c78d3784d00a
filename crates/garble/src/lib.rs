//! Floor 3: boolean circuits, and garbling by one party or by several. Nothing here sends.
//!
//! A [`Circuit`] comes from a [`Builder`], from [`neural`] or from [`bristol`]. A [`Garbler`] turns many copies of it
//! ("lanes") into [`Tables`], the zero labels of the inputs and the [`OutputColours`]; an [`Evaluator`] turns tables and
//! one label for each input into labels of the outputs, whose colours the holder of `OutputColours` decodes.
//!
//! ```
//! use subrosa_core::{Prg, Seed};
//! use subrosa_garble::{Evaluator, Garbler, neural};
//! use subrosa_ring::{from_planes, to_planes};
//!
//! let circuit = neural::relu_remask(16, 16);
//! let input = |name: &str| circuit.input(name).unwrap();
//! let (c, lambda, r) = (to_planes(&[5, 7], 0, 16), to_planes(&[0xfff0, 1], 0, 16), to_planes(&[1, 2], 0, 16));
//!
//! let mut garbler = Garbler::new(Prg::new(&Seed::insecure_seeded(1)));
//! let mut garbled = garbler.garble(&circuit, 2);
//! // The evaluator's labels come by oblivious transfer from `take(..)?.pairs()`; here both parties are one.
//! let mut labels = garbled.inputs.take(input("c"))?.choose(&c)?;
//! labels.append(garbled.inputs.take(input("lambda"))?.choose(&lambda)?)?;
//! labels.append(garbled.inputs.take(input("r"))?.choose(&r)?)?;
//!
//! let colours = Evaluator::new().evaluate(&circuit, garbled.tables, labels)?.colours();
//! let out = garbled.colours.decode(&colours)?;
//! assert_eq!(from_planes(&out), [0xffff, 6]);
//! # Ok::<(), subrosa_garble::LabelFault>(())
//! ```
//!
//! Where several parties garble so that none of them can read alone, see [`bmr`]; the rest of this page is of one garbler.
//!
//! The scheme is that of Zahur, Rosulek and Evans ("Two halves make a whole", Eurocrypt 2015) with free XOR and
//! point-and-permute. Negation and constants cost nothing. Both parties are semi-honest.
//!
//! # The hash
//!
//! `H(x, i) = E_i(s(x)) + s(x)` with AES-128 under the key `i`, `s(x_h | x_l) = (x_h + x_l | x_h)` (Guo, Katz, Wang, Weng, Yu,
//! "Better concrete security for half-gates garbling (in the multi-instance setting)", Crypto 2020, 2019/1168). Keys count up
//! from a uniform 128-bit start that each call of [`Garbler::garble`] draws and sends in front of its tables, so that a table of AES values
//! computed in advance, or for another garbling, is of no use. Each of the two inputs of an AND gate has a key
//! of its own, shared by [`LANES_PER_KEY`] lanes and by nothing else. Under one key there are then as many
//! hashes unknown to the evaluator as lanes, so that a guess of the offset, which costs one AES key schedule and one
//! block, is right for one of them with chance at most `LANES_PER_KEY / 2^127`: about 2^123 guesses for an even chance, however many
//! gates and sessions there are. A fixed key would lose the logarithm of the number of all gates instead.
//!
//! # Room
//!
//! A call keeps 32 bytes for each AND gate and lane, and 16 for each input and lane. Calls of 64 to 512 lanes are fastest:
//! memory that the allocator has to fetch anew costs up to as much as garbling into it. Several garblers, each with a stream of its
//! own, work side by side.

pub mod bmr;
pub mod bristol;
mod builder;
mod circuit;
mod evaluator;
mod garbler;
mod half_gates;
mod hash;
mod labels;
pub mod neural;
mod schedule;
mod tables;
mod words;

pub use builder::Builder;
pub use circuit::{Bit, Circuit, Gate, Input, Output, Owner};
pub use evaluator::{Evaluator, OutputLabels};
pub use garbler::{Garbled, Garbler};
pub use hash::LANES_PER_KEY;
pub use labels::{ActiveLabels, InputLabels, LabelFault, LabelsLayout, OutputColours, ZeroLabels};
pub use tables::{Tables, TablesLayout};
