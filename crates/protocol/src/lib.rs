//! What a protocol is: plans, roles, cards and the spine share, online, reveal
