mod draws;
mod faults;
mod keys;
mod pair;
