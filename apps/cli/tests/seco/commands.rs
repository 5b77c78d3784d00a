//! `split --ways`, `bench`, `demo` and what they refuse.

use super::*;

const NET: &str = "mnist-mlp.onnx";

/// Where the net can be cut.
const CUTS: [&str; 9] = [
    "input",
    "/0/Flatten",
    "/1/Gemm (product)",
    "/1/Gemm (truncate)",
    "/2/Relu",
    "/3/Gemm (product)",
    "/3/Gemm (truncate)",
    "/4/Relu",
    "/5/Gemm (product)",
];

#[test]
fn cuts_are_listed_and_the_chosen_one_is_marked() {
    for (asked, chosen) in [(&[][..], None), (&["--at", "/2/Relu"], Some("/2/Relu"))] {
        let model = model(NET);
        let arguments = [&["split", &model, "--ways"], asked].concat();
        let json = parsed(&succeed(&[&arguments[..], &["--json"]].concat()));
        let ways = json["ways"].as_array().unwrap();
        let names: Vec<&str> = ways.iter().map(|way| way["at"].as_str().unwrap()).collect();
        assert_eq!(names, CUTS);
        let at = json["at"].as_str().unwrap();
        assert!(CUTS.contains(&at) && chosen.is_none_or(|chosen| chosen == at));
        assert_eq!(json["files"].as_array().unwrap().len(), 0);
        let text = succeed(&arguments);
        let marked: Vec<&str> = text.lines().filter(|line| line.contains(" * ")).collect();
        assert_eq!(marked.len(), 1, "{text}");
        assert!(marked[0].trim().starts_with(&format!("{at} *")), "{text}");
        for cut in CUTS {
            let begins = |line: &str| line.trim().starts_with(cut);
            assert!(text.lines().any(begins), "{cut}: {text}");
        }
    }
}

/// `bench` of the net in two-party and, cut at two places, in seco.
fn bench(more: &[&str]) -> String {
    let model = model(NET);
    let arguments = [
        "bench",
        "--models",
        &model,
        "--protocols",
        "two-party,seco",
        "--splits",
        "input,/2/Relu",
        "--nonlinear",
        "gc",
        "--batch",
        "1",
        "--repeat",
        "1",
    ];
    succeed(&[&arguments[..], more].concat())
}

#[test]
fn bench_shows_the_clients_part() {
    let plot = folder("seco-plot").join("clients.svg");
    let text = bench(&["--plot", plot.to_str().unwrap()]);
    let line = |start: &str| text.lines().find(|line| line.trim().starts_with(start));
    for start in [
        "client ",
        "two-party (gc) ",
        "seco, input ",
        "seco (gc), /2/Relu ",
        "seco, input less ",
        "seco (gc), /2/Relu less ",
    ] {
        assert!(line(start).is_some(), "{start}: {text}");
    }
    // Names of nodes are as long as they are.
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 98 + "/2/Relu".len(), "{text}");
    let svg = std::fs::read_to_string(plot).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
    for name in ["seco, input", "seco (gc), /2/Relu", "two-party (gc)"] {
        assert!(svg.contains(name), "{name}: {svg}");
    }
}

/// Rows say of the user what `split --ways` has reckoned.
#[test]
fn bench_has_the_clients_part_in_rows() {
    let json = parsed(&bench(&["--json"]));
    let rows = json["rows"].as_array().unwrap();
    let keys = |row: &Value| [row["protocol"].clone(), row["split"].clone()];
    let expected = [
        ["two-party".into(), Value::Null],
        ["seco".into(), "input".into()],
        ["seco".into(), "/2/Relu".into()],
    ];
    assert_eq!(rows.iter().map(keys).collect::<Vec<_>>(), expected);
    let model = model(NET);
    let ways = parsed(&succeed(&[
        "split",
        &model,
        "--ways",
        "--nonlinear",
        "gc",
        "--json",
    ]));
    for row in &rows[1..] {
        let all = ways["ways"].as_array().unwrap();
        let way = all.iter().find(|way| way["at"] == row["split"]).unwrap();
        for phase in ["offline", "online"] {
            let reckoned = &way[format!("user_{phase}_bytes")];
            assert_eq!(
                row["client"][format!("{phase}_bytes")],
                *reckoned,
                "{row} {way}"
            );
        }
        let client = |row: &Value| row["client"]["online_bytes"].as_u64().unwrap();
        assert!(client(row) < client(&rows[0]), "{json}");
    }
}

#[test]
fn demo_shows_noise_to_everybody() {
    let text = succeed(&["demo", "--protocol", "seco"]);
    for part in [
        "12 of 12 as in the clear",
        "the bill is the same to the byte",
        "What the gateway saw",
        "    the gateway, ",
        "    remote-0, ",
        "    remote-1, ",
        "    the user, ",
        "x - r",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("it sees noise").count(), 4, "{text}");
    assert!(!text.contains("more than noise"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn explain_shows_the_card() {
    assert!(succeed(&["explain", "seco"]).contains("Who learns what"));
    assert_eq!(
        parsed(&succeed(&["explain", "seco", "--json"]))["name"],
        "seco"
    );
}

#[test]
fn wrong_divisions() {
    let files = folder("seco-wrong");
    let (x, model) = (input(&files, &IMAGE), model(NET));
    let refuse = |more: &[&str], parts: &[&str]| {
        for line in [
            fail(&asks(&model, &x, more), 2),
            fail(&[&["split", &model], more].concat(), 2),
        ] {
            for part in parts {
                assert!(line.contains(part), "{part}: {line}");
            }
        }
    };
    refuse(&["--at", "/9/Relu"], &[&["/9/Relu"], &CUTS[..]].concat());
    refuse(&["--hide", "/9/Relu"], &["/9/Relu", "/2/Relu"]);
    for number in ["1", "9", "many"] {
        refuse(&["--remotes", number], &["--remotes", number, "2 to 8"]);
    }
    refuse(&["--at", "input", "--hide", "/2/Relu"], &["--at", "--hide"]);
    refuse(&["--garbling", "gmw"], &["gmw", "bmr", "single"]);
    refuse(&["--weights", "user"], &["user", "all-servers", "remotes"]);
    let both = ["bench", "--splits", "input", "--at", "input"];
    let line = fail(&both, 2);
    assert!(line.contains("--splits") && line.contains("--at"), "{line}");
    let line = fail(&["bench", "--plot", "/no/such/folder/F.svg"], 2);
    assert!(line.contains("--plot /no/such/folder/F.svg"), "{line}");
}
