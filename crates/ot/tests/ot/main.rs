mod draws;
mod faults;
mod keys;
mod pair;
mod security;
mod uniform;
