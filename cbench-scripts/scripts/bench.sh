#!/usr/bin/env bash
# Runs cbench in both modes against Ferroflow on each stack and prints one table, with responses per controller
# core-second beside responses per second.
#
#   cbench-scripts/scripts/bench.sh [kernel] [tap] [packet] [xdp] [shm] [canned]
#                                         default: canned kernel, and tap where there are the rights
#
# canned is no controller but the least that can answer: what the kernel's sockets allow on this machine. packet and xdp
# run over a veth pair, $VETH and ${VETH}p, which is made and removed; its offloads are as the kernel makes them, but for
# the checksums, which XDP wants complete.
# Environment: SWITCHES (16) MACS (1000) LOOPS (5) MS (2000) CORES (1) TAP (ffbench0) VETH (ffveth) PORT (6653)
#              CBENCH_CPU (the last one: where cbench is pinned) RESULTS (a file that gets one JSON object per run)
set -euo pipefail
cd "$(dirname "$0")/../.."

SWITCHES=${SWITCHES:-16} MACS=${MACS:-1000} LOOPS=${LOOPS:-5} MS=${MS:-2000} CORES=${CORES:-1}
TAP=${TAP:-ffbench0} VETH=${VETH:-ffveth} PORT=${PORT:-6653} CBENCH_CPU=${CBENCH_CPU:-$(($(nproc) - 1))} RESULTS=${RESULTS:-/dev/null}
stacks=("$@")
if [ ${#stacks[@]} -eq 0 ]; then
    stacks=(canned kernel)
    if [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then stacks+=(tap); else echo "tap: left out, it needs root" >&2; fi
fi

bin=${CARGO_TARGET_DIR:-target}/release
cargo build --release --quiet -p cbench --bin cbench --example canned
for s in "${stacks[@]}"; do
    case $s in
        canned) ;;
        kernel | tap | packet | xdp | shm) cargo build --release --quiet -p ferroflow-cli ;;
        *) echo "unknown stack: $s (kernel, tap, packet, xdp, shm or canned)" >&2; exit 2 ;;
    esac
done

log=$(mktemp -d)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        pid=
    fi
    ip link delete "$VETH" 2>/dev/null || true
}

# A veth pair with the address that TAP's other end has.
veth() {
    ip link add "$VETH" type veth peer name "${VETH}p"
    ip address add 10.77.0.1/24 dev "${VETH}p"
    [ "$1" = packet ] || ethtool -K "${VETH}p" tx off >/dev/null
    ip link set "${VETH}p" up
    ip link set "$VETH" up
}
trap 'stop; rm -rf "$log"' EXIT

# Waits until something listens, or the process has gone. In shared memory the controller says so.
await() {
    for _ in $(seq 100); do
        if [ "$2" = shm ]; then
            grep -q '^listening' "$log/controller" && return 0
        elif (exec 3<>"/dev/tcp/$1/$PORT") 2>/dev/null; then
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "$2 does not answer on $1:$PORT:" >&2
    cat "$log/controller" >&2
    return 1
}

# Becomes the controller. The canned responder is pinned to the first CPU; Ferroflow pins its cores itself.
start() {
    case $1 in
        canned) exec taskset -c 0 "$bin/examples/canned" "$PORT" ;;
        kernel) exec "$bin/ferroflow" run --port kernel --listen "$PORT" --cores "$CORES" ;;
        shm) exec "$bin/ferroflow" run --port "shm:$log/shm" --listen "$PORT" --cores "$CORES" ;;
        tap) exec "$bin/ferroflow" run --port "tap:$TAP" --listen "$PORT" --cores "$CORES" ;;
        packet | xdp) exec "$bin/ferroflow" run --port "$1:$VETH" --listen "$PORT" --cores "$CORES" ;;
    esac
}

row='%-8s %-11s %14s %14s %16s   %s\n'
# shellcheck disable=SC2059
printf "$row" stack mode "responses/s" stdev "per core-second" "latency p50/p90/p99/p99.9/max, us"
for s in "${stacks[@]}"; do
    host=127.0.0.1
    way=()
    case $s in tap | packet | xdp | shm) host=10.77.0.2 ;; esac
    case $s in packet | xdp) veth "$s" ;; esac
    case $s in shm) way=(--via "shm:$log/shm") ;; esac
    start "$s" >"$log/controller" 2>&1 &
    pid=$!
    await "$host" "$s"
    for mode in throughput latency; do
        flag=()
        [ "$mode" = throughput ] && flag=(-t)
        if ! taskset -c "$CBENCH_CPU" "$bin/cbench" -c "$host" -p "$PORT" -s "$SWITCHES" -M "$MACS" -l "$LOOPS" \
            -m "$MS" "${flag[@]}" "${way[@]}" --ctl-pid "$pid" --json >"$log/json" 2>"$log/lines"; then
            cat "$log/lines" "$log/controller" >&2
            exit 1
        fi
        cat "$log/json" >>"$RESULTS"
        awk -v row="$row" -v s="$s" -v m="$mode" '
            /^RESULT/ { split($(NF - 1), r, "/") }
            /^CONTROLLER/ { core = $(NF - 3) }
            /^LATENCY/ { lat = $4 == "n/a" || $2 == "n/a" ? "n/a" : $4 }
            END { printf row, s, m, sprintf("%d", r[3]), sprintf("%d", r[4]), sprintf("%d", core), lat }
        ' "$log/lines"
    done
    stop
done
