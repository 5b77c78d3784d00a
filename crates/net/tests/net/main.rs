//! Sessions over every transport, and everything that a peer can do wrong on them.

mod mesh;
mod ring;
