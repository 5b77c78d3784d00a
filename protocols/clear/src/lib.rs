//! One server computes in the clear: the protocol to copy from
