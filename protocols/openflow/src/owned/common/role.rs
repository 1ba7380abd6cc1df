//! Roles of controllers, 1.2 and later (OF 1.3.5 7.3.9).

use super::numbers::ControllerRole;
use ferroflow_wire::structure;

structure! {
    /// `ofp_role_request`, request and reply, of 1.2 to 1.4 (OF 1.3.5 7.3.9).
    pub struct RoleRequest {
        role: ControllerRole,
        _[4],
        generation_id: u64,
    }
}
