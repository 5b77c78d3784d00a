//! What the garblers tell each other. All of it is uniform to its receiver.

use subrosa_core::{BitsLayout, Bytes, Malformed, Wire};
use subrosa_ring::BitMatrix;

macro_rules! message {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(pub(crate) BitMatrix);

        impl Wire for $name {
            type Layout = BitsLayout;
            fn size(layout: &BitsLayout) -> Bytes {
                BitMatrix::size(layout)
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
            fn decode(layout: &BitsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
                BitMatrix::decode(layout, bytes).map(Self)
            }
        }
    };
}

message! {
    /// Where the receiver's random choices differ from its share of each `l_w` (w the shared inputs, then the outputs of AND gates),
    /// and in the random OTs from its share of each `l_a`. Layout [`Demand::first`](super::Demand::first).
    First
}
message! {
    /// The sender's share of each `l_b`, masked by both messages of a random OT. Layout [`Demand::second`](super::Demand::second).
    Second
}
message! {
    /// Where the receiver's random choices differ from its share of each `l_a l_b`. Layout [`Demand::second`](super::Demand::second).
    Third
}
