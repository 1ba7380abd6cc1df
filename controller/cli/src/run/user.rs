//! Whom the process becomes once its ports are open.

use std::str::FromStr;

use rustix::process::{Gid, Uid};

/// A user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

const PASSWD: &str = "/etc/passwd";

impl FromStr for User {
    type Err = String;

    /// A name or a number, as `/etc/passwd` has it.
    fn from_str(text: &str) -> Result<User, String> {
        let all = std::fs::read_to_string(PASSWD).map_err(|e| format!("cannot read {PASSWD}: {e}"))?;
        find(&all, text).ok_or_else(|| format!("there is no user {text:?} in {PASSWD}"))
    }
}

/// passwd(5): name, password, uid, gid and more, apart by colons.
fn find(passwd: &str, wanted: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let user = User { uid: Uid::from_raw(uid.parse().ok()?), gid: Gid::from_raw(gid.parse().ok()?) };
        (name == wanted || uid == wanted).then_some(user)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken:x\nff:x:990:991::/:/bin/false\n";
        let ff = Some(User { uid: Uid::from_raw(990), gid: Gid::from_raw(991) });
        assert_eq!(find(passwd, "ff"), ff);
        assert_eq!(find(passwd, "990"), ff);
        for absent in ["f", "991", "broken", ""] {
            assert_eq!(find(passwd, absent), None, "{absent}");
        }
    }
}
