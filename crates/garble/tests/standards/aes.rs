//! FIPS 197 with the S-box of Boyar and Peralta ("A new combinational logic minimization technique with applications to cryptology", 2009/191).

use crate::{bits, check, check_garbled, hex, lanes};
use subrosa_garble::bristol::parse;
use subrosa_garble::{Bit, Builder, Circuit, Owner};

type Byte = Vec<Bit>;

/// The straight-line program of 2009/191: top linear layer, inversion with 32 ANDs, bottom linear layer. `x0` and
/// `s0` are the highest bits; `*` is AND, `+` XOR, `#` XNOR.
const S_BOX: &str = "
    y14=x3+x5 y13=x0+x6 y9=x0+x3 y8=x0+x5 t0=x1+x2 y1=t0+x7 y4=y1+x3 y12=y13+y14 y2=y1+x0 y5=y1+x6 y3=y5+y8
    t1=x4+y12 y15=t1+x5 y20=t1+x1 y6=y15+x7 y10=y15+t0 y11=y20+y9 y7=x7+y11 y17=y10+y11 y19=y10+y8 y16=t0+y11
    y21=y13+y16 y18=x0+y16
    t2=y12*y15 t3=y3*y6 t4=t3+t2 t5=y4*x7 t6=t5+t2 t7=y13*y16 t8=y5*y1 t9=t8+t7 t10=y2*y7 t11=t10+t7 t12=y9*y11
    t13=y14*y17 t14=t13+t12 t15=y8*y10 t16=t15+t12 t17=t4+t14 t18=t6+t16 t19=t9+t14 t20=t11+t16 t21=t17+y20
    t22=t18+y19 t23=t19+y21 t24=t20+y18 t25=t21+t22 t26=t21*t23 t27=t24+t26 t28=t25*t27 t29=t28+t22 t30=t23+t24
    t31=t22+t26 t32=t31*t30 t33=t32+t24 t34=t23+t33 t35=t27+t33 t36=t24*t35 t37=t36+t34 t38=t27+t36 t39=t29*t38
    t40=t25+t39 t41=t40+t37 t42=t29+t33 t43=t29+t40 t44=t33+t37 t45=t42+t41
    z0=t44*y15 z1=t37*y6 z2=t33*x7 z3=t43*y16 z4=t40*y1 z5=t29*y7 z6=t42*y11 z7=t45*y17 z8=t41*y10 z9=t44*y12
    z10=t37*y3 z11=t33*y4 z12=t43*y13 z13=t40*y5 z14=t29*y2 z15=t42*y9 z16=t45*y14 z17=t41*y8
    t46=z15+z16 t47=z10+z11 t48=z5+z13 t49=z9+z10 t50=z2+z12 t51=z2+z5 t52=z7+z8 t53=z0+z3 t54=z6+z7 t55=z16+z17
    t56=z12+t48 t57=t50+t53 t58=z4+t46 t59=z3+t54 t60=t46+t57 t61=z14+t57 t62=t52+t58 t63=t49+t58 t64=z4+t59
    t65=t61+t62 t66=z1+t63 s0=t59+t63 s6=t56#t62 s7=t48#t60 t67=t64+t65 s3=t53+t66 s4=t51+t66 s5=t47+t65 s1=t64#s3
    s2=t55#t67";

fn s_box(b: &mut Builder, x: &[Bit]) -> Byte {
    let mut known = std::collections::HashMap::new();
    for i in 0..8 {
        known.insert(format!("x{i}"), x[7 - i]);
    }
    for line in S_BOX.split_whitespace() {
        let (name, term) = line.split_once('=').unwrap();
        let at = term.find(['+', '*', '#']).unwrap();
        let (x, y) = (known[&term[..at]], known[&term[at + 1..]]);
        let out = match &term[at..=at] {
            "*" => b.and(x, y),
            "+" => b.xor(x, y),
            _ => !b.xor(x, y),
        };
        known.insert(name.to_owned(), out);
    }
    (0..8).rev().map(|i| known[&format!("s{i}")]).collect()
}

fn add(b: &mut Builder, x: &[Bit], y: &[Bit]) -> Byte {
    x.iter().zip(y).map(|(x, y)| b.xor(*x, *y)).collect()
}

/// Times x in GF(2^8).
fn double(b: &mut Builder, x: &[Bit]) -> Byte {
    let mut out = vec![x[7]];
    out.extend(&x[..7]);
    for i in [1, 3, 4] {
        out[i] = b.xor(out[i], x[7]);
    }
    out
}

fn mix_column(b: &mut Builder, column: &[Byte]) -> Vec<Byte> {
    let mut all = column[0].clone();
    for byte in &column[1..] {
        all = add(b, &all, byte);
    }
    (0..4)
        .map(|i| {
            let pair = add(b, &column[i], &column[(i + 1) % 4]);
            let doubled = double(b, &pair);
            let rest = add(b, &all, &column[i]);
            add(b, &doubled, &rest)
        })
        .collect()
}

fn next_key(b: &mut Builder, key: &[Byte], round: u32) -> Vec<Byte> {
    let constant = if round < 9 {
        1i64 << (round - 1)
    } else {
        0x1b << (round - 9)
    };
    let mut out: Vec<Byte> = Vec::new();
    for i in 0..16 {
        let word = if i < 4 {
            let mut byte = s_box(b, &key[12 + (i + 1) % 4]);
            if i == 0 {
                let constant = b.constant(constant, 8);
                byte = add(b, &byte, &constant);
            }
            byte
        } else {
            out[i - 4].clone()
        };
        let byte = add(b, &key[i], &word);
        out.push(byte);
    }
    out
}

/// Inputs: key, block; bytes in the order of FIPS 197, the least bit of each first.
fn aes128() -> Circuit {
    let mut b = Builder::new();
    let bytes = |word: Vec<Bit>| -> Vec<Byte> { word.chunks(8).map(<[Bit]>::to_vec).collect() };
    let mut key = bytes(b.input("key", Owner::Garbler, 128));
    let block = bytes(b.input("block", Owner::Evaluator, 128));
    let mut state: Vec<Byte> = (0..16).map(|i| add(&mut b, &block[i], &key[i])).collect();
    for round in 1..=10 {
        let shifted: Vec<Byte> = (0..16).map(|i| s_box(&mut b, &state[i * 5 % 16])).collect();
        state = if round == 10 {
            shifted
        } else {
            shifted
                .chunks(4)
                .flat_map(|column| mix_column(&mut b, column))
                .collect()
        };
        key = next_key(&mut b, &key, round);
        state = (0..16).map(|i| add(&mut b, &state[i], &key[i])).collect();
    }
    b.output("out", &state.concat());
    b.finish()
}

/// Key, block and ciphertext: FIPS 197 appendices B and C.1, and the first block of SP 800-38A, F.1.1.
const EXAMPLES: [[&str; 3]; 3] = [
    [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3243f6a8885a308d313198a2e0370734",
        "3925841d02dc09fbdc118597196a0b32",
    ],
    [
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "69c4e0d86a7b0430d8cdb78070b4c55a",
    ],
    [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "6bc1bee22e409f96e93d7e117393172a",
        "3ad77bb40d7a3660a89ecaf32466ef97",
    ],
];

#[test]
fn s_box_is_that_of_the_standard() {
    let mut b = Builder::new();
    let x = b.input("x", Owner::Garbler, 8);
    let out = s_box(&mut b, &x);
    b.output("out", &out);
    let circuit = b.finish();
    assert_eq!(circuit.ands(), 32);
    for x in 0..=255u8 {
        // The affine map after the inverse x^254.
        let inverse = (0..254).fold(1, |power, _| times(power, x));
        let rotated = (1..5).map(|i| inverse.rotate_left(i));
        let expected = rotated.fold(inverse, |sum, r| sum ^ r) ^ 0x63;
        assert_eq!(circuit.evaluate(&bits(&[x])), bits(&[expected]));
    }
}

fn times(a: u8, b: u8) -> u8 {
    let double = |x: u8| x << 1 ^ if x >> 7 == 1 { 0x1b } else { 0 };
    let (mut sum, mut shifted) = (0, a);
    for i in 0..8 {
        if b >> i & 1 == 1 {
            sum ^= shifted;
        }
        shifted = double(shifted);
    }
    sum
}

#[test]
fn aes_128() {
    let circuit = aes128();
    assert_eq!(circuit.ands(), 200 * 32);
    let inputs = EXAMPLES.map(|[key, block, _]| bits(&[hex(key), hex(block)].concat()));
    let expected = EXAMPLES.map(|[_, _, out]| bits(&hex(out)));
    check(&circuit, &inputs, &expected);
}

/// The circuit of the KU Leuven collection, where `SUBROSA_CIRCUITS` names a folder that holds it. Its wires are in reverse: bit 0 is the
/// least bit of the last byte.
#[test]
fn aes_128_of_the_collection() {
    let Some(folder) = std::env::var_os("SUBROSA_CIRCUITS") else {
        return println!("skipped: SUBROSA_CIRCUITS names no folder with aes_128.txt");
    };
    let path = std::path::Path::new(&folder).join("aes_128.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return println!("skipped: {} is not there", path.display());
    };
    let circuit = parse(&text).unwrap();
    assert_eq!(circuit.ands(), 6400);
    let reversed = |text: &str| {
        let mut bytes = hex(text);
        bytes.reverse();
        bits(&bytes)
    };
    let inputs = EXAMPLES.map(|[key, block, _]| [reversed(key), reversed(block)].concat());
    let expected = EXAMPLES.map(|[_, _, out]| reversed(out));
    let (inputs, expected) = (lanes(&inputs), lanes(&expected));
    assert_eq!(circuit.evaluate_lanes(&inputs), expected);
    check_garbled(&circuit, &inputs, &expected);
}
