//! Nicira actions (`NXAST_*`), in vendor actions of 1.0 and experimenter actions of later versions.

use super::learn::{FlowModSpecs, LearnFlags};
use super::learn2::NxLearn2;
use super::parts::{Actions, NatRange, NxmHeader, OfsNbits};
use crate::owned::common::{GroupId, MeterId, Oxm, OxmHeader, QueueId, TableId};
use crate::owned::v10::PortNo;
use crate::v13::PacketInReason;
use ferroflow_wire::codec::Bytes;
use ferroflow_wire::{bit_flags, choice, open_enum, structure, tagged, tlv};

open_enum! {
    /// Subtypes of Nicira actions.
    pub NxActionType(u16) {
        NXAST_RESUBMIT = 1,
        NXAST_SET_TUNNEL = 2,
        NXAST_SET_QUEUE = 4,
        NXAST_POP_QUEUE = 5,
        NXAST_REG_MOVE = 6,
        NXAST_REG_LOAD = 7,
        NXAST_NOTE = 8,
        NXAST_SET_TUNNEL64 = 9,
        NXAST_MULTIPATH = 10,
        NXAST_BUNDLE = 12,
        NXAST_BUNDLE_LOAD = 13,
        NXAST_RESUBMIT_TABLE = 14,
        NXAST_OUTPUT_REG = 15,
        NXAST_LEARN = 16,
        NXAST_EXIT = 17,
        NXAST_DEC_TTL = 18,
        NXAST_FIN_TIMEOUT = 19,
        NXAST_CONTROLLER = 20,
        NXAST_DEC_TTL_CNT_IDS = 21,
        NXAST_WRITE_METADATA = 22,
        NXAST_PUSH_MPLS = 23,
        NXAST_POP_MPLS = 24,
        NXAST_SET_MPLS_TTL = 25,
        NXAST_DEC_MPLS_TTL = 26,
        NXAST_STACK_PUSH = 27,
        NXAST_STACK_POP = 28,
        NXAST_SAMPLE = 29,
        NXAST_SET_MPLS_LABEL = 30,
        NXAST_SET_MPLS_TC = 31,
        NXAST_OUTPUT_REG2 = 32,
        NXAST_REG_LOAD2 = 33,
        NXAST_CONJUNCTION = 34,
        NXAST_CT = 35,
        NXAST_NAT = 36,
        NXAST_CONTROLLER2 = 37,
        NXAST_SAMPLE2 = 38,
        NXAST_OUTPUT_TRUNC = 39,
        NXAST_GROUP = 40,
        NXAST_SAMPLE3 = 41,
        NXAST_CLONE = 42,
        NXAST_CT_CLEAR = 43,
        NXAST_RESUBMIT_TABLE_CT = 44,
        NXAST_LEARN2 = 45,
        NXAST_ENCAP = 46,
        NXAST_DECAP = 47,
        NXAST_DEC_NSH_TTL = 48,
        NXAST_CHECK_PKT_LARGER = 49,
        NXAST_DELETE_FIELD = 50,
        NXAST_SAMPLE4 = 51,
    }
}

open_enum! {
    /// `nx_hash_fields`.
    pub HashFields(u16) {
        NX_HASH_FIELDS_ETH_SRC = 0,
        NX_HASH_FIELDS_SYMMETRIC_L4 = 1,
        NX_HASH_FIELDS_SYMMETRIC_L3L4 = 2,
        NX_HASH_FIELDS_SYMMETRIC_L3L4_UDP = 3,
        NX_HASH_FIELDS_NW_SRC = 4,
        NX_HASH_FIELDS_NW_DST = 5,
        NX_HASH_FIELDS_SYMMETRIC_L3 = 6,
    }
}

open_enum! {
    /// `nx_mp_algorithm`.
    pub MpAlgorithm(u16) {
        NX_MP_ALG_MODULO_N = 0,
        NX_MP_ALG_HASH_THRESHOLD = 1,
        NX_MP_ALG_HRW = 2,
        NX_MP_ALG_ITER_HASH = 3,
    }
}

open_enum! {
    /// `nx_bd_algorithm`.
    pub BdAlgorithm(u16) { NX_BD_ALG_ACTIVE_BACKUP = 0, NX_BD_ALG_HRW = 1 }
}

bit_flags! {
    /// `nx_conntrack_flags`.
    pub CtFlags(u16) { NX_CT_F_COMMIT = 1 << 0, NX_CT_F_FORCE = 1 << 1 }
}

open_enum! {
    /// A table to which `NXAST_CT` recirculates.
    pub CtRecircTable(u8) { NX_CT_RECIRC_NONE = 0xff }
}

bit_flags! {
    /// `nx_nat_flags`.
    pub NatFlags(u16) {
        NX_NAT_F_SRC = 1 << 0,
        NX_NAT_F_DST = 1 << 1,
        NX_NAT_F_PERSISTENT = 1 << 2,
        NX_NAT_F_PROTO_HASH = 1 << 3,
        NX_NAT_F_PROTO_RANDOM = 1 << 4,
    }
}

open_enum! {
    /// `nx_action_sample_direction`.
    pub SampleDirection(u8) {
        NX_ACTION_SAMPLE_DEFAULT = 0,
        NX_ACTION_SAMPLE_INGRESS = 1,
        NX_ACTION_SAMPLE_EGRESS = 2,
    }
}

open_enum! {
    /// `nx_action_controller2_prop_type`.
    pub Controller2PropType(u16) {
        NXAC2PT_MAX_LEN = 0,
        NXAC2PT_CONTROLLER_ID = 1,
        NXAC2PT_REASON = 2,
        NXAC2PT_USERDATA = 3,
        NXAC2PT_PAUSE = 4,
        NXAC2PT_METER_ID = 5,
    }
}

choice! {
    /// A property of `NXAST_CONTROLLER2`.
    pub enum Controller2Prop("type": Controller2PropType) {
        NXAC2PT_MAX_LEN => MaxLen { max_len: u16, },
        NXAC2PT_CONTROLLER_ID => ControllerId { controller_id: u16, },
        NXAC2PT_REASON => Reason { reason: PacketInReason, },
        NXAC2PT_USERDATA => Userdata { userdata: Bytes, },
        NXAC2PT_PAUSE => Pause,
        NXAC2PT_METER_ID => MeterId { meter_id: MeterId, },
        _ => Unknown,
    }
}
tlv!(Controller2Prop, len: u16, answer (2, 1), pad 8);

structure! {
    /// What `NXAST_LEARN` and `NXAST_LEARN2` begin with.
    pub struct NxLearn {
        idle_timeout: u16,
        hard_timeout: u16,
        priority: u16,
        cookie: u64,
        flags: LearnFlags,
        table_id: TableId,
        _[1],
        fin_idle_timeout: u16,
        fin_hard_timeout: u16,
    }
}

choice! {
    /// What follows the vendor's number in a Nicira action.
    pub enum NxAction("subtype": NxActionType) {
        NXAST_RESUBMIT => Resubmit { in_port: PortNo, _[4], },
        NXAST_SET_TUNNEL => SetTunnel { _[2], tun_id: u32, },
        NXAST_SET_QUEUE => SetQueue { _[2], queue_id: QueueId, },
        NXAST_POP_QUEUE => PopQueue { _[6], },
        NXAST_REG_MOVE => RegMove {
            n_bits: u16,
            src_ofs: u16,
            dst_ofs: u16,
            src: OxmHeader,
            dst: OxmHeader,
            _[align 8],
        },
        NXAST_REG_LOAD => RegLoad { ofs_nbits: OfsNbits, dst: NxmHeader, value: u64, },
        NXAST_NOTE => Note {
            /// 6, 14, 22, .. bytes.
            note: Bytes as after(10),
        },
        NXAST_SET_TUNNEL64 => SetTunnel64 { _[6], tun_id: u64, },
        NXAST_MULTIPATH => Multipath {
            fields: HashFields,
            basis: u16,
            _[2],
            algorithm: MpAlgorithm,
            /// Number of links, minus 1.
            max_link: u16,
            arg: u32,
            _[2],
            ofs_nbits: OfsNbits,
            dst: NxmHeader,
        },
        NXAST_BUNDLE => Bundle {
            algorithm: BdAlgorithm,
            fields: HashFields,
            basis: u16,
            member_type: NxmHeader,
            _(n_members: u16),
            ofs_nbits: OfsNbits,
            dst: NxmHeader,
            _[4],
            members: Vec<u16> as count(n_members),
            _[align 8],
        },
        NXAST_BUNDLE_LOAD => BundleLoad {
            algorithm: BdAlgorithm,
            fields: HashFields,
            basis: u16,
            member_type: NxmHeader,
            _(n_members: u16),
            ofs_nbits: OfsNbits,
            dst: NxmHeader,
            _[4],
            members: Vec<u16> as count(n_members),
            _[align 8],
        },
        NXAST_RESUBMIT_TABLE => ResubmitTable { in_port: PortNo, table: TableId, _[3], },
        NXAST_OUTPUT_REG => OutputReg { ofs_nbits: OfsNbits, src: NxmHeader, max_len: u16, _[6], },
        NXAST_LEARN => Learn { learn: NxLearn as flat, specs: FlowModSpecs, _[align 8], },
        NXAST_EXIT => Exit { _[6], },
        NXAST_DEC_TTL => DecTtl { _[6], },
        NXAST_FIN_TIMEOUT => FinTimeout { fin_idle_timeout: u16, fin_hard_timeout: u16, _[2], },
        NXAST_CONTROLLER => Controller { max_len: u16, controller_id: u16, reason: PacketInReason, _[1], },
        NXAST_DEC_TTL_CNT_IDS => DecTtlCntIds {
            _(n_controllers: u16),
            _[4],
            cnt_ids: Vec<u16> as count(n_controllers),
            _[align 8],
        },
        NXAST_WRITE_METADATA => WriteMetadata { _[6], metadata: u64, mask: u64, },
        NXAST_PUSH_MPLS => PushMpls { ethertype: u16, _[4], },
        NXAST_POP_MPLS => PopMpls { ethertype: u16, _[4], },
        NXAST_SET_MPLS_TTL => SetMplsTtl { ttl: u8, _[5], },
        NXAST_DEC_MPLS_TTL => DecMplsTtl { _[6], },
        NXAST_STACK_PUSH => StackPush { offset: u16, field: OxmHeader, n_bits: u16, _[align 16], },
        NXAST_STACK_POP => StackPop { offset: u16, field: OxmHeader, n_bits: u16, _[align 16], },
        NXAST_SAMPLE => Sample {
            /// Of 65535.
            probability: u16,
            collector_set_id: u32,
            obs_domain_id: u32,
            obs_point_id: u32,
        },
        NXAST_SET_MPLS_LABEL => SetMplsLabel { _[2], label: u32, },
        NXAST_SET_MPLS_TC => SetMplsTc { tc: u8, _[5], },
        NXAST_OUTPUT_REG2 => OutputReg2 { ofs_nbits: OfsNbits, max_len: u16, src: OxmHeader, _[align 16], },
        NXAST_REG_LOAD2 => RegLoad2 { field: Oxm, _[align 8], },
        NXAST_CONJUNCTION => Conjunction {
            /// From 0.
            clause: u8,
            n_clauses: u8,
            id: u32,
        },
        NXAST_CT => Ct {
            flags: CtFlags,
            /// 0: the zone is `zone`, else bits of this field, `zone` being their `ofs_nbits`.
            zone_src: NxmHeader,
            /// `zone_imm` or `zone_ofs_nbits`.
            zone: u16,
            recirc_table: CtRecircTable,
            _[3],
            /// Port of the protocol whose control connections are followed; 0 for none.
            alg: u16,
            actions: Actions,
        },
        NXAST_NAT => Nat { _[2], flags: NatFlags, range: NatRange as flat, _[align 8], },
        NXAST_CONTROLLER2 => Controller2 { _[6], props: Vec<Controller2Prop>, },
        NXAST_SAMPLE2 => Sample2 {
            probability: u16,
            collector_set_id: u32,
            obs_domain_id: u32,
            obs_point_id: u32,
            sampling_port: PortNo,
            _[6],
        },
        NXAST_OUTPUT_TRUNC => OutputTrunc { port: PortNo, max_len: u32, },
        NXAST_GROUP => Group { _[2], group_id: GroupId, },
        NXAST_SAMPLE3 => Sample3 {
            probability: u16,
            collector_set_id: u32,
            obs_domain_id: u32,
            obs_point_id: u32,
            sampling_port: PortNo,
            direction: SampleDirection,
            _[5],
        },
        NXAST_CLONE => Clone { _[6], actions: Actions, },
        NXAST_CT_CLEAR => CtClear { _[6], },
        NXAST_RESUBMIT_TABLE_CT => ResubmitTableCt { in_port: PortNo, table: TableId, _[3], },
        NXAST_LEARN2 => Learn2 { learn: NxLearn2 as flat, _[align 8], },
        NXAST_ENCAP => Encap {
            hdr_size: u16,
            new_pkt_type: u32,
            /// TLVs of the header's kind.
            props: Bytes as after(16),
        },
        NXAST_DECAP => Decap { _[2], new_pkt_type: u32, },
        NXAST_DEC_NSH_TTL => DecNshTtl { _[6], },
        NXAST_CHECK_PKT_LARGER => CheckPktLarger { pkt_len: u16, offset: u16, dst: OxmHeader, _[align 16], },
        NXAST_DELETE_FIELD => DeleteField { field: OxmHeader, _[align 16], },
        NXAST_SAMPLE4 => Sample4 {
            probability: u16,
            collector_set_id: u32,
            obs_domain_src: NxmHeader,
            /// The number itself, or in its high half the source's `ofs_nbits`.
            obs_domain: u32,
            obs_point_src: NxmHeader,
            /// The number itself, or in its high half the source's `ofs_nbits`.
            obs_point: u32,
            sampling_port: PortNo,
            direction: SampleDirection,
            _[5],
        },
        _ => Unknown after 10,
    }
}
tagged!(NxAction);
