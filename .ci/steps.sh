# What `.ci/run` and `.ci/full` do, step by step; sourced by both, with the sizes below set by them.
#
#   SIM_SEEDS       seeds of the simulator
#   FUZZ_SECONDS    time for each fuzz target, as many at once as there are cores
#   MUTATED_MIB     MiB of random and mutated messages, of OpenFlow and of POF, from FERROFLOW_MUTATED_SEED
#   SMOKE           cbench's loops and milliseconds
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR=never
export DEBIAN_FRONTEND=noninteractive
scratch=$(mktemp -d)
chmod 755 "$scratch"
passed=0
began=$SECONDS

# A step that fails ends everything. With words on the command line, only the steps run whose names contain one of them.
wanted=("$@")
step() {
    local name=$1 start=$SECONDS status=0 word chosen=${#wanted[@]}
    shift
    for word in "${wanted[@]}"; do [[ $name != *"$word"* ]] || chosen=0; done
    [[ $chosen -eq 0 ]] || return 0
    echo
    echo "=== $name"
    # In a shell of its own: `set -e` holds inside functions too, which it would not do in a condition.
    (set -euo pipefail; "$@") &
    wait $! || status=$?
    if [[ $status -ne 0 ]]; then
        echo
        echo "FAILED: $name (status $status, after $((SECONDS - start)) s); what went wrong is above"
        echo "$passed passed, 1 failed"
        exit 1
    fi
    passed=$((passed + 1))
    echo "--- $name: $((SECONDS - start)) s"
}

finish() {
    echo
    echo "all steps together: $((SECONDS - began)) s"
    [[ $passed -gt 0 ]] || { echo "no step has such a name"; exit 1; }
    echo "$passed passed, 0 failed"
}

# Leaves nothing behind, and ends a step that is still running when the script itself is told to end.
clean_up() {
    local job
    for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
    rm -rf "$scratch"
}
trap clean_up EXIT

# What the tests of namespaces, switches and hosts need.
packages=(openvswitch-switch iproute2 iputils-ping ethtool iperf3 tshark netcat-openbsd nftables util-linux valgrind)
compilers=(g++)

install_packages() {
    local missing=() package
    for package in "${packages[@]}" "${compilers[@]}"; do
        [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || { echo "nothing to install"; return 0; }
    # The packages' services are not wanted: the tests start what they need, in namespaces of their own. Debian asks
    # policy-rc.d before it starts one.
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        # shellcheck disable=SC2064
        trap "rm -f $policy" EXIT
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    # Nor after the next boot.
    if [[ " ${missing[*]} " == *" openvswitch-switch "* ]] && command -v systemctl >/dev/null; then
        systemctl disable --quiet openvswitch-switch 2>/dev/null || true
    fi
    echo "installed: ${missing[*]}"
}

check_tools() {
    local tool
    for tool in cargo rustc; do
        command -v "$tool" >/dev/null || { echo "$tool is not there: install Rust 1.95 or newer from rustup.rs"; return 1; }
    done
    cargo fmt --version && cargo clippy --version || { echo "rustup component add rustfmt clippy"; return 1; }
    rustc --version
    nproc | sed 's/$/ cores/'
}

# No crate may want a library of the system: the default features build with cargo alone.
no_system_libraries() {
    local host found
    host=$(rustc -vV | sed -n 's/^host: //p')
    found=$(cargo metadata --locked --format-version 1 --filter-platform "$host" | grep -o '"links":"[^"]*"' | sort -u || true)
    [[ -z $found ]] || { echo "crates that link a native library: $found"; return 1; }
    # linux-raw-sys is numbers only.
    found=$(cargo tree --workspace --locked --target "$host" --edges normal,build --prefix none --format '{p}' |
        awk '{ print $1 }' | grep -e '-sys$' | grep -vx linux-raw-sys | sort -u || true)
    [[ -z $found ]] || { echo "crates over native libraries: $found"; return 1; }
}

# What is behind a feature: netmap needs nothing but cargo to be built. Without its module its own tests skip.
netmap_feature() {
    local of=(-p ferroflow-ports -p ferroflow-runtime -p ferroflow-cli --features netmap)
    cargo clippy --locked "${of[@]}" --all-targets -- -D warnings
    cargo test --locked -p ferroflow-ports --features netmap netmap
    cargo test --locked -p ferroflow-runtime --features netmap --test netmap
}

documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
}

# As root with all tools nothing may skip.
all_tests() {
    FERROFLOW_NO_SKIP=1 cargo test --locked --workspace
}

simulator() {
    FERROFLOW_SIM_SEEDS=$SIM_SEEDS cargo test --locked --release -p ferroflow-stack --test sim_seeds -- --nocapture
}

demo() {
    cargo run --locked --release -- demo
}

# Somebody without rights, without a home, in an empty environment.
as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --no-new-privs \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent TMPDIR=/tmp "$@"
}

demo_without_rights() {
    cp "${CARGO_TARGET_DIR:-target}/release/ferroflow" "$scratch/"
    as_nobody "$scratch/ferroflow" demo
}

# cbench's figures in a namespace: the address and the ports are free there, and nothing is left behind.
# Every row must have answers.
cbench_runs() {
    local loops=$1 ms=$2 lines=$(($# * 2 - 3)) table=$scratch/table
    shift 2
    cargo build --locked --release -p ferroflow-cli -p cbench --bin ferroflow --bin cbench --example canned
    unshare --net bash -c 'ip link set lo up; LOOPS=$1 MS=$2 CARGO_NET_OFFLINE=true; export LOOPS MS CARGO_NET_OFFLINE; shift 2
        exec cbench-scripts/scripts/bench.sh "$@"' bash "$loops" "$ms" "$@" | tee "$table"
    awk -v want="$lines" 'NR > 1 && $3 > 0 { n++ } END { if (n + 1 != want) { print n + 0 " of " want - 1 " runs had answers"; exit 1 } }' \
        "$table"
}

# Goodput against the kernel's TCP over a relay that loses. The twelve cells are short and run once, so that a single one
# may be far off by the luck of a loss: these bounds find what is broken, `.ci/full` has those that are promised (0.9 and
# 0.7).
twelve_cells() {
    cargo run --locked --release -p cbench --bin wan -- grid --small --want-mean 0.8 --want-min 0.3
}

# One connection as fast as it goes over TAP, both ways. Short and on a machine that does other things: it finds what is
# broken, `wan bulk` without options has what is promised.
bulk_over_tap() {
    cargo run --locked --release -p cbench --bin wan -- bulk --repeat 3 --seconds 0.3 --want-receive 0.3 --want-send 0.2
}

# What packetdrill would load, and its one symbol.
packetdrill_object() {
    cargo build --locked --release -p ferroflow-packetdrill
    grep -q packetdrill_interface_init "${CARGO_TARGET_DIR:-target}/release/libferroflow_packetdrill.so"
}

benches() {
    cargo bench --locked --workspace --bench '*' -- --test
}

# What idle connections cost: memory, and the instructions for a packet to any of them against one to a few.
idle_connections() {
    local million=${CARGO_TARGET_DIR:-target}/release/examples/million
    cargo build --locked --release -p cbench --example million
    "$million" --conns 100000 --packets 100000 --rounds 1 --max-bytes 1536
    valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/turns" \
        "$million" --conns 20000 --packets 20000 --rounds 1 >/dev/null
    callgrind_annotate --inclusive=yes --threshold=100 "$scratch/turns" | awk '
        { n = $1; gsub(",", "", n); n += 0 }
        /:million::turn_among_few \[/ && n > few { few = n }
        /:million::turn_among_all \[/ && n > all { all = n }
        END {
            printf "instructions for packets to few: %d, to any: %d\n", few, all
            if (few == 0 || all == 0 || all > 1.1 * few) { print "more than 1.1 times as many"; exit 1 }
        }'
}

# What the data path does per message in instructions; `cargo bench` has the nanoseconds.
hot_path() {
    local program=${CARGO_TARGET_DIR:-target}/release/examples/hot_path
    cargo build --locked --release -p ferroflow-openflow --example hot_path
    valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/hot_path" "$program"
    callgrind_annotate --inclusive=yes --threshold=100 "$scratch/hot_path" | awk '
        { n = $1; gsub(",", "", n); n /= 1000 }
        /hot_path::decode_packet_in \[/ { decode = n }
        /hot_path::build_flow_mod \[/ { build = n }
        END {
            printf "instructions to decode a packet_in: %d, to build a flow_mod: %d\n", decode, build
            if (decode == 0 || build == 0) { print "not found"; exit 1 }
            if (decode > 90 || build > 170) { print "over 90 and 170"; exit 1 }
        }'
}

# Instances that share nothing, by their instructions and their memory accesses; and that the comparisons of times run.
shared_nothing() {
    local program=${CARGO_TARGET_DIR:-target}/release/examples/shared_nothing
    cbench-scripts/scripts/shared_nothing.sh
    "$program" scale --rounds 1 --ms 200
    "$program" idle --rounds 100
}

mutated_messages() {
    FERROFLOW_MUTATED_MIB=$MUTATED_MIB cargo test --locked --release -p ferroflow-openflow -p ferroflow-pof \
        --test mutated -- --nocapture
}

fuzz() {
    cbench-scripts/fuzz/run "$FUZZ_SECONDS"
}

common_steps() {
    if [[ $(id -u) -ne 0 ]]; then
        echo "this must run as root: it installs packages, and the tests make namespaces and TAP interfaces"
        exit 1
    fi
    step "packages" install_packages
    step "tools" check_tools
    step "formatting" cargo fmt --all --check
    step "no system libraries" no_system_libraries
    step "clippy" cargo clippy --locked --workspace --all-targets -- -D warnings
    step "netmap, behind its feature" netmap_feature
    step "documentation" documentation
    step "tests" all_tests
    step "simulator, $SIM_SEEDS seeds" simulator
    step "demo" demo
    step "demo without rights" demo_without_rights
    # shellcheck disable=SC2086
    step "cbench over kernel sockets, TAP and shared memory" cbench_runs $SMOKE kernel tap shm
    step "100,000 idle connections" idle_connections
    step "goodput in twelve cells" twelve_cells
    step "bulk over TAP with offloads" bulk_over_tap
    step "packetdrill's shared object" packetdrill_object
    step "benchmarks run" benches
    step "instructions on the hot path" hot_path
    step "$MUTATED_MIB MiB of mutated messages" mutated_messages
    step "fuzzing, $FUZZ_SECONDS s per target" fuzz
}
