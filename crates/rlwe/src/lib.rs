//! Floor 3: ring-LWE encryption: RNS rings, BFV, coefficient packing.
