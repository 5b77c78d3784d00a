//! From keys to answers and back to nothing, under each protocol.

use crate::cloud::*;
use crate::support::*;

/// `pools`: whether the protocol has material that can be made ahead.
fn lives(protocol: &'static str, more: &[&str], pools: bool) {
    let mut cloud = Cloud::deployed(protocol, protocol, more);
    let first = cloud.predict(2);
    assert_eq!(first["setups"], 1);
    assert_eq!(classes(&first), [0, 1]);
    let again = cloud.predict(1);
    assert_eq!((&again["setups"], &again["pooled"]), (&0.into(), &0.into()));
    assert_eq!(classes(&again), [0]);
    if pools {
        let at = cloud.path("client.toml");
        let said = succeed(&cloud.asks("pool", &at, &["--count", "2"]));
        assert!(said.contains("level 2"), "{said}");
    }
    cloud.stop();
    cloud.start();
    let drawn = cloud.predict(1);
    assert_eq!(drawn["setups"], 0);
    assert_eq!(drawn["pooled"], u64::from(pools));
    assert_eq!(classes(&drawn), [0]);
    let status = cloud.status();
    for node in status["nodes"].as_array().unwrap() {
        assert_eq!(node["health"], "up");
        let model = &node["status"]["models"][0];
        assert_eq!(model["name"], "digits");
        assert_eq!(model["protocol"], protocol);
        assert_eq!(model["seat"], node["name"]);
        assert_eq!(model["counts"]["inferences"], 1);
        assert_eq!(model["counts"]["pooled"], u64::from(pools));
        assert_eq!(model["enrolments"], 1);
    }
    let (owner, at) = (cloud.path("owner.toml"), cloud.path("client.toml"));
    let removed = succeed(&["deploy", "--remove", "digits", "--to", &owner]);
    assert!(removed.starts_with("digits removed from "), "{removed}");
    let input = model("demo-digits.npy");
    let line = fail(&cloud.asks("predict", &at, &["--input", &input]), 1);
    assert!(line.ends_with("it has no model `digits`"), "{line}");
    let removed = succeed(&["deploy", "--remove", "digits", "--to", &owner]);
    assert_eq!(removed, "no node had digits\n");
}

#[test]
fn clear() {
    lives("clear", &[], false);
}

#[test]
fn replicated3() {
    lives("replicated3", &[], true);
}

#[test]
fn two_party() {
    lives("two-party", &[], true);
}

#[test]
fn seco() {
    lives("seco", &["--at", "input"], true);
}
