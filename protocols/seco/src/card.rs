//! The card: what `explain` prints and what the tests hold the protocol to.

use subrosa_protocol::{Card, Learns, Source};

pub const CARD: Card = Card {
    name: "seco",
    title: "A user who talks to one gateway; behind it the rest of the model, shared among servers of other firms",
    adversary: "semi-honest; the user, or all servers but any one",
    sources: &[
        Source {
            key: "SECO",
            work: "Chen, Khisti, arXiv 2404.16232: user, gateway and remote servers, the rest of the model hidden from the user",
        },
        Source {
            key: "Delphi",
            work: "Mishra, Lehmkuhl, Srinivasan, Zheng, Popa, USENIX Security 2020: products offline, masked values online",
        },
        Source {
            key: "BLO16",
            work: "Ben-Efraim, Lindell, Omri, CCS 2016, eprint 2016/1066: garbling by many parties from oblivious transfer",
        },
        Source {
            key: "MTBH21",
            work: "Mouchet, Troncoso-Pastoriza, Bossuat, Hubaux, PoPETs 2021, eprint 2020/304: collective keys",
        },
        Source {
            key: "ZRE15",
            work: "Zahur, Rosulek, Evans, Eurocrypt 2015: half gates",
        },
        Source {
            key: "FIPS203",
            work: "NIST, FIPS 203, 2024: ML-KEM, which seals the seeds of masks to the user",
        },
    ],
    learns: &[
        Learns {
            who: "user",
            holds: "its input; the masks of its input, of what the front half hands on and of the answer",
            learns: "the answer, as much of it as is revealed, and the front half's architecture; nothing of the hidden half but shape and scale of the answer",
        },
        Learns {
            who: "gateway",
            holds: "the front half's weights in clear, a share of the rest; of every value x the masked x - λ",
            learns: "nothing about input or answer; the architecture",
        },
        Learns {
            who: "remote",
            holds: "a share of the hidden half's weights; of every value x of the hidden half the masked x - λ",
            learns: "nothing about input or answer; the hidden half's architecture",
        },
    ],
    public: &[
        "to the user: the front half with its scalars, ring width, bounds and scales; shape, width and scale of what it hands on and of the answers, and the output tail",
        "to all servers: the hidden half's operators, shapes, scalars, bounds and scales, which depend on weights and samples; who garbles and who holds weights",
        "to all: the time and the number of inferences; the time between input and answer grows with the hidden half's depth",
    ],
    not_protected: &[
        "a user together with a server: those two read what the front half hands on",
        "all servers together",
        "with --garbling single: remotes 0 and 1 together read every value of the hidden half, and after enough questions know its weights",
        "with --weights remotes: all remotes together know the hidden half's weights",
        "a party that deviates from the protocol can learn more than it should and falsify answers unnoticed",
        "what answers tell about the model when a user asks often",
        "a wire that is only calibrated can overflow on an input unlike the samples; the answer is then wrong",
        "one-time material if all parties restore a backup together",
    ],
    cost: "for the user the front half as in two-party, and nothing at all behind it; for servers offline one encrypted product for each layer and \
           the circuits of its activations, online one product of integers at each server and one exchange per layer, and three messages per activation",
    not_done: &[
        "malicious security, with or without abort",
        "sigmoid, tanh, softmax, exp inside the network",
        "hiding the hidden half's architecture from the servers, or the time it takes from the user",
    ],
};
