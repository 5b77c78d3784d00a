//! What a step draws, keeps and sends in the reading `ot`.

use super::tree::Tree;
use crate::price::{Message, Side};
use crate::step::{Kind, Shape};
use subrosa_core::{BitsLayout, Wire, Words, WordsLayout};
use subrosa_ring::BitMatrix;

/// Bit rows and columns of ring elements: pieces of both parties, and corrections.
pub type Material = (BitMatrix, Vec<Words>);
pub type MaterialLayout = (BitsLayout, Vec<WordsLayout>);

/// A correlated OT whose choice is a bit that the owner learns online, and whose correlation the client knows offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Width of the correlation.
    pub bits: u32,
    /// Power of two that the product is multiplied with.
    pub shift: u32,
}

impl Shape {
    /// The comparison, of all bits below the sign.
    pub fn tree(&self) -> Option<Tree> {
        self.compared().map(|bits| Tree {
            bits: bits.0 as usize - 1,
        })
    }

    /// The products of the selection: by h, by t and by h t; a lift has that by t alone.
    pub fn selections(&self) -> Vec<Product> {
        let lift = self.lift();
        let wrap = Product {
            bits: lift.wrap_bits(),
            shift: lift.narrow,
        };
        let whole = Product {
            bits: lift.wide,
            shift: 0,
        };
        match self.kind {
            Kind::Lift(_) => vec![wrap],
            Kind::Maximum { .. } | Kind::Choice { .. } => vec![whole],
            Kind::Positive(_) if wrap.bits == 0 => vec![whole],
            Kind::Positive(_) => vec![whole, wrap, wrap],
        }
    }

    /// Random OTs for each lane with the client as sender.
    pub fn client_ots(&self) -> usize {
        let compared = self.tree().map_or(0, |tree| {
            let (products, merges) = tree.all_products();
            tree.bits + products + merges
        });
        compared + self.selections().len()
    }

    /// Random OTs for each lane with the owner as sender.
    pub fn owner_ots(&self) -> usize {
        usize::from(self.tree().is_some())
    }

    fn bits(&self, planes: usize) -> BitsLayout {
        BitsLayout {
            planes,
            lanes: self.lanes,
        }
    }

    fn words(&self, bits: u32) -> WordsLayout {
        WordsLayout {
            count: self.lanes,
            bits,
        }
    }

    fn selection_words(&self) -> impl Iterator<Item = WordsLayout> {
        let selections = self.selections();
        let shape = *self;
        selections.into_iter().map(move |p| shape.words(p.bits))
    }

    /// What the client sends offline: one row for each merge that makes an "equal", one column for each selection.
    pub fn correction(&self) -> MaterialLayout {
        let rows = self.tree().map_or(0, |tree| {
            let (products, merges) = tree.all_products();
            products - merges
        });
        (self.bits(rows), self.selection_words().collect())
    }

    /// The client's piece.
    pub fn client_piece(&self) -> MaterialLayout {
        let rows = self.tree().map_or(0, |tree| {
            let (products, merges) = tree.all_products();
            let shares = 2 * tree.blocks() - 1;
            2 * tree.table_bits() + shares + 2 * products + merges + 2
        });
        let base = self.words(self.lift().wide);
        let columns = std::iter::once(base).chain(self.selection_words());
        (self.bits(rows), columns.collect())
    }

    /// The owner's piece.
    pub fn owner_piece(&self) -> MaterialLayout {
        let selections = self.selections().len();
        let rows = self.tree().map_or(0, |tree| {
            let (products, merges) = tree.all_products();
            tree.bits + 2 * tree.blocks() - 1 + 2 * products + merges
        });
        let wide = self.words(self.lift().wide);
        let keys = std::iter::repeat_n(wide, 2 * self.owner_ots());
        (
            self.bits(rows + selections),
            keys.chain(self.selection_words()).collect(),
        )
    }

    /// Owner to client: v + d, all bits of the comparison.
    pub fn shifts(&self, tree: &Tree) -> BitsLayout {
        self.bits(tree.bits)
    }

    /// Client to owner: every table.
    pub fn answers(&self, tree: &Tree) -> BitsLayout {
        self.bits(tree.table_bits())
    }

    /// Both ways, for a level of `nodes` results.
    pub fn level(&self, nodes: usize) -> BitsLayout {
        self.bits(Tree::opened(nodes))
    }

    /// Client to owner: its masked share of the sign.
    pub fn sign(&self) -> BitsLayout {
        self.bits(1)
    }

    /// Owner to client: its masked choices, and the correction of the product with its value.
    pub fn choices(&self) -> MaterialLayout {
        let wide = self.words(self.lift().wide);
        (
            self.bits(self.selections().len()),
            vec![wide; self.owner_ots()],
        )
    }

    /// Client to owner: its share of the result, less the new mask.
    pub fn result(&self) -> WordsLayout {
        self.words(self.lift().wide)
    }
}

impl Shape {
    /// The client's message offline.
    pub(crate) fn corrected(&self) -> Message {
        (Some(Side::Client), Material::size(&self.correction()))
    }

    /// The messages of a step online, in order.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let (client, owner) = (Some(Side::Client), Some(Side::Owner));
        let mut messages = Vec::new();
        if let Some(tree) = self.tree() {
            messages.push((owner, BitMatrix::size(&self.shifts(&tree))));
            messages.push((client, BitMatrix::size(&self.answers(&tree))));
            let levels = tree.levels();
            messages.extend(levels.map(|nodes| (None, BitMatrix::size(&self.level(nodes)))));
            messages.push((client, BitMatrix::size(&self.sign())));
        }
        messages.push((owner, Material::size(&self.choices())));
        messages.push((client, Words::size(&self.result())));
        messages
    }
}
