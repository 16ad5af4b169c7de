"""Benchmark results as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecgspasm.benchmarks.truth import WAVES


def text(result: Mapping[str, Any]) -> str:
    """Two tables: waves found, and how far their boundaries are off."""
    lines = [f"{result['set']}: {result['share_of_set']}, {1000 * (result['seconds_per_ecg'] or 0):.0f} ms per ECG (median)", ""]
    lines.append(f"{'wave':<12}{'n':>7}{'Se %':>9}{'PPV %':>9}{'F1 %':>9}   95 % interval of F1")
    for wave in WAVES:
        row = result["waves"][wave]
        interval = "..".join(_number(each, 2) for each in row["f1_interval"] or [None, None])
        lines.append(
            f"{wave:<12}{row['n']:>7}{_number(row['se'], 2):>9}{_number(row['ppv'], 2):>9}{_number(row['f1'], 2):>9}   {interval}"
        )
    lines += [
        "",
        f"{'boundary, ms':<12}{'n':>7}{'mean':>9}{'SD':>9}{'c95 SD':>9}{'rec. SD':>9}{'med |e|':>9}{'p95 |e|':>9}{'>40 %':>8}",
    ]
    for name, row in result["boundaries"].items():
        if row["n"]:
            columns = ("mean", "sd", "sd_central95", "mean_of_record_sds", "median_abs", "p95_abs")
            cells = "".join(f"{_number(row[column], 1):>9}" for column in columns)
            lines.append(f"{name:<12}{row['n']:>7}{cells}{_number(row['share_beyond_40'], 1):>8}")
    shifted = {name: row for name, row in result["boundaries"].items() if "convention_offset" in row}
    if shifted:
        parts = (f"{name} {row['mean_after_offset']:+.1f} ({row['convention_offset']:+.0f})" for name, row in shifted.items())
        lines += ["", f"mean after the stated offset of this set's convention (the offset), ms: {', '.join(parts)}"]
    if "u_waves" in result:
        row = result["u_waves"]
        lines += ["", f"U waves: {row['n']} by the expert, {row['found']} of them found; {row['marked']} marked in all"]
    if "inverted_t" in result:
        row = result["inverted_t"]
        share = 100 * row["right_sign"] / row["n"] if row["n"] else float("nan")
        lines += ["", f"inverted T waves: {row['n']}, found with the right sign {row['right_sign']} ({share:.1f} %)"]
    if "t_polarity_by_lead" in result:
        shares = []
        for lead, row in result["t_polarity_by_lead"].items():
            n, right = (sum(row[kind][name] for kind in row) for name in ("n", "right_sign"))
            shares.append(f"{lead} {100 * right / n:.1f}" if n else f"{lead} -")
        lines.append(f"T waves beyond 100 uV with the right sign, %: {', '.join(shares)}")
    lines += ["", f"largest total error: {', '.join(result['worst_records'])}"]
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def occlusion_text(result: dict[str, Any]) -> str:
    """STAFF III: a row a rule, then a row a number."""
    groups = list(result["by_artery"])
    lines = [f"{result['persons']} persons: " + ", ".join(f"{name} {n}" for name, n in result["by_artery"].items()), ""]
    lines.append(f"{'rule, %':<34}" + "".join(f"{'Se ' + name:>10}" for name in groups) + f"{'Sp':>10}")
    for name, row in result["rules"].items():
        cells = [row["sensitivity"][group] for group in groups] + [row["specificity"]]
        lines.append(f"{name:<34}" + "".join(f"{cell:>10}" for cell in cells))
    lines += ["", f"{'number':<34}{'AUC':>8}{'95 % interval':>18}" + "".join(f"{'Se ' + name:>10}" for name in groups)]
    for name, row in result["numbers"].items():
        if row["auc"] is None:
            lines.append(f"{name:<34}{row['reason']}")
            continue
        interval = f"{row['auc_low']:.3f}-{row['auc_high']:.3f}"
        cells = [row["se_at_sp96"][group] for group in groups]
        lines.append(f"{name:<34}{row['auc']:>8.4f}{interval:>18}" + "".join(f"{cell:>10}" for cell in cells))
    lines += ["", "Se of a number: at 96 % specificity", "", "reliability of the score, person left out (said -> seen, pairs):"]
    rows = [f"{row['said']:.2f} -> {row['seen']:.2f} ({row['pairs']})" for row in result["reliability"]]
    return "\n".join([*lines, ", ".join(rows)])


def pairs_text(result: dict[str, Any]) -> str:
    """Pairs with known truth: a row a variant."""
    names = ("pairs", "new", "undecided", "largest_right", "covered")
    lines = [f"{'':<46}" + "".join(f"{name:>15}" for name in ("pairs", "new, %", "undecided, %", "lead right, %", "covered, %"))]
    for kind, rows in result.items():
        for variant, row in rows.items():
            cells = ["-" if row[name] is None else f"{row[name]:g}" for name in names]
            lines.append(f"{kind + ': ' + variant:<46}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def confounders_text(result: dict[str, Any]) -> str:
    """Confounders made on purpose: a row a change."""
    names = ("pairs", "named", "detected", "claimed", "new")
    lines = [f"{'':<66}" + "".join(f"{name:>12}" for name in ("pairs", "named, %", "detected, %", "claimed, %", "new, %"))]
    for kind, rows in result["sets"].items():
        for name, row in rows.items():
            lines.append(f"{kind + ': ' + name:<66}" + "".join(f"{row[column]:>12g}" for column in names))
    return "\n".join([*lines, f"swaps, gain or sampling rate claimed where there was none: {result['false_alarms']} %"])


def calibration_text(result: dict[str, Any]) -> str:
    """Errors on analytic ECGs, and with recorded noise."""
    head = "".join(f"{name:>12}" for name in ("ST max", "ST rms", "within, %", "T max", "T rms", "within, %", "refused"))
    lines = [f"{'error, uV':<40}{'limit':>8}{head}"]
    for condition, row in result["calibration"].items():
        cells = [row[name][key] for name in ("st_j60_uv", "t_uv") for key in ("largest_uv", "rms_uv", "within")]
        cells.append(row["st_j60_uv"]["refused"])
        lines.append(f"{condition:<40}{row['limit_uv']:>8g}" + "".join(f"{cell:>12g}" for cell in cells))
    for kind, rows in result.get("noise", {}).items():
        lines += [
            "",
            f"{kind + ', dB':<10}{'refused, %':>12}"
            + "".join(f"{name:>14}" for name in ("ST median", "ST 95 %", "covered, %", "T median", "T 95 %", "covered, %")),
        ]
        for level, row in rows.items():
            cells = [row[name][key] for name in ("st_j60_uv", "t_uv") for key in ("median_uv", "p95_uv", "covered")]
            shown = "".join(f"{'-' if cell is None else f'{cell:g}':>14}" for cell in cells)
            lines.append(f"{level:<10}{row['not_measured']:>12g}{shown}")
    return "\n".join(lines)
