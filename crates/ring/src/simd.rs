use std::sync::OnceLock;

/// A family of kernels.
///
/// Asking a function for a family that the CPU lacks gives the portable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Plain Rust, on every target.
    Portable,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 F and DQ.
    Avx512,
}

impl Simd {
    /// The widest family that this CPU has, detected once.
    pub fn best() -> Simd {
        static BEST: OnceLock<Simd> = OnceLock::new();
        *BEST.get_or_init(|| {
            [Simd::Avx512, Simd::Avx2]
                .into_iter()
                .find(|simd| simd.is_available())
                .unwrap_or(Simd::Portable)
        })
    }

    /// Every family that this CPU has, the portable one first.
    pub fn available() -> Vec<Simd> {
        [Simd::Portable, Simd::Avx2, Simd::Avx512]
            .into_iter()
            .filter(|simd| simd.is_available())
            .collect()
    }

    /// Whether this CPU has the family.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        match self {
            Simd::Portable => true,
            Simd::Avx2 => is_x86_feature_detected!("avx2"),
            Simd::Avx512 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
            }
        }
    }

    /// Whether this CPU has the family.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Simd::Portable
    }
}

/// For each instruction set a function that it compiles, and the choice among
/// them.
macro_rules! compiled_for_each {
    ($name:ident, $body:ident, ($($argument:ident: $type:ty),*)) => {
        pub(crate) fn $name(simd: $crate::Simd, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) {
                    $body($($argument),*);
                }
                #[target_feature(enable = "avx512f,avx512dq")]
                fn avx512($($argument: $type),*) {
                    $body($($argument),*);
                }
                if simd.is_available() {
                    // SAFETY: the CPU has the instructions of `simd`.
                    match simd {
                        $crate::Simd::Portable => {}
                        $crate::Simd::Avx2 => return unsafe { avx2($($argument),*) },
                        $crate::Simd::Avx512 => return unsafe { avx512($($argument),*) },
                    }
                }
            }
            let _ = simd;
            $body($($argument),*);
        }
    };
}
pub(crate) use compiled_for_each;

#[cfg(test)]
mod tests {
    use super::Simd;

    #[test]
    fn portable_is_everywhere_and_best_is_available() {
        assert_eq!(Simd::available().first(), Some(&Simd::Portable));
        assert_eq!(Simd::available().last(), Some(&Simd::best()));
        for simd in [Simd::Avx2, Simd::Avx512] {
            if !simd.is_available() {
                println!("this CPU lacks {simd:?}: its kernels are not tested here");
            }
        }
    }
}
