//! Floor 3: one-time material on disk, taken exactly once.
//!
//! Material is made by n parties together and used up by them together. A [`Vault`] keeps one party's part: a
//! ledger (redb) and, beside it, an encrypted and authenticated file for each item. Items form a series, named by
//! parties, model and plan; an item is named by series, epoch and number. The crate knows no network: what the
//! parties tell each other are values of [`Wire`](subrosa_core::Wire) that the caller carries.
//!
//! What holds, across crashes at any moment and across the restored backup of any party but not of all:
//!
//! - A number is set aside in the ledger before its item is begun, so no number is made twice in an epoch.
//! - An item is whole and durable at a party before the party says so, and usable when all have said so: each in
//!   its [`Made`], or each in the [`Standing`] of the next handshake. What not all have is burned.
//! - An item leaves the ledger of **every** party, durably, before any party uses it: [`Pool::lease`] gives a
//!   claim, [`Claimed::agreed`] gives the items that all have claimed. What has left the ledger never comes back:
//!   a crash burns what was leased, and the next handshake burns what one party's backup brings back.
//! - An [`Item`] is moved, not copied, and its file is deleted after use.
//!
//! A [`Store`] keeps what is used any number of times: sealed values by kind and name, and sealed files. Changes to it
//! are all or nothing and durable. It knows neither items nor parties, and lies in a folder of its own. [`stretch`]
//! makes its key of a passphrase.
//!
//! ```
//! use subrosa_core::Seed;
//! use subrosa_vault::Store;
//!
//! # let folder = std::env::temp_dir().join(format!("subrosa-store-doc-{}", std::process::id()));
//! let store = Store::open(&folder, &Seed::insecure_seeded(1))?;
//! let mut weights = store.blob()?;
//! weights.write(&[7; 100_000])?;
//! let weights = weights.finish()?;
//! store.change(|c| c.put("model", b"lenet", b"version 2", &[weights]))?;
//! assert_eq!(*store.get("model", b"lenet")?.unwrap(), b"version 2");
//! assert_eq!(store.read(&weights)?.len(), 100_000);
//! store.change(|c| c.delete("model", b"lenet"))?;
//! assert!(store.read(&weights).is_err());
//! # drop(store);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Spill`] is of none of this: material that is used by the process that makes it, sealed in the same way, in a
//! file only because it is larger than memory.
//!
//! Each party tells its words to all others, or all tell theirs to one of them, the *hub*, which combines them and
//! tells each what all say, itself included: [`Series::combined`], [`Pool::combined`], [`Claimed::combined`]. A party
//! then settles, commits and agrees with the hub's word alone, and learns nothing of how many others there are: a
//! combined word is as long as one, with one epoch, one next number and one set of numbers. The above holds as before,
//! since the hub speaks only when it has heard of all that they are done, and it passes the sum of the others' nonces
//! on to each, so that each puts its own into the mark of an epoch itself. What the series is
//! [called](SeriesName::told) is told by the hub, too. All of this takes parties that say what is so. A hub that lies
//! could have a party whose backup was restored use an item again, which without a hub takes all others together.
//!
//! All parties restored together to one earlier moment are not covered, nor is a folder whose file system lies
//! about what it has written, or one that two machines mount without locks. The key of an item hangs on a salt
//! that lies in the ledger alone; a deleted row is overwritten in time, not at once.
//!
//! ```
//! use subrosa_core::{Seed, Shelf, Words, WordsLayout};
//! use subrosa_vault::{SeriesName, Vault};
//!
//! # let root = std::env::temp_dir().join(format!("subrosa-vault-doc-{}", std::process::id()));
//! # let open = |name| Vault::open(&root.join(name), &Seed::insecure_seeded(1));
//! let (client, owner) = ([1; 32], [2; 32]);
//! let name = |own, peer| SeriesName { own, peers: vec![peer], model: [3; 32], plan: [4; 32], told: None };
//! let a = open("client")?.series(&name(client, owner))?;
//! let b = open("owner")?.series(&name(owner, client))?;
//!
//! // The handshake: each tells the other how it stands.
//! let (from_a, from_b) = (a.standing()?, b.standing()?);
//! let a = a.settle(&from_a, &[from_b.clone()])?;
//! let b = b.settle(&from_b, &[from_a])?;
//!
//! // The offline phase, three times. Each tells the other what it has made.
//! let layout = WordsLayout { bits: 40, count: 1000 };
//! let lot = a.fresh()..a.fresh() + 3;
//! for number in lot.clone() {
//!     for pool in [&a, &b] {
//!         let mut slot = pool.begin(number)?;
//!         slot.put(Words { bits: 40, values: vec![number; 1000] })?;
//!         slot.made()?;
//!     }
//! }
//! assert_eq!(a.committed(&[b.made(lot.clone())?])?, 3);
//! assert_eq!(b.committed(&[a.made(lot)?])?, 3);
//!
//! // The client leases and the owner follows. Each tells the other what it has claimed.
//! let from_a = a.lease(3)?;
//! let from_b = b.follow(from_a.claim())?;
//! let claim = from_a.claim().clone();
//! for item in from_a.agreed(&[from_b.claim().clone()])? {
//!     let mut stock = item.stock::<Words>(vec![layout])?;
//!     assert_eq!(stock.take()?.values.len(), 1000);
//! }
//! assert_eq!(from_b.agreed(&[claim])?.len(), 3);
//! # drop((a, b));
//! # std::fs::remove_dir_all(&root)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blob;
mod book;
mod entry;
mod fault;
mod folder;
mod lease;
mod ledger;
mod name;
mod numbers;
mod pieces;
mod seal;
mod series;
mod slot;
mod spill;
mod store;
mod stretch;
mod vault;
mod word;

pub use blob::{BlobId, BlobReader, BlobWriter};
pub use fault::{Part, VaultFault};
pub use lease::{Claimed, Item, Lease};
pub use name::{SeriesId, SeriesName, SeriesTag};
pub use numbers::{Number, Numbers};
pub use pieces::ItemPieces;
pub use series::{Pool, Series};
pub use slot::Slot;
pub use spill::{Spill, Spilled};
pub use store::{Change, Store};
pub use stretch::stretch;
pub use vault::Vault;
pub use word::{Claim, Durable, Gone, Kind, Made, Standing, Word};
