//! Small pictures of digits in text.

use std::env;

/// A margin of the images that holds nothing.
const MARGIN: usize = 2;

/// Pictures side by side, each twelve characters wide, and a line of captions under them. `images`: 28 x 28 bytes each.
pub fn pictures(images: &[&[f32]], captions: &[String]) -> String {
    let draw = if speaks_utf8() { braille } else { shades };
    let drawn: Vec<Vec<String>> = images.iter().map(|image| draw(image)).collect();
    let mut text = String::new();
    for line in 0..drawn.first().map_or(0, Vec::len) {
        let cells: Vec<&str> = drawn.iter().map(|picture| picture[line].as_str()).collect();
        text += &format!("  {}\n", cells.join(" ").trim_end());
    }
    let captions: Vec<String> = captions
        .iter()
        .map(|caption| format!("{caption:^12}"))
        .collect();
    text + &format!("  {}\n", captions.join(" ").trim_end())
}

fn speaks_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let locale = set.unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn pixel(image: &[f32], row: usize, column: usize) -> f32 {
    image
        .get((row + MARGIN) * 28 + column + MARGIN)
        .copied()
        .unwrap_or(0.0)
}

/// Two by four pixels in each character.
fn braille(image: &[f32]) -> Vec<String> {
    const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let cell = |row: usize, column: usize| {
        let mut code = 0;
        for (y, dots) in DOTS.iter().enumerate() {
            for (x, dot) in dots.iter().enumerate() {
                if pixel(image, 4 * row + y, 2 * column + x) > 100.0 {
                    code |= dot;
                }
            }
        }
        if code == 0 {
            ' '
        } else {
            char::from_u32(0x2800 + code).unwrap_or(' ')
        }
    };
    (0..6)
        .map(|row| (0..12).map(|column| cell(row, column)).collect())
        .collect()
}

/// The mean of two by four pixels in each character.
fn shades(image: &[f32]) -> Vec<String> {
    const RAMP: &[u8] = b" .:-=+*#%@";
    let cell = |row: usize, column: usize| {
        let pixels = (0..8).map(|at| pixel(image, 4 * row + at / 2, 2 * column + at % 2));
        let level = pixels.sum::<f32>() / 8.0 / 256.0 * RAMP.len() as f32;
        char::from(RAMP[(level as usize).min(RAMP.len() - 1)])
    };
    (0..6)
        .map(|row| (0..12).map(|column| cell(row, column)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_one_width() {
        let mut image = vec![0.0; 784];
        (5..20).for_each(|row| image[row * 28 + 14] = 255.0);
        for draw in [braille, shades] {
            let lines = draw(&image);
            assert_eq!(lines.len(), 6);
            assert!(lines.iter().all(|line| line.chars().count() == 12));
            assert!(lines[2].contains(|c| c != ' ') && lines[5].trim().is_empty());
        }
        let text = pictures(&[&image, &image], &["one".into(), "1".into()]);
        assert_eq!(text.lines().count(), 7);
    }
}
