//! PNG pictures.

use super::Images;
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;
use thiserror::Error;

/// Memory for one picture, in bytes.
const LIMIT: usize = 1 << 28;

#[derive(Debug, Error)]
pub enum PictureFault {
    #[error("not a sound PNG picture: {0}")]
    Png(DecodingError),
    #[error("a picture of {found}, expected 8 bits of grey or RGB")]
    Kind { found: String },
}

/// A picture of 8 bits of grey or RGB, without labels.
pub fn read_png(file: &[u8]) -> Result<Images, PictureFault> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: LIMIT });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(PictureFault::Png)?;
    let info = reader.info();
    let (height, width) = (info.height as usize, info.width as usize);
    let channels = match (info.color_type, info.bit_depth) {
        (ColorType::Grayscale, BitDepth::Eight) => 1,
        (ColorType::Rgb, BitDepth::Eight) => 3,
        (color, depth) => {
            let found = format!("{} bits of {color:?}", depth as u8);
            return Err(PictureFault::Kind { found });
        }
    };
    let plane = height * width;
    let mut pixels = vec![0; plane * channels];
    reader.next_frame(&mut pixels).map_err(PictureFault::Png)?;
    let channel = |c: usize| pixels.iter().skip(c).step_by(channels);
    let bytes = (0..channels).flat_map(channel).copied().collect();
    Ok(Images {
        count: 1,
        channels,
        height,
        width,
        bytes,
        labels: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::Encoder;

    fn file(color: ColorType, depth: BitDepth, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 2, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn grey_and_colour_are_planes() {
        let grey = file(ColorType::Grayscale, BitDepth::Eight, &[1, 2, 3, 255]);
        let images = read_png(&grey).unwrap();
        assert_eq!((images.channels, images.height, images.width), (1, 2, 2));
        assert_eq!(images.bytes, [1, 2, 3, 255]);
        let pixels: Vec<u8> = (0..12).collect();
        let images = read_png(&file(ColorType::Rgb, BitDepth::Eight, &pixels)).unwrap();
        assert_eq!(images.channels, 3);
        assert_eq!(images.bytes, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
    }

    #[test]
    fn others_are_refused() {
        let deep = file(ColorType::Grayscale, BitDepth::Sixteen, &[0; 8]);
        let said = read_png(&deep).unwrap_err().to_string();
        assert!(said.contains("16 bits of Grayscale"), "{said}");
        let clear = file(ColorType::Rgba, BitDepth::Eight, &[0; 16]);
        assert!(matches!(read_png(&clear), Err(PictureFault::Kind { .. })));
        let grey = file(ColorType::Grayscale, BitDepth::Eight, &[0; 4]);
        for end in 0..grey.len() - 20 {
            let cut = read_png(&grey[..end]);
            assert!(matches!(cut, Err(PictureFault::Png(_))), "{end}");
        }
    }
}
