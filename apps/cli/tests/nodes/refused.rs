//! What is refused, in one line on each side.

use crate::cloud::*;
use crate::support::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn who_may_not() {
    let cloud = Cloud::deployed("who", "replicated3", &[]);
    let input = model("demo-digits.npy");
    let asks = |at: &str, status| {
        let more = ["--input", input.as_str()];
        fail(&cloud.asks("predict", at, &more), status)
    };
    let stranger = key(&cloud.folder, "stranger");
    let at = cloud.directory("stranger.toml", "stranger.key", 3);
    let line = asks(&at, 1);
    assert!(line.contains("stranger.toml: server-0: "), "{line}");
    assert!(!line.contains(&stranger.fingerprint), "{line}");
    cloud.logged(0, "turned away");

    let owner = cloud.directory("owner-asks.toml", "owner.key", 3);
    let line = asks(&owner, 1);
    let said = "may not ask the model `digits`";
    assert!(
        line.contains(&cloud.owner.fingerprint) && line.contains(said),
        "{line}"
    );
    let log = cloud.logged(0, said);
    let logged = log.lines().find(|line| line.contains(said)).unwrap();
    assert!(
        logged.contains("refused") && logged.contains("owner"),
        "{logged}"
    );

    let (net, client) = (model(NET), cloud.path("client.toml"));
    let deploy = [
        "deploy",
        &net,
        "--name",
        "digits",
        "--protocol",
        "replicated3",
    ];
    let deploy = [&deploy[..], &["--input-range", "0:1", "--to", &client]].concat();
    let line = fail(&deploy, 1);
    let said = "may not deploy `digits`";
    assert!(
        line.contains("nothing was deployed") && line.contains(said),
        "{line}"
    );
    cloud.logged(0, said);

    let text = std::fs::read_to_string(&client).unwrap();
    let wrong = text.replace(&cloud.keys[1].fingerprint, &stranger.fingerprint);
    std::fs::write(cloud.path("wrong.toml"), wrong).unwrap();
    let line = asks(&cloud.path("wrong.toml"), 2);
    let said = "server-1: the handshake failed: the certificate's fingerprint is not the one";
    assert!(line.contains(said), "{line}");
    cloud.logged(1, "turned away");

    let few = cloud.directory("few.toml", "client.key", 2);
    let line = asks(&few, 2);
    assert!(line.contains("is served by server-2 too"), "{line}");
    assert_eq!(classes(&cloud.predict(1)), [0]);
}

#[test]
fn what_cannot_be() {
    let cloud = Cloud::deployed("what", "clear", &["--batch", "2"]);
    let at = cloud.path("client.toml");
    let asks = |input: &str, more: &[&str], status| {
        let more = [&["--input", input], more].concat();
        fail(&cloud.asks("predict", &at, &more), status)
    };
    let file = |name: &str, shape: &[usize], values: Vec<f32>| {
        npy(&cloud.folder.join(name), "<f4", shape, &floats(values))
    };
    let good = file("good.npy", &[2, 1, 28, 28], spread(2 * 784));
    let narrow = file("narrow.npy", &[2, 1, 27, 28], spread(2 * 756));
    let line = asks(&narrow, &[], 2);
    let said = "narrow.npy: input 'image': expected shape [any, 1, 28, 28], found [2, 1, 27, 28]";
    assert!(line.contains(said), "{line}");
    let mut values = spread(2 * 784);
    values[784 + 28 + 3] = 1.5;
    let line = asks(&file("high.npy", &[2, 1, 28, 28], values), &[], 2);
    let said = "element [1, 0, 1, 3]: expected a number in [0, 1], found 1.5";
    assert!(line.contains(said), "{line}");
    let odd = file("odd.npy", &[3, 1, 28, 28], spread(3 * 784));
    let line = asks(&odd, &[], 2);
    assert!(
        line.contains("3 inputs cannot be cut into the batches"),
        "{line}"
    );
    let line = asks(&model(NET), &[], 2);
    assert!(line.contains("not an NPY file"), "{line}");
    let line = asks(&cloud.path("none.npy"), &[], 2);
    assert!(line.contains("none.npy: no such file"), "{line}");
    let line = asks(&good, &["--expect", &"0".repeat(64)], 2);
    assert!(line.contains("the architecture of `digits` is "), "{line}");
    let line = asks(&good, &["--output", "y.txt"], 2);
    assert!(
        line.contains("expected a name that ends in .npy or .npz"),
        "{line}"
    );
    let pool = ["--count", "1", "--batch", "3"];
    let line = fail(&cloud.asks("pool", &at, &pool), 2);
    assert!(line.contains("was deployed for 2, found 3"), "{line}");
    let absent = ["predict", "absent", "--at", &at, "--input", &good];
    let line = fail(&absent, 1);
    assert!(line.ends_with("server: it has no model `absent`"), "{line}");
    let log = cloud.logged(0, "it has no model `absent`");
    assert!(!log.contains("visit"), "{log}");

    let status = cloud.status();
    let shown = &status["nodes"][0]["status"]["models"][0]["counts"]["visits"];
    assert_eq!(*shown, 0);
    let (net, to) = (model(NET), cloud.path("owner.toml"));
    let deploy = |more: &[&str]| {
        let first = ["deploy", &net, "--name", "digits", "--to", &to];
        fail(&[&first[..], &["--protocol", "clear"], more].concat(), 2)
    };
    let line = deploy(&[]);
    assert!(
        line.contains("--input-range: nothing is said of input 'image'"),
        "{line}"
    );
    let line = deploy(&["--input-range", "0:1", "--reveal", "some"]);
    assert!(line.contains("expected all, argmax or top:K"), "{line}");
}

#[test]
fn nodes_with_settings_that_cannot_be() {
    let cloud = Cloud::new("settings", "two-party");
    let settings = cloud.settings(0);
    let refuse = |text: &str, said: &str| {
        std::fs::write(&settings, text).unwrap();
        for more in [&["--check"][..], &[]] {
            let line = fail(&[&["node", "--config", &settings], more].concat(), 2);
            assert!(line.contains(said), "{line}");
        }
    };
    let good = cloud.node(0, "");
    let check = ["node", "--config", &settings, "--check"];
    assert!(succeed(&check).starts_with("sound vendor 127.0.0.1:"));
    let own = format!(
        "{good}[[peer]]\nname = \"other\"\naddress = \"127.0.0.1:1\"\nfingerprint = \"{}\"\n",
        cloud.keys[0].fingerprint
    );
    let at = own.lines().count();
    refuse(
        &own,
        &format!("vendor.toml: line {at}: peer.fingerprint: the fingerprint of this file's own"),
    );
    refuse(
        &good.replace("data = ", "dada = "),
        "vendor.toml: line 5: dada: unknown key",
    );
    refuse(
        &cloud.node(0, "passphrase_file = \"none\""),
        "none: no such file",
    );
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&cloud.keys[0].path, open).unwrap();
    refuse(&good, "vendor.key: its mode 0644 lets others");
    let line = fail(&["node", "--config", &cloud.path("none.toml")], 2);
    assert!(line.contains("none.toml: cannot be read"), "{line}");
}

#[test]
fn nodes_that_are_away() {
    let mut cloud = Cloud::new("away", "replicated3");
    cloud.start();
    cloud.nodes[1] = None;
    let at = cloud.path("client.toml");
    let output = subrosa(&cloud.asks("status", &at, &["--json"]));
    assert_eq!(output.status.code(), Some(1));
    let json = parsed(&text(&output.stdout));
    let health = |at: usize| json["nodes"][at]["health"].as_str().unwrap();
    assert_eq!([0, 1, 2].map(health), ["up", "unreachable", "up"]);
    let line = text(&output.stderr);
    assert!(
        line.starts_with("subrosa: no answer from server-1 ("),
        "{line}"
    );
    let (net, to) = (model(NET), cloud.path("owner.toml"));
    let deploy = ["deploy", &net, "--name", "digits", "--to", &to];
    let deploy = [
        &deploy[..],
        &["--protocol", "replicated3", "--input-range", "0:1"],
    ]
    .concat();
    let line = fail(&deploy, 1);
    assert!(line.contains("nothing was deployed: server-1: "), "{line}");
    cloud.start();
    cloud.deploy(&[]);
    assert_eq!(classes(&cloud.predict(1)), [0]);
}
