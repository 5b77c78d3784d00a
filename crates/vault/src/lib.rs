//! Floor 3: one-time material on disk, taken exactly once.
