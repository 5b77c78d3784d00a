//! The card: what `explain` prints and what the tests hold the protocol to.

use subrosa_protocol::{Card, Learns};

pub const CARD: Card = Card {
    name: "clear",
    title: "One server computes in the clear: nothing is protected",
    adversary: "none: the server is trusted with everything",
    sources: &[],
    learns: &[
        Learns {
            who: "server",
            holds: "the weights in clear; it brought them",
            learns: "every input, every value inside the network, every answer",
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
        "inputs and answers are open to the server",
        "a server that deviates can falsify answers unnoticed",
        "what answers tell about the model when a client asks often",
    ],
    cost: "one message each way online, of the inputs and of the answers; nothing offline, nothing at setup",
    not_done: &[
        "privacy of any kind: this is the baseline that the other protocols are measured against",
    ],
};
