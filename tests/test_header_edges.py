"""The grammar of WFDB headers and its limits, each at its edge: the last that passes and the first that does not."""

from __future__ import annotations

from datetime import datetime

import pytest

from ecgspasm.errors import EcgError
from ecgspasm.io.wfdb import header as grammar
from ecgspasm.io.wfdb.header import Header, SignalLine, is_header, parse_header

LINE = "r.dat 16 1000(0)/uV 16 0 1 2 0 I"


def parsed(*lines: str, record: str = "r 1 500 1000") -> Header:
    return parse_header("\n".join([record, *(lines or (LINE,))]).encode())


def refused(*lines: str, record: str = "r 1 500 1000") -> str:
    with pytest.raises(EcgError) as caught:
        parsed(*lines, record=record)
    return str(caught.value)


# ---------------------------------------------------------------- the record line


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"r 1\n", True),
        (b"r 1 500 1000 10:00:00 01/02/2020\n", True),
        (b"r\n", False),
        (b"r 1 500 1000 10:00:00 01/02/2020 more\n", False),
        (b"r! 1 500\n", False),
        (b"r/2 1 500\n", True),
        (b"-r 1 500\n", False),
        ("r ² 500\n".encode(), False),
        ("r ٣ 500\n".encode(), False),
        (b"r x 500\n", False),
        (b"", False),
        (b"# only a comment\n", False),
        (b"r 1 500\0\n", False),
    ],
)
def test_a_header_is_told_by_its_record_line(start: bytes, is_one: bool) -> None:
    assert is_header(start) is is_one


def test_the_record_line_has_two_to_six_words() -> None:
    assert parsed(record="r 1").fs is None
    assert parsed(record="r 1").n_samples is None
    assert parsed(record="r 1 500").n_samples is None
    full = parsed(record="r 1 500 1000 10:20:30 01/02/2020")
    assert (full.record, full.n_sig, full.fs, full.n_samples) == ("r", 1, 500.0, 1000)
    assert "is not 'name signals fs samples" in refused(record="r")
    assert "is not 'name signals fs samples" in refused(record="r 1 500 1000 10:20:30 01/02/2020 x")


def test_a_length_of_nothing_is_no_length() -> None:
    assert parsed(record="r 1 500 0").n_samples is None
    assert parsed(record="r 1 500 1").n_samples == 1


def test_as_many_signals_as_promised_up_to_256() -> None:
    assert len(parsed(*[LINE] * 256, record="r 256 500 9").signals) == 256
    assert "up to 256" in refused(*[LINE] * 257, record="r 257 500 9")
    assert "promises 2 signals but 1 signal lines follow" in refused(record="r 2 500 9")
    assert "promises 1 signals but 2 signal lines follow" in refused(LINE, LINE)
    assert parse_header(b"r 0 500 9").signals == ()


def test_a_number_of_samples_is_a_plain_whole_number_up_to_a_million_millions() -> None:
    assert parsed(record=f"r 1 500 {10**12}").n_samples == 10**12
    for wrong in (str(10**12 + 1), "-1", "1.5", "1e3", "²", "٣", "x", "0" * 16):
        assert f"up to {10**12}" in refused(record=f"r 1 500 {wrong}")
    assert parsed(record=f"r 1 500 {'0' * 14}7").n_samples == 7


@pytest.mark.parametrize(
    ("token", "fs"),
    [
        ("500", 500.0),
        ("257.5", 257.5),
        ("360/2", 360.0),
        ("360/2.5(0)", 360.0),
        ("360/2(-3.5)", 360.0),
        ("0.1", 0.1),
        ("123456789", 123456789.0),
        ("1.123456789012", 1.123456789012),
        ("1/123456789.123456789012(123456789012.123456789012)", 1.0),
    ],
)
def test_a_sampling_rate_with_its_counter(token: str, fs: float) -> None:
    assert parsed(record=f"r 1 {token} 9").fs == fs


@pytest.mark.parametrize(
    "token",
    [
        "0",
        "0.0",
        "-500",
        "5e2",
        "500.",
        ".5",
        "500x",
        "x500",
        "360/",
        "360(2)",
        "360/2(",
        "360/2()",
        "1234567890",
        "٣٦٠",
        "1.1234567890123",
        "1/1234567890",
        "1/1.1234567890123",
        "1/1(1234567890123)",
        "1/1(1.1234567890123)",
        "1/1(2)3",
    ],
)
def test_what_is_no_sampling_rate(token: str) -> None:
    assert "plain number" in refused(record=f"r 1 {token} 9")


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("", None),
        (" 10:20:30", None),
        (" 1:02:03 4/5/2020", datetime(2020, 5, 4, 1, 2, 3)),
        (" 23:59:59.5 31/12/1999", datetime(1999, 12, 31, 23, 59, 59, 500_000)),
        (" 00:00:00.000001 01/01/2020", datetime(2020, 1, 1, 0, 0, 0, 1)),
        (" 1-May-2020 12:33:59", None),
        (" 12-May-2020 12:33:59", None),
    ],
)
def test_time_and_date(words: str, when: datetime | None) -> None:
    assert parsed(record=f"r 1 500 9{words}").recorded_at == when


@pytest.mark.parametrize(
    "words",
    [
        "10:20",
        "100:20:30",
        "10:200:30",
        "10:20:300",
        "10:20:30.",
        "10:20:30.1234567",
        "noon",
        "١٠:20:30",
        "12-May-2020",
        "12-May-2020 noon",
        "123-May-2020 12:33:59",
        "12-May-2020x 12:33:59",
        "12-May-2020 12:33:59x",
        "12-June-2020 12:33:59",
        "12-May-20 12:33:59",
        "10:20:30 100/2/2020",
        "10:20:30 1/200/2020",
        "10:20:30 1/2/20",
        "10:20:30 1/2/20200",
        "10:20:30 x",
        "noon 1/2/2020",
    ],
)
def test_what_is_no_time_or_date(words: str) -> None:
    assert "write HH:MM:SS DD/MM/YYYY" in refused(record=f"r 1 500 9 {words}")


@pytest.mark.parametrize(
    "words", ["24:00:00 1/2/2020", "10:60:00 1/2/2020", "10:20:60 1/2/2020", "10:20:30 30/2/2020", "1:02:03 1/13/2020"]
)
def test_a_day_that_never_was_is_refused(words: str) -> None:
    assert "mend or remove them" in refused(record=f"r 1 500 9 {words}")


# ---------------------------------------------------------------- signal lines


def test_every_field_of_a_signal_line_is_read() -> None:
    (signal,) = parsed("my-file.dat 212x4:7+24 -2.5e+2(-3)/uV 12 1024 -5 -6 7 the lead  V1").signals
    assert signal == SignalLine("my-file.dat", 212, 4, 7, 24, -250.0, -3, "uV", 12, 1024, -5, -6, "the lead  V1")


def test_what_a_signal_line_may_leave_out() -> None:
    (signal,) = parsed("r.dat 16").signals
    assert signal == SignalLine("r.dat", 16, 1, 0, 0, None, 0, "mV", None, 0, None, None, "")
    (signal,) = parsed("r.dat 16 200 12 512").signals
    assert (signal.gain, signal.baseline, signal.adc_zero, signal.units) == (200.0, 512, 512, "mV")
    (signal,) = parsed("r.dat 16 200(0) 12 512").signals
    assert (signal.baseline, signal.adc_zero) == (0, 512)


@pytest.mark.parametrize("gain", ["1", "1.", ".5", "1.5", "1e3", "1E-12", "123456789012345.123456789012345", ".123456789012345"])
def test_a_gain_is_a_number(gain: str) -> None:
    assert parsed(f"r.dat 16 {gain}").signals[0].gain == float(gain)


@pytest.mark.parametrize(
    "line",
    [
        "r.dat",
        "r.dat x",
        "r.dat16",
        "r.dat 16x",
        "r.dat 16:",
        "r.dat 16+",
        "r.dat 1000",
        "r.dat 16x10000",
        "r.dat 16:1234567890",
        "r.dat 16+1234567890",
        "r.dat 16 .",
        "r.dat 16 +1",
        "r.dat 16 1234567890123456789012345678901",
        "r.dat 16 1.1234567890123456",
        "r.dat 16 .1234567890123456",
        "r.dat 16 1e123",
        "r.dat 16 1e",
        "r.dat 16 1()",
        "r.dat 16 1(12345678901)",
        "r.dat 16 1(x)",
        "r.dat 16 1/",
        "r.dat 16 1/" + "u" * 41,
        "r.dat 16 1 1234",
        "r.dat 16 1 x",
        "r.dat 16 1 16 12345678901",
        "r.dat 16 1 16 0 12345678901",
        "r.dat 16 1 16 0 1 1234567",
        "r.dat 16 1 16 0 1 2 1234567890",
        "r.dat 16 1 +16",
        "r.dat ٣",
    ],
)
def test_what_is_no_signal_line(line: str) -> None:
    assert "the signal line" in refused(line)


@pytest.mark.parametrize(
    "line",
    [
        "r.dat 016",
        "r.dat 16x9999",
        "r.dat 16:123456789",
        "r.dat 16+123456789",
        "r.dat 16 123456789012345",
        "r.dat 16 1e12",
        "r.dat 16 1(1234567890)",
        "r.dat 16 1(+5)",
        "r.dat 16 1/" + "u" * 40,
        "r.dat 16 1 123",
        "r.dat 16 1 16 -1234567890",
        "r.dat 16 1 16 0 -1234567890",
        "r.dat 16 1 16 0 1 -123456",
        "r.dat 16 1 16 0 1 2 -123456789",
        "r.dat\t16\t1\t16\t0\t1\t2\t0\tI",
        "r.dat  16  1  16  0  1  2  0  I",
    ],
)
def test_the_longest_that_a_signal_line_may_hold(line: str) -> None:
    assert len(parsed(line).signals) == 1


@pytest.mark.parametrize("known", [0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524])
def test_the_formats_of_the_standard_and_no_others(known: int) -> None:
    assert parsed(f"r.dat {known}").signals[0].format == known
    assert f"format {known + 3} in the header is unknown" in refused(f"r.dat {known + 3}")


def test_a_signal_has_samples_in_its_frames() -> None:
    assert parsed("r.dat 16x1").signals[0].samples_per_frame == 1
    assert parsed("r.dat 16x2").signals[0].samples_per_frame == 2
    assert "0 samples per frame" in refused("r.dat 16x0")


# ---------------------------------------------------------------- segments, lines, text


def test_segments_are_names_and_lengths() -> None:
    found = parsed("~ 12", "s_1 123456789012", "folder/s-2.x\t7", record="m/3 1 500 9")
    assert found.segments == (("~", 12), ("s_1", 123456789012), ("folder/s-2.x", 7))
    assert found.signals == ()


@pytest.mark.parametrize("line", ["s", "s12", "s x", "s 1 2", "s 1234567890123", "-s 1", "s -1", "/s 1", "~~ 1", "s! 1"])
def test_what_is_no_segment(line: str) -> None:
    assert "is not 'record samples'" in refused("s 1", line, record="m/2 1 500 9")


def test_as_many_segments_as_promised() -> None:
    assert "promises 2 segments but 1 follow" in refused("s 1", record="m/2 1 500 9")
    assert "promises 1 segments but 2 follow" in refused("s 1", "t 2", record="m/1 1 500 9")
    assert "is not 'name" in refused("s 1", record="m/1234567 1 500 9")
    assert "is not 'name" in refused("s 1", record="m/ 1 500 9")


def test_comments_stand_anywhere_and_blank_lines_do_not_count() -> None:
    found = parse_header(b"# first\r\n\r\nr 1 500 9\n   \n  #second #\nr.dat 16\n#\n")
    assert found.comments == ("first", "second #", "")
    assert len(found.signals) == 1


def test_a_latin_1_description_is_one_line() -> None:
    (signal,) = parse_header("r 1 500 9\nr.dat 16 1/\u00b5V 16 0 1 2 0 a\x85b".encode("latin-1")).signals
    assert (signal.units, signal.description) == ("\u00b5V", "a\x85b")


def test_a_header_of_nothing_holds_no_record() -> None:
    for content in (b"", b"\n\n", b"# only a comment"):
        with pytest.raises(EcgError, match="no record line"):
            parse_header(content)
    with pytest.raises(EcgError, match="binary data"):
        parse_header(b"r 1 500 9\0")


def test_the_limits_of_size_are_those_that_are_said() -> None:
    assert (grammar.MAX_HEADER_BYTES, grammar.MAX_LINE, grammar.MAX_SIGNALS) == (131_072, 4096, 256)
    body = f"r 1 500 9\n{LINE}\n"
    filler = "".join(f"#{'x' * 998}\n" for _ in range(140))
    fits = (body + filler)[: grammar.MAX_HEADER_BYTES]
    assert parse_header(fits.encode()).n_sig == 1
    with pytest.raises(EcgError, match="at most 131072"):
        parse_header((body + filler)[: grammar.MAX_HEADER_BYTES + 1].encode())
    assert parse_header(f"{body}#{'x' * 4095}".encode()).n_sig == 1
    with pytest.raises(EcgError, match="a line of 4097 characters; at most 4096"):
        parse_header(f"{body}#{'x' * 4096}".encode())


def test_ten_thousand_lines_are_enough_for_any_header() -> None:
    segments = "".join(f"s {n % 10}\n" for n in range(9999))
    assert len(parse_header(f"m/9999 1 500 9\n{segments}".encode()).segments) == 9999
    with pytest.raises(EcgError, match="more than 10000 lines"):
        parse_header(f"m/10000 1 500 9\n{segments}s 1\n".encode())


def test_what_a_message_repeats_of_a_header_is_one_short_line() -> None:
    said = refused("\x1b[31m" + "x" * 500)
    assert "\x1b" not in said
    assert len(said) < 250
