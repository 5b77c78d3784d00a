//! Who may do what.

use super::fault::{ConfigFault, Problem};
use super::names::{KnownNode, Unique, name};
use super::section::Section;
use super::value::{fingerprint, flag, form, other, text};
use std::collections::{BTreeSet, HashMap};
use subrosa_net::Fingerprint;
use toml::de::DeValue;

const KEYS: &[&str] = &["name", "fingerprint", "predict", "deploy", "status"];
const ANY: &str = "*";

/// What clients and owners may do, by fingerprint. Who is not named may do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(HashMap<Fingerprint, Rights>);

/// One `[[allow]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub name: String,
    /// Which models it may enrol for, make material for and predict with. None if left out.
    pub predict: Models,
    /// Which models it may put here, replace and remove. None if left out.
    pub deploy: Models,
    /// Whether it may ask how this node is. Not if left out.
    pub status: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Models {
    /// Written `["*"]`.
    All,
    Named(BTreeSet<String>),
}

impl Models {
    pub fn contains(&self, model: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(model),
        }
    }
}

impl Permissions {
    pub fn may_predict(&self, who: &Fingerprint, model: &str) -> bool {
        self.of(who).is_some_and(|may| may.predict.contains(model))
    }

    pub fn may_deploy(&self, who: &Fingerprint, model: &str) -> bool {
        self.of(who).is_some_and(|may| may.deploy.contains(model))
    }

    pub fn may_status(&self, who: &Fingerprint) -> bool {
        self.of(who).is_some_and(|may| may.status)
    }

    pub fn of(&self, who: &Fingerprint) -> Option<&Rights> {
        self.0.get(who)
    }

    /// All that are named, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&Fingerprint, &Rights)> {
        self.0.iter()
    }

    /// Those of the tables `[[allow]]`. One may be a peer too, under the same name.
    pub(super) fn read(file: &mut Section, peers: &[KnownNode]) -> Result<Self, ConfigFault> {
        let (mut names, mut prints) = (Unique::new(), Unique::new());
        let mut all = HashMap::new();
        for mut table in file.sections("allow", KEYS)? {
            let who = table.required("fingerprint", fingerprint)?;
            let rights = Rights {
                name: table.required("name", name)?,
                predict: models(&mut table, "predict")?,
                deploy: models(&mut table, "deploy")?,
                status: table.optional("status", flag)?.unwrap_or(false),
            };
            names.add(&table, "name", rights.name.clone())?;
            prints.add(&table, "fingerprint", who)?;
            let namesake = peers.iter().find(|peer| peer.name == rights.name);
            if let Some(peer) = namesake.filter(|peer| peer.fingerprint != who) {
                let first = peer.line();
                return Err(table.fault("name", Problem::Ambiguous { first }));
            }
            all.insert(who, rights);
        }
        Ok(Self(all))
    }
}

fn models(table: &mut Section, key: &str) -> Result<Models, ConfigFault> {
    let none = Models::Named(BTreeSet::new());
    Ok(table.optional(key, list)?.unwrap_or(none))
}

/// Names of models, or `*` alone.
fn list(value: &DeValue<'_>) -> Result<Models, Problem> {
    let expected = "a list of models' names, or [\"*\"]";
    let Some(list) = value.as_array() else {
        return Err(other(expected, value));
    };
    let mut names = BTreeSet::new();
    for item in list.iter() {
        match text(item.get_ref())? {
            ANY if list.len() == 1 => return Ok(Models::All),
            ANY => return Err(form("* alone, or models' names", ANY)),
            _ => names.insert(name(item.get_ref())?),
        };
    }
    Ok(Models::Named(names))
}
