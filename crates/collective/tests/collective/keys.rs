//! Keys that go to disk and back.

use crate::harness::{among, bytes_of, coded};
use subrosa_collective::{OtKeys, Place, Servers};
use subrosa_core::{Malformed, Wire};

#[test]
fn transfers_between_servers_come_back_from_their_bytes() {
    for remotes in [2, 3] {
        let all = among(remotes, |servers: &Servers, s| {
            let keys = OtKeys::setup(servers, s).unwrap();
            let bytes = bytes_of(&keys, servers);
            assert_eq!(bytes_of(&coded(&keys, servers), servers), bytes);
            (servers.clone(), bytes)
        });
        for (servers, bytes) in &all {
            let refused = |servers: &Servers, bytes: &[u8]| OtKeys::decode(servers, bytes).err();
            for cut in [0, 15, 16, bytes.len() - 1] {
                let found = refused(servers, &bytes[..cut]);
                assert!(matches!(found, Some(Malformed::Length { .. })), "{cut}");
            }
            // Another offset than that of the transfers, and one that marks no choice.
            let mut wrong = bytes.clone();
            wrong[8] ^= 1;
            let others = (!servers.is_gateway()).then_some(Malformed::Range);
            assert_eq!(refused(servers, &wrong), others);
            wrong[0] ^= 1;
            assert_eq!(refused(servers, &wrong), Some(Malformed::Range));
            // The gateway sends nothing, and has fewer keys.
            let mut other = servers.clone();
            other.me = match servers.is_gateway() {
                true => Place(0),
                false => servers.gateway(),
            };
            let found = refused(&other, bytes);
            assert!(matches!(found, Some(Malformed::Length { .. })));
        }
    }
}
