#!/usr/bin/env bash
# Shows that instances share nothing, and fails where they do:
#   * a message takes as many instructions with one instance in the process as with 2, 8 and 32, within 3% of their mean
#     (callgrind);
#   * no core writes a cache line that another one reads or writes in its turns (lackey), but for the C library's statistics
#     of large allocations.
#
#   cbench-scripts/scripts/shared_nothing.sh
#
# Environment: MESSAGES (8000 of each instance) INSTANCES ("1 2 8 32") TURNS (10 of each core, for the second)
#              SHARED (4 cache lines)
set -euo pipefail
cd "$(dirname "$0")/../.."

MESSAGES=${MESSAGES:-8000} INSTANCES=${INSTANCES:-1 2 8 32} TURNS=${TURNS:-10} SHARED=${SHARED:-4}
program=${CARGO_TARGET_DIR:-target}/release/examples/shared_nothing
cargo build --release --quiet -p cbench --example shared_nothing
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for n in $INSTANCES; do
    said=$(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/turns" \
        "$program" instructions --instances "$n" --messages "$MESSAGES")
    callgrind_annotate --inclusive=yes --threshold=100 "$scratch/turns" 2>/dev/null |
        awk -v n="$n" -v said="$said" '
            { count = $1; gsub(",", "", count); count += 0 }
            /::measured_turn \[/ && count > most { most = count }
            END { split(said, word, " "); printf "%d %.1f %s\n", n, most / word[3], said }'
done | awk '
    { each[NR] = $2; sum += $2; printf "%s: %.1f instructions for a message\n", substr($0, length($1 " " $2 " ") + 1), $2 }
    END {
        mean = sum / (NR ? NR : 1)
        if (NR == 0 || mean < 100) { print "which cannot be"; exit 1 }
        for (i in each) if (each[i] > 1.03 * mean || each[i] < mean / 1.03) { print "more than 3% from their mean"; exit 1 }
    }'

valgrind --tool=lackey --trace-mem=yes --log-file=/dev/stdout "$program" lines --marks "$scratch/marks" --turns "$TURNS" |
    "$program" shared-lines --marks "$scratch/marks" --max "$SHARED"
