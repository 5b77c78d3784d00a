//! The one test suite that every protocol passes
