//! Float, ranged and fixed-point graphs, lowering, and the clear reading
