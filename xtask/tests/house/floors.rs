//! `floors.toml` against the edges between crates.

use crate::workspace::{Dependency, Kind, Package, packages};
use crate::{none, root};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    pub floors: BTreeMap<String, u32>,
    #[serde(default)]
    hidden: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    dev: BTreeMap<String, u32>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
}

impl Floors {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(root().join("floors.toml")).unwrap();
        toml::from_str(&text).unwrap()
    }

    fn check(&self, packages: &[Package]) -> Vec<String> {
        let mut findings = self.strangers(packages);
        for package in packages {
            let Some(floor) = self.floors.get(&package.name) else {
                findings.push(format!("{} has no floor in floors.toml", package.name));
                continue;
            };
            for edge in &package.dependencies {
                if let Some(fault) = self.fault(&package.name, *floor, edge) {
                    let (from, to) = (&package.name, &edge.name);
                    findings.push(format!("{from} -> {to}: {fault}"));
                }
            }
        }
        findings
    }

    /// Names in the file that no crate of the workspace has.
    fn strangers(&self, packages: &[Package]) -> Vec<String> {
        let owners = self.only.values().chain(self.hidden.values()).flatten();
        let named = self.floors.keys().chain(self.hidden.keys());
        named
            .chain(self.dev.keys())
            .chain(owners)
            .filter(|name| packages.iter().all(|p| p.name != **name))
            .map(|name| format!("floors.toml names {name}, which is no crate of the workspace"))
            .collect()
    }

    fn fault(&self, from: &str, floor: u32, edge: &Dependency) -> Option<String> {
        for (pattern, owners) in &self.only {
            if matches(pattern, &edge.name) && owners.iter().all(|owner| owner != from) {
                return Some(format!("only {} may depend on it", owners.join(", ")));
            }
        }
        let below = *self.floors.get(&edge.name)?;
        if below >= floor {
            return Some(format!("floor {floor} may not depend on floor {below}"));
        }
        let hidden = self.hidden.get(from);
        if hidden.is_some_and(|hidden| hidden.contains(&edge.name)) {
            return Some("hidden by floors.toml".into());
        }
        let readers = *self.dev.get(&edge.name)?;
        (edge.kind != Some(Kind::Dev) || floor != readers)
            .then(|| format!("a dev-dependency of floor {readers} only"))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[test]
fn edges_lead_to_lower_floors() {
    none(&Floors::read().check(&packages()));
}

#[test]
fn every_kind_of_wrong_edge_is_found() {
    let house = r#"
        floors = { ring = 0, net = 2, ir = 2, share = 3, suite = 5, one = 6, two = 6 }
        hidden = { share = ["net"] }
        dev = { suite = 6 }
        only = { "tls*" = ["net"] }
    "#;
    let check = |from: &str, to: &str, kind: Option<Kind>, expected: &str| {
        let floors: Floors = toml::from_str(house).unwrap();
        let package = |name: &str| Package {
            name: name.into(),
            manifest_path: "".into(),
            dependencies: Vec::new(),
        };
        let mut packages: Vec<Package> = floors.floors.keys().map(|name| package(name)).collect();
        if !floors.floors.contains_key(from) {
            packages.push(package(from));
        }
        let name = to.to_owned();
        let reader = packages.iter_mut().find(|p| p.name == from).unwrap();
        reader.dependencies.push(Dependency { name, kind });
        let found = floors.check(&packages).join("; ");
        assert_eq!(found, expected, "{from} -> {to}");
    };
    check("ir", "ring", None, "");
    check(
        "ir",
        "net",
        None,
        "ir -> net: floor 2 may not depend on floor 2",
    );
    check(
        "ir",
        "net",
        Some(Kind::Dev),
        "ir -> net: floor 2 may not depend on floor 2",
    );
    check(
        "ring",
        "ir",
        Some(Kind::Build),
        "ring -> ir: floor 0 may not depend on floor 2",
    );
    check(
        "one",
        "two",
        None,
        "one -> two: floor 6 may not depend on floor 6",
    );
    check("share", "ir", None, "");
    check("share", "net", None, "share -> net: hidden by floors.toml");
    check("one", "suite", Some(Kind::Dev), "");
    check(
        "one",
        "suite",
        None,
        "one -> suite: a dev-dependency of floor 6 only",
    );
    check("net", "tls-low", None, "");
    check(
        "one",
        "tls-low",
        Some(Kind::Dev),
        "one -> tls-low: only net may depend on it",
    );
    check("one", "serde", None, "");
    check("new", "ring", None, "new has no floor in floors.toml");
}

#[test]
fn names_of_crates_that_are_gone_are_found() {
    let floors: Floors = toml::from_str("floors = { gone = 3 }").unwrap();
    let found = floors.check(&[]);
    assert_eq!(
        found,
        ["floors.toml names gone, which is no crate of the workspace"]
    );
}
