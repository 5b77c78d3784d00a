/// Bits of the largest modulus.
pub const MODULUS_BITS: u32 = 50;

/// A prime below 2^50, with what reduction by it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulus {
    prime: u64,
    /// k: 2^(k-1) < prime < 2^k.
    bits: u32,
    /// floor(2^(k+63) / prime), below 2^64.
    reciprocal: u64,
}

impl Modulus {
    /// `None` where `prime` is not an odd prime below 2^50.
    pub fn new(prime: u64) -> Option<Modulus> {
        if prime.is_multiple_of(2) || prime >> MODULUS_BITS != 0 || !is_prime(prime) {
            return None;
        }
        let bits = 64 - prime.leading_zeros();
        Some(Modulus {
            prime,
            bits,
            reciprocal: ((1u128 << (bits + 63)) / u128::from(prime)) as u64,
        })
    }

    pub fn prime(&self) -> u64 {
        self.prime
    }

    /// The bits that a residue takes.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// x mod p for x < 2^63 p (Barrett); constant time.
    #[inline]
    pub fn reduce(&self, x: u128) -> u64 {
        let high = (x >> (self.bits - 1)) as u64;
        let quotient = ((u128::from(high) * u128::from(self.reciprocal)) >> 64) as u64;
        // The quotient is short by less than three.
        let rest = (x as u64).wrapping_sub(quotient.wrapping_mul(self.prime));
        let rest = rest.min(rest.wrapping_sub(2 * self.prime));
        rest.min(rest.wrapping_sub(self.prime))
    }

    /// a + b, of residues; constant time.
    #[inline]
    pub fn add(&self, a: u64, b: u64) -> u64 {
        let sum = a + b;
        sum.min(sum.wrapping_sub(self.prime))
    }

    /// a - b, of residues; constant time.
    #[inline]
    pub fn sub(&self, a: u64, b: u64) -> u64 {
        let difference = a.wrapping_sub(b);
        difference.min(difference.wrapping_add(self.prime))
    }

    /// a b, of residues; constant time.
    #[inline]
    pub fn mul(&self, a: u64, b: u64) -> u64 {
        self.reduce(u128::from(a) * u128::from(b))
    }

    /// The residue of a signed integer; constant time.
    #[inline]
    pub fn residue(&self, x: i64) -> u64 {
        let negative = (x >> 63) as u64;
        let rest = self.reduce(u128::from(x.unsigned_abs()));
        self.sub(rest & !negative, rest & negative)
    }

    /// The residue of a signed integer in (-p, p); constant time.
    #[inline]
    pub fn small_residue(&self, x: i64) -> u64 {
        debug_assert!(x.unsigned_abs() < self.prime);
        (x as u64).wrapping_add(self.prime & (x >> 63) as u64)
    }

    /// The representative of residue `x` in (-p/2, p/2); constant time.
    #[inline]
    pub fn centred(&self, x: u64) -> i64 {
        let above = ((self.prime / 2).wrapping_sub(x) as i64 >> 63) as u64;
        x.wrapping_sub(self.prime & above) as i64
    }

    /// base^exponent, of a residue; takes as long as the exponent says.
    pub fn pow(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut base, mut power) = (base, 1);
        while exponent != 0 {
            if exponent & 1 == 1 {
                power = self.mul(power, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        power
    }

    /// 1 / a, of a residue that is not zero (Fermat).
    pub fn inverse(&self, a: u64) -> u64 {
        self.pow(a, self.prime - 2)
    }

    /// The first element of order 2 `degree` among g^((p-1) / (2 degree)), g = 2, 3, ...: parties that know p and
    /// `degree` have the same. `None` where 2 `degree` does not divide p - 1, or `degree` is not a power of two.
    pub fn root(&self, degree: usize) -> Option<u64> {
        let order = 2 * degree as u64;
        if !degree.is_power_of_two() || !(self.prime - 1).is_multiple_of(order) {
            return None;
        }
        (2..self.prime)
            .map(|g| self.pow(g, (self.prime - 1) / order))
            .find(|root| self.pow(*root, degree as u64) == self.prime - 1)
    }
}

/// Miller and Rabin with the bases that decide every number below 2^64.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    if let Some(divisor) = BASES.into_iter().find(|b| n.is_multiple_of(*b)) {
        return n == divisor;
    }
    let mul = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(n)) as u64;
    let twos = (n - 1).trailing_zeros();
    BASES.into_iter().all(|base| {
        let odd = (n - 1) >> twos;
        let mut power = (0..64).rev().fold(1, |power, i| {
            let square = mul(power, power);
            if odd >> i & 1 == 1 {
                mul(square, base)
            } else {
                square
            }
        });
        // base^odd is 1, or one of its squares base^(odd 2^i), i < twos, is -1.
        power == 1
            || (0..twos).any(|_| {
                let found = power == n - 1;
                power = mul(power, power);
                found
            })
    })
}
