//! Sessions over every transport, and everything that a peer can do wrong on them.

mod blame;
mod door;
mod frames;
mod lines;
mod mesh;
mod opening;
mod raw;
mod ring;
mod tls;
mod validity;
