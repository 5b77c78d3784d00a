//! Masked replicated sharing of Z/2^k and of bits: local steps of dealer and evaluators
