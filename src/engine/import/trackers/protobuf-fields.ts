import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** What to do with a field of a message. */
type Field = { readonly wire: WireType; readonly read: (reader: BinaryReader) => void };

/** By field number. Other fields are skipped, as are fields with an unexpected wire type. */
export type Fields = Readonly<Record<number, Field>>;

export const field = {
  bytes: (take: (value: Uint8Array) => void): Field => ({
    wire: WireType.LengthDelimited,
    read: reader => take(reader.bytes()),
  }),
  text: (take: (value: string) => void): Field => ({
    wire: WireType.LengthDelimited,
    read: reader => take(Buffer.from(reader.bytes()).toString('utf8')),
  }),
  integer: (take: (value: number) => void): Field => ({
    wire: WireType.Varint,
    read: reader => take(Number(reader.int64())),
  }),
  float: (take: (value: number) => void): Field => ({
    wire: WireType.Bit32,
    read: reader => take(reader.float()),
  }),
  double: (take: (value: number) => void): Field => ({
    wire: WireType.Bit64,
    read: reader => take(reader.double()),
  }),
  message: (fields: () => Fields): Field => ({
    wire: WireType.LengthDelimited,
    read: reader => readMessage(reader.bytes(), fields()),
  }),
};

/** Reads the given fields of a message in order. Throws if the bytes are not a message. */
export function readMessage(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const known = fields[number];
    if (known && known.wire === wire) known.read(reader);
    else reader.skip(wire, number);
  }
}
