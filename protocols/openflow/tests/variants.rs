//! Structures of which there are several types (`choice!`): which types a version has, how many bytes the least value of each
//! takes, against the specifications' asserts on `sizeof`; and each type there and back.

use ferroflow_openflow::owned::common::since_14::{self, *};
use ferroflow_openflow::owned::common::{self, OxmClass, OxmId};
use ferroflow_openflow::owned::{nicira, v10, v12, v15};
use ferroflow_openflow::v10 as views_v10;
use ferroflow_wire::codec::{self, Arbitrary, Choice, Codec, Entropy, Json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::ops::RangeInclusive;

/// A type's name, the versions that have it, and its size.
type Row = (&'static str, RangeInclusive<u8>, usize);

/// The size of the least value of each type that a version has.
fn least<T>(version: u8) -> BTreeMap<String, usize>
where
    T: Choice<Tag: Display> + Codec + Arbitrary + Debug,
{
    // The first byte chooses the type; with the others run out, lists are empty and numbers 0.
    let values = (0..=u8::MAX).map(|choice| T::arbitrary(&mut Entropy::new(&[choice], version)));
    let known = values.filter(|value| !format!("{value:?}").starts_with("Unknown"));
    known.map(|value| (value.tag().to_string(), codec::to_bytes_of(&value, version).unwrap().len())).collect()
}

/// Made-up values of every type, there and back by bytes and by the view for people.
fn survives<T>(version: u8)
where
    T: Codec + Json + Arbitrary + PartialEq + Debug,
{
    let mut random = 5u64;
    for choice in (0..=u8::MAX).cycle().take(2048) {
        let mut entropy = [0; 64];
        entropy.fill_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        });
        entropy[0] = choice;
        let value = T::arbitrary(&mut Entropy::new(&entropy, version));
        let bytes = codec::to_bytes_of(&value, version).unwrap_or_else(|e| panic!("{e}: {value:?}"));
        let read = codec::from_bytes::<T>(&bytes, version);
        assert_eq!(read.as_ref(), Ok(&value), "{bytes:02x?} of version {version}");
        assert_eq!(T::from_json(value.to_json()).as_ref(), Ok(&value));
    }
}

fn check<T>(names: &[&'static str], before: usize, rows: &[Row], as_bytes: &[&'static str])
where
    T: Choice<Tag: Display> + Codec + Json + Arbitrary + PartialEq + Debug,
{
    let here = std::any::type_name::<T>();
    let mut listed: Vec<&str> = rows.iter().map(|row| row.0).chain(as_bytes.iter().copied()).collect();
    listed.sort_unstable();
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(listed, names, "the types of {here}");
    let versions: BTreeSet<u8> = rows.iter().flat_map(|row| row.1.clone()).filter(|&v| v != 2).collect();
    for version in versions {
        let wanted: BTreeMap<String, usize> = rows
            .iter()
            .filter(|row| row.1.contains(&version))
            .map(|(name, _, size)| ((*name).to_owned(), size - before))
            .collect();
        assert_eq!(least::<T>(version), wanted, "{here} of version {version}");
        survives::<T>(version);
    }
}

/// The types of a structure: name, versions, size, `before` bytes in front of the structure included. Those after `as_bytes`
/// have a name alone.
macro_rules! variants {
    ($ty:ty, $tag:ty, before $before:literal {
        $($versions:expr => $($name:ident $size:literal),+;)*
    } $(as_bytes $($bytes:ident),+)?) => {
        check::<$ty>(
            &<$tag>::NAMES.iter().map(|&(name, _)| name).collect::<Vec<_>>(),
            $before,
            &[$($((<$tag>::$name.name().unwrap(), $versions, $size)),+),*],
            &[$($(<$tag>::$bytes.name().unwrap()),+)?],
        )
    };
}

// Set-field is that of the least field; the least action of an experimenter is Nicira's resubmit.
#[test]
fn actions() {
    variants! { v10::Action, views_v10::ActionType, before 0 {
        1..=1 => OFPAT_OUTPUT 8, OFPAT_SET_VLAN_VID 8, OFPAT_SET_VLAN_PCP 8, OFPAT_STRIP_VLAN 8, OFPAT_SET_DL_SRC 16,
            OFPAT_SET_DL_DST 16, OFPAT_SET_NW_SRC 8, OFPAT_SET_NW_DST 8, OFPAT_SET_NW_TOS 8, OFPAT_SET_TP_SRC 8,
            OFPAT_SET_TP_DST 8, OFPAT_ENQUEUE 16, OFPAT_VENDOR 16;
    } }
    variants! { common::Action, common::ActionType, before 0 {
        3..=6 => OFPAT_OUTPUT 16, OFPAT_COPY_TTL_OUT 8, OFPAT_COPY_TTL_IN 8, OFPAT_SET_MPLS_TTL 8, OFPAT_DEC_MPLS_TTL 8,
            OFPAT_PUSH_VLAN 8, OFPAT_POP_VLAN 8, OFPAT_PUSH_MPLS 8, OFPAT_POP_MPLS 8, OFPAT_SET_QUEUE 8, OFPAT_GROUP 8,
            OFPAT_SET_NW_TTL 8, OFPAT_DEC_NW_TTL 8, OFPAT_SET_FIELD 16, OFPAT_EXPERIMENTER 16;
        4..=6 => OFPAT_PUSH_PBB 8, OFPAT_POP_PBB 8;
        6..=6 => OFPAT_COPY_FIELD 24, OFPAT_METER 8;
    } }
}

#[test]
fn instructions_and_matches() {
    variants! { common::Instruction, common::InstructionType, before 0 {
        3..=6 => OFPIT_GOTO_TABLE 8, OFPIT_WRITE_METADATA 24, OFPIT_WRITE_ACTIONS 8, OFPIT_APPLY_ACTIONS 8,
            OFPIT_CLEAR_ACTIONS 8, OFPIT_EXPERIMENTER 8;
        4..=5 => OFPIT_METER 8;
        6..=6 => OFPIT_STAT_TRIGGER 16;
    } }
    variants! { common::Match, common::MatchType, before 0 { 3..=6 => OFPMT_OXM 8; } as_bytes OFPMT_STANDARD }
    variants! { v15::HeaderType, v15::HeaderTypeNamespace, before 0 {
        6..=6 => OFPHTN_ONF 4, OFPHTN_ETHERTYPE 4, OFPHTN_IP_PROTO 4, OFPHTN_UDP_TCP_PORT 4, OFPHTN_IPV4_OPTION 4;
    } }
    variants! { common::HelloElem, common::HelloElemType, before 0 { 1..=6 => OFPHET_VERSIONBITMAP 8; } }
}

#[test]
fn meter_bands_and_queues() {
    variants! { common::MeterBand, common::MeterBandType, before 0 {
        4..=6 => OFPMBT_DROP 16, OFPMBT_DSCP_REMARK 16, OFPMBT_EXPERIMENTER 16;
    } }
    variants! { v10::QueueProp, v10::QueueProperty, before 0 { 1..=1 => OFPQT_NONE 8, OFPQT_MIN_RATE 16; } }
    variants! { common::QueueProp, common::QueueProperty, before 0 {
        3..=4 => OFPQT_MIN_RATE 16, OFPQT_MAX_RATE 16, OFPQT_EXPERIMENTER 16;
    } }
    variants! { QueueDescProp, QueueDescPropType, before 0 {
        5..=6 => OFPQDPT_MIN_RATE 8, OFPQDPT_MAX_RATE 8, OFPQDPT_EXPERIMENTER 16;
    } }
    variants! { QueueStatsProp, QueueStatsPropType, before 0 { 5..=6 => OFPQSPT_EXPERIMENTER 16; } }
}

// Properties with the padding behind them, which their length does not count: those of experimenters are of 12 bytes.
#[test]
fn properties_of_tables_and_ports() {
    variants! { common::TableFeatureProp, common::TableFeaturePropType, before 0 {
        4..=6 => OFPTFPT_INSTRUCTIONS 8, OFPTFPT_INSTRUCTIONS_MISS 8, OFPTFPT_NEXT_TABLES 8, OFPTFPT_NEXT_TABLES_MISS 8,
            OFPTFPT_WRITE_ACTIONS 8, OFPTFPT_WRITE_ACTIONS_MISS 8, OFPTFPT_APPLY_ACTIONS 8, OFPTFPT_APPLY_ACTIONS_MISS 8,
            OFPTFPT_MATCH 8, OFPTFPT_WILDCARDS 8, OFPTFPT_WRITE_SETFIELD 8, OFPTFPT_WRITE_SETFIELD_MISS 8,
            OFPTFPT_APPLY_SETFIELD 8, OFPTFPT_APPLY_SETFIELD_MISS 8, OFPTFPT_EXPERIMENTER 16, OFPTFPT_EXPERIMENTER_MISS 16;
        5..=6 => OFPTFPT_TABLE_SYNC_FROM 8;
        6..=6 => OFPTFPT_WRITE_COPYFIELD 8, OFPTFPT_WRITE_COPYFIELD_MISS 8, OFPTFPT_APPLY_COPYFIELD 8,
            OFPTFPT_APPLY_COPYFIELD_MISS 8, OFPTFPT_PACKET_TYPES 8;
    } }
    variants! { TableModProp, TableModPropType, before 0 {
        5..=6 => OFPTMPT_EVICTION 8, OFPTMPT_VACANCY 8, OFPTMPT_EXPERIMENTER 16;
    } }
    variants! { PortDescProp, PortDescPropType, before 0 {
        5..=6 => OFPPDPT_ETHERNET 32, OFPPDPT_OPTICAL 40, OFPPDPT_EXPERIMENTER 16;
        6..=6 => OFPPDPT_PIPELINE_INPUT 8, OFPPDPT_PIPELINE_OUTPUT 8, OFPPDPT_RECIRCULATE 8;
    } }
    variants! { PortModProp, PortModPropType, before 0 {
        5..=6 => OFPPMPT_ETHERNET 8, OFPPMPT_OPTICAL 24, OFPPMPT_EXPERIMENTER 16;
    } }
    // The optical one has 44 bytes.
    variants! { PortStatsProp, PortStatsPropType, before 0 {
        5..=6 => OFPPSPT_ETHERNET 40, OFPPSPT_OPTICAL 48, OFPPSPT_EXPERIMENTER 16;
    } }
}

#[test]
fn other_properties() {
    variants! { AsyncConfigProp, AsyncConfigPropType, before 0 {
        5..=6 => OFPACPT_PACKET_IN_SLAVE 8, OFPACPT_PACKET_IN_MASTER 8, OFPACPT_PORT_STATUS_SLAVE 8,
            OFPACPT_PORT_STATUS_MASTER 8, OFPACPT_FLOW_REMOVED_SLAVE 8, OFPACPT_FLOW_REMOVED_MASTER 8,
            OFPACPT_ROLE_STATUS_SLAVE 8, OFPACPT_ROLE_STATUS_MASTER 8, OFPACPT_TABLE_STATUS_SLAVE 8,
            OFPACPT_TABLE_STATUS_MASTER 8, OFPACPT_REQUESTFORWARD_SLAVE 8, OFPACPT_REQUESTFORWARD_MASTER 8,
            OFPACPT_EXPERIMENTER_SLAVE 16, OFPACPT_EXPERIMENTER_MASTER 16;
        6..=6 => OFPACPT_FLOW_STATS_SLAVE 8, OFPACPT_FLOW_STATS_MASTER 8, OFPACPT_CONT_STATUS_SLAVE 8,
            OFPACPT_CONT_STATUS_MASTER 8;
    } }
    variants! { BundleProp, BundlePropType, before 0 { 5..=6 => OFPBPT_EXPERIMENTER 16; 6..=6 => OFPBPT_TIME 24; } }
    variants! { v15::BundleFeaturesProp, v15::BundleFeaturesPropType, before 0 {
        6..=6 => OFPTMPBF_TIME_CAPABILITY 72, OFPTMPBF_EXPERIMENTER 16;
    } }
    variants! { RoleProp, RolePropType, before 0 { 5..=6 => OFPRPT_EXPERIMENTER 16; } }
    variants! { v15::GroupBucketProp, v15::GroupBucketPropType, before 0 {
        6..=6 => OFPGBPT_WEIGHT 8, OFPGBPT_WATCH_PORT 8, OFPGBPT_WATCH_GROUP 8, OFPGBPT_EXPERIMENTER 16;
    } }
    variants! { v15::GroupProp, v15::GroupPropType, before 0 { 6..=6 => OFPGPT_EXPERIMENTER 16; } }
    // The least URI that is made up is of 17 bytes.
    variants! { v15::ControllerStatusProp, v15::ControllerStatusPropType, before 0 {
        6..=6 => OFPCSPT_URI 24, OFPCSPT_EXPERIMENTER 16;
    } }
}

#[test]
fn flow_updates() {
    variants! { since_14::FlowUpdate, FlowUpdateEvent, before 0 {
        5..=6 => OFPFME_INITIAL 32, OFPFME_ADDED 32, OFPFME_REMOVED 32, OFPFME_MODIFIED 32, OFPFME_ABBREV 8,
            OFPFME_PAUSED 8, OFPFME_RESUMED 8;
    } }
    variants! { nicira::FlowUpdate, nicira::FlowUpdateEvent, before 0 {
        1..=6 => NXFME_ADDED 24, NXFME_DELETED 24, NXFME_MODIFIED 24, NXFME_ABBREV 8;
    } }
}

/// The sizes of whole messages: the header's 8 bytes, type and code, and what an error of an experimenter has besides.
#[test]
fn errors() {
    variants! { v10::Error, v10::ErrorType, before 8 {
        1..=1 => OFPET_HELLO_FAILED 12, OFPET_BAD_REQUEST 12, OFPET_BAD_ACTION 12, OFPET_FLOW_MOD_FAILED 12,
            OFPET_PORT_MOD_FAILED 12, OFPET_QUEUE_OP_FAILED 12, NXET_VENDOR 20;
    } }
    variants! { v12::Error, common::ErrorType, before 8 {
        3..=3 => OFPET_HELLO_FAILED 12, OFPET_BAD_REQUEST 12, OFPET_BAD_ACTION 12, OFPET_BAD_INSTRUCTION 12,
            OFPET_BAD_MATCH 12, OFPET_FLOW_MOD_FAILED 12, OFPET_GROUP_MOD_FAILED 12, OFPET_PORT_MOD_FAILED 12,
            OFPET_TABLE_MOD_FAILED 12, OFPET_QUEUE_OP_FAILED 12, OFPET_SWITCH_CONFIG_FAILED 12,
            OFPET_ROLE_REQUEST_FAILED 12, OFPET_EXPERIMENTER 16;
    } as_bytes OFPET_METER_MOD_FAILED, OFPET_TABLE_FEATURES_FAILED, OFPET_BAD_PROPERTY, OFPET_ASYNC_CONFIG_FAILED,
        OFPET_FLOW_MONITOR_FAILED, OFPET_BUNDLE_FAILED }
    variants! { common::Error, common::ErrorType, before 8 {
        4..=6 => OFPET_HELLO_FAILED 12, OFPET_BAD_REQUEST 12, OFPET_BAD_ACTION 12, OFPET_BAD_INSTRUCTION 12,
            OFPET_BAD_MATCH 12, OFPET_FLOW_MOD_FAILED 12, OFPET_GROUP_MOD_FAILED 12, OFPET_PORT_MOD_FAILED 12,
            OFPET_TABLE_MOD_FAILED 12, OFPET_QUEUE_OP_FAILED 12, OFPET_SWITCH_CONFIG_FAILED 12,
            OFPET_ROLE_REQUEST_FAILED 12, OFPET_METER_MOD_FAILED 12, OFPET_TABLE_FEATURES_FAILED 12, OFPET_EXPERIMENTER 16;
        5..=6 => OFPET_BAD_PROPERTY 12, OFPET_ASYNC_CONFIG_FAILED 12, OFPET_FLOW_MONITOR_FAILED 12,
            OFPET_BUNDLE_FAILED 12;
    } }
}

/// `nicira-ext.h` and Open vSwitch's `ofp-actions.c`: the sizes of whole actions, of which 8 bytes come before the subtype.
/// Lists are empty, and a note is the shortest that fills its action.
#[test]
fn nicira_actions() {
    variants! { nicira::NxAction, nicira::NxActionType, before 8 {
        1..=6 => NXAST_RESUBMIT 16, NXAST_SET_TUNNEL 16, NXAST_SET_QUEUE 16, NXAST_POP_QUEUE 16, NXAST_REG_MOVE 24,
            NXAST_REG_LOAD 24, NXAST_NOTE 16, NXAST_SET_TUNNEL64 24, NXAST_MULTIPATH 32, NXAST_BUNDLE 32,
            NXAST_BUNDLE_LOAD 32, NXAST_RESUBMIT_TABLE 16, NXAST_OUTPUT_REG 24, NXAST_LEARN 32, NXAST_EXIT 16,
            NXAST_DEC_TTL 16, NXAST_FIN_TIMEOUT 16, NXAST_CONTROLLER 16, NXAST_DEC_TTL_CNT_IDS 16,
            NXAST_WRITE_METADATA 32, NXAST_PUSH_MPLS 16, NXAST_POP_MPLS 16, NXAST_SET_MPLS_TTL 16, NXAST_DEC_MPLS_TTL 16,
            NXAST_STACK_PUSH 24, NXAST_STACK_POP 24, NXAST_SAMPLE 24, NXAST_SET_MPLS_LABEL 16, NXAST_SET_MPLS_TC 16,
            NXAST_OUTPUT_REG2 24, NXAST_REG_LOAD2 24, NXAST_CONJUNCTION 16, NXAST_CT 24, NXAST_NAT 16,
            NXAST_CONTROLLER2 16, NXAST_SAMPLE2 32, NXAST_OUTPUT_TRUNC 16, NXAST_GROUP 16, NXAST_SAMPLE3 32,
            NXAST_CLONE 16, NXAST_CT_CLEAR 16, NXAST_RESUBMIT_TABLE_CT 16, NXAST_LEARN2 40, NXAST_ENCAP 16,
            NXAST_DECAP 16, NXAST_DEC_NSH_TTL 16, NXAST_CHECK_PKT_LARGER 24, NXAST_DELETE_FIELD 24, NXAST_SAMPLE4 40;
    } }
    variants! { nicira::Controller2Prop, nicira::Controller2PropType, before 0 {
        1..=6 => NXAC2PT_MAX_LEN 8, NXAC2PT_CONTROLLER_ID 8, NXAC2PT_REASON 8, NXAC2PT_USERDATA 8, NXAC2PT_PAUSE 8,
            NXAC2PT_METER_ID 8;
    } }
}

/// `nicira-ext.h`: the sizes of whole messages, of which 12 bytes come before the subtype, and 16 before that of statistics
/// of 1.1 and later.
#[test]
fn nicira_messages() {
    variants! { nicira::NxMessage, nicira::NxMessageType, before 12 {
        1..=6 => NXT_ROLE_REQUEST 20, NXT_ROLE_REPLY 20, NXT_SET_FLOW_FORMAT 20, NXT_FLOW_MOD 48, NXT_FLOW_REMOVED 56,
            NXT_FLOW_MOD_TABLE_ID 24, NXT_SET_PACKET_IN_FORMAT 20, NXT_PACKET_IN 42, NXT_FLOW_AGE 16,
            NXT_SET_ASYNC_CONFIG 40, NXT_SET_CONTROLLER_ID 24, NXT_FLOW_MONITOR_CANCEL 20, NXT_FLOW_MONITOR_PAUSED 16,
            NXT_FLOW_MONITOR_RESUMED 16, NXT_TLV_TABLE_MOD 24, NXT_TLV_TABLE_REQUEST 16, NXT_TLV_TABLE_REPLY 32,
            NXT_RESUME 16, NXT_CT_FLUSH_ZONE 24, NXT_PACKET_IN2 16, NXT_CT_FLUSH 24;
        1..=4 => NXT_SET_ASYNC_CONFIG2 16;
        1..=1 => NXT_GROUP_MOD 32;
    } as_bytes NXT_REQUESTFORWARD }
    variants! { nicira::PacketIn2Prop, nicira::PacketIn2PropType, before 0 {
        1..=6 => NXPINT_PACKET 8, NXPINT_FULL_LEN 8, NXPINT_BUFFER_ID 8, NXPINT_TABLE_ID 8, NXPINT_COOKIE 16,
            NXPINT_REASON 8, NXPINT_METADATA 8, NXPINT_USERDATA 8, NXPINT_CONTINUATION 8;
    } }
    variants! { nicira::NxStatsRequest, nicira::NxStatsType, before 16 {
        1..=1 => NXST_FLOW 32, NXST_AGGREGATE 32, NXST_FLOW_MONITOR 24, NXST_IPFIX_BRIDGE 24, NXST_IPFIX_FLOW 24,
            NXST_GROUP 32, NXST_GROUP_DESC 32, NXST_GROUP_FEATURES 24;
    } }
    variants! { nicira::NxStatsReply, nicira::NxStatsType, before 16 {
        1..=1 => NXST_FLOW 24, NXST_AGGREGATE 48, NXST_FLOW_MONITOR 24, NXST_IPFIX_BRIDGE 112, NXST_IPFIX_FLOW 24,
            NXST_GROUP 24, NXST_GROUP_DESC 24, NXST_GROUP_FEATURES 64;
    } }
    variants! { nicira::NxMultipartRequest, nicira::NxStatsType, before 20 {
        3..=6 => NXST_FLOW 32, NXST_AGGREGATE 32, NXST_FLOW_MONITOR 24, NXST_IPFIX_BRIDGE 24, NXST_IPFIX_FLOW 24;
    } as_bytes NXST_GROUP, NXST_GROUP_DESC, NXST_GROUP_FEATURES }
    variants! { nicira::NxMultipartReply, nicira::NxStatsType, before 20 {
        3..=6 => NXST_FLOW 24, NXST_AGGREGATE 48, NXST_FLOW_MONITOR 24, NXST_IPFIX_BRIDGE 112, NXST_IPFIX_FLOW 24;
    } as_bytes NXST_GROUP, NXST_GROUP_DESC, NXST_GROUP_FEATURES }
}

/// Every match field that has a name, of whatever class.
fn fields() -> BTreeSet<String> {
    let classes = [0x0000, 0x0001, 0x1000, 0x8000, 0x8001].map(|class| (class, 0));
    let experimenters = [0x4f4e_4600, 0x2320, 0x005a_d650].map(|experimenter| (0xffff, experimenter));
    let ids = classes.into_iter().chain(experimenters).flat_map(|(class, experimenter)| {
        (0..128).map(move |field| OxmId { class: OxmClass(class), field, experimenter })
    });
    let named = ids.filter_map(|id| {
        let name = id.name()?.into_owned();
        assert_eq!(OxmId::from_name(&name), Some(id), "{name}");
        Some(name)
    });
    named.collect()
}

#[test]
fn every_match_field() {
    let mut missing = fields();
    assert_eq!(missing.len(), 44 + 128 + 18 + 38 + 16 + 4 + 64 + 2 + 19, "{missing:?}");
    for choice in 0..2048_u16 {
        for number in 0..128 {
            let [high, low] = choice.to_be_bytes();
            // The third byte is a value's first, or which one of a numbered field.
            let entropy: Vec<u8> = [high, low, number].into_iter().chain(number..number + 61).collect();
            let field = common::Oxm::arbitrary(&mut Entropy::new(&entropy, 4));
            let bytes = codec::to_bytes_of(&field, 4).unwrap();
            assert_eq!(codec::from_bytes::<common::Oxm>(&bytes, 4).as_ref(), Ok(&field));
            assert_eq!(common::Oxm::from_json(field.to_json()).as_ref(), Ok(&field));
            if let Some(name) = field.id().name() {
                missing.remove(&*name);
            }
        }
        if choice > 200 && missing.is_empty() {
            break;
        }
    }
    assert!(missing.is_empty(), "never made up: {missing:?}");
}

/// Bytes of the values of the standard's fields, by number (OF 1.5.1 7.2.3.7; 42 and 40 as in 1.4 and later).
#[test]
fn the_standards_fields_have_their_sizes() {
    const SIZES: [usize; 45] = [
        4, 4, 8, 6, 6, 2, 2, 1, 1, 1, 1, 4, 4, 2, 2, 2, 2, 2, 2, 1, 1, 2, 4, 4, 6, 6, 16, 16, 4, 1, 1, 16, 6,
        6, 4, 1, 1, 3, 8, 2, 0, 1, 2, 4, 4,
    ];
    for (field, size) in (0..).zip(SIZES).filter(|&(_, size)| size > 0) {
        let of = |length: usize| {
            let mut bytes = vec![0x80, 0, field << 1, length as u8];
            bytes.resize(4 + length, 0);
            codec::from_bytes::<common::Oxm>(&bytes, 6)
        };
        let value = of(size).unwrap();
        assert!(value.id().name().is_some(), "{value:?}");
        for wrong in [size - 1, size + 1] {
            assert!(of(wrong).is_err(), "{value:?} in {wrong} bytes");
        }
    }
}

#[test]
fn every_statistic() {
    let names = ["DURATION", "IDLE_TIME", "FLOW_COUNT", "PACKET_COUNT", "BYTE_COUNT"];
    let mut missing: BTreeSet<_> = names.map(|name| format!("OFPXST_OFB_{name}")).into();
    for choice in 0..=u8::MAX {
        let statistic = v15::Oxs::arbitrary(&mut Entropy::new(&[choice, 1, 2, 3, 4, 5, 6, 7, 8], 6));
        if let Some(name) = statistic.id().name() {
            missing.remove(name);
        }
    }
    assert!(missing.is_empty(), "never made up: {missing:?}");
    survives::<v15::Oxs>(6);
}
