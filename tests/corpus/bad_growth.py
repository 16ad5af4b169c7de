"""Files that are small, or no larger than allowed, and would cost much more memory or time than their size tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.corpus import vendor_files
from tests.corpus.case import Bad, Make
from tests.corpus.dicom_parts import Tag, before_waveforms, element, group, item, marked, open_item, sequence, waveforms
from tests.corpus.sound_files import vendor


def _put(name: str, content: Callable[[], bytes]) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    return make


# --- XML --------------------------------------------------------------------------------------------------------------


def _defaults(value: str, elements: int, before: str = "") -> bytes:
    """Elements that each get an attribute which stands in the file once."""
    head = f'<!DOCTYPE RestingECG [{before}<!ATTLIST v a CDATA "{value}">]>'
    return vendor_files.muse("<v/>" * elements, head=head)


def _namespace(address: str, inside: str) -> bytes:
    return vendor_files.muse(inside).replace(b"<RestingECG>", f"<RestingECG xmlns='{address}'>".encode())


def _crowded(tags: int, attributes: int) -> bytes:
    return vendor_files.muse(("<a " + " ".join(f"x{i}=''" for i in range(attributes)) + "/>") * tags)


_TWO = ("I", "II")

XML: dict[str, tuple[Callable[[], bytes], str]] = {
    "attributes of 4 kB by default": (lambda: _defaults("x" * 3800, 90_000), "declares entities"),
    "attributes of 1 MB behind a comment": (
        lambda: _defaults("x" * 1_000_000, 1000, "<!-- ]><RestingECG > -->"),
        "declares entities",
    ),
    "elements declared": (lambda: vendor_files.muse(head="<!DOCTYPE RestingECG [<!ELEMENT a ANY>]>"), "declares entities"),
    "a namespace of 1 MB": (lambda: _namespace("u" * 1_000_000, "<a/>" * 90_000), "a namespace of more than"),
    "a name of 10 MB": (lambda: vendor_files.muse("<" + "x" * 10_000_000 + "/>"), "a name of more than"),
    "2 million instructions": (lambda: vendor_files.muse("<?a?>" * 2_000_000), "comments or instructions"),
    "1.5 million comments": (lambda: vendor_files.muse("<!---->" * 1_500_000), "comments or instructions"),
    "1.2 million attributes in 6,000 tags": (lambda: _crowded(6000, 200), "attributes"),
    "a tag of 12 MB and one wide letter": (lambda: vendor_files.muse("<a b='" + "x" * 12_000_000 + "&#x1F600;'/>"), "rhythm"),
    "utf-32": (lambda: vendor("muse").decode("latin-1").encode("utf-32"), "format is unknown"),
    "utf-16 without a mark": (lambda: vendor("muse").decode("latin-1").encode("utf-16-le"), "format is unknown"),
    "utf-16 that is none": (lambda: vendor("muse").replace(b"ISO-8859-1", b"UTF-16"), "not well-formed"),
    "letters of IBM": (lambda: vendor("muse").replace(b"ISO-8859-1", b"cp037"), "not well-formed"),
    "Mortara: 4 million samples": (lambda: vendor_files.mortara(np.zeros((2, 2_000_000), "<i2"), _TWO), "more than is read at"),
    "aECG: 4 million digits": (lambda: vendor_files.aecg(dict.fromkeys(_TWO, ["1"] * 2_000_000)), "more than is read at"),
    "Sierra: 800 MB in 2 MB": (lambda: vendor_files.sierra(vendor_files.xli_bomb(1_000_000)), "are larger than"),
    "Sierra: 180 MB in 400 kB": (lambda: vendor_files.sierra(vendor_files.xli_bomb(239_000)), "unpack to more than"),
    "Sierra: no base64": (lambda: vendor_files.sierra(b"").replace(b"></parsed", b">????</parsed"), "no base64"),
}


# --- DICOM ------------------------------------------------------------------------------------------------------------

_CHANNELS, _GROUPS, _PRIVATE = (0x003A, 0x0200), (0x5400, 0x0100), (0x0009, 0x1001)


def _elements(count: int) -> bytes:
    """Elements of private groups, eight bytes each."""
    numbers = np.arange(count, dtype="<u4")
    out = np.zeros(count, [("group", "<u2"), ("number", "<u2"), ("form", "S2"), ("length", "<u2")])
    out["group"], out["number"], out["form"] = 0x0009 + 2 * (numbers >> 16), numbers & 0xFFFF, b"LO"
    return out.tobytes()


def _before(inside: bytes) -> bytes:
    return before_waveforms() + inside + waveforms()


def _within(inside: bytes, left_out: str = "MultiplexGroupLabel") -> bytes:
    return before_waveforms() + marked(_GROUPS, group(inside, left_out))


def _channels(items: bytes) -> bytes:
    return _within(sequence(_CHANNELS, items), "ChannelDefinitionSequence")


def _deep(levels: int, tag: Tag = _PRIVATE) -> bytes:
    """Sequences within sequences that tell their lengths."""
    inside = b""
    for _ in range(levels):
        inside = sequence(tag, item(inside))
    return inside


DICOM: dict[str, tuple[Callable[[], bytes], str]] = {
    "3 million elements": (lambda: _before(_elements(3_000_000)), "more than 50000 elements"),
    "3 million elements in a group": (lambda: _within(_elements(3_000_000)), "more than 50000 elements"),
    "a million channels": (lambda: _channels(item(b"") * 1_000_000), "beside its samples"),
    "60,000 channels": (lambda: _channels(item(b"") * 60_000), "defines 60000 channels"),
    "50,000 channels without an end": (lambda: _within(marked(_CHANNELS, open_item(b"") * 50_000)), "more than 50000 elements"),
    "50,000 groups": (lambda: before_waveforms() + sequence(_GROUPS, item(b"") * 50_000), "more than 64 groups"),
    "60,000 sources of channels": (
        lambda: _channels(item(sequence((0x003A, 0x0208), item(b"") * 4_500)) * 12),
        "no channel with the name of a lead",
    ),
    "4,000 levels with lengths": (lambda: _channels(item(_deep(4_000, _CHANNELS)) * 12), "no channel|cannot decode|beside"),
    "4 MB in a group": (lambda: _within(element(_PRIVATE, b"OB", bytes(4_000_000))), "beside its samples"),
    "sequences of sequences": (
        lambda: _before(marked(_PRIVATE, open_item(marked(_PRIVATE, open_item(b""))) * 20_000)),
        "elements",
    ),
}


# --- WFDB -------------------------------------------------------------------------------------------------------------


def _many_files(folder: Path) -> Path:
    """250 files of one sample, named 1,500 times by six kilobytes."""
    lines = ["r 250 500 1"]
    for number in range(250):
        (folder / str(number)).write_bytes(b"\1\0")
        lines.append(f"{number} 16 1000/{'Pa' if number else 'mV'} 16 0 1 1 0 {f'x{number}' if number else 'I'}")
    (folder / "r.hea").write_text("\n".join(lines) + "\n")
    path = folder / "m.hea"
    path.write_text("m/1500 250 500 1500\n" + "r 1\n" * 1500)
    return path


def _many_signals(folder: Path) -> Path:
    """200 headers of 250 signals in one file."""
    (folder / "d").write_bytes(b"\1\0" * 250)
    lines = "".join(f"d 16 1000/{'Pa' if each else 'mV'} 16 0 1 1 0 {f'x{each}' if each else 'I'}\n" for each in range(250))
    for number in range(200):
        (folder / f"r{number}.hea").write_text(f"r{number} 250 500 1\n{lines}")
    path = folder / "m.hea"
    path.write_text("m/200 250 500 200\n" + "".join(f"r{number} 1\n" for number in range(200)))
    return path


def _many_sums(folder: Path) -> Path:
    """A file of 12 million samples to be summed up for each of 100 headers, of a record that says it has one signal."""
    (folder / "d").write_bytes(bytes(12_000_000))
    lines = "".join(f"d 80 1000/{'Pa' if each else 'mV'} 16 0 -128 0 0 {f'x{each}' if each else 'I'}\n" for each in range(100))
    for number in range(100):
        (folder / f"r{number}.hea").write_text(f"r{number} 100 500 120000\n{lines}")
    path = folder / "m.hea"
    path.write_text("m/100 1 500 12000000\n" + "".join(f"r{number} 120000\n" for number in range(100)))
    return path


SEGMENTS: dict[str, tuple[Make, str, tuple[str, ...]]] = {
    "375,000 files to open": (_many_files, "more signals, files or words", ("read", "open")),
    "50,000 signals": (_many_signals, "more signals, files or words", ("read", "open")),
    "1.2 billion samples to sum": (_many_sums, "more than are read at once", ("read",)),
}


def cases() -> Iterator[Bad]:
    """All of them."""
    for what, (content, says) in XML.items():
        yield Bad(f"XML: {what}", _put("x.xml", content), says)
    for what, (make, says, ways) in SEGMENTS.items():
        yield Bad(f"segments: {what}", make, says, ways=ways)
    for what, (content, says) in DICOM.items():
        yield Bad(f"DICOM: {what}", _put("x.dcm", content), says)
