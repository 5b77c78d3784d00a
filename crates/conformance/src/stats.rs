//! Tests of uniformity whose chance of a false alarm is bounded.
//!
//! Counts are judged by Chernoff's bound P(|X - np| >= t) <= 2 exp(-n KL), which holds for every n; only the
//! byte test uses a limit distribution, and only on enough bytes. Probabilities are kept as natural logarithms.

/// A statistic that lies too far out.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    pub test: Test,
    /// Bound on the logarithm of the chance to see this from uniform bytes.
    pub ln_p: f64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Chi-squared over the 256 values of a byte.
    Bytes,
    /// Bits set in all.
    Bits,
    /// Bits set at one residue of the position modulo a word's width.
    Period { width: usize, bit: usize },
    /// Bits set in one stretch of the message.
    Stretch { from: usize, bytes: usize },
    /// One bit of the message over several runs.
    Position { bit: usize },
    /// One value of a byte.
    Value { value: u8 },
    /// Zero bytes behind each other.
    ZeroRun { bytes: usize },
}

/// Collects the worst deviation of many tests.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    tests: u64,
    worst: Option<Deviation>,
}

impl Verdict {
    fn add(&mut self, test: Test, ln_p: f64) {
        self.tests += 1;
        if self.worst.as_ref().is_none_or(|worst| ln_p < worst.ln_p) {
            self.worst = Some(Deviation { test, ln_p });
        }
    }

    /// The worst deviation, if its chance times `tests`, the number of all tests made, is below `alarm`.
    pub fn beyond(&self, alarm: f64, tests: u64) -> Option<Deviation> {
        let limit = alarm.ln() - (tests.max(1) as f64).ln();
        self.worst.clone().filter(|worst| worst.ln_p < limit)
    }

    /// Tests made so far.
    pub fn tests(&self) -> u64 {
        self.tests
    }

    /// Binomial count: `hits` of `trials`, each with chance `chance`.
    fn count(&mut self, test: Test, hits: u64, trials: u64, chance: f64) {
        if trials > 0 {
            self.add(test, ln_binomial(hits, trials, chance));
        }
    }

    /// Every test that a single string of bytes allows, but for periods.
    pub fn string(&mut self, bytes: &[u8]) {
        let counts = histogram(bytes);
        let ones: u64 = (0..256)
            .map(|v| counts[v] * u64::from((v as u8).count_ones()))
            .sum();
        self.count(Test::Bits, ones, 8 * bytes.len() as u64, 0.5);
        for value in 0..=255u8 {
            let hits = counts[usize::from(value)];
            self.count(Test::Value { value }, hits, bytes.len() as u64, 1.0 / 256.0);
        }
        let run = longest_zero_run(bytes);
        let ln_p = (bytes.len().max(1) as f64).ln() - run as f64 * 256f64.ln();
        self.add(Test::ZeroRun { bytes: run }, ln_p.min(0.0));
        self.bytes(&counts);
    }

    /// Chi-squared byte test, where every value is expected at least ten times.
    fn bytes(&mut self, counts: &[u64; 256]) {
        let total: u64 = counts.iter().sum();
        if total < 2560 {
            return;
        }
        let expected = total as f64 / 256.0;
        let chi: f64 = counts
            .iter()
            .map(|c| (*c as f64 - expected).powi(2) / expected)
            .sum();
        self.add(Test::Bytes, ln_chi_squared(chi, 255.0));
    }

    /// Bits set at each residue of the position, for every width of word up to 64 bits. The words start at the
    /// first bit of each message.
    pub fn periods(&mut self, tally: &Tally) {
        (2..=64).for_each(|width| self.period(tally, width));
    }

    /// Bits set at each residue of the position for words of one width.
    pub fn period(&mut self, tally: &Tally, width: usize) {
        let mut ones = vec![0u64; width];
        for word in tally.ones.chunks(width) {
            ones.iter_mut()
                .zip(word)
                .for_each(|(sum, ones)| *sum += u64::from(*ones));
        }
        let (words, rest) = (tally.ones.len() / width, tally.ones.len() % width);
        for (bit, ones) in ones.into_iter().enumerate() {
            let all = tally.messages * (words + usize::from(bit < rest)) as u64;
            self.count(Test::Period { width, bit }, ones, all, 0.5);
        }
    }

    /// Bits set in stretches of 8, 16, 32 .. bytes of the message.
    pub fn stretches(&mut self, tally: &Tally) {
        let mut bytes = 8;
        while 8 * bytes <= tally.ones.len() {
            for (at, stretch) in tally.ones.chunks_exact(8 * bytes).enumerate() {
                let ones = stretch.iter().map(|ones| u64::from(*ones)).sum();
                let all = 8 * bytes as u64 * tally.messages;
                let from = at * bytes;
                self.count(Test::Stretch { from, bytes }, ones, all, 0.5);
            }
            bytes *= 2;
        }
    }

    /// Each bit of the message over all messages.
    pub fn positions(&mut self, tally: &Tally) {
        for (bit, ones) in tally.ones.iter().enumerate() {
            let test = Test::Position { bit };
            self.count(test, u64::from(*ones), tally.messages, 0.5);
        }
    }
}

/// Messages of one kind, bit by bit.
pub struct Tally {
    messages: u64,
    /// In how many messages each bit is set.
    ones: Vec<u32>,
}

impl Tally {
    /// Of what all messages have: the shortest counts.
    pub fn new(messages: &[&[u8]]) -> Self {
        let length = messages.iter().map(|m| m.len()).min().unwrap_or(0);
        let mut ones = vec![0; 8 * length];
        for message in messages {
            for (ones, byte) in ones.chunks_exact_mut(8).zip(*message) {
                for (at, ones) in ones.iter_mut().enumerate() {
                    *ones += u32::from(byte >> at & 1);
                }
            }
        }
        let messages = messages.len() as u64;
        Self { messages, ones }
    }
}

fn histogram(bytes: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

fn longest_zero_run(bytes: &[u8]) -> usize {
    let runs = bytes.split(|byte| *byte != 0).map(<[u8]>::len);
    runs.max().unwrap_or(0)
}

/// ln of Chernoff's bound on both tails.
fn ln_binomial(hits: u64, trials: u64, chance: f64) -> f64 {
    let (n, q) = (trials as f64, hits as f64 / trials as f64);
    let part = |q: f64, p: f64| if q > 0.0 { q * (q / p).ln() } else { 0.0 };
    let divergence = part(q, chance) + part(1.0 - q, 1.0 - chance);
    (2f64.ln() - n * divergence).min(0.0)
}

/// ln of the upper tail of the chi-squared distribution, by Wilson and Hilferty's cube root and Mills' bound.
fn ln_chi_squared(chi: f64, freedom: f64) -> f64 {
    let scale = 2.0 / (9.0 * freedom);
    let z = ((chi / freedom).cbrt() - (1.0 - scale)) / scale.sqrt();
    if z < 1.0 {
        return 0.0;
    }
    -z * z / 2.0 - (z * (2.0 * std::f64::consts::PI).sqrt()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_core::{Prg, Seed};

    const ALARM: f64 = 1e-9;

    fn uniform(count: usize, length: usize) -> Vec<Vec<u8>> {
        let mut prg = Prg::new(&Seed::insecure_seeded(11));
        let mut draw = || {
            let mut bytes = vec![0; length];
            prg.fill(&mut bytes);
            bytes
        };
        (0..count).map(|_| draw()).collect()
    }

    fn judge(samples: &[Vec<u8>]) -> Option<Test> {
        let views: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
        let mut verdict = Verdict::default();
        verdict.string(&samples.concat());
        let tally = Tally::new(&views);
        verdict.periods(&tally);
        verdict.stretches(&tally);
        verdict.positions(&tally);
        let found = verdict.beyond(ALARM, verdict.tests());
        found.map(|deviation| deviation.test)
    }

    #[test]
    fn uniform_bytes_pass() {
        for length in [8, 100, 5000] {
            assert_eq!(judge(&uniform(64, length)), None);
        }
    }

    #[test]
    fn a_bit_of_each_word_is_found() {
        for width in [13, 28, 48, 64] {
            let mut samples = uniform(16, 7 * width);
            for sample in &mut samples {
                for word in 0..56 {
                    let bit = (word + 1) * width - 1;
                    sample[bit / 8] &= !(1 << (bit % 8));
                }
            }
            let found = judge(&samples);
            let Some(Test::Period { width: period, .. }) = found else {
                panic!("{found:?}");
            };
            assert!(period == width || width.is_multiple_of(period));
        }
    }

    #[test]
    fn a_biased_row_and_a_fixed_bit_are_found() {
        let mut samples = uniform(16, 640);
        for sample in &mut samples {
            sample[128..136].iter_mut().for_each(|byte| *byte &= 0x77);
        }
        assert!(matches!(
            judge(&samples),
            Some(Test::Stretch {
                from: 128,
                bytes: 8
            })
        ));
        let mut samples = uniform(64, 640);
        samples.iter_mut().for_each(|s| s[300] |= 4);
        assert_eq!(judge(&samples), Some(Test::Position { bit: 2402 }));
    }

    #[test]
    fn uneven_bytes_and_zeros_are_found() {
        let mut samples = uniform(1, 60_000);
        // Two values that are half again as rare and as frequent, and nothing else.
        for byte in &mut samples[0] {
            if *byte & 1 == 1 && !byte.is_multiple_of(5) {
                *byte ^= u8::from(*byte & 6 == 6) << 3;
            }
        }
        assert_eq!(judge(&samples), Some(Test::Bytes));
        let mut samples = uniform(1, 2_000);
        samples[0][900..920].fill(0);
        assert_eq!(judge(&samples), Some(Test::ZeroRun { bytes: 20 }));
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        // Upper 0.1 % and 0.001 % points of the chi-squared distribution with 255 degrees of freedom.
        for (chi, p) in [(330.52f64, 1e-3f64), (361.4, 1e-5)] {
            let found = ln_chi_squared(chi, 255.0);
            assert!((found - p.ln()).abs() < 0.4, "{chi}: {found}");
        }
        let none_of_forty = ln_binomial(0, 40, 0.5);
        assert!((none_of_forty + 39.0 * 2f64.ln()).abs() < 1e-9);
    }
}
