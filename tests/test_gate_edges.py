"""The gates to XML and HDF5, each limit at its edge."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File
from ecgspasm.io.hdf5 import gate
from ecgspasm.io.vendor import xml_gate
from ecgspasm.io.vendor.xml_gate import check_xml, child_text, xml_format

h5py = pytest.importorskip("h5py", reason="h5py is not installed (extra hdf5)")
pytest.importorskip("defusedxml", reason="defusedxml is not installed (extra formats)")


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EcgError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- XML


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"<RestingECG>", "GE MUSE XML"),
        (b"  <restingecgdata a='1'>", "Philips Sierra XML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b --><x:AnnotatedECG\n>", "HL7 aECG"),
        (b"<?xml version='1.0'?><?style x?><!DOCTYPE RestingECG [ <!ELEMENT a ANY> ] ><RestingECG/>", "GE MUSE XML"),
        (b"<!DOCTYPE RestingECG []><RestingECG/>", "GE MUSE XML"),
        ("\ufeff<RestingECG>".encode("utf-16-le"), "GE MUSE XML"),
        ("\ufeff<RestingECG>".encode("utf-16-be"), "GE MUSE XML"),
        ("\ufeff<RestingECG>".encode("utf-16-le") + b"x", "GE MUSE XML"),
        (b"<ECG ACQUISITION_TIME='1'>", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><CHANNEL", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><SUBJECT", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><SOURCE", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><TYPICAL_CYCLE", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><DEMOGRAPHIC_FIELDS", "Mortara ELI (EL250/ELI280)"),
        (b"<ECG><OTHER", None),
        (b"<ecg><CHANNEL", None),
        (b"<!-- <CHANNEL --><ECG><OTHER", None),
        (b"<html>", None),
        (b"<RestingECG", None),
        (b"text <RestingECG>", None),
        (b"", None),
        ("\ufeff<RestingECG>".encode("utf-16-le")[2:], None),
        (b"<!DOCTYPE RestingECG><RestingECG>", "GE MUSE XML"),
        ("\ufeff<RestingECG>".encode("utf-16-le") + b"\x00\xd8", "GE MUSE XML"),
    ],
)
def test_xml_is_told_by_its_root(start: bytes, named: str | None) -> None:
    assert xml_format(start) == named


def levels(n: int) -> bytes:
    return b"<a>" * n + b"</a>" * n


def test_xml_may_be_so_deep_and_so_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert xml_gate.MAX_XML_BYTES == 12_582_912
    check_xml(levels(64))
    assert "more elements or levels" in refused(lambda: check_xml(levels(65)))
    # what was closed before does not let the rest go deeper
    check_xml(b"<r>" + b"<a/>" * 9 + levels(63) + b"</r>")
    assert "more elements or levels" in refused(lambda: check_xml(b"<r>" + b"<a/>" * 9 + levels(64) + b"</r>"))
    assert xml_gate._MAX_ELEMENTS == 100_000
    monkeypatch.setattr(xml_gate, "_MAX_ELEMENTS", 100)
    check_xml(b"<r>" + b"<a/>" * 99 + b"</r>")
    assert "more elements or levels" in refused(lambda: check_xml(b"<r>" + b"<a/>" * 100 + b"</r>"))
    monkeypatch.setattr(xml_gate, "MAX_XML_BYTES", 10)
    check_xml(b"<abcdefg/>")
    assert "has 11 bytes, more than the 10" in refused(lambda: check_xml(b"<abcdefgh/>"))


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_xml_may_have_so_much_markup_and_so_many_attributes(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    assert (xml_gate._MAX_MARKUP, xml_gate._MAX_ATTRIBUTES) == (210_000, 50_000)

    def made(inside: str) -> bytes:
        return f"<r>{inside}</r>".encode(encoding)

    monkeypatch.setattr(xml_gate, "_MAX_MARKUP", 10)
    for each in ("<?a?>", "<!---->", "<a/>", "<![CDATA[x]]>"):
        check_xml(made(each * 8))
        assert "more elements, comments or instructions" in refused(lambda each=each: check_xml(made(each * 9)))  # type: ignore[misc]
    monkeypatch.setattr(xml_gate, "_MAX_ATTRIBUTES", 5)
    five = " ".join(f"x{number}=''" for number in range(5))
    check_xml(made(f"<a {five}/>"))
    check_xml(made("<a x=''/>" * 5))
    assert "more than 5 attributes" in refused(lambda: check_xml(made(f"<a {five} y=''/>")))
    assert "more than 5 attributes" in refused(lambda: check_xml(made("<a x=''/>" * 6)))


def test_names_and_namespaces_of_xml_may_be_so_long() -> None:
    assert xml_gate._MAX_NAME == 256
    for made in (
        lambda name: f"<{name}/>",
        lambda name: f"<r><{name}/></r>",
        lambda name: f"<r {name}=''/>",
        lambda name: f"<r xmlns:a='{name}'/>",
        lambda name: f"<r xmlns='{name}'><a xmlns=''/></r>",
        lambda name: f"<x:{name} xmlns:x='{'u' * 256}' x:{name}=''/>",
    ):
        check_xml(made("n" * 256).encode())
        assert "of more than 256 letters" in refused(lambda made=made: check_xml(made("n" * 257).encode()))  # type: ignore[misc]


def test_checked_xml_comes_back_with_plain_names() -> None:
    data, root = check_xml(b"<x:r xmlns:x='urn:y'><x:a>1<!-- c --></x:a><b/></x:r>")
    assert data == b"<x:r xmlns:x='urn:y'><x:a>1<!-- c --></x:a><b/></x:r>"
    assert [root.tag, *(each.tag for each in root)] == ["r", "a", "b"]
    assert (child_text(root, "a"), child_text(root, "b"), child_text(root, "c")) == ("1", "", "")
    _, root = check_xml(b"<r><a>  two words </a></r>")
    assert child_text(root, "a") == "two words"


def test_what_is_no_element_keeps_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from xml.etree import ElementTree

    # should the parser ever keep comments
    kept = ElementTree.Element("{u}r")
    kept.append(ElementTree.Comment("x"))
    monkeypatch.setattr(xml_gate, "_parsed", lambda data: kept)
    _, root = check_xml(b"")
    assert root.tag == "r"
    assert root[0].tag is ElementTree.Comment


def test_latin_1_in_xml_that_says_utf_8_is_turned_into_it() -> None:
    for head in (b"", b"<?xml version='1.0' encoding='UTF-8'?>", b"<?xml version='1.0'?>\n"):
        data, root = check_xml(head + "<r>M\u00fcller</r>".encode("latin-1"))
        assert root.text == "M\u00fcller"
        assert "<r>M\u00fcller</r>" in data.decode("utf-8")
        assert b"<?xml" not in data


def test_xml_that_breaks_off_is_refused_with_what_is_wrong() -> None:
    for data in (b"<r>", b"", b"<r></s>", b"<r>\xff", "\ufeff<r>".encode("utf-16-le")):
        assert "not well-formed" in refused(lambda data=data: check_xml(data))  # type: ignore[misc]
    assert "mismatched tag" in refused(lambda: check_xml(b"<r></s>"))


DECLARATIONS = [
    "<!ENTITY a 'b'>", "<!ENTITY % a 'b'>", "<!ENTITY a SYSTEM 'file:///etc/passwd'>", "<!ENTITY % a SYSTEM 'x'> %a;",
    "<!ATTLIST r a CDATA 'b'>", "<!ELEMENT r ANY>", "<!NOTATION n SYSTEM 'x'>", "<!ENTITY a SYSTEM 'x' NDATA n>",
    "<!-- ]><r > --><!ATTLIST r a CDATA 'b'>", "<?x ]><r > ?><!ATTLIST r a CDATA 'b'>", "<!-- nothing -->", "",
]  # fmt: skip


@pytest.mark.parametrize("inside", DECLARATIONS)
def test_nothing_is_declared_within_a_doctype(inside: str) -> None:
    for head in ("r", "r SYSTEM 'r.dtd'", "r PUBLIC '-//r' 'r.dtd'", 'r SYSTEM "]>"', "r SYSTEM '<r>'"):
        for encoding in ("ascii", "utf-16"):
            data = f"<!-- <r> --><!DOCTYPE {head} [{inside}]><r/>".encode(encoding)
            assert "the XML declares entities" in refused(lambda data=data: check_xml(data))  # type: ignore[misc]
    assert "the XML declares entities" in refused(lambda: check_xml(f"<!DOCTYPE r\n[{inside}".encode()))


@pytest.mark.parametrize(
    "head", ["r", "r SYSTEM 'r.dtd'", "r PUBLIC '-//r' 'r.dtd'", "r SYSTEM '['", "r SYSTEM '[<!ENTITY a SYSTEM \"x\">]>'", "r "]
)
def test_a_bare_doctype_is_allowed_and_what_it_names_is_not_fetched(head: str) -> None:
    assert check_xml(f"<!DOCTYPE {head}><r/>".encode())[1].tag == "r"
    assert "undefined entity" in refused(lambda: check_xml(f"<!DOCTYPE {head}><r>&a;</r>".encode()))


# ---------------------------------------------------------------- HDF5


def made(path: Path, change: Callable[[Any], None], **options: Any) -> File:
    with h5py.File(path, "w", **options) as file:
        change(file)
    return File(path.name, path=str(path))


@pytest.mark.parametrize("block", [0, 512, 1024, 2048])
def test_hdf5_is_found_behind_a_user_block(tmp_path: Path, block: int) -> None:
    file = made(tmp_path / "a.h5", lambda f: f.__setitem__("x", [1.0]), **({"userblock_size": block} if block else {}))
    assert gate.is_hdf5(file.start())
    with gate.opened(file) as found:
        assert found["x"][0] == 1.0
    with gate.opened(File("a", data=file.content())) as found:
        assert found["x"][0] == 1.0
    assert not gate.is_hdf5(b"x" + file.start())
    assert not gate.is_hdf5(file.start()[:block] + b"\x89HDF\r\n\x1a")


def test_whatever_h5py_says_is_an_ecg_error(tmp_path: Path) -> None:
    file = made(tmp_path / "a.h5", lambda f: f.__setitem__("x", [1.0]))
    assert "no HDF5 file" in refused(lambda: gate.opened(File("a", data=b"x" * 5000)).__enter__())
    assert "h5py cannot decode it" in refused(lambda: gate.opened(File("a", data=file.content()[:100])).__enter__())
    with pytest.raises(EcgError, match=r"h5py cannot decode it \(KeyError"), gate.opened(file) as found:
        found["none"]
    with pytest.raises(EcgError, match=r"^mine$"), gate.opened(file):
        raise EcgError("mine")


def test_without_the_packages_it_says_which_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("h5py", "defusedxml"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "pip install 'ecgspasm[hdf5]'" in refused(lambda: gate.opened(File("a", data=b"\x89HDF\r\n\x1a\n")).__enter__())
    assert "pip install 'ecgspasm[formats]'" in refused(lambda: check_xml(b"<r/>"))


def test_only_plain_numbers_of_the_file_itself_are_listed(tmp_path: Path) -> None:
    def change(f: Any) -> None:
        f["float"], f["int"], f["unsigned"] = np.zeros(3), np.zeros((2, 2), int), np.zeros(3, np.uint8)
        f["scalar"], f["complex"], f["text"] = 1.0, np.zeros(2, complex), [b"abc"]
        f["bool"] = np.zeros(2, bool)
        f["long"] = np.zeros(2, np.longdouble)
        f.create_group("group")
        f["soft"] = h5py.SoftLink("/float")
        f["external"] = h5py.ExternalLink("other.h5", "/x")

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        assert set(gate.datasets(found)) == {"float", "int", "unsigned"}


def test_a_file_may_have_a_thousand_members(tmp_path: Path) -> None:
    def change(n: int) -> Callable[[Any], None]:
        return lambda f: [f.create_group(f"g{each}") for each in range(n)] and None

    with gate.opened(made(tmp_path / "a.h5", change(1000))) as found:
        assert gate.datasets(found) == {}
    with gate.opened(made(tmp_path / "b.h5", change(1001))) as found:
        assert "more than 1000 members" in refused(lambda: gate.datasets(found))


def test_attributes_are_numbers_or_texts_that_agree(tmp_path: Path) -> None:
    def change(f: Any) -> None:
        f["x"] = np.zeros(3)
        f.attrs["fs"], f["x"].attrs["fs"] = 500, 500
        f.attrs["units"] = "mV"
        f["x"].attrs["leads"] = ["I", "II"]
        f.attrs["bytes"] = np.bytes_(b"ab")
        f.attrs["other"] = 1

    file = made(tmp_path / "a.h5", change)
    with gate.opened(file) as found:
        got = gate.attributes(file, found, found["x"], names=("fs", "units", "leads", "bytes", "none"))
        assert set(got) == {"fs", "units", "leads", "bytes"}
        assert (got["fs"], got["units"], list(got["leads"]), got["bytes"]) == (500, "mV", ["I", "II"], b"ab")
    with h5py.File(tmp_path / "a.h5", "a") as f:
        f["x"].attrs["fs"] = 400
    with gate.opened(file) as found:
        assert "fs of the file and that of the data set differ" in refused(
            lambda: gate.attributes(file, found, found["x"], names=("fs",))
        )


def test_attributes_of_other_kinds_or_too_large_are_refused(tmp_path: Path) -> None:
    def change(f: Any) -> None:
        f["x"] = np.zeros(3)
        f.attrs["reference"] = f["x"].ref
        f.attrs["complex"] = 1j
        f.attrs["fits"] = np.zeros(64 * 1024, np.uint8)

    file = made(tmp_path / "a.h5", change, libver="latest")
    with gate.opened(file) as found:
        for name in ("reference", "complex"):
            assert "is no number and no text" in refused(lambda name=name: gate.attributes(file, found, names=(name,)))  # type: ignore[misc]
        assert gate.attributes(file, found, names=("fits",))["fits"].size == 65536
    file = made(tmp_path / "b.h5", lambda f: f.attrs.__setitem__("large", np.zeros(64 * 1024 + 1, np.uint8)), libver="latest")
    with gate.opened(file) as found:
        assert "is no number and no text" in refused(lambda: gate.attributes(file, found, names=("large",)))


def chunked(path: Path, **options: Any) -> File:
    values = np.arange(60.0).reshape(6, 10)
    return made(path, lambda f: f.create_dataset("x", data=values, **options) and None)


@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": (2, 5)}, {"chunks": (4, 3)}, {"chunks": (2, 5), "compression": "gzip"}, {"chunks": (2, 5), "shuffle": True},
     {"chunks": (2, 5), "compression": "gzip", "shuffle": True, "fletcher32": True}],
)  # fmt: skip
def test_the_usual_packings_are_read(tmp_path: Path, options: dict[str, Any]) -> None:
    values = np.arange(60.0).reshape(6, 10)
    with gate.opened(chunked(tmp_path / "a.h5", **options)) as found:
        assert np.array_equal(gate.part(found["x"], 60), values)
        assert np.array_equal(gate.part(found["x"], 10, row=5), values[5])
        assert np.array_equal(gate.stretch(found["x"], 0, 1, 4), values[1:4])
        assert np.array_equal(gate.stretch(found["x"], 1, 3, 10), values[:, 3:10])


def test_no_more_values_than_the_limit_are_read_at_once(tmp_path: Path) -> None:
    with gate.opened(chunked(tmp_path / "a.h5")) as found:
        assert "x has the shape (6, 10), which cannot be read" in refused(lambda: gate.part(found["x"], 59))
        assert "cannot be read at once" in refused(lambda: gate.part(found["x"], 9, row=0))
    with gate.opened(made(tmp_path / "b.h5", lambda f: f.__setitem__("x", np.zeros((0, 5))))) as found:
        assert "cannot be read at once" in refused(lambda: gate.part(found["x"], 10))


def test_other_filters_are_not_run(tmp_path: Path) -> None:
    with gate.opened(chunked(tmp_path / "a.h5", chunks=(2, 5), compression="lzf")) as found:
        assert "packed by filters [32000]" in refused(lambda: gate.part(found["x"], 60))
        assert "packed by filters" in refused(lambda: gate.part(found["x"], 60, row=0))
        assert "packed by filters" in refused(lambda: gate.stretch(found["x"], 1, 0, 5))


def test_data_that_lie_elsewhere_or_nowhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(80))

    def change(f: Any) -> None:
        f.create_dataset("external", (10,), float, external=[(str(tmp_path / "raw"), 0, 80)])
        layout = h5py.VirtualLayout((10,), float)
        layout[:] = h5py.VirtualSource(str(tmp_path / "o.h5"), "x", (10,))
        f.create_virtual_dataset("virtual", layout)
        f.create_dataset("never", (10,), float, chunks=(5,))
        f.create_dataset("bare", (10,), float)
        f.create_dataset("half", (10,), float, chunks=(5,))
        f["half"][:5] = 1.0

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        for name, said in (
            ("external", "lie in other files"),
            ("virtual", "lie in other files"),
            ("never", "/never was made but never written"),
            ("bare", "/bare was made but never written"),
            ("half", "a part of /half was never written"),
        ):
            assert said in refused(lambda name=name: gate.part(found[name], 10))  # type: ignore[misc]
        # what is there is read, and only what is asked is looked at
        assert np.array_equal(gate.stretch(found["half"], 0, 0, 5), np.ones(5))
        assert "never written" in refused(lambda: gate.stretch(found["half"], 0, 4, 6))
        assert "never written" in refused(lambda: gate.stretch(found["half"], 0, 5, 6))


@pytest.mark.parametrize(("size", "good"), [(80, True), (79, False), (81, False), (10**6, False)])
def test_a_chunk_unpacks_to_its_size_or_not_at_all(tmp_path: Path, size: int, good: bool) -> None:
    def change(f: Any) -> None:
        data = f.create_dataset("x", (20,), float, chunks=(10,), compression="gzip")
        data[:] = 1.0
        data.id.write_direct_chunk((10,), zlib.compress(bytes(size)))

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        assert gate.stretch(found["x"], 0, 0, 10).sum() == 10.0
        if good:
            assert gate.part(found["x"], 20).sum() == 10.0
        else:
            assert "unpacks to another size than the 80 bytes" in refused(lambda: gate.part(found["x"], 20))


def test_a_row_is_read_only_if_its_own_chunk_is_sound(tmp_path: Path) -> None:
    def change(f: Any) -> None:
        data = f.create_dataset("x", (3, 10), float, chunks=(1, 5), compression="gzip")
        data[:] = 1.0
        for corner in ((1, 0), (2, 5)):
            data.id.write_direct_chunk(corner, zlib.compress(bytes(400)))

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        assert gate.part(found["x"], 10, row=0).sum() == 10.0
        for row in (1, 2):
            assert "unpacks to another size" in refused(lambda row=row: gate.part(found["x"], 10, row=row))  # type: ignore[misc]


def test_a_chunk_that_was_stored_unpacked_needs_no_unpacking(tmp_path: Path) -> None:
    def change(f: Any) -> None:
        data = f.create_dataset("x", (10,), float, chunks=(10,), compression="gzip")
        data.id.write_direct_chunk((0,), np.full(10, 3.0).tobytes(), filter_mask=1)

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        assert gate.part(found["x"], 10).sum() == 30.0


def _masked(path: Path, mask: int, content: bytes, **options: Any) -> File:
    """Ten numbers in one chunk that says which of shuffle (1), gzip (2) and the checksum (4) it was spared."""

    def change(f: Any) -> None:
        data = f.create_dataset("x", (10,), float, chunks=(10,), shuffle=True, compression="gzip", **options)
        data.id.write_direct_chunk((0,), content, filter_mask=mask)

    return made(path, change)


@pytest.mark.parametrize("mask", [0, 1])
@pytest.mark.parametrize(("size", "good"), [(80, True), (79, False), (81, False), (10**6, False)])
def test_a_chunk_without_shuffle_unpacks_to_its_size_or_not_at_all(tmp_path: Path, mask: int, size: int, good: bool) -> None:
    with gate.opened(_masked(tmp_path / "a.h5", mask, zlib.compress(bytes(size)))) as found:
        if good:
            assert gate.part(found["x"], 10).sum() == 0.0
        else:
            assert "unpacks to another size than the 80 bytes" in refused(lambda: gate.part(found["x"], 10))


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize(("size", "good"), [(0, True), (-1, False), (1, False)])
def test_a_chunk_that_was_spared_deflate_has_its_size_as_it_is(tmp_path: Path, checksum: bool, size: int, good: bool) -> None:
    for mask in (2, 3, 6, 7):
        due = 80 + (4 if checksum and mask < 4 else 0)
        # the checksum of zeros is zero
        with gate.opened(_masked(tmp_path / f"{mask}.h5", mask, bytes(due + size), fletcher32=checksum)) as found:
            if good:
                assert gate.part(found["x"], 10).sum() == 0.0
            else:
                assert "another size than the 80 bytes" in refused(lambda found=found: gate.part(found["x"], 10))  # type: ignore[misc]


def test_what_deflate_cannot_make_smaller_is_read(tmp_path: Path) -> None:
    noise = np.frombuffer(np.random.default_rng(1).bytes(80_000), "<i8")

    def change(f: Any) -> None:
        for name, checksum in (("x", False), ("y", True)):
            f.create_dataset(name, data=noise, chunks=(1000,), compression="gzip", fletcher32=checksum)

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        for name in ("x", "y"):
            assert np.array_equal(gate.part(found[name], 10_000), noise)


@pytest.mark.parametrize(("extra", "good"), [(4096, True), (4097, False)])
def test_a_packed_chunk_is_not_much_larger_than_what_it_holds(tmp_path: Path, extra: int, good: bool) -> None:
    packed = zlib.compress(bytes(80))

    def change(f: Any) -> None:
        data = f.create_dataset("x", (10,), float, chunks=(10,), compression="gzip")
        data.id.write_direct_chunk((0,), packed + bytes(80 + extra - len(packed)))

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        if good:
            gate._check_chunks(found["x"], 0, 0, 10)
        else:
            assert "a chunk of /x has 4177 bytes where 80 are due" in refused(lambda: gate._check_chunks(found["x"], 0, 0, 10))


def test_chunks_may_be_64_mib_and_a_hundred_thousand(tmp_path: Path) -> None:
    largest = 64 * 2**20

    def change(f: Any) -> None:
        for name, size in (("fits", largest), ("large", largest + 1)):
            f.create_dataset(name, (size,), np.uint8, chunks=(size,))
        for name, count in (("some", 100_000), ("many", 100_001)):
            f.create_dataset(name, (count,), np.uint8, chunks=(1,))

    with gate.opened(made(tmp_path / "a.h5", change)) as found:
        for name in ("fits", "some"):
            assert "never written" in refused(lambda name=name: gate._check_chunks(found[name], 0, 0, found[name].shape[0]))  # type: ignore[misc]
        for name in ("large", "many"):
            assert "too large or too many" in refused(
                lambda name=name: gate._check_chunks(found[name], 0, 0, found[name].shape[0])  # type: ignore[misc]
            )
        # of many chunks a few may be asked for
        assert "never written" in refused(lambda: gate._check_chunks(found["many"], 0, 5, 9))
