use super::modulus::Modulus;

/// Constants of one direction, each as a kernel wants it.
#[derive(Clone, Debug, Default)]
pub(super) struct Twiddles {
    pub values: Vec<u64>,
    /// Shoup's quotients of the values, where the kernel wants them.
    pub quotients: Vec<u64>,
}

/// What a kernel reads beside the values.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// psi^rev(i) at i, for the blocks of level l at i = 2^l + block.
    pub forward: Twiddles,
    /// psi^-rev(i) at i; the one at 1 is divided by N.
    pub inverse: Twiddles,
    /// The last levels' constants of `forward`, in the order of [`Table::tail`].
    pub forward_tail: Twiddles,
    pub inverse_tail: Twiddles,
    /// 1 / N.
    pub scale: (u64, u64),
}

impl Table {
    /// The table of a kernel that keeps the constant w as `encode(w)` and does the last log2 `lanes` levels on tiles of
    /// `lanes`^2 values.
    pub fn new(
        modulus: &Modulus,
        root: u64,
        degree: usize,
        lanes: usize,
        encode: impl Fn(u64) -> (u64, u64),
    ) -> Table {
        let scale = modulus.inverse(modulus.residue(degree as i64));
        let forward = powers(modulus, root, degree);
        let mut inverse = powers(modulus, modulus.inverse(root), degree);
        let encoded = |values: &[u64]| -> Twiddles {
            let (values, quotients) = values.iter().map(|&w| encode(w)).unzip();
            Twiddles { values, quotients }
        };
        inverse[1] = modulus.mul(inverse[1], scale);
        Table {
            forward_tail: encoded(&tail(&forward, degree, lanes)),
            inverse_tail: encoded(&tail(&inverse, degree, lanes)),
            forward: encoded(&forward),
            inverse: encoded(&inverse),
            scale: encode(scale),
        }
    }
}

/// root^rev(i) at i < `degree`, rev over log2 `degree` bits.
fn powers(modulus: &Modulus, root: u64, degree: usize) -> Vec<u64> {
    let mut powers = vec![1; degree];
    let mut power = 1;
    for i in 1..degree {
        power = modulus.mul(power, root);
        powers[i.reverse_bits() >> (usize::BITS - degree.trailing_zeros())] = power;
    }
    powers
}

/// Of each tile of `lanes` blocks of `lanes` values, level by level, place by place within the block: the constants of
/// the `lanes` blocks side by side. `lanes - 1` groups of `lanes` for a tile.
fn tail(powers: &[u64], degree: usize, lanes: usize) -> Vec<u64> {
    let mut tail = Vec::new();
    if lanes < 2 {
        return tail;
    }
    for tile in 0..degree / (lanes * lanes) {
        let mut places = 1;
        while places < lanes {
            for place in 0..places {
                tail.extend((0..lanes).map(|lane| {
                    let block = tile * lanes + lane;
                    powers[places * (degree / lanes + block) + place]
                }));
            }
            places *= 2;
        }
    }
    tail
}
