use std::fmt;
use std::str::FromStr;

/// Which of POF's wire formats is spoken.
///
/// Every one of them has version byte 4, as OpenFlow 1.3 has: the profile cannot be read off a message and is an
/// argument of all reading and writing. The profile of a switch is known by configuration, or by its
/// FEATURES_REPLY ([`Profile::of_firmware`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// 1.1.8: values may stand in fields. Described in part.
    P118 = 1,
    /// 1.1.9: wider values and typed checksums. Described in part.
    P119 = 2,
    /// 1.3.4, the public POFSwitch and POFController.
    P134 = 3,
    /// 1.4.0, the POFSwitch of USTC and ONOS-POF: several slots.
    P140 = 4,
}

/// Profiles whose messages carry slot ids (the compile-time switch `MULTIPLE_SLOTS`).
pub(crate) const SLOTS: [u8; 1] = [4];

/// Profiles without slot ids.
pub(crate) const NO_SLOTS: [u8; 3] = [1, 2, 3];

/// Profiles where a value is a number or stands in a field (`SD2N`), and where counters count bytes.
pub(crate) const FIELD_VALUES: [u8; 3] = [1, 2, 4];

/// Profiles where values have 16 bytes and checksums are typed (`SD2N_AFTER1015`).
pub(crate) const WIDE_VALUES: [u8; 2] = [2, 4];

/// Profiles of which every message is described.
pub(crate) const COMPLETE: [u8; 2] = [3, 4];

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::P118, Self::P119, Self::P134, Self::P140];

    /// What reading and writing of a structure goes by.
    #[inline]
    pub(crate) const fn version(self) -> u8 {
        self as u8
    }

    /// The profile that [`version`](Self::version) is the number of.
    pub(crate) fn of_version(version: u8) -> Self {
        Self::ALL.into_iter().find(|profile| profile.version() == version).unwrap_or(Self::P134)
    }

    /// The version that names the profile: `1.4.0`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P118 => "1.1.8",
            Self::P119 => "1.1.9",
            Self::P134 => "1.3.4",
            Self::P140 => "1.4.0",
        }
    }

    /// The profile of a switch that calls its firmware so in `dev_fw_id`.
    ///
    /// ```
    /// use ferroflow_pof::Profile;
    ///
    /// assert_eq!(Profile::of_firmware("POFSwitch-1.4.0.015"), Some(Profile::P140));
    /// assert_eq!(Profile::of_firmware("POFSwitch-1.5.0"), None);
    /// ```
    pub fn of_firmware(dev_fw_id: &str) -> Option<Self> {
        let version = dev_fw_id.strip_prefix("POFSwitch-")?;
        Self::ALL.into_iter().find(|profile| {
            version.strip_prefix(profile.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Messages carry slot ids (the compile-time switch `MULTIPLE_SLOTS`).
    #[inline]
    pub const fn has_slots(self) -> bool {
        matches!(self, Self::P140)
    }

    /// A value may be a number or stand in a field (`SD2N`), and counters count bytes: every profile but 1.3.4.
    #[inline]
    pub const fn has_field_values(self) -> bool {
        !matches!(self, Self::P134)
    }

    /// Values have 16 bytes and checksums are typed (`SD2N_AFTER1015`): 1.1.9 and 1.4.0.
    #[inline]
    pub const fn has_wide_values(self) -> bool {
        matches!(self, Self::P119 | Self::P140)
    }

    /// The layouts of 1.1.8 and 1.1.9 are known in part only; those of 1.3.4 and 1.4.0 are known.
    #[inline]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::P134 | Self::P140)
    }

    /// Slots for instructions in a FLOW_MOD.
    #[inline]
    pub const fn max_instructions(self) -> usize {
        if self.has_field_values() { 6 } else { 4 }
    }

    /// Slots for actions in APPLY_ACTIONS.
    #[inline]
    pub const fn max_actions(self) -> usize {
        if self.has_field_values() { 6 } else { 4 }
    }

    /// Bytes of an instruction's slot.
    #[inline]
    pub const fn instruction_len(self) -> usize {
        8 + self.instruction_data_len()
    }

    /// Bytes of an instruction's data.
    #[inline]
    pub(crate) const fn instruction_data_len(self) -> usize {
        // 8 bytes of APPLY_ACTIONS and as many actions as fit.
        8 + self.max_actions() * crate::ACTION_LEN
    }

    /// Bytes of a FLOW_MOD, its header among them: 1200 or 2192.
    #[inline]
    pub const fn flow_mod_len(self) -> usize {
        crate::HEADER_LEN + 360 + self.max_instructions() * self.instruction_len()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no profile's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no POF profile {0:?}; there are 1.1.8, 1.1.9, 1.3.4 and 1.4.0")]
pub struct UnknownProfile(pub String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_description() {
        assert_eq!(Profile::ALL.map(Profile::instruction_len), [304, 304, 208, 304]);
        assert_eq!(Profile::ALL.map(Profile::flow_mod_len), [2192, 2192, 1200, 2192]);
    }

    #[test]
    fn lists_are_the_compile_time_switches() {
        for profile in Profile::ALL {
            let is = |profiles: &[u8]| profiles.contains(&profile.version());
            assert_eq!(is(&SLOTS), profile.has_slots());
            assert_eq!(is(&NO_SLOTS), !profile.has_slots());
            assert_eq!(is(&FIELD_VALUES), profile.has_field_values());
            assert_eq!(is(&WIDE_VALUES), profile.has_wide_values());
            assert_eq!(is(&COMPLETE), profile.is_complete());
            assert_eq!(Profile::of_version(profile.version()), profile);
        }
    }

    #[test]
    fn firmware_names_the_profile() {
        for (firmware, profile) in [
            ("POFSwitch-1.3.4", Some(Profile::P134)),
            ("POFSwitch-1.4.0.015", Some(Profile::P140)),
            ("POFSwitch-1.4.01", None),
            ("POFSwitch-1.5.0", None),
            ("1.4.0", None),
        ] {
            assert_eq!(Profile::of_firmware(firmware), profile, "{firmware}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("1.5.0".parse::<Profile>().unwrap_err().to_string().contains("1.4.0"));
    }
}
