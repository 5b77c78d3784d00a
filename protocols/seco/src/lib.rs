//! A thin client, a gateway, and a model whose rest is shared among remote servers.
