//! Bytes whose length follows from a layout that both sides know before they come.

use crate::Bytes;
use std::sync::Arc;
use thiserror::Error;

/// Bytes that are not a value of the expected layout.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("expected {expected} bytes, found {found}")]
    Length { expected: u64, found: u64 },
    #[error("padding bits are not zero")]
    Padding,
    #[error("a value lies outside its range")]
    Range,
    #[error("not a known encoding")]
    Encoding,
}

/// A message or piece of one-time material. A decoded value is a valid value.
pub trait Wire: Sized + Send + 'static {
    type Layout: Clone + Send;
    /// Length of the encoding: a function of the layout alone.
    fn size(layout: &Self::Layout) -> Bytes;
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed>;
}

/// The type of pieces of a role that has none.
pub enum Never {}

impl Wire for Never {
    type Layout = Never;
    fn size(layout: &Never) -> Bytes {
        match *layout {}
    }
    fn encode(&self, _: &mut Vec<u8>) {
        match *self {}
    }
    fn decode(layout: &Never, _: &[u8]) -> Result<Self, Malformed> {
        match *layout {}
    }
}

impl Clone for Never {
    fn clone(&self) -> Self {
        match *self {}
    }
}

impl Wire for () {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(0)
    }
    fn encode(&self, _: &mut Vec<u8>) {}
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        exactly::<0>(bytes).map(|_| ())
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    type Layout = (A::Layout, B::Layout);
    fn size(layout: &Self::Layout) -> Bytes {
        A::size(&layout.0) + B::size(&layout.1)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let at = A::size(&layout.0).0;
        let (first, second) = usize::try_from(at)
            .ok()
            .and_then(|at| bytes.split_at_checked(at))
            .ok_or(Malformed::Length {
                expected: at,
                found: bytes.len() as u64,
            })?;
        Ok((A::decode(&layout.0, first)?, B::decode(&layout.1, second)?))
    }
}

/// What is sent and still needed afterwards.
impl<A: Wire + Sync> Wire for Arc<A> {
    type Layout = A::Layout;
    fn size(layout: &Self::Layout) -> Bytes {
        A::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        A::decode(layout, bytes).map(Self::new)
    }
}

/// The layout of a vector is the list of its items' layouts.
impl<A: Wire> Wire for Vec<A> {
    type Layout = Vec<A::Layout>;
    fn size(layout: &Self::Layout) -> Bytes {
        layout.iter().map(A::size).sum()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for item in self {
            item.encode(out);
        }
    }
    fn decode(layout: &Self::Layout, mut bytes: &[u8]) -> Result<Self, Malformed> {
        let expected = Self::size(layout).0;
        if bytes.len() as u64 != expected {
            return Err(Malformed::Length {
                expected,
                found: bytes.len() as u64,
            });
        }
        let mut items = Vec::with_capacity(layout.len());
        for item in layout {
            let (head, rest) = bytes.split_at(A::size(item).0 as usize);
            items.push(A::decode(item, head)?);
            bytes = rest;
        }
        Ok(items)
    }
}

pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Length {
        expected: N as u64,
        found: bytes.len() as u64,
    })
}
