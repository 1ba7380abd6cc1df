//! Switch ports of 1.4 and later (OF 1.4.1 7.2.1).

use super::property::{BAD_LEN, ExperimenterProp};
use crate::owned::common::{OxmHeader, PortConfig, PortFeatures, PortNo, PortState};
use crate::v13::PortReason;
use ferroflow_wire::MacAddr;
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tlv};

open_enum! {
    /// `ofp_port_desc_prop_type` (OF 1.4.1 7.2.1; pipeline fields and recirculation are of 1.5, OF 1.5.1 7.2.1.2).
    pub PortDescPropType(u16) {
        OFPPDPT_ETHERNET = 0,
        OFPPDPT_OPTICAL = 1,
        OFPPDPT_PIPELINE_INPUT = 2,
        OFPPDPT_PIPELINE_OUTPUT = 3,
        OFPPDPT_RECIRCULATE = 4,
        OFPPDPT_EXPERIMENTER = 0xffff,
    }
}

bit_flags! {
    /// `ofp_optical_port_features` (OF 1.4.1 7.2.1).
    pub OpticalPortFeatures(u32) {
        OFPOPF_RX_TUNE = 1 << 0,
        OFPOPF_TX_TUNE = 1 << 1,
        OFPOPF_TX_PWR = 1 << 2,
        OFPOPF_USE_FREQ = 1 << 3,
    }
}

choice! {
    /// `ofp_port_desc_prop_header` and what follows it.
    pub enum PortDescProp("type": PortDescPropType) {
        OFPPDPT_ETHERNET => Ethernet {
            _[4],
            curr: PortFeatures,
            advertised: PortFeatures,
            supported: PortFeatures,
            peer: PortFeatures,
            /// kbit/s.
            curr_speed: u32,
            /// kbit/s.
            max_speed: u32,
        },
        // Frequencies are in MHz, wavelengths (lambda) in nm times 100, whichever `OFPOPF_USE_FREQ` says.
        OFPPDPT_OPTICAL => Optical {
            _[4],
            supported: OpticalPortFeatures,
            tx_min_freq_lmda: u32,
            tx_max_freq_lmda: u32,
            tx_grid_freq_lmda: u32,
            rx_min_freq_lmda: u32,
            rx_max_freq_lmda: u32,
            rx_grid_freq_lmda: u32,
            /// dBm times 10.
            tx_pwr_min: u16,
            /// dBm times 10.
            tx_pwr_max: u16,
        },
        OFPPDPT_PIPELINE_INPUT in 6..=6 => PipelineInput {
            /// What the port gives packets that come in.
            oxm_ids: Vec<OxmHeader>,
        },
        OFPPDPT_PIPELINE_OUTPUT in 6..=6 => PipelineOutput {
            /// What the port takes from packets that go out.
            oxm_ids: Vec<OxmHeader>,
        },
        OFPPDPT_RECIRCULATE in 6..=6 => Recirculate {
            /// Where packets that go out of the port may come in again.
            port_nos: Vec<PortNo>,
        },
        OFPPDPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(PortDescProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_port` (OF 1.4.1 7.2.1).
    pub struct Port {
        port_no: PortNo,
        _{length: u16},
        _[2],
        hw_addr: MacAddr,
        _[2],
        name: FixedStr<16>,
        config: PortConfig,
        state: PortState,
        properties: Vec<PortDescProp>,
    }
}

structure! {
    /// `ofp_port_status` (OF 1.4.1 7.4.3).
    pub struct PortStatus {
        reason: PortReason,
        _[7],
        desc: Port,
    }
}

open_enum! {
    /// `ofp_port_mod_prop_type` (OF 1.4.1 7.3.4).
    pub PortModPropType(u16) { OFPPMPT_ETHERNET = 0, OFPPMPT_OPTICAL = 1, OFPPMPT_EXPERIMENTER = 0xffff }
}

choice! {
    /// `ofp_port_mod_prop_header` and what follows it.
    pub enum PortModProp("type": PortModPropType) {
        OFPPMPT_ETHERNET => Ethernet { advertise: PortFeatures, },
        OFPPMPT_OPTICAL => Optical {
            configure: OpticalPortFeatures,
            /// The centre frequency, or wavelength.
            freq_lmda: u32,
            fl_offset: i32,
            grid_span: u32,
            /// dBm times 10.
            tx_pwr: u32,
        },
        OFPPMPT_EXPERIMENTER => Experimenter(property: ExperimenterProp),
        _ => Unknown,
    }
}
tlv!(PortModProp, length: u16, answer BAD_LEN, pad 8);

structure! {
    /// `ofp_port_mod` (OF 1.4.1 7.3.4).
    pub struct PortMod {
        port_no: PortNo,
        _[4],
        hw_addr: MacAddr,
        _[2],
        config: PortConfig,
        /// The bits of `config` to be changed.
        mask: PortConfig,
        properties: Vec<PortModProp>,
    }
}
