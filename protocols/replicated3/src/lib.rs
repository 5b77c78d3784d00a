//! Three servers, at most one curious: masked replicated secret sharing over Z/2^k
