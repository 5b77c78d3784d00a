//! The examples say what the program reads: settings, manifests, units and scripts agree.

mod support;

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use subrosa_node::config::{Directory, KeySource, KnownNode, NodeConfig};
use support::*;

/// Folder, protocol, its servers, its client.
const EXAMPLES: [(&str, &str, &[&str], &str); 3] = [
    (
        "three-clouds",
        "replicated3",
        &["server-0", "server-1", "server-2"],
        "hospital",
    ),
    ("vendor-and-hospital", "two-party", &["vendor"], "hospital"),
    (
        "gateway-and-remotes",
        "seco",
        &["gateway", "remote-0", "remote-1"],
        "device",
    ),
];

/// Where a pod and a unit have a node's folder.
const POD: &str = "/node";

fn examples() -> PathBuf {
    root().join("examples")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the scripts put in place of `@name@`.
fn fingerprint(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<64}")
}

/// A file with all its places of fingerprints filled.
fn filled(path: &Path) -> String {
    let text = read(path);
    let parts: Vec<&str> = text.split("\"@").collect();
    let (first, rest) = parts.split_first().unwrap();
    let rest = rest.iter().map(|part| {
        let (name, after) = part.split_once("@\"").unwrap();
        format!("\"{}\"{after}", fingerprint(name))
    });
    first.to_string() + &rest.collect::<String>()
}

fn node(folder: &Path) -> NodeConfig {
    let path = folder.join("node.toml");
    let config = NodeConfig::parse(&filled(&path));
    config.unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn directory(path: &Path) -> Directory {
    let directory = Directory::parse(&filled(path));
    directory.unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Each is at the address and has the fingerprint that go with its name.
fn are_as_named(nodes: &[KnownNode]) -> BTreeSet<String> {
    for node in nodes {
        let address = format!("{}.example.org:7460", node.name);
        assert_eq!(node.address.as_str(), address);
        assert_eq!(node.fingerprint.to_string(), fingerprint(&node.name));
    }
    nodes.iter().map(|node| node.name.clone()).collect()
}

#[test]
fn settings_are_read_and_agree() {
    for (example, protocol, servers, client) in EXAMPLES {
        assert!(subrosa::find(protocol).is_some());
        let folder = examples().join(example);
        let all: BTreeSet<String> = servers.iter().map(|name| name.to_string()).collect();
        let owner = directory(&folder.join("owner.toml"));
        assert_eq!(are_as_named(&owner.nodes), all);
        let asks = directory(&folder.join("client.toml"));
        let asked = are_as_named(&asks.nodes);
        assert!(asked.is_subset(&all));
        for name in servers {
            let config = node(&folder.join(name));
            assert_eq!(config.name, *name);
            assert_eq!(config.listen.port(), 7460);
            let others: BTreeSet<String> =
                all.iter().filter(|other| other != name).cloned().collect();
            assert_eq!(are_as_named(&config.peers), others);
            let who = |name: &str| fingerprint(name).parse().unwrap();
            let may = &config.permissions;
            assert!(may.may_deploy(&who("owner"), "digits"));
            assert!(!may.may_predict(&who("owner"), "digits"));
            assert_eq!(
                may.may_predict(&who(client), "digits"),
                asked.contains(*name)
            );
            assert!(!may.may_deploy(&who(client), "digits"));
            for (print, rights) in may.all() {
                assert_eq!(print.to_string(), fingerprint(&rights.name));
                assert!(rights.status);
            }
            assert_eq!(config.check_self(&who(name)), Ok(()));
        }
        assert_eq!(asks.identity, Path::new(&format!("{client}.key")));
        assert_eq!(owner.identity, Path::new("owner.key"));
    }
}

fn documents(path: &Path) -> Vec<Yaml<'static>> {
    let text: &'static str = read(path).leak();
    Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn find<'a>(documents: &'a [Yaml<'static>], kind: &str) -> &'a Yaml<'static> {
    let mut found = documents
        .iter()
        .filter(|one| one["kind"].as_str() == Some(kind));
    let one = found.next().unwrap();
    assert!(found.next().is_none(), "two of {kind}");
    one
}

fn list<'a>(node: &'a Yaml<'static>) -> &'a [Yaml<'static>] {
    node.as_sequence().unwrap()
}

fn strings<'a>(node: &'a Yaml<'static>) -> Vec<&'a str> {
    list(node)
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

/// Each mount's path by its volume's name, which the pod must have.
fn mounts<'a>(
    container: &'a Yaml<'static>,
    volumes: &BTreeSet<&str>,
) -> BTreeMap<&'a str, &'a str> {
    let mounts = list(&container["volumeMounts"]).iter().map(|mount| {
        let name = mount["name"].as_str().unwrap();
        assert!(volumes.contains(name), "no volume {name}");
        (name, mount["mountPath"].as_str().unwrap())
    });
    mounts.collect()
}

fn is_confined(container: &Yaml<'static>) {
    let context = &container["securityContext"];
    assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(context["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(strings(&context["capabilities"]["drop"]), ["ALL"]);
}

#[test]
fn manifests_agree_with_settings() {
    let base = examples().join("kubernetes");
    let resources = documents(&base.join("kustomization.yaml"));
    assert_eq!(strings(&resources[0]["resources"]), ["node.yaml"]);
    let manifest = documents(&base.join("node.yaml"));
    let (service, set) = (find(&manifest, "Service"), find(&manifest, "StatefulSet"));
    find(&manifest, "Namespace");
    assert_eq!(
        set["spec"]["serviceName"].as_str(),
        service["metadata"]["name"].as_str()
    );
    assert_eq!(set["spec"]["replicas"].as_integer(), Some(1));
    let (template, label) = (&set["spec"]["template"], "app");
    for selector in [
        &service["spec"]["selector"],
        &set["spec"]["selector"]["matchLabels"],
    ] {
        let label = selector[label].as_str();
        assert_eq!(label, template["metadata"]["labels"]["app"].as_str());
    }
    let pod = &template["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    let claims = list(&set["spec"]["volumeClaimTemplates"]).iter();
    let claims: BTreeSet<&str> = claims
        .map(|one| one["metadata"]["name"].as_str().unwrap())
        .collect();
    let declared = list(&pod["volumes"])
        .iter()
        .map(|one| one["name"].as_str().unwrap());
    let volumes: BTreeSet<&str> = declared.chain(claims.iter().copied()).collect();
    let ([copies], [container]) = (list(&pod["initContainers"]), list(&pod["containers"])) else {
        panic!("one container of each kind")
    };
    is_confined(copies);
    is_confined(container);
    let (from, to) = (mounts(copies, &volumes), mounts(container, &volumes));
    assert_eq!((from["node"], to["node"]), (POD, POD));
    let command = strings(&copies["command"]);
    assert_eq!(
        command,
        ["install", "--mode=0600", "--target-directory=/node"]
    );
    let files: BTreeSet<PathBuf> = strings(&copies["args"])
        .iter()
        .map(|file| {
            Path::new(file)
                .strip_prefix(from["given"])
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(strings(&container["command"]), ["subrosa"]);
    let arguments = strings(&container["args"]);
    assert_eq!(arguments[..2], ["node", "--config"]);
    let settings = Path::new(arguments[2]);
    assert_eq!(arguments.len(), 3);
    let given = &list(&pod["volumes"])[0]["projected"]["sources"];
    let given = [
        given[0]["configMap"]["name"].as_str().unwrap(),
        given[1]["secret"]["name"].as_str().unwrap(),
    ];
    let port = &list(&container["ports"])[0];
    let exposed = &list(&service["spec"]["ports"])[0];
    assert_eq!(exposed["targetPort"].as_str(), port["name"].as_str());
    assert_eq!(
        container["readinessProbe"]["tcpSocket"]["port"].as_str(),
        port["name"].as_str()
    );

    let mut namespaces = BTreeSet::new();
    for (example, _, servers, _) in EXAMPLES {
        for name in servers {
            let folder = examples().join(example).join(name);
            let config = node(&folder).located(settings);
            let own = |path: &Path| path.strip_prefix(POD).unwrap().to_owned();
            let KeySource::File(store) = &config.key else {
                panic!("{name}: a store's key in a file")
            };
            let needed = [own(settings), own(&config.identity), own(store)];
            assert_eq!(files, BTreeSet::from(needed.clone()));
            let data = to.iter().find(|(_, path)| config.data == Path::new(path));
            assert!(claims.contains(data.unwrap().0));
            let listens = Some(i64::from(config.listen.port()));
            assert_eq!(port["containerPort"].as_integer(), listens);
            assert_eq!(exposed["port"].as_integer(), listens);

            let file = &documents(&folder.join("kustomization.yaml"))[0];
            assert!(namespaces.insert(file["namespace"].as_str().unwrap().to_owned()));
            for resource in strings(&file["resources"]) {
                assert_eq!(folder.join(resource).canonicalize().unwrap(), base);
            }
            let made = [&file["configMapGenerator"][0], &file["secretGenerator"][0]];
            assert_eq!(made.map(|one| one["name"].as_str().unwrap()), given);
            let made = made.map(|one| strings(&one["files"])).concat();
            assert_eq!(made, needed.map(|file| file.display().to_string()));
        }
    }
    assert_eq!(namespaces.len(), 7);
}

#[test]
fn units_are_read() {
    let text = read(&examples().join("systemd/subrosa-node@.service"));
    let mut sections: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut section = None;
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(name) = line.strip_prefix('[') {
            section = Some(sections.entry(name.strip_suffix(']').unwrap()).or_default());
        } else {
            let (key, value) = line.split_once('=').unwrap();
            let before = section.as_mut().unwrap().insert(key, value);
            assert!(before.is_none(), "{key} twice");
        }
    }
    let names: Vec<&&str> = sections.keys().collect();
    assert_eq!(names, [&"Install", &"Service", &"Unit"]);
    let service = &sections["Service"];
    let state = format!("/var/lib/{}", service["StateDirectory"]);
    let start: Vec<&str> = service["ExecStart"].split(' ').collect();
    assert_eq!(start[..3], ["/usr/bin/subrosa", "node", "--config"]);
    assert_eq!(start[3..], [format!("{state}/node.toml")]);
    assert_ne!(service["User"], "root");
    for (example, _, servers, _) in EXAMPLES {
        for name in servers {
            // All that a node writes is in the folder that the unit may write to.
            let config = node(&examples().join(example).join(name)).located(Path::new(start[3]));
            assert!(config.data.starts_with(&state) && config.identity.starts_with(&state));
        }
    }
}

#[test]
fn scripts_name_what_there_is() {
    for (example, protocol, servers, client) in EXAMPLES {
        let script = examples().join(example).join("start.sh");
        let checked = Command::new("sh").arg("-n").arg(&script).status().unwrap();
        assert!(checked.success());
        let text = read(&script);
        let servers = servers.join(" ");
        for part in [
            format!("\nkeys {servers}\n"),
            format!("\nstart {servers}\n"),
            format!("key {client} \"$work/{client}.key\""),
            format!("--protocol {protocol} "),
        ] {
            assert!(text.contains(&part), "{example}: {part}");
        }
        for (name, after) in text
            .match_indices("$root/")
            .map(|(at, mark)| (example, &text[at + mark.len()..]))
        {
            let file = after.split('"').next().unwrap();
            assert!(root().join(file).is_file(), "{name}: {file}");
        }
    }
}
