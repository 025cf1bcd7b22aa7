"""Arrays of numbers over pipes between two programs that need not trust each other. Python 3.9 or later.

A frame is a length of four bytes (big-endian), a header of so many bytes, and the arrays' bytes one after the
other, rows first, in the machine's own byte order: both ends are on one machine. The header is a JSON object:
{"arrays": [{"dtype": "float32", "shape": [2, 3]}]}, or {"error": "why there is no answer"}. Nothing that is
received is ever run, and none of it is kept that was not announced and found within the bounds.
"""

import array
import fcntl
import json
import math
import os

# The header of 64 arrays is smaller.
MAX_HEADER_BYTES = 2**16
MAX_ARRAYS = 64
MAX_DIMENSIONS = 8
# Of one frame. More is asked in several batches.
MAX_FRAME_BYTES = 2**30
MAX_ERROR_CHARACTERS = 300

# Names that numpy and torch share, with the code that `array`, `struct` and `memoryview` have for each.
CODES = {
    "uint8": "B", "int8": "b", "int16": "h", "int32": "i", "int64": "q", "float32": "f", "float64": "d",
}
SIZES = {name: array.array(code).itemsize for name, code in CODES.items()}
# What buffers of the same kinds call themselves: `l` is eight bytes long on Linux, and a truth value is one.
NAMES = {**{code: name for name, code in CODES.items()}, "l": "int64", "?": "uint8"}


class FrameError(Exception):
    """What came is no frame that was asked for; the text says why."""


class StreamEnded(FrameError):
    """The other end closed the stream."""


# Linux' fcntl that enlarges a pipe, and the most that everybody may have: pipe(7).
F_SETPIPE_SZ = 1031
PIPE_BYTES = 2**20


class Stream:
    """Two descriptors, one to read from and one to write to; they may be one, of a socket."""

    def __init__(self, read, write):
        self._read, self._write = read, write
        for descriptor in (read, write):
            # Who made it may have left it otherwise.
            os.set_blocking(descriptor, True)
            try:
                fcntl.fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES)
            except OSError:
                pass  # no pipe, or the user has no more room for them

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for descriptor in {self._read, self._write}:
            os.close(descriptor)

    def sendall(self, data):
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(self._write, view):]

    def recv_into(self, view):
        return os.readv(self._read, [view])


class Array:
    """Numbers of one kind: `dtype`, a name of CODES; `shape`, a tuple; `data`, their bytes, rows first."""

    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, tuple(shape), memoryview(data).cast("B")

    def values(self):
        """Return all numbers in a row, as a memoryview: no copy is made."""
        return self.data.cast(CODES[self.dtype])

    def tolist(self):
        """Return nested lists."""
        def nested(values, shape):
            if len(shape) < 2:
                return values.tolist()
            step = len(values) // shape[0]
            return [nested(values[at:at + step], shape[1:]) for at in range(0, len(values), step)]
        return nested(self.values(), self.shape) if self.shape else self.values()[0]

    def rows(self):
        """Return the bytes of each row of the first dimension: texts, where tokens are bytes."""
        step = len(self.data) // self.shape[0]
        return [bytes(self.data[at:at + step]) for at in range(0, len(self.data), step)]

    def numpy(self):
        """Return them as an array of numpy, without a copy."""
        import numpy

        return numpy.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)

    def torch(self, device="cpu"):
        """Return them as a tensor of torch."""
        import torch

        data = self.data if not self.data.readonly else bytearray(self.data)
        return torch.frombuffer(data, dtype=getattr(torch, self.dtype)).reshape(self.shape).to(device)


def to_array(value):
    """Return an Array of bytes, nested lists, what has a buffer (array, numpy), or a tensor of torch.

    Tensors of half precision become float32. Raises ValueError for all else, and where rows differ in length.
    """
    if isinstance(value, Array):
        return value
    if type(value).__module__ == "torch" or hasattr(value, "data_ptr"):
        return _of_tensor(value)
    try:
        view = memoryview(value)
    except TypeError:
        pass
    else:
        if view.format not in NAMES:
            raise ValueError(f"arrays of format {view.format!r} cannot be sent, only {', '.join(CODES)}")
        return Array(NAMES[view.format], view.shape, view if view.c_contiguous else view.tobytes())
    if isinstance(value, (list, tuple)) and value:
        return _of_rows(value)
    if isinstance(value, (int, float)):
        number = _of_rows([value])
        return Array(number.dtype, (), number.data)
    raise ValueError(f"a {type(value).__name__} is no array of numbers, or an empty one")


def _of_tensor(tensor):
    import ctypes

    tensor = tensor.detach().cpu().contiguous()
    name = str(tensor.dtype).rpartition(".")[2]
    if name in ("bfloat16", "float16"):
        tensor, name = tensor.float(), "float32"
    if name == "bool":
        name = "uint8"
    if name not in CODES:
        raise ValueError(f"tensors of {name} cannot be sent, only {', '.join(CODES)}")
    size = tensor.numel() * SIZES[name]
    # Torch works without numpy, which would hand over the memory otherwise. The copy outlives the tensor.
    return Array(name, tensor.shape, ctypes.string_at(tensor.data_ptr(), size))


def _of_rows(rows):
    first = rows[0]
    if isinstance(first, (int, float)):
        for name in ("int64", "float64"):
            try:
                return Array(name, (len(rows),), array.array(CODES[name], rows))
            except TypeError:
                continue  # a float among them, or no number
            except OverflowError:
                raise ValueError("a whole number does not fit 64 bits") from None
        raise ValueError("a list holds numbers beside what is none")
    parts = [to_array(row) for row in rows]
    if len({part.dtype for part in parts}) > 1 and {part.dtype for part in parts} <= {"int64", "float64"}:
        # Rows of a list in which all numbers happen to be whole.
        parts = [Array("float64", part.shape, array.array("d", part.values())) for part in parts]
    if len({(part.dtype, part.shape) for part in parts}) > 1:
        raise ValueError("the rows of an array differ in shape or kind")
    return Array(parts[0].dtype, (len(parts), *parts[0].shape), b"".join(part.data for part in parts))


def send(stream, arrays):
    """Send arrays as one frame. Raises ValueError where they are too many or too large."""
    if len(arrays) > MAX_ARRAYS:
        raise ValueError(f"{len(arrays)} arrays are more than {MAX_ARRAYS}")
    size = sum(len(each.data) for each in arrays)
    if size > MAX_FRAME_BYTES:
        raise ValueError(f"{size:,} bytes are more than {MAX_FRAME_BYTES:,}: ask for less at a time")
    _send_header(stream, {"arrays": [{"dtype": each.dtype, "shape": each.shape} for each in arrays]})
    for each in arrays:
        stream.sendall(each.data)


def send_error(stream, text):
    _send_header(stream, {"error": text[:MAX_ERROR_CHARACTERS]})


def _send_header(stream, header):
    data = json.dumps(header).encode()
    stream.sendall(len(data).to_bytes(4, "big") + data)


def receive(stream, expected=None):
    """Return the arrays of the next frame.

    `expected` is a list of (dtypes, shape), by which the header is checked before anything is read into memory.
    Raises StreamEnded where the stream ended instead, FrameError for everything else that is no such frame.
    """
    length = int.from_bytes(_read(stream, 4), "big")
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise FrameError(f"a header of {length:,} bytes is none: it has 2 to {MAX_HEADER_BYTES:,}")
    try:
        header = json.loads(bytes(_read(stream, length)))
    except (ValueError, RecursionError):
        raise FrameError("the header is no JSON") from None
    if isinstance(header, dict) and isinstance(header.get("error"), str):
        # As JSON, so that it cannot begin a line of its own nor steer a terminal.
        raise FrameError("it says " + json.dumps(header["error"][:MAX_ERROR_CHARACTERS]))
    described = header.get("arrays") if isinstance(header, dict) else None
    if not isinstance(described, list) or len(described) > MAX_ARRAYS:
        raise FrameError(f"the header lists no arrays, or more than {MAX_ARRAYS}")
    kinds = [_kind(each) for each in described]
    if sum(size for _, _, size in kinds) > MAX_FRAME_BYTES:
        raise FrameError(f"the arrays are larger than {MAX_FRAME_BYTES:,} bytes")
    if expected is not None:
        _compare(kinds, expected)
    return [Array(dtype, shape, _read(stream, size)) for dtype, shape, size in kinds]


def _kind(described):
    """Return (dtype, shape, bytes) of an array as a header describes it."""
    dtype = described.get("dtype") if isinstance(described, dict) else None
    shape = described.get("shape") if isinstance(described, dict) else None
    if not isinstance(dtype, str) or dtype not in CODES:
        raise FrameError(f"the header names a dtype that is none of {', '.join(CODES)}")
    # `type`, for True is an int as well.
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n > 0 for n in shape):
        raise FrameError(f"the header holds a shape that is no list of at most {MAX_DIMENSIONS} whole numbers above 0")
    if max(shape, default=1) > MAX_FRAME_BYTES:
        raise FrameError(f"the arrays are larger than {MAX_FRAME_BYTES:,} bytes")
    return dtype, tuple(shape), math.prod(shape) * SIZES[dtype]


def _compare(kinds, expected):
    if len(kinds) != len(expected):
        raise FrameError(f"it answered with {len(kinds)} arrays in place of {len(expected)}")
    for (dtype, shape, _), (dtypes, wanted) in zip(kinds, expected):
        if dtype not in dtypes:
            raise FrameError(f"it answered with {dtype} in place of {' or '.join(dtypes)}")
        if shape != tuple(wanted):
            raise FrameError(f"it answered with the shape {list(shape)} in place of {list(wanted)}")


def _read(stream, size):
    """Return so many bytes, which the caller has found within the bounds."""
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = stream.recv_into(view[at:])
        if count == 0:
            raise StreamEnded("it ended" if at == 0 else f"it ended after {at:,} of {size:,} bytes")
        at += count
    return data
