//! A table of a file, read key by key.

use super::fault::{ConfigFault, Problem};
use super::value::clip;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// What a table may hold is said when it is opened; any other key is a fault.
pub struct Section<'a> {
    text: &'a str,
    /// The tables that lead here, with a dot after each.
    path: String,
    line: usize,
    entries: BTreeMap<String, (usize, DeValue<'a>)>,
}

impl<'a> Section<'a> {
    /// The whole file, which may hold `keys`.
    pub fn parse(text: &'a str, keys: &'static [&'static str]) -> Result<Self, ConfigFault> {
        let file = DeTable::parse(text).map_err(|error| ConfigFault {
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            key: String::new(),
            problem: Problem::Syntax(clip(error.message())),
        })?;
        Self::open(text, String::new(), 1, file.into_inner(), keys)
    }

    fn open(
        text: &'a str,
        path: String,
        line: usize,
        table: DeTable<'a>,
        keys: &'static [&'static str],
    ) -> Result<Self, ConfigFault> {
        let mut entries = BTreeMap::new();
        let mut unknown: Option<ConfigFault> = None;
        for (key, value) in table {
            let line = line_at(text, key.span().start);
            let key = key.into_inner().into_owned();
            if keys.contains(&key.as_str()) {
                entries.insert(key, (line, value.into_inner()));
            } else if unknown.as_ref().is_none_or(|first| line < first.line) {
                let key = format!("{path}{}", clip(&key));
                let problem = Problem::Unknown { expected: keys };
                unknown = Some(ConfigFault { line, key, problem });
            }
        }
        match unknown {
            Some(fault) => Err(fault),
            None => Ok(Self {
                text,
                path,
                line,
                entries,
            }),
        }
    }

    /// What `read` makes of the value, if there is one.
    pub fn optional<T>(
        &mut self,
        key: &str,
        read: impl Fn(&DeValue<'a>) -> Result<T, Problem>,
    ) -> Result<Option<T>, ConfigFault> {
        let value = self.entries.get(key).map(|(_, value)| read(value));
        value
            .transpose()
            .map_err(|problem| self.fault(key, problem))
    }

    pub fn required<T>(
        &mut self,
        key: &str,
        read: impl Fn(&DeValue<'a>) -> Result<T, Problem>,
    ) -> Result<T, ConfigFault> {
        self.optional(key, read)?
            .ok_or_else(|| self.fault(key, Problem::Missing))
    }

    /// The table under `key`, if there is one.
    pub fn section(
        &mut self,
        key: &str,
        keys: &'static [&'static str],
    ) -> Result<Option<Section<'a>>, ConfigFault> {
        let path = format!("{}{key}.", self.path);
        match self.entries.remove(key) {
            None => Ok(None),
            Some((line, DeValue::Table(table))) => {
                Self::open(self.text, path, line, table, keys).map(Some)
            }
            Some((line, other)) => Err(self.not_a(line, key, "a table", other.type_str())),
        }
    }

    /// The tables of an array, none if there is no array.
    pub fn sections(
        &mut self,
        key: &str,
        keys: &'static [&'static str],
    ) -> Result<Vec<Section<'a>>, ConfigFault> {
        let tables: DeArray<'a> = match self.entries.remove(key) {
            None => return Ok(Vec::new()),
            Some((_, DeValue::Array(tables))) => tables,
            Some((line, other)) => {
                return Err(self.not_a(line, key, "an array of tables", other.type_str()));
            }
        };
        let open = |table: Spanned<DeValue<'a>>| {
            let line = line_at(self.text, table.span().start);
            let path = format!("{}{key}.", self.path);
            match table.into_inner() {
                DeValue::Table(table) => Self::open(self.text, path, line, table, keys),
                other => Err(self.not_a(line, key, "a table", other.type_str())),
            }
        };
        tables.into_iter().map(open).collect()
    }

    /// Where a key is, or its table if it is not there.
    pub fn line(&self, key: &str) -> usize {
        self.entries.get(key).map_or(self.line, |(line, _)| *line)
    }

    pub fn fault(&self, key: &str, problem: Problem) -> ConfigFault {
        ConfigFault {
            line: self.line(key),
            key: format!("{}{key}", self.path),
            problem,
        }
    }

    fn not_a(
        &self,
        line: usize,
        key: &str,
        expected: &'static str,
        found: &'static str,
    ) -> ConfigFault {
        let found = found.to_owned();
        ConfigFault {
            line,
            key: format!("{}{key}", self.path),
            problem: Problem::Form { expected, found },
        }
    }
}

fn line_at(text: &str, place: usize) -> usize {
    let before = text.bytes().take(place);
    1 + before.filter(|byte| *byte == b'\n').count()
}
