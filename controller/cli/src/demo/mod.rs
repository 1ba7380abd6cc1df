//! demo
use crate::args::DemoArgs;
pub(crate) fn run(_: &DemoArgs) -> anyhow::Result<()> {
    Ok(())
}
