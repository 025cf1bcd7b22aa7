#!/bin/sh
# The log an offline run of Weights & Biases leaves (run-*.wandb) is laid out as LevelDB's log: blocks of 32 KiB, records with a checksum,
# a length and a kind. Expected: LevelDB's own checksum, a masked CRC-32C, as the format's description says. Seen with 0.31.0: the
# plain CRC-32 of zlib over kind and data, without a mask. A reader of LevelDB's logs takes every record for a broken one.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" wandb==0.31.0
cat >"$folder/look.py" <<'PYTHON'
import glob, os, struct, sys, zlib

import wandb

folder = sys.argv[1]
with wandb.init(mode="offline", dir=folder, project="checksum", settings=wandb.Settings(silent=True)) as run:
    run.log({"loss": 1.0})
(path,) = glob.glob(os.path.join(folder, "wandb", "offline-run-*", "run-*.wandb"))
with open(path, "rb") as file:
    content = file.read()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(value):
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


# The file begins with seven bytes of its own; the first record is whole, for it is short.
stored, length, kind = struct.unpack_from("<IHB", content, 7)
covered = content[13:14 + length]
kinds = {
    zlib.crc32(covered): "plain CRC-32",
    masked(zlib.crc32(covered)): "masked CRC-32",
    crc32c(covered): "plain CRC-32C",
    masked(crc32c(covered)): "masked CRC-32C, as LevelDB",
}
print(kinds.get(stored, "something else"))
PYTHON
seen=$(cd "$folder" && PYTHONPATH="$folder/packages" nice python3 "$folder/look.py" "$folder" 2>"$folder/said" | tail -1)
echo "wandb 0.31.0 writes: $seen"
[ "$seen" = 'plain CRC-32' ] || { cat "$folder/said"; exit 1; }
