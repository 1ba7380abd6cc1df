//! Flow tables of 1.5, of which some are for packets on their way out (OF 1.5.1 7.3.5).

use super::numbers::{TableFeatureFlags, TableFeaturesCommand};
use crate::owned::common::{TableConfig, TableFeatureProp, TableId};
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::structure;

structure! {
    /// `ofp_table_features` of 1.5 (OF 1.5.1 7.3.5).
    pub struct TableFeatures {
        _{length: u16},
        table_id: TableId,
        command: TableFeaturesCommand,
        features: TableFeatureFlags,
        name: FixedStr<32>,
        /// Bits of the metadata that the table can match.
        metadata_match: u64,
        /// Bits of the metadata that the table can write.
        metadata_write: u64,
        capabilities: TableConfig,
        max_entries: u32,
        properties: Vec<TableFeatureProp>,
    }
}
