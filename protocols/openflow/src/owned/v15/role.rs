//! Roles of controllers, which in 1.5 may have a number of their own (OF 1.5.1 7.3.8).

use super::numbers::ShortId;
use crate::owned::common::ControllerRole;
use ferroflow_wire::structure;

structure! {
    /// `ofp_role_request` of 1.5, request and reply (OF 1.5.1 7.3.8).
    pub struct RoleRequest {
        role: ControllerRole,
        short_id: ShortId,
        _[2],
        generation_id: u64,
    }
}
