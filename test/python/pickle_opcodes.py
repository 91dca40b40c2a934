"""Where the opcodes of a pickle stand, without decoding their arguments."""

import pickletools

UP_TO_NEWLINE = pickletools.UP_TO_NEWLINE
LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
BY_CODE = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
TWO_LINES = {"GLOBAL", "INST"}


def pickle_opcodes(data):
    """Every opcode up to STOP as (name, start, start of the argument's own bytes, end). Stops in silence where the bytes make no sense."""
    found, at = [], 0
    while at < len(data):
        opcode = BY_CODE.get(data[at])
        if opcode is None:
            break
        start, at = at, at + 1
        content = at
        size = 0 if opcode.arg is None else opcode.arg.n
        if size >= 0:
            at += size
        elif size == UP_TO_NEWLINE:
            for _ in range(2 if opcode.name in TWO_LINES else 1):
                at = data.find(b"\n", at) + 1
                if at == 0:
                    return found
        else:
            content = at + LENGTH_BYTES[size]
            at = content + int.from_bytes(data[at:content], "little")
        if at > len(data):
            break
        found.append((opcode.name, start, content, at))
        if opcode.name == "STOP":
            break
    return found
