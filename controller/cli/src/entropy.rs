//! Randomness from the operating system: the only place where the command draws any.

use anyhow::Context;

/// A random number.
///
/// # Errors
/// When the operating system has none to give.
pub(crate) fn seed() -> anyhow::Result<u64> {
    getrandom::u64().context("the operating system gives no random numbers")
}
