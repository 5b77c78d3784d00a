use crate::Window;

/// Largest element of each window; padding never wins.
pub(super) fn max(window: &Window, x: &[f32]) -> Vec<f32> {
    let mut out = vec![f32::NEG_INFINITY; window.out_len()];
    each_tap(window, |at, from| out[at] = out[at].max(x[from]));
    out
}

/// Mean of each window; padding counts in the divisor when `include_pad`.
pub(super) fn average(window: &Window, include_pad: bool, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; window.out_len()];
    each_tap(window, |at, from| out[at] += x[from]);
    let divisors = window.divisors(include_pad);
    for plane in out.chunks_mut(divisors.len()) {
        for (value, divisor) in plane.iter_mut().zip(&divisors) {
            *value /= *divisor as f32;
        }
    }
    out
}

fn each_tap(window: &Window, mut visit: impl FnMut(usize, usize)) {
    for tap in window.taps() {
        for (at, from) in tap.iter().enumerate() {
            if let Some(from) = from {
                visit(at, *from as usize);
            }
        }
    }
}
