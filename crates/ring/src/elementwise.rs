//! Element by element: sums, shifts, masks, sign extension. Slices of one
//! call have one length.

/// The low `bits` bits set, `bits <= 64`.
#[inline]
pub fn mask(bits: u32) -> u64 {
    debug_assert!(bits <= 64);
    if bits >= 64 {
        u64::MAX
    } else {
        (1u64 << bits) - 1
    }
}

/// The element of Z/2^bits read as two's complement, `1 <= bits <= 64`.
/// Bits of `v` above the low `bits` do not matter.
#[inline]
pub fn sign_extend(v: u64, bits: u32) -> i64 {
    debug_assert!((1..=64).contains(&bits));
    let unused = 64 - bits;
    ((v << unused) as i64) >> unused
}

#[inline]
fn zip_into(acc: &mut [u64], x: &[u64], f: impl Fn(u64, u64) -> u64) {
    assert_eq!(acc.len(), x.len(), "slices of one call have one length");
    for (a, &b) in acc.iter_mut().zip(x) {
        *a = f(*a, b);
    }
}

#[inline]
fn map_into(x: &mut [u64], f: impl Fn(u64) -> u64) {
    for v in x {
        *v = f(*v);
    }
}

/// `acc += x`, modulo 2^64.
pub fn add_into(acc: &mut [u64], x: &[u64]) {
    zip_into(acc, x, u64::wrapping_add);
}

/// `acc -= x`, modulo 2^64.
pub fn sub_into(acc: &mut [u64], x: &[u64]) {
    zip_into(acc, x, u64::wrapping_sub);
}

/// `x = -x`, modulo 2^64.
pub fn neg_into(x: &mut [u64]) {
    map_into(x, u64::wrapping_neg);
}

/// `x *= factor`, modulo 2^64.
pub fn scale_into(x: &mut [u64], factor: u64) {
    map_into(x, |v| v.wrapping_mul(factor));
}

/// Keeps the low `bits` bits of each element.
pub fn mask_into(x: &mut [u64], bits: u32) {
    let mask = mask(bits);
    map_into(x, |v| v & mask);
}

/// `x <<= shift`, `shift < 64`.
pub fn shl_into(x: &mut [u64], shift: u32) {
    assert!(shift < 64);
    map_into(x, |v| v << shift);
}

/// The low `bits` bits of each element shifted right by `shift < 64`, zeros
/// coming in: the result lies below 2^(bits - shift).
pub fn shr_logical_into(x: &mut [u64], bits: u32, shift: u32) {
    assert!(shift < 64);
    let mask = mask(bits);
    map_into(x, |v| (v & mask) >> shift);
}

/// Each element of Z/2^bits shifted right by `shift < 64`, its sign coming in;
/// the result is sign-extended to 64 bits.
pub fn shr_arithmetic_into(x: &mut [u64], bits: u32, shift: u32) {
    assert!(shift < 64 && (1..=64).contains(&bits));
    map_into(x, |v| (sign_extend(v, bits) >> shift) as u64);
}

/// Sign-extends each element of Z/2^bits to 64 bits.
pub fn sign_extend_into(x: &mut [u64], bits: u32) {
    shr_arithmetic_into(x, bits, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shifts_and_signs(v in any::<u64>(), bits in 1u32..=64, shift in 0u32..64) {
            let modulus = 1i128 << bits;
            let low = i128::from(v) & (modulus - 1);
            let signed = if low >= modulus / 2 { low - modulus } else { low };
            prop_assert_eq!(i128::from(sign_extend(v, bits)), signed);
            let mut x = [v];
            shr_arithmetic_into(&mut x, bits, shift);
            prop_assert_eq!(i128::from(x[0] as i64), signed >> shift);
            let mut x = [v];
            shr_logical_into(&mut x, bits, shift);
            prop_assert_eq!(i128::from(x[0]), low >> shift);
            let mut x = [v];
            mask_into(&mut x, bits);
            prop_assert_eq!(i128::from(x[0]), low);
        }

        #[test]
        fn sums_wrap(pairs in prop::collection::vec(any::<(u64, u64)>(), 0..40)) {
            let (a, b): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
            let mut x = a.clone();
            add_into(&mut x, &b);
            sub_into(&mut x, &a);
            prop_assert_eq!(&x, &b);
            neg_into(&mut x);
            add_into(&mut x, &b);
            prop_assert!(x.iter().all(|&v| v == 0));
        }
    }
}
