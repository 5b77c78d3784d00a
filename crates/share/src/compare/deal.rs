use super::Comparison;
use subrosa_ring::{BitMatrix, to_planes};

/// The dealt rows' plain values, from λ (`lanes` elements of Z/2^bits) and the masks (the free rows' plain values).
pub fn deal(shape: &Comparison, lambda: &[u64], masks: &BitMatrix) -> BitMatrix {
    let planes = to_planes(lambda, 0, shape.bits);
    let mut out = BitMatrix::new(shape.dealt, shape.lanes);
    for block in &shape.blocks {
        let first = block.first - shape.free;
        for (v, row) in thresholds(&planes, block.from, block.width)
            .into_iter()
            .enumerate()
        {
            out.row_mut(first + v).copy_from_slice(&row);
        }
    }
    out.row_mut(shape.top - shape.free)
        .copy_from_slice(planes.row(shape.bits as usize - 1));
    for group in shape.levels.iter().flatten() {
        // Products over sets grow from smaller sets, so every factor is there when it is read.
        for set in 1..group.a.len() {
            if !set.is_power_of_two() {
                let lowest = 1 << set.trailing_zeros();
                product(
                    shape,
                    masks,
                    &mut out,
                    group.a[set ^ lowest],
                    group.a[lowest],
                    group.a[set],
                );
            }
        }
        for row in group.ab.iter().chain(Some(&group.last)) {
            for set in 1..row.len() {
                product(shape, masks, &mut out, group.a[set], row[0], row[set]);
            }
        }
    }
    out
}

/// Row `to` becomes the AND of rows `x` and `y`.
fn product(
    shape: &Comparison,
    masks: &BitMatrix,
    out: &mut BitMatrix,
    x: usize,
    y: usize,
    to: usize,
) {
    let read = |out: &BitMatrix, row: usize| {
        if row < shape.free {
            masks.row(row).to_vec()
        } else {
            out.row(row - shape.free).to_vec()
        }
    };
    let mut value = read(out, x);
    for (v, w) in value.iter_mut().zip(read(out, y)) {
        *v &= w;
    }
    out.row_mut(to - shape.free).copy_from_slice(&value);
}

/// [x > v] for v = 0 .. 2^width - 2, x the bits `from .. from + width`, by doubling from the lowest bit:
/// with the next bit h, [x > v] is h or [low > v] below the middle, h at it, h and [low > v - 2^w] above.
fn thresholds(planes: &BitMatrix, from: u32, width: u32) -> Vec<Vec<u64>> {
    let mut rows = vec![planes.row(from as usize).to_vec()];
    for bit in 1..width {
        let high = planes.row((from + bit) as usize);
        let below = rows.iter().map(|low| zip(low, high, |l, h| l | h));
        let above = rows.iter().map(|low| zip(low, high, |l, h| l & h));
        rows = below.chain(Some(high.to_vec())).chain(above).collect();
    }
    rows
}

fn zip(x: &[u64], y: &[u64], f: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect()
}
