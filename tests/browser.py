"""Pages in a real browser: Debian's Chromium, driven by Playwright. Tests that need it are skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def executable() -> str:
    """Where Chromium is; empty if it is nowhere."""
    told = os.environ.get("ECGSPASM_CHROMIUM")
    return told or shutil.which("chromium") or shutil.which("chromium-browser") or ""


@contextmanager
def browser() -> Iterator[Any]:
    """A running browser."""
    if not executable():
        pytest.skip("no Chromium: apt-get install chromium, or set ECGSPASM_CHROMIUM to where it is")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as player:
        running = player.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield running
        running.close()


@contextmanager
def opened(running: Any, path: Path, **options: Any) -> Iterator[Any]:
    """A page opened from the disk; it must complain of nothing and ask nobody for anything."""
    context = running.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == []
    assert asked == [path.as_uri()]


TOO_PALE = """() => {
  const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  const channel = (value) => linear(value / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const found = [];
  let looked = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE"].includes(element.tagName) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || element.closest("button:disabled")) continue;
    const drawn = element instanceof SVGElement;
    const colour = parts(drawn ? style.fill : style.color);
    let behind = element;
    while (behind && (parts(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const ground = parts(getComputedStyle(behind ?? document.body).backgroundColor);
    const [high, low] = [light(colour), light(ground)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    looked += 1;
    const name = element.className.baseVal ?? element.className;
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.tagName} ${name}: ${element.textContent.trim().slice(0, 40)}`);
  }
  return [looked, found];
}"""
"""Texts whose contrast with what is behind them is below that of WCAG 2.1 AA, 4.5 to 1; and how many were looked at."""
