#!/bin/sh
# A gateway, two remotes, a model's owner and a device, all on this machine: deploys a model, recognises digits, stops.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../local.sh"

keys gateway remote-0 remote-1
key owner "$work/owner.key"
key device "$work/device.key"
"$subrosa" keygen --store "$work/store.key" >/dev/null
fill "$here/owner.toml" "$work/owner.toml"
fill "$here/client.toml" "$work/client.toml"

start gateway remote-0 remote-1
ready "$work/owner.toml"
"$subrosa" deploy "$root/models/mnist-mlp.onnx" --name digits --protocol seco \
    --input-range 0:1 --reveal argmax --to "$work/owner.toml"
"$subrosa" predict digits --at "$work/client.toml" --input "$root/models/demo-digits.npy"
"$subrosa" status --at "$work/client.toml"
