/** The opcodes of pickle protocols 0 to 5 [CPython, pickle.py]. */
export const opcode = {
  mark: 0x28, // (
  stop: 0x2e, // .
  pop: 0x30, // 0
  popMark: 0x31, // 1
  dup: 0x32, // 2
  float: 0x46, // F
  int: 0x49, // I
  binint: 0x4a, // J
  binint1: 0x4b, // K
  long: 0x4c, // L
  binint2: 0x4d, // M
  none: 0x4e, // N
  persid: 0x50, // P
  binpersid: 0x51, // Q
  reduce: 0x52, // R
  string: 0x53, // S
  binstring: 0x54, // T
  shortBinstring: 0x55, // U
  unicode: 0x56, // V
  binunicode: 0x58, // X
  append: 0x61, // a
  build: 0x62, // b
  global: 0x63, // c
  dict: 0x64, // d
  emptyDict: 0x7d, // }
  appends: 0x65, // e
  get: 0x67, // g
  binget: 0x68, // h
  inst: 0x69, // i
  longBinget: 0x6a, // j
  list: 0x6c, // l
  emptyList: 0x5d, // ]
  obj: 0x6f, // o
  put: 0x70, // p
  binput: 0x71, // q
  longBinput: 0x72, // r
  setitem: 0x73, // s
  tuple: 0x74, // t
  emptyTuple: 0x29, // )
  setitems: 0x75, // u
  binfloat: 0x47, // G
  proto: 0x80,
  newobj: 0x81,
  ext1: 0x82,
  ext2: 0x83,
  ext4: 0x84,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  newtrue: 0x88,
  newfalse: 0x89,
  long1: 0x8a,
  long4: 0x8b,
  binbytes: 0x42, // B
  shortBinbytes: 0x43, // C
  shortBinunicode: 0x8c,
  binunicode8: 0x8d,
  binbytes8: 0x8e,
  emptySet: 0x8f,
  additems: 0x90,
  frozenset: 0x91,
  newobjEx: 0x92,
  stackGlobal: 0x93,
  memoize: 0x94,
  frame: 0x95,
  bytearray8: 0x96,
  nextBuffer: 0x97,
  readonlyBuffer: 0x98,
} as const;
