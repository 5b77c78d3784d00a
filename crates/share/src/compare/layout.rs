use subrosa_core::BitsLayout;

/// Bits of λ in one threshold table.
const BLOCK: u32 = 4;
/// Items merged by one opening.
const RADIX: usize = 4;

/// The shape of one batch of comparisons: which rows of the dealt bit matrix mean what.
///
/// Rows are of two kinds. *Free* rows come first: random masks, the XOR of two streams that the dealer shares
/// with each evaluator; they cost nothing to deal. *Dealt* rows are functions of λ and of the masks: the first
/// evaluator's share is a stream, the second's is sent by the dealer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Values compared side by side.
    pub lanes: usize,
    /// Width of the ring; at least 2.
    pub bits: u32,
    pub(super) blocks: Vec<Block>,
    pub(super) top: usize,
    pub(super) levels: Vec<Vec<Group>>,
    pub(super) rho: usize,
    pub(super) free: usize,
    pub(super) dealt: usize,
}

/// Bits `from .. from + width` of λ; rows `first ..` hold the thresholds [λ_block > v], v = 0 .. 2^width - 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub from: u32,
    pub width: u32,
    pub first: usize,
}

/// Items `start .. start + size` of a level, most significant first.
///
/// The masks a_i of P_i and b_j of G_j are free rows; products of masks are dealt rows. Index S runs over sets
/// of positions as a bit mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub start: usize,
    pub size: usize,
    /// Row of the product of a_i over i in S, S within the first size - 1 positions. Entry 0 is unused.
    pub a: Vec<usize>,
    /// `ab[j - 1][S]`: row of b_j times the product over S, S within the first j positions, 1 <= j < size.
    pub ab: Vec<Vec<usize>>,
    /// Row of a_(size-1) times the product over S; empty for the least significant group, whose P is unused.
    pub last: Vec<usize>,
}

impl Group {
    /// Rows that mask what is opened: P_0 .. P_(size-2), then G_1 .. G_(size-1), then P_(size-1) if it is used.
    pub fn masks(&self) -> impl Iterator<Item = usize> + '_ {
        let p = (0..self.size - 1).map(|i| self.a[1 << i]);
        p.chain(self.ab.iter().map(|row| row[0]))
            .chain(self.last.first().copied())
    }

    pub fn openings(&self) -> usize {
        2 * (self.size - 1) + usize::from(!self.last.is_empty())
    }
}

impl Comparison {
    /// `lanes` values of Z/2^bits, 2 <= bits <= 64.
    pub fn new(lanes: usize, bits: u32) -> Self {
        let low = bits - 1;
        let mut rows = Rows::default();
        let count = low.div_ceil(BLOCK);
        let mut blocks: Vec<Block> = (0..count)
            .map(|b| Block {
                from: b * BLOCK,
                width: BLOCK.min(low - b * BLOCK),
                first: 0,
            })
            .collect();
        blocks.reverse();
        for block in &mut blocks {
            block.first = rows.dealt((1 << block.width) - 1);
        }
        let top = rows.dealt(1);
        let mut levels = Vec::new();
        let mut items = blocks.len();
        while items > 1 {
            let groups = items.div_ceil(RADIX);
            let mut start = 0;
            let level: Vec<Group> = (0..groups)
                .map(|g| {
                    let size = (items - start).div_ceil(groups - g);
                    let group = rows.group(start, size, g + 1 == groups);
                    start += size;
                    group
                })
                .collect();
            items = groups;
            levels.push(level);
        }
        let rho = rows.free(1);
        let mut shape = Self {
            lanes,
            bits,
            blocks,
            top,
            levels,
            rho,
            free: rows.free,
            dealt: rows.dealt,
        };
        shape.shift_dealt();
        shape
    }

    /// Rounds in which the evaluators open masked bits before the sign's shares are known.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Rows that are masks.
    pub fn free_rows(&self) -> BitsLayout {
        BitsLayout {
            planes: self.free,
            lanes: self.lanes,
        }
    }

    /// Rows that the dealer sends to the second evaluator.
    pub fn dealt_rows(&self) -> BitsLayout {
        BitsLayout {
            planes: self.dealt,
            lanes: self.lanes,
        }
    }

    /// All rows: one evaluator's share of the correlation.
    pub fn rows(&self) -> BitsLayout {
        BitsLayout {
            planes: self.free + self.dealt,
            lanes: self.lanes,
        }
    }

    /// What an evaluator opens at a level.
    pub fn opening(&self, level: usize) -> BitsLayout {
        let planes = self.levels[level].iter().map(Group::openings).sum();
        BitsLayout {
            planes,
            lanes: self.lanes,
        }
    }

    /// What an evaluator opens last: the sign, masked.
    pub fn masked_sign(&self) -> BitsLayout {
        BitsLayout {
            planes: 1,
            lanes: self.lanes,
        }
    }

    /// Dealt rows were numbered from zero with the top bit set; they follow the free rows.
    fn shift_dealt(&mut self) {
        let free = self.free;
        let place = |row: &mut usize| {
            if *row & DEALT != 0 {
                *row = free + (*row & !DEALT);
            }
        };
        self.blocks.iter_mut().for_each(|b| place(&mut b.first));
        place(&mut self.top);
        for group in self.levels.iter_mut().flatten() {
            group.a.iter_mut().for_each(place);
            group.ab.iter_mut().flatten().for_each(place);
            group.last.iter_mut().for_each(place);
        }
    }
}

const DEALT: usize = 1 << (usize::BITS - 1);

#[derive(Default)]
struct Rows {
    free: usize,
    dealt: usize,
}

impl Rows {
    fn free(&mut self, count: usize) -> usize {
        self.free += count;
        self.free - count
    }

    fn dealt(&mut self, count: usize) -> usize {
        self.dealt += count;
        (self.dealt - count) | DEALT
    }

    /// A product of masks over a set: a mask of its own for a single position.
    fn product(&mut self, single: bool) -> usize {
        if single { self.free(1) } else { self.dealt(1) }
    }

    fn group(&mut self, start: usize, size: usize, least: bool) -> Group {
        let sets = 1usize << (size - 1);
        let a = (0..sets)
            .map(|set| {
                if set == 0 {
                    0
                } else {
                    self.product(set.is_power_of_two())
                }
            })
            .collect();
        let ab = (1..size)
            .map(|j| (0..1usize << j).map(|set| self.product(set == 0)).collect())
            .collect();
        let last = if least {
            Vec::new()
        } else {
            (0..sets).map(|set| self.product(set == 0)).collect()
        };
        Group {
            start,
            size,
            a,
            ab,
            last,
        }
    }
}
