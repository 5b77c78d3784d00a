//! The card: what `explain` prints and what the tests hold the protocol to.

use subrosa_protocol::{Card, Learns, Source};

pub const CARD: Card = Card {
    name: "replicated3",
    title: "Three servers, at most one curious: masked replicated secret sharing over Z/2^k",
    adversary: "semi-honest; one of the three servers, or the client; servers must not pool what they see; \
                the owner divides the model on its own machine and hands each server its part: it is no party of a session",
    sources: &[
        Source {
            key: "ASTRA",
            work: "Chaudhari, Choudhury, Patra, Suresh, CCSW 2019: masks drawn ahead, one server silent online",
        },
        Source {
            key: "ABY3",
            work: "Mohassel, Rindal, CCS 2018: replicated sharing of weights, three-party truncation",
        },
        Source {
            key: "ABY2.0",
            work: "Patra, Schneider, Suresh, Yalame, USENIX Security 2021: products of several masked bits in one opening",
        },
        Source {
            key: "DEK19",
            work: "Dalskov, Escudero, Keller, 2019/131: truncation and lift without large errors, by the top bit",
        },
        Source {
            key: "AFLNO16",
            work: "Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016: the sharing",
        },
    ],
    learns: &[
        Learns {
            who: "server-0, server-1",
            holds: "masked values c = x - λ, their part of λ, two of three shares of the weights",
            learns: "nothing beyond what is public",
        },
        Learns {
            who: "server-2",
            holds: "the masks λ, two of three shares of the weights; receives nothing that depends on an input",
            learns: "nothing beyond what is public",
        },
        Learns {
            who: "client",
            holds: "its input",
            learns: "the answer, as much of it as is revealed",
        },
    ],
    public: &[
        "the architecture: operators, shapes, scalars, constants of the output tail",
        "ring width, scales and bounds of every wire; they depend on weights and on calibration samples",
        "the declared input range, the time and the number of inferences",
    ],
    not_protected: &[
        "two servers that collude see everything",
        "a server that deviates from the protocol can falsify answers unnoticed",
        "what answers tell about the model when a client asks often",
        "a wire that is only calibrated can overflow on an input unlike the samples; the answer is then wrong",
    ],
    cost: "offline one pass of the graph by the dealer; online one product of integers at each evaluator per layer; \
           ReLU: five exchanges from product to product, about 40 bytes offline and 30 online at 48 bits",
    not_done: &[
        "malicious security, with or without abort",
        "sigmoid, tanh, softmax, exp inside the network",
        "constant-round comparison by function secret sharing",
    ],
};
