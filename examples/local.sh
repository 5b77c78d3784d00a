# What the start scripts share: the keys, settings and nodes of all parties, on this machine.
# $here is the example's folder. SUBROSA names the program, PORT the first of some free ports.

root=$(cd "$here/../.." && pwd)
subrosa=${SUBROSA:-$root/target/release/subrosa}
port=${PORT:-7460}
work=$(mktemp -d)
nodes=
prints=$work/fingerprints.sed
places=$work/addresses.sed

stop() {
    for node in $nodes; do
        kill "$node" 2>/dev/null || true
    done
    for node in $nodes; do
        wait "$node" || true
    done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

# key NAME FILE: an identity, whose fingerprint takes the place of @NAME@ in settings.
key() {
    print=$("$subrosa" keygen "$2" | sed -n 's/^fingerprint //p')
    echo "s/@$1@/$print/" >>"$prints"
}

# keys PARTY...: a folder, an identity and a store's key for each node.
keys() {
    for party in "$@"; do
        mkdir "$work/$party"
        key "$party" "$work/$party/node.key"
        "$subrosa" keygen --store "$work/$party/store.key" >/dev/null
        echo "s/$party\\.example\\.org:7460/127.0.0.1:$port/" >>"$places"
        echo "$port" >"$work/$party/port"
        port=$((port + 1))
    done
}

# fill FROM TO: settings with fingerprints, and with addresses of this machine.
fill() {
    sed -f "$prints" -f "$places" "$1" >"$2"
}

# start PARTY...: a node for each.
start() {
    for party in "$@"; do
        own=$(cat "$work/$party/port")
        fill "$here/$party/node.toml" "$work/$party/filled.toml"
        sed -e "s/0\\.0\\.0\\.0:7460/127.0.0.1:$own/" -e "s/127\\.0\\.0\\.1:9460/127.0.0.1:$((own + 2000))/" \
            "$work/$party/filled.toml" >"$work/$party/node.toml"
        "$subrosa" node --config "$work/$party/node.toml" 2>"$work/$party/log" &
        nodes="$nodes $!"
    done
}

# ready DIRECTORY: waits until all its nodes answer, half a minute at most.
ready() {
    tries=0
    until "$subrosa" status --at "$1" >"$work/status" 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge 60 ]; then
            cat "$work/status" "$work"/*/log >&2
            exit 1
        fi
        sleep 0.5
    done
}
