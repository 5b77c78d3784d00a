//! Sign of d = c + λ mod 2^bits, from [`crate`]'s masked form, |d| < 2^(bits - 1).
//!
//! With t = !c on the low bits, the carry into the top bit is [λ_low > t], and
//! msb(d) = msb(c) + msb(λ) + carry mod 2. The dealer knows λ, so it deals for every block of four bits of λ
//! the thresholds [λ_block > v], v = 0..14, in XOR shares. The evaluators know t and look up, by a
//! multiplexer on public bits, G = [λ_block > t_block] and P = [λ_block = t_block] without a message. Blocks
//! are merged four at a time, G' = G0 + P0 G1 + P0 P1 G2 + P0 P1 P2 G3 and P' = P0 P1 P2 P3, each level by one
//! opening of masked bits whose mask products the dealer has dealt (Beaver, generalised to products of up to
//! four bits as in ABY2.0). Up to 16 low bits take one level, up to 63 two.

mod deal;
mod evaluate;
mod layout;

pub use deal::deal;
pub use evaluate::Evaluation;
pub use layout::Comparison;

#[cfg(test)]
mod tests;
