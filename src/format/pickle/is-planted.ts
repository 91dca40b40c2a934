import type { NamedThing } from "../decode-error.js";
import { knownName } from "./known-names.js";

/**
 * Whether no server's pickler writes a name: Python's own modules hold few classes of data, which
 * are listed here; elsewhere a class begins with a capital, and only a few other names are data.
 * `mayBeFactory`: of a defaultdict, for which an addon may take a function of its own.
 */
export function isPlanted({ module, name }: NamedThing, mayBeFactory = false): boolean {
  if (knownName({ module, name }) !== undefined) return false;
  const [root = ""] = module.split(".");
  if (pythonModules.has(root) || root.startsWith("_")) {
    const isError = module === "exceptions" || /^[A-Z]\w*(?:Error|Exception|Warning)$/.test(name);
    return !isError && pythonData.get(module)?.has(name) !== true;
  }
  return !mayBeFactory && !name.split(".").every((part) => /^_*[A-Z]/.test(part) || otherData.has(part));
}

/** Classes of data in Python's own modules, and the functions by which picklers make them again. */
const pythonData: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    builtins:
      "object bool int float complex str bytes bytearray memoryview list tuple dict set frozenset range slice " +
      "Ellipsis NotImplemented StopIteration GeneratorExit KeyboardInterrupt SystemExit",
    __builtin__:
      "object bool int long float complex str unicode basestring bytes bytearray buffer list tuple dict set " +
      "frozenset xrange slice Ellipsis NotImplemented StopIteration",
    copyreg: "_reconstructor __newobj__ __newobj_ex__",
    copy_reg: "_reconstructor __newobj__",
    _codecs: "encode",
    array: "array _array_reconstructor",
    collections: "OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString",
    datetime: "datetime date time timedelta timezone tzinfo",
    decimal: "Decimal Context",
    _decimal: "Decimal Context",
    _pydecimal: "Decimal Context",
    cdecimal: "Decimal Context",
    fractions: "Fraction",
    "http.cookies": "SimpleCookie BaseCookie Morsel",
    Cookie: "SimpleCookie BaseCookie Morsel",
    http: "HTTPStatus",
    ipaddress: "IPv4Address IPv4Network IPv4Interface IPv6Address IPv6Network IPv6Interface ip_address ip_network",
    pathlib: "PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath",
    "pathlib._local": "PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath",
    re: "_compile Pattern RegexFlag",
    string: "Template",
    time: "struct_time",
    types: "SimpleNamespace MappingProxyType NoneType",
    "urllib.parse": "ParseResult SplitResult DefragResult",
    urlparse: "ParseResult SplitResult",
    uuid: "UUID SafeUUID",
    zoneinfo: "ZoneInfo ZoneInfo._unpickle",
  }).map(([module, names]) => [module, new Set(names.split(" "))]),
);

/** Data of other packages whose names begin in lower case: dateutil, pytz, NumPy, Odoo's tools. */
const otherData: ReadonlySet<string> = new Set(
  (
    "relativedelta tzutc tzlocal tzoffset tzrange tzstr tzfile _p frozendict lazy " +
    "ndarray dtype scalar _reconstruct _frombuffer"
  ).split(" "),
);

/** The top-level modules of Python 2.7 and 3 [CPython, sys.stdlib_module_names]. */
const pythonModules: ReadonlySet<string> = new Set(
  `abc aifc annotationlib antigravity anydbm argparse array ast asynchat asyncio asyncore atexit audioop base64
  bdb binascii binhex bisect bsddb builtins bz2 cPickle cProfile cStringIO calendar cgi cgitb chunk cmath cmd
  code codecs codeop collections colorsys commands compileall compiler compression concurrent configparser
  contextlib contextvars cookielib copy copy_reg copyreg crypt csv ctypes curses dataclasses datetime dbhash dbm
  decimal difflib dircache dis distutils dl doctest dumbdbm email encodings ensurepip enum errno exceptions
  faulthandler fcntl filecmp fileinput fnmatch formatter fpectl fpformat fractions ftplib functools
  future_builtins gc gdbm genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac hotshot
  html htmlentitydefs htmllib http httplib idlelib ihooks imageop imaplib imghdr imp importlib imputil inspect
  io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath macurl2path mailbox mailcap
  markupbase marshal math md5 mhlib mimetools mimetypes mimify mmap modulefinder msilib msvcrt multifile
  multiprocessing mutex netrc new nis nntplib nt ntpath nturl2path numbers opcode operator optparse os os2emxpath
  ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib posix posixfile
  posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re
  readline repr reprlib resource rexec rfc822 rlcompleter robotparser runpy sched secrets select selectors sets
  sgmllib sha shelve shlex shutil signal site sitecustomize smtpd smtplib sndhdr socket socketserver spwd sqlite3
  sre sre_compile sre_constants sre_parse ssl stat statistics statvfs string stringold stringprep strop struct
  subprocess sunau sunaudio symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test
  textwrap this thread threading time timeit tkinter toaiff token tokenize tomllib trace traceback tracemalloc
  tty turtle turtledemo types typing unicodedata unittest urllib urllib2 urlparse user usercustomize uu uuid venv
  warnings wave weakref webbrowser whichdb winreg winsound wsgiref xdrlib xml xmllib xmlrpc xmlrpclib xxsubtype
  zipapp zipfile zipimport zlib zoneinfo BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer
  HTMLParser MimeWriter Queue SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter UserDict UserList
  UserString pip pkg_resources setuptools cdecimal`.split(/\s+/),
);
