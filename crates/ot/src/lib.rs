//! Floor 3: oblivious transfer: base OTs, extension, silent extension.
