//! Sessions over every transport, and everything that a peer can do wrong on them.

mod blame;
mod frames;
mod mesh;
mod opening;
mod ring;
mod tls;
