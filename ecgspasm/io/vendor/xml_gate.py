"""XML of electrocardiographs: told by its root element, and checked before any other parser gets it."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import TreeBuilder

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

MAX_XML_BYTES = 12 * 2**20
"""Real files have 0.1 to 0.4 MB; five minutes of twelve leads at 500 Hz, written as digits, would fit. What is read takes some
twenty times as much."""

# Real files have up to 2,900 elements, 8 levels, 540 attributes, names of 40 letters and namespaces of 30.
_MAX_ELEMENTS = 100_000
_MAX_DEPTH = 64
_MAX_ATTRIBUTES = 50_000
"""In the whole file."""
_MAX_NAME = 256
"""Letters of a name or of the address of a namespace, which expat puts in front of every name."""
_MAX_MARKUP = 2 * _MAX_ELEMENTS + 10_000
"""Tags, comments, instructions and sections together: each begins with a bracket, and each costs time."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_ROOTS = {
    "restingecg": "GE MUSE XML",
    "restingecgdata": "Philips Sierra XML",
    "annotatedecg": "HL7 aECG",
    "ecg": "Mortara ELI (EL250/ELI280)",
}
# "ECG" is a word that anyone may call a root element; these stand near the start of each file of an ELI.
_ELI = re.compile(r"ACQUISITION_TIME|<CHANNEL|<SUBJECT|<SOURCE|<TYPICAL_CYCLE|<DEMOGRAPHIC_FIELDS")
_DOCTYPE = r"<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>"
_PROLOG = re.compile(rf"\s*(?:<\?.*?\?>|<!--.*?-->|{_DOCTYPE})", re.DOTALL)
_ELEMENT = re.compile(r"\s*<(?:[\w.\-]+:)?([\w.\-]+)[\s/>]", re.ASCII)


def xml_format(start: bytes) -> str | None:
    """Name of the format that the first bytes of a file show, or None if they are none of these.

    Examples
    --------
    >>> xml_format(b'<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>')
    'GE MUSE XML'
    """
    if start[:2] in _UTF_16:
        text = start[: len(start) & ~1].decode("utf-16", errors="replace")
    else:
        text = start.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    at = 0
    while found := _PROLOG.match(text, at):
        at = found.end()
    root = _ELEMENT.match(text, at)
    if root is None or (root[1].lower() == "ecg" and (root[1] != "ECG" or not _ELI.search(text, at))):
        return None
    return _ROOTS.get(root[1].lower())


def check_xml(data: bytes) -> tuple[bytes, Any]:
    """Parse XML that nobody vouches for.

    A bare DOCTYPE is allowed, because real files of MUSE carry one; what it names is never fetched. Some real files of aECG
    declare UTF-8 and hold names in Latin-1: those are turned into the UTF-8 that they declare.

    Returns
    -------
    data : bytes
        The very bytes that were checked, for the parser that comes next.
    root : element
        With namespaces taken off the names.

    Raises
    ------
    EcgError
        If it is no well-formed XML, declares anything within its DOCTYPE, or is larger or deeper than any ECG.
    """
    if len(data) > MAX_XML_BYTES:
        raise EcgError(f"the file has {len(data)} bytes, more than the {MAX_XML_BYTES} of any such ECG; export a shorter one")
    try:
        root = _parsed(data)
    except _NotWellFormedError as first:
        mended = _as_utf8(data)
        if mended is None:
            raise EcgError(str(first)) from first
        data = mended
        root = _parsed(data)
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return data, root


class _NotWellFormedError(EcgError):
    """The XML breaks off or holds bytes that its encoding does not have."""


class _Tree(TreeBuilder):
    """Builds the tree as long as it may be that of an ECG."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Any:
        """Count."""
        self._depth += 1
        self._count += 1
        if self._depth > _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise EcgError("the XML has more elements or levels than any ECG; export the recording again")
        if any(len(name.rpartition("}")[2]) > _MAX_NAME for name in (tag, *attrs)):
            raise EcgError(f"the XML has a name of more than {_MAX_NAME} letters, which no ECG has; export it again")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Any:
        """One level up."""
        self._depth -= 1
        return super().end(tag)


def _parsed(data: bytes) -> Any:
    try:
        from defusedxml import ElementTree
    except ImportError as error:
        raise EcgError("reading this format needs defusedxml: pip install 'ecgspasm[formats]'") from error
    _count(data)
    try:
        parser = ElementTree.DefusedXMLParser(target=_Tree(), forbid_dtd=False)
        # told of by expat itself: a comment can make a DOCTYPE look like what it is not
        parser.parser.StartDoctypeDeclHandler = _refuse_subset
        parser.parser.StartNamespaceDeclHandler = _refuse_long_namespace
        # in one piece: expat begins a long tag anew with every piece that it gets
        parser.feed(data)
        return parser.close()
    except EcgError:
        raise
    # expat, and the codecs that a declaration names, raise various errors on bytes that are not what they say
    except Exception as error:
        said = one_line(error, 100)
        raise _NotWellFormedError(f"the XML is not well-formed ({said}); export the recording again") from error


def _count(data: bytes) -> None:
    """Bound what a parser has to do: expat makes room for all attributes of a tag before it tells of one.

    Counted are the signs without which there is no tag and no attribute. In texts and values there may be more of them, so
    nothing gets by.
    """
    text = data.decode("utf-16" if data[:2] in _UTF_16 else "latin-1", "replace")
    if text.count("<") > _MAX_MARKUP:
        raise EcgError("the XML has more elements, comments or instructions than any ECG; export the recording again")
    if text.count("=") > _MAX_ATTRIBUTES:
        raise EcgError(f"the XML has more than {_MAX_ATTRIBUTES} attributes, which no ECG has; export the recording again")


def _refuse_subset(name: str, system: str | None, public: str | None, subset: int, /) -> None:
    """Called at the very bracket, before anything behind it is looked at."""
    if subset:
        raise EcgError(
            "the XML declares entities or attributes within its DOCTYPE, which no ECG needs and which can hide a bomb; "
            "remove what stands there in brackets"
        )


def _refuse_long_namespace(prefix: str | None, address: str | None, /) -> None:
    if len(address or "") > _MAX_NAME:
        raise EcgError(f"the XML has a namespace of more than {_MAX_NAME} letters, which no ECG has; export it again")


def _as_utf8(data: bytes) -> bytes | None:
    """Text that is not in the UTF-8 that it is said to be in, as UTF-8; None if that is not what is wrong."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        if data[:2] in _UTF_16:
            return None
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", data.decode("latin-1"), count=1).encode("utf-8")
    return None


def child_text(element: Any, name: str) -> str:
    """Text of the first child of that name, or an empty string."""
    found = element.find(name)
    return (found.text or "").strip() if found is not None else ""
