//! The header of an NPY file: a Python dictionary with three keys.

use super::NpyFault;

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    pub descr: String,
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

const MAGIC: &[u8] = b"\x93NUMPY";
const LONGEST: usize = 1 << 16;

impl Header {
    /// The header, and where the data begin.
    pub fn parse(file: &[u8]) -> Result<(Self, usize), NpyFault> {
        if file.is_empty() {
            return Err(NpyFault::Empty);
        }
        let common = file.len().min(MAGIC.len());
        if file[..common] != MAGIC[..common] {
            return Err(NpyFault::NotNpy);
        }
        let byte = |at: usize| file.get(at).copied().ok_or(NpyFault::TruncatedHeader);
        let (major, minor) = (byte(6)?, byte(7)?);
        let mut length = usize::from(byte(8)?) | usize::from(byte(9)?) << 8;
        let mut start = 10;
        match major {
            1 => {}
            2 | 3 => {
                length |= usize::from(byte(10)?) << 16 | usize::from(byte(11)?) << 24;
                start = 12;
            }
            _ => return Err(NpyFault::Version { major, minor }),
        }
        if length > LONGEST {
            return Err(NpyFault::Header);
        }
        let text = file
            .get(start..start + length)
            .ok_or(NpyFault::TruncatedHeader)?;
        let text = std::str::from_utf8(text).map_err(|_| NpyFault::Header)?;
        let header = Reader { rest: text }.dictionary().ok_or(NpyFault::Header)?;
        Ok((header, start + length))
    }
}

/// Reads the little of Python's grammar that a header may hold.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn dictionary(mut self) -> Option<Header> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.take("{")?;
        while self.take("}").is_none() {
            let key = self.string()?;
            self.take(":")?;
            match key {
                "descr" => descr = Some(self.string()?.to_owned()),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.take(",").is_none() {
                self.take("}")?;
                break;
            }
        }
        let done = self.rest.trim().is_empty();
        done.then_some(Header {
            descr: descr?,
            fortran_order: fortran_order?,
            shape: shape?,
        })
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = if self.take("'").is_some() {
            '\''
        } else {
            self.take("\"")?;
            '"'
        };
        let (text, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        let truth = self.take("True").is_some();
        if !truth {
            self.take("False")?;
        }
        Some(truth)
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.take("(")?;
        let mut items = Vec::new();
        while self.take(")").is_none() {
            self.rest = self.rest.trim_start();
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            items.push(self.rest[..digits].parse().ok()?);
            self.rest = &self.rest[digits..];
            if self.take(",").is_none() {
                self.take(")")?;
                break;
            }
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn headers_are_read_or_refused() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 28), }   \n";
        let (header, at) = Header::parse(&file(good)).unwrap();
        assert_eq!((header.shape, at), (vec![12, 28], good.len() + 10));
        for (text, shape) in [("()", vec![]), ("(3,)", vec![3]), ("(3)", vec![3])] {
            let text = format!("{{\"shape\": {text}, 'fortran_order': True, 'descr': '|u1'}}");
            assert_eq!(Header::parse(&file(&text)).unwrap().0.shape, shape);
        }
        for bad in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (12, -1)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} more",
        ] {
            assert_eq!(Header::parse(&file(bad)), Err(NpyFault::Header), "{bad}");
        }
        assert_eq!(Header::parse(b""), Err(NpyFault::Empty));
        assert_eq!(Header::parse(b"PK\x03\x04"), Err(NpyFault::NotNpy));
        assert_eq!(
            Header::parse(&file(good)[..40]),
            Err(NpyFault::TruncatedHeader)
        );
        assert!(matches!(
            Header::parse(b"\x93NUMPY\x09\x00\x00\x00"),
            Err(NpyFault::Version { major: 9, .. })
        ));
    }
}
