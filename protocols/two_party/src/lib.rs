//! Floor 6: a client and a model owner, no third party.
