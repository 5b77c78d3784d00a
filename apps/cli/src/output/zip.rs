//! ZIP archives of uncompressed files: what NPZ is made of.

use flate2::Crc;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0 of the format.
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// 1 January 1980.
const DATE: u16 = 0x21;

/// An archive of (name, contents). `None` where it would need more than 4 GiB or 65535 files.
pub fn archive(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, contents) in files {
        let at = u32::try_from(out.len()).ok()?;
        let size = u32::try_from(contents.len()).ok()?;
        let mut crc = Crc::new();
        crc.update(contents);
        let mut about = Vec::new();
        [VERSION, FLAGS, 0, 0, DATE]
            .iter()
            .for_each(|v| about.extend(v.to_le_bytes()));
        [crc.sum(), size, size]
            .iter()
            .for_each(|v| about.extend(v.to_le_bytes()));
        about.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        about.extend(0u16.to_le_bytes());
        out.extend(LOCAL.to_le_bytes());
        out.extend(&about);
        out.extend(name.as_bytes());
        out.extend(contents);
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).ok()?;
    let start = u32::try_from(out.len()).ok()?;
    let size = u32::try_from(directory.len()).ok()?;
    out.extend(directory);
    out.extend(END.to_le_bytes());
    [0, 0, count, count]
        .iter()
        .for_each(|v| out.extend(v.to_le_bytes()));
    [size, start]
        .iter()
        .for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(0u16.to_le_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_a_directory() {
        let files = [
            ("a.npy".to_owned(), vec![1, 2, 3]),
            ("b.npy".to_owned(), vec![]),
        ];
        let bytes = archive(&files).unwrap();
        let end = &bytes[bytes.len() - 22..];
        assert_eq!(end[..4], END.to_le_bytes());
        let start = u32::from_le_bytes([end[16], end[17], end[18], end[19]]) as usize;
        assert_eq!(bytes[start..start + 4], CENTRAL.to_le_bytes());
        assert_eq!(bytes[..4], LOCAL.to_le_bytes());
        assert_eq!(end[10], 2);
    }
}
