//! Floor 3: boolean circuits and half-gates garbling.
