//! The card: what `explain` prints and what the tests hold the protocol to.

use subrosa_protocol::{Card, Learns, Source};

pub const CARD: Card = Card {
    name: "two-party",
    title: "A client and a model's vendor, nobody else: encryption offline, oblivious transfer or garbled circuits online",
    adversary: "semi-honest; the client or the vendor",
    sources: &[
        Source {
            key: "Delphi",
            work: "Mishra, Lehmkuhl, Srinivasan, Zheng, Popa, USENIX Security 2020: products offline, masked values online",
        },
        Source {
            key: "Cheetah",
            work: "Huang, Lu, Hong, Ding, USENIX Security 2022: coefficient packing without rotations",
        },
        Source {
            key: "CrypTFlow2",
            work: "Rathee, Rathee, Kumar, Chandran, Gupta, Rastogi, Sharma, CCS 2020: comparison by 1-of-16 OT and a tree",
        },
        Source {
            key: "ZRE15",
            work: "Zahur, Rosulek, Evans, Eurocrypt 2015: half gates",
        },
        Source {
            key: "Roy22",
            work: "Roy, Crypto 2022: SoftSpokenOT",
        },
        Source {
            key: "Ferret",
            work: "Yang, Weng, Lan, Zhang, Wang, CCS 2020: silent OT extension",
        },
        Source {
            key: "DEK19",
            work: "Dalskov, Escudero, Keller, 2019/131: truncation and lift without large errors, by the top bit",
        },
    ],
    learns: &[
        Learns {
            who: "vendor",
            holds: "the weights in clear; of every value x the masked x - λ",
            learns: "nothing about inputs or answers",
        },
        Learns {
            who: "client",
            holds: "its input; the masks λ; the keys of the encryption",
            learns: "the answer, as much of it as is revealed",
        },
    ],
    public: &[
        "the architecture: operators, shapes, scalars, constants of the output tail",
        "ring width, scales and bounds of every wire, and the size of the largest weight; they depend on weights and on calibration samples",
        "the declared input range, the time and the number of inferences",
    ],
    not_protected: &[
        "a party that deviates from the protocol can learn more than it should and falsify answers unnoticed",
        "what answers tell about the model when a client asks often",
        "a wire that is only calibrated can overflow on an input unlike the samples; the answer is then wrong",
        "one-time material if both parties restore a backup together",
    ],
    cost: "offline one encrypted product for each layer and the transfers or circuits of its activations; online one product of integers \
           at the vendor per layer; ReLU: eight exchanges and about 43 bytes with ot, two exchanges and about 450 bytes with gc",
    not_done: &[
        "malicious security, with or without abort",
        "sigmoid, tanh, softmax, exp inside the network",
        "hiding the architecture",
    ],
};
