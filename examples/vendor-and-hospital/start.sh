#!/bin/sh
# A vendor and a hospital, both on this machine: deploys a model, recognises digits, stops.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../local.sh"

keys vendor
key owner "$work/owner.key"
key hospital "$work/hospital.key"
"$subrosa" keygen --store "$work/store.key" >/dev/null
fill "$here/owner.toml" "$work/owner.toml"
fill "$here/client.toml" "$work/client.toml"

start vendor
ready "$work/owner.toml"
"$subrosa" deploy "$root/models/mnist-mlp.onnx" --name digits --protocol two-party \
    --input-range 0:1 --reveal argmax --to "$work/owner.toml"
"$subrosa" predict digits --at "$work/client.toml" --input "$root/models/demo-digits.npy"
"$subrosa" status --at "$work/client.toml"
